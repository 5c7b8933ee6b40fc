// The protocol of a log that others write to: what is acknowledged, what is in doubt, who owns.
#include <doctest/doctest.h>

#include "tests/shared_log/support.h"

namespace souk::shared_log_test {

TEST_CASE("shared log: a claim is a record, and what follows it without a gap is acknowledged") {
  MemoryTopic topic;
  Node a(topic);
  REQUIRE(a.claim());
  CHECK(a.next == 3);  // behind the log's first record and the claim
  for (int i = 0; i < 3; ++i) a.append();
  a.append_noop();
  CHECK(a.acks.empty());
  a.broker.land();
  a.step();
  REQUIRE(a.acks.size() == 1);
  CHECK(a.acks[0].offset == 3);
  a.broker.land_all();
  a.step();
  REQUIRE(a.acks.size() == 4);
  CHECK(a.acks[3].offset == 6);
  CHECK(a.copy.end(shard) == 7);
  CHECK(counted(topic) == std::vector<Seq>{1, 2, 3});
  REQUIRE(a.fed.size() == 3);  // the read side hears of events alone
  CHECK(a.fed[2].offset == 5);
  CHECK(a.fed[2].transactions.size() == 1);
}

TEST_CASE("shared log: before the claim, and after a doubt, nothing is sent") {
  MemoryTopic topic;
  Node a(topic);
  a.append();
  CHECK(a.broker.sent.empty());
  REQUIRE(a.claim());
  a.append();
  a.broker.lose();
  a.step();
  CHECK(a.doubts.size() == 1);
  a.append();
  CHECK(a.broker.sent.empty());
}

TEST_CASE(
    "shared log: nothing is acknowledged after a gap, a failure or a report without an offset") {
  MemoryTopic topic;
  Node a(topic);
  REQUIRE(a.claim());
  const std::size_t before = topic.of(shard).size();
  a.append();
  a.append();
  a.append();
  SUBCASE("another wrote between") {
    a.broker.land();
    topic.append(shard,
                 encode(Claim{a.epoch, 99, 9}, {}));  // of no higher epoch: it counts for nothing
    a.broker.land_all();
  }
  SUBCASE("the second failed") {
    a.broker.land();
    a.broker.lose();
    a.broker.land_all();
  }
  SUBCASE("the second is there, and nobody can say so") {
    a.broker.land();
    a.broker.land_unknown();
    a.broker.land_all();
  }
  SUBCASE("the second is lost, and the third lands in its place") {
    a.broker.land();
    a.broker.lose_silently();
    a.broker.land();
  }
  SUBCASE("the reports come in another order") {
    a.broker.land_all();
    std::swap(a.broker.reports()[1], a.broker.reports()[2]);
  }
  SUBCASE("the second's report comes twice") {
    a.broker.land_all();
    a.broker.reports()[2] = a.broker.reports()[1];
  }
  a.step();
  CHECK(a.acks.size() == (a.broker.sent.empty() && a.acks.size() == 2 ? 2 : 1));
  REQUIRE(a.doubts.size() == 1);
  // The claim decides: what landed in a row counts, and the owner goes on from there.
  REQUIRE(a.claim());
  const auto counts = counted(topic);
  CHECK(a.seq == counts.size());
  CHECK(counts.size() >= a.acks.size());
  CHECK(a.copy.end(shard) == topic.of(shard).size() + 1);
  CHECK(topic.of(shard).size() > before);
  const std::size_t acked = a.acks.size();
  a.append();
  a.broker.land_all();
  a.step();
  CHECK(a.acks.size() == acked + 1);
}

TEST_CASE("shared log: a report of a former reign counts for nothing") {
  MemoryTopic topic;
  Node a(topic);
  REQUIRE(a.claim());
  a.append();
  const auto late = a.broker.sent.front();
  a.broker.lose();
  a.step();
  REQUIRE(a.claim());
  a.append();
  // As if the first had landed where the second must.
  a.broker.report({late.shard, late.tag, a.next, {}});
  a.step();
  CHECK(a.acks.empty());
  CHECK(a.doubts.size() == 1);
  a.broker.land_all();
  a.step();
  CHECK(a.acks.size() == 1);
}

TEST_CASE("shared log: one who was deposed without knowing it acknowledges nothing more") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.claim());
  a.append();
  a.broker.land_all();
  a.step();
  REQUIRE(b.claim());
  CHECK(b.epoch > a.epoch);
  CHECK(b.seq == 1);
  REQUIRE(b.fed.size() == 1);  // the read side of the new owner has what the old one wrote
  a.append();                  // still believes
  a.append_noop();
  a.broker.land_all();
  a.step();
  CHECK(a.acks.size() == 1);
  CHECK(a.doubts.size() == 1);
  b.append();
  b.broker.land_all();
  b.step();
  CHECK(b.acks.empty());  // a's records lie between: b must claim anew, and loses nothing
  REQUIRE(b.claim());
  CHECK(b.seq == 2);
  CHECK(counted(topic) == std::vector<Seq>{1, 2});
  CHECK(b.logs->passed_over() >= 2);
}

TEST_CASE("shared log: of two who claim at once the higher epoch owns, and the other finds out") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  a.ask();
  b.ask();
  a.broker.land_all();
  b.broker.land_all();
  a.step(2);
  b.step(2);
  CHECK(a.owns);
  CHECK_FALSE(b.owns);  // of the same epoch, and later
  REQUIRE(b.claims.size() == 1);
  CHECK(b.claims[0].ok());  // it knows how far to read, and sees another's claim there
  REQUIRE(b.claim());
  a.append();
  a.broker.land_all();
  a.step();
  CHECK(a.acks.empty());
  CHECK(a.doubts.size() == 1);
}

TEST_CASE("shared log: a claim that fails is sent again in a higher epoch") {
  MemoryTopic topic;
  Node a(topic);
  a.ask();
  SUBCASE("and is not there") { a.broker.lose(); }
  SUBCASE("and is there all the same") { a.broker.land_unknown(); }
  a.step();
  CHECK(a.broker.sent.empty());
  a.pass(a.options.claim_retry);
  a.step();
  a.broker.land_all();
  a.step();
  CHECK(a.owns);
  CHECK(a.epoch == 3);
}

TEST_CASE("shared log: a claim that another follows is not granted in its place") {
  MemoryTopic topic;
  Node a(topic);
  a.ask();
  a.broker.land_all();
  // Asked for in the same step in which the first would be granted.
  std::vector<Result<ShardLog::Claimed, Fault>> second;
  a.logs->log(shard).claim(77, [&](auto claimed) { second.push_back(std::move(claimed)); });
  a.step();
  CHECK(second.empty());
  CHECK_FALSE(a.owns);
  a.append();
  CHECK(a.broker.sent.size() == 1);  // the second claim alone
  a.broker.land_all();
  a.step(2);
  REQUIRE(second.size() == 1);
  REQUIRE(second[0].ok());
  CHECK(second[0]->epoch == 3);
  CHECK(second[0]->end == topic.of(shard).size() + 1);
}

TEST_CASE("shared log: what is not reported in time is in doubt, and late reports change nothing") {
  MemoryTopic topic;
  Node a(topic);
  REQUIRE(a.claim());
  a.append();
  a.pass(a.options.overdue - std::chrono::milliseconds(100));
  a.step();
  CHECK(a.doubts.empty());
  a.pass(std::chrono::milliseconds(200));
  a.step();
  CHECK(a.doubts.size() == 1);
  a.broker.land();
  a.step();
  CHECK(a.acks.empty());
  REQUIRE(a.claim());
  CHECK(a.seq == 1);  // it landed before the claim, so it counts
}

TEST_CASE("shared log: a record of another epoch than it was opened in is not sent, and in doubt") {
  MemoryTopic topic;
  Node a(topic);
  REQUIRE(a.claim());
  const std::uint64_t of_now = std::exchange(a.epoch, a.epoch - 1);
  a.append();  // it has not heard yet
  a.epoch = of_now;
  a.append();
  CHECK(a.broker.sent.empty());
  a.step();
  CHECK(a.doubts.size() == 1);
  CHECK(a.acks.empty());
  REQUIRE(a.claim());
  CHECK(a.seq == 0);
  a.append();
  a.broker.land_all();
  a.step();
  CHECK(a.acks.size() == 1);
}

TEST_CASE("shared log: a record that is too large for one message goes in parts") {
  MemoryTopic topic;
  Node a(topic), b(topic, 2);
  a.broker.part_bytes_max = b.broker.part_bytes_max = 200;
  REQUIRE(a.claim());
  a.append(1, 20);
  a.append();
  REQUIRE(a.broker.sent.size() > 3);
  const std::size_t parts = a.broker.sent.size() - 1;
  SUBCASE("and is acknowledged with its last") {
    for (std::size_t i = 1; i < parts; ++i) a.broker.land();
    a.step();
    CHECK(a.acks.empty());
    a.broker.land_all();
    a.step();
    REQUIRE(a.acks.size() == 2);
    CHECK(a.acks[0].offset == 2 + parts);
    REQUIRE(b.claim());
    CHECK(b.seq == 21);
    REQUIRE(b.fed.size() == 2);
    CHECK(decode_batch(b.fed[0].bytes)->transactions[0].events.size() == 20);
    CHECK(a.copy.records.size() == 2 + parts + 1);
  }
  SUBCASE("and counts for nothing where its end is missing") {
    for (std::size_t i = 1; i < parts; ++i) a.broker.land();
    REQUIRE(b.claim());
    CHECK(b.seq == 0);
    b.append();
    b.broker.land_all();
    b.step();
    CHECK(counted(topic) == std::vector<Seq>{1});
  }
}

TEST_CASE("shared log: a node that comes back copies what it missed") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.claim());
  for (int i = 0; i < 5; ++i) a.append();
  a.broker.land_all();
  a.step();
  std::uint64_t of = 0;
  REQUIRE(b.logs
              ->catch_up([&](std::uint64_t, std::uint64_t all) {
                of = all;
                return true;
              })
              .ok());
  CHECK(of == 7);
  CHECK(b.copy.records == a.copy.records);
  CHECK(*b.copy.place(shard) == *a.copy.place(shard));
  CHECK_FALSE(b.broker.reads(shard));
  SUBCASE("nothing where it has all") {
    of = 99;
    b.open();
    REQUIRE(b.logs
                ->catch_up([&](std::uint64_t, std::uint64_t) {
                  of = 0;
                  return true;
                })
                .ok());
    CHECK(of <= 1);  // but for a look at the first record
  }
  SUBCASE("and waits for the brokers until it is told to give up") {
    b.broker.answers = false;
    int asked = 0;
    const auto status = b.logs->catch_up([&](std::uint64_t, std::uint64_t) { return ++asked < 3; });
    CHECK_FALSE(status.ok());
    CHECK(asked == 3);
  }
}

TEST_CASE("shared log: one that is shorter than the copy, or goes on otherwise, is refused") {
  MemoryTopic topic;
  Node a(topic, 1);
  REQUIRE(a.claim());
  for (int i = 0; i < 3; ++i) a.append();
  a.broker.land_all();
  a.step();
  SUBCASE("shorter, at the start") {
    topic.of(shard).resize(2);
    const auto status = a.logs->catch_up([](std::uint64_t, std::uint64_t) { return true; });
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().kind == Fault::Kind::mismatch);
    CHECK(status.error().what.find("ends at record 2") != std::string::npos);
  }
  SUBCASE("shorter, while it serves") {
    topic.of(shard).resize(2);
    a.append();
    a.broker.land_all();
    a.step();
    CHECK(a.acks.size() == 3);
    CHECK(a.doubts.size() == 1);
    a.ask();
    a.broker.land_all();
    a.step();
    CHECK_FALSE(a.owns);
    REQUIRE(a.logs->halted(shard));
    CHECK(a.logs->halted(shard)->what.find("ends at record") != std::string::npos);
    // Nothing is claimed any more.
    a.ask();
    CHECK(a.broker.sent.empty());
    CHECK_FALSE(a.claims.back().ok());
  }
  SUBCASE("made anew, and longer") {
    topic = MemoryTopic(78);
    Node b(topic, 2);
    b.options.genesis = 78;
    b.open();
    REQUIRE(b.claim());
    for (int i = 0; i < 9; ++i) b.append(7);
    b.broker.land_all();
    b.step();
    SUBCASE("at the start") {
      a.open();
      const auto status = a.logs->catch_up([](std::uint64_t, std::uint64_t) { return true; });
      REQUIRE_FALSE(status.ok());
      CHECK(status.error().what.find("made again") != std::string::npos);
    }
    SUBCASE("while it serves") {
      a.append();
      a.broker.land_all();
      a.step();
      CHECK(a.acks.size() == 3);
      a.ask();
      a.broker.land_all();
      a.step(2);
      CHECK_FALSE(a.owns);
      REQUIRE(a.logs->halted(shard));
      CHECK(a.logs->halted(shard)->what.find("made again") != std::string::npos);
    }
  }
  SUBCASE("a record does not follow from the one before") {
    Node b(topic, 2);
    REQUIRE(b.claim());
    b.chain ^= 1;
    b.append();
    b.broker.land_all();
    const auto status = a.logs->catch_up([](std::uint64_t, std::uint64_t) { return true; });
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().kind == Fault::Kind::corrupt);
    CHECK(a.logs->halted(shard));
  }
  SUBCASE("what stands there is no record") {
    topic.append(shard, "hello");
    CHECK_FALSE(a.logs->catch_up([](std::uint64_t, std::uint64_t) { return true; }).ok());
  }
}

TEST_CASE("shared log: where the copy cannot be written the shard waits, and nothing is lost") {
  MemoryTopic topic;
  Node a(topic);
  REQUIRE(a.claim());
  a.append();
  a.broker.land_all();
  a.step();
  a.copy.fails = true;
  a.append();
  a.broker.land_all();
  a.step();
  CHECK(a.acks.size() == 1);
  REQUIRE(a.doubts.size() == 1);
  a.ask();
  a.step(20);
  CHECK(a.broker.sent.empty());  // it waits for the disk
  a.copy.fails = false;
  SUBCASE("") {}
  SUBCASE("also what the copy had and lost") {
    a.copy.records.clear();
    a.copy.places.clear();
  }
  a.step(20);
  a.broker.land_all();
  a.step(2);
  REQUIRE(a.owns);
  CHECK(a.seq == 2);
  CHECK(a.copy.end(shard) == topic.of(shard).size() + 1);
  CHECK(a.copy.records.size() == topic.of(shard).size());
}

TEST_CASE("shared log: a closed one claims nothing") {
  MemoryTopic topic;
  Node a(topic);
  REQUIRE(a.claim());
  SUBCASE("and drops what it is asked for") {
    a.ask();
    a.logs->stop();
    REQUIRE(a.claims.size() == 2);
    CHECK_FALSE(a.claims[1].ok());
  }
  SUBCASE("and refuses it afterwards") {
    a.logs->stop();
    a.logs->log(shard).claim(5, [&](auto claimed) { a.claims.push_back(std::move(claimed)); });
    CHECK_FALSE(a.claims.back().ok());
  }
  const std::size_t sent = a.broker.sent.size();
  a.append();
  CHECK(a.broker.sent.size() == sent);
}

}  // namespace souk::shared_log_test

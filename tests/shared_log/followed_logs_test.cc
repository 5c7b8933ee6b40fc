// A log that several nodes follow: what one writes the others have, and how it passes from one to
// another.
#include <doctest/doctest.h>

#include "tests/shared_log/support.h"

namespace souk::shared_log_test {

TEST_CASE("followed log: what the owner writes comes to who follows") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.follow());
  REQUIRE(b.follow());
  REQUIRE(b.places.size() == 1);  // where it stands is told at the start
  a.ask_again();
  a.broker.land_all();
  a.step(2);
  REQUIRE(a.owns);
  CHECK_FALSE(a.broker.reads(shard));  // its reports say all
  a.append();
  a.append();
  a.broker.land_all();
  a.step();
  b.step();
  CHECK(b.fed.size() == 2);
  CHECK(b.copy.records == a.copy.records);
  CHECK(b.places.back().incarnation == a.incarnation);
  CHECK(b.places.back().next_offset == 5);
  CHECK(b.broker.reads(shard));
}

TEST_CASE("followed log: one that is left is read no more, and goes on where it was") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.follow());
  REQUIRE(b.follow());
  a.ask_again();
  a.broker.land_all();
  a.step(2);
  a.append();
  a.broker.land_all();
  a.step();
  b.step();
  REQUIRE(b.fed.size() == 1);
  b.logs->log(shard).follow(false);
  b.step();
  CHECK_FALSE(b.broker.reads(shard));
  a.append();
  a.broker.land_all();
  a.step();
  b.step(2);
  CHECK(b.fed.size() == 1);
  SUBCASE("when it is followed again") {
    const auto told = b.places.size();
    b.logs->log(shard).follow(true);
    b.step(2);
    CHECK(b.places.size() > told);
    CHECK(b.fed.size() == 2);
    CHECK(b.copy.records == a.copy.records);
  }
  SUBCASE("and all of it where it is claimed") {
    b.ask_again();
    b.step();
    b.broker.land_all();
    b.step(3);
    CHECK(b.owns);
    CHECK(b.seq == 2);
    b.append();
    b.broker.land_all();
    b.step();
    CHECK(b.acks.size() == 1);
  }
}

TEST_CASE("followed log: who begins with a copy of nothing claims with all of the log") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.follow());
  a.ask_again();
  a.broker.land_all();
  a.step(2);
  a.append();
  a.broker.land_all();
  a.step();
  b.options.incarnation = b.incarnation;
  b.open();
  REQUIRE(b.logs->catch_up([](auto, auto) { return true; }, SharedLogs::Of::none).ok());
  CHECK(b.copy.records.empty());
  REQUIRE(b.claim());
  CHECK(b.seq == 1);
}

TEST_CASE("followed log: a transfer opens it for whom it names, behind all that was written") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2), c(topic, 3);
  for (Node* node : {&a, &b, &c}) REQUIRE(node->follow());
  a.ask_again();
  a.broker.land_all();
  a.step(2);
  REQUIRE(a.owns);
  a.append();
  a.give_to(b);
  a.append();  // behind its own transfer: of nobody
  a.broker.land_all();
  a.step();
  REQUIRE(a.acks.size() == 2);  // the event, and the transfer
  CHECK(a.places.back().incarnation == b.incarnation);
  b.step();
  c.step();
  REQUIRE(b.gifts.size() == 1);
  CHECK(c.gifts.empty());
  SUBCASE("at once") {
    CHECK(b.owns);
    CHECK(b.seq == 1);
    CHECK(b.gifts[0].end == topic.of(shard).size() + 1);
    b.append();
    b.broker.land_all();
    b.step();
    REQUIRE(b.acks.size() == 1);
    CHECK(counted(topic) == std::vector<Seq>{1, 2});
    a.step();  // it follows whom it gave it to
    CHECK(a.copy.place(shard)->seq == 2);
    CHECK(a.doubts.empty());
  }
  SUBCASE("and what the former owner still sends is a gap for nobody but the next") {
    topic.append(shard, "");
    topic.of(shard).back() = encode(Noop{a.epoch, a.incarnation, 9, 9}, {});
    b.append();
    b.broker.land_all();
    b.step();
    CHECK(b.acks.empty());
    CHECK(b.doubts.size() == 1);
    b.ask_again();
    b.broker.land_all();
    b.step(2);
    CHECK(b.owns);
    CHECK(b.seq == 2);  // what it wrote counted: it is not lost
  }
}

TEST_CASE("followed log: what was given opens once; after a doubt it is claimed") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.follow());
  REQUIRE(b.follow());
  a.ask_again();
  a.broker.land_all();
  a.step(2);
  a.give_to(b);
  a.broker.land_all();
  a.step();
  b.step();
  REQUIRE(b.owns);
  b.append();
  b.broker.lose();
  b.step();
  REQUIRE(b.doubts.size() == 1);
  topic.append(shard, encode(Noop{a.epoch, a.incarnation, 9, 9}, {}));  // it counts for nothing
  b.step(2);
  CHECK(b.gifts.size() == 1);
  b.append();
  CHECK(b.broker.sent.empty());
}

TEST_CASE("followed log: a transfer that is overtaken by a claim opens nothing") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2), c(topic, 3);
  for (Node* node : {&a, &b, &c}) REQUIRE(node->follow());
  a.ask_again();
  a.broker.land_all();
  a.step(2);
  a.give_to(b);
  a.broker.land_all();
  topic.append(shard, encode(Claim{a.epoch + 2, c.incarnation, 3}, {}));
  a.step();
  b.step();
  CHECK(b.gifts.empty());
  CHECK_FALSE(b.owns);
  CHECK(a.places.back().incarnation == c.incarnation);
}

TEST_CASE("followed log: who is deposed reads on, and learns what of its own counted") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.follow());
  REQUIRE(b.follow());
  a.ask_again();
  a.broker.land_all();
  a.step(2);
  a.append();
  a.broker.land_silently();  // it counts, and nobody says so
  b.ask_again();
  b.broker.land_all();
  b.step(2);
  REQUIRE(b.owns);
  CHECK(b.seq == 1);
  a.append();
  a.broker.land_all();
  a.step();
  CHECK(a.acks.empty());
  REQUIRE(a.doubts.size() == 1);
  a.step();
  CHECK(a.copy.place(shard)->seq == 1);
  CHECK(a.copy.place(shard)->incarnation == b.incarnation);
  CHECK(a.fed.size() == 1);
}

TEST_CASE("followed log: an own claim that landed and was given up opens nothing by itself") {
  MemoryTopic topic;
  Node a(topic, 1);
  REQUIRE(a.follow());
  a.ask_again();
  a.broker.land_unknown();
  a.step();
  CHECK_FALSE(a.owns);  // it stands there, and is claimed anew
  CHECK(a.gifts.empty());
  a.pass(a.options.claim_retry);
  a.step();
  a.broker.land_all();
  a.step(2);
  CHECK(a.owns);
  CHECK(a.epoch == 3);
}

TEST_CASE("followed log: two who claim in turn own one after the other") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.follow());
  REQUIRE(b.follow());
  for (int i = 0; i < 5; ++i) {
    Node& next = i % 2 == 0 ? a : b;
    Node& other = i % 2 == 0 ? b : a;
    next.ask_again();
    next.broker.land_all();
    next.step(2);
    REQUIRE(next.owns);
    next.append();
    next.broker.land_all();
    next.step();
    other.append();  // as if it owned
    other.broker.land_all();
    other.step(2);
    next.append();
    next.broker.land_all();
    next.step();
  }
  // A reader that joins the copy somewhere meets no record that does not count.
  b.step(2);
  std::size_t events = 0;
  for (const auto& [at, bytes] : b.copy.records)
    events += decode_batch_header(bytes)->type == BatchType::events ? 1 : 0;
  CHECK(b.logs->passed_over() > 0);
  CHECK(events == counted(topic).size());
  // Whoever was acknowledged is in the log.
  const std::size_t counts = counted(topic).size();
  CHECK(a.acks.size() + b.acks.size() <= counts);
  CHECK(a.acks.size() + b.acks.size() >= 5);
}

TEST_CASE("followed log: a log that was made anew halts who follows it") {
  MemoryTopic topic;
  Node a(topic, 1), b(topic, 2);
  REQUIRE(a.follow());
  REQUIRE(b.follow());
  a.ask_again();
  a.broker.land_all();
  a.step(2);
  a.append();
  a.broker.land_all();
  a.step();
  SUBCASE("and is shorter") { b.step(); }
  SUBCASE("and goes on where it was read") {}
  topic = MemoryTopic(78);
  b.step();
  if (b.copy.end(shard) == 2) {
    CHECK_FALSE(b.logs->halted(shard));  // nothing shows it
    b.pass(b.options.look_again);
    b.step(2);
  }
  REQUIRE(b.logs->halted(shard));
  CHECK_FALSE(b.broker.reads(shard));
  b.step();
}

}  // namespace souk::shared_log_test

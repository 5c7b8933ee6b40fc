#include "projections/integration/publisher.h"

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <random>

#include "events/cloud_event.h"
#include "events/event_json.h"
#include "tests/integration/memory_topics.h"
#include "tests/runner/runner_support.h"

using namespace souk;
using namespace souk::test;

namespace {

using enum IntegrationTopic;

OrderId order(std::uint8_t number) {
  Id128 id{};
  id.bytes[15] = number;
  return OrderId{id};
}

/// A node: the shared log, a writer of its own, and the shards that it believes to own.
struct Node {
  Node(Log& log, MemoryTopics& topics, std::function<void(PublisherOptions&)> change = {})
      : writer(topics), owned(Log::shards, false) {
    PublisherOptions options;
    options.source = "/souk/test";
    options.owned = [this] { return owned; };
    options.now = [this] { return now; };
    if (change) change(options);
    publisher = std::make_unique<Publisher>(log.source(), writer, options);
  }
  void own_all(bool yes = true) { owned.assign(Log::shards, yes); }
  /// Time goes on by `by` before each step.
  void step(int times = 1, milliseconds by = milliseconds(60)) {
    for (; times > 0; --times) {
      now += by;
      publisher->step(milliseconds(0));
    }
  }
  void settle() {
    for (int i = 0; i < 500; ++i) {
      step();
      writer.land_all();
    }
    step(2);
  }
  std::uint64_t lag(IntegrationTopic topic) const {
    return publisher->status().topics[static_cast<std::size_t>(topic)].lag_events;
  }
  std::string trouble(IntegrationTopic topic) const {
    return publisher->status().topics[static_cast<std::size_t>(topic)].trouble;
  }

  MemoryTopicWriter writer;
  std::vector<bool> owned;
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  std::unique_ptr<Publisher> publisher;
};

struct Town {
  Town() { spdlog::set_level(spdlog::level::off); }  // faults are made by the hundred
  TemporaryDirectory folder;
  Log log{folder.path(), 1 << 20};
  MemoryTopics topics;
};

/// What shall stand in each partition: (position, key, value), from the log alone.
std::map<MemoryTopics::Partition, std::vector<MemoryRecord>> expected(Log& log) {
  std::map<MemoryTopics::Partition, std::vector<MemoryRecord>> all;
  for (std::uint16_t s = 0; s < Log::shards; ++s) {
    FoldState state;
    const auto status = fold_log(
        *log.journal, {s}, state,
        [&](const BatchHeader& header,
            const std::vector<Transaction>& ts) -> Result<Visited, Fault> {
          Seq seq = header.first_seq;
          for (const auto& t : ts)
            for (const auto& event : t.events) {
              const Seq at = seq++;
              const auto topic = topic_of(event.payload);
              if (!topic) continue;
              std::string value;
              append_cloud_event(
                  value, {.source = "/souk/test", .shard = {s}, .position = at, .at = t.at}, event);
              all[{*topic, s}].push_back({*topic, {s}, at, entity_id_text(event.entity), value});
            }
          return Visited::go_on;
        });
    REQUIRE(status.ok());
  }
  return all;
}

/// Reads the topics as a consumer does: drops what is not above the last position that it has seen.
/// Returns how many repeats there were; each has the bytes of the first.
std::size_t check_consumed(Log& log, const MemoryTopics& topics) {
  std::size_t repeats = 0;
  auto wanted = expected(log);
  for (const auto& [partition, records] : topics.partitions) {
    std::vector<MemoryRecord> seen;
    std::map<Seq, std::string> first;
    for (const auto& record : records) {
      const auto [at, is_new] = first.emplace(record.position, record.value);
      CHECK(at->second == record.value);
      if (!seen.empty() && record.position <= seen.back().position) {
        CHECK_FALSE(is_new);
        ++repeats;
        continue;
      }
      seen.push_back(record);
    }
    const auto& want = wanted[partition];
    CAPTURE(name_of(partition.first));
    CAPTURE(partition.second);
    REQUIRE(seen.size() == want.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      CHECK(seen[i].position == want[i].position);
      CHECK(seen[i].key == want[i].key);
      CHECK(seen[i].value == want[i].value);
    }
    wanted.erase(partition);
  }
  for (const auto& [partition, want] : wanted) CHECK(want.empty());
  return repeats;
}

/// A record of some events for all topics and for none.
void shop(Log& log, ShardId shard, std::uint8_t number = 1) {
  const EntityKey lamp = *Sku::parse("LAMP");
  log.write(shard, {{order(number), OrderPlaced{}},
                    {lamp, StockReserved{order(number), 2, {}}},
                    {UserId{}, UserOrdered{order(number)}},
                    {order(number), OrderConfirmed{}}});
  log.write(shard, {{lamp, ProductDefined{.name = "Lamp"}}, {order(number), CommandNoted{}}});
}

}  // namespace

TEST_CASE("publisher: what a shard's owner has in its log is in the topics, by entity, in order") {
  Town town;
  Node node(town.log, town.topics);
  shop(town.log, {1});
  shop(town.log, {3});
  node.step(3);
  CHECK(node.writer.sent == 0);  // it owns nothing
  node.owned[1] = true;
  node.settle();
  CHECK(town.topics.partitions[{orders, 1}].size() == 2);
  CHECK(town.topics.partitions[{stock, 1}].size() == 1);
  CHECK(town.topics.partitions[{products, 1}].size() == 1);
  CHECK(town.topics.partitions[{orders, 3}].empty());
  CHECK(town.topics.partitions[{orders, 1}][0].key == order(1).text());
  CHECK(town.topics.partitions[{stock, 1}][0].key == "LAMP");
  CHECK(node.publisher->status().shards == 1);
  node.own_all();
  node.settle();
  shop(town.log, {0}, 2);
  shop(town.log, {1}, 2);
  node.settle();
  CHECK(check_consumed(town.log, town.topics) == 0);
  const auto status = node.publisher->status();
  CHECK(status.topics[0].published == 8);
  CHECK(status.topics[0].lag_events == 0);
  CHECK(status.topics[0].trouble.empty());
}

TEST_CASE("publisher: who takes a shard over goes on behind the last record of each topic") {
  Town town;
  Node a(town.log, town.topics), b(town.log, town.topics);
  a.own_all();
  for (std::uint8_t n = 1; n <= 5; ++n) shop(town.log, {0}, n);
  a.step(2);
  // Of ten records for orders six have landed when it dies; of products and stock others.
  a.writer.land(orders, 6);
  a.writer.land(stock, 2);
  b.own_all();
  b.settle();
  CHECK(check_consumed(town.log, town.topics) == 0);
  // What the dead one had sent lands all the same.
  a.writer.land_all();
  CHECK(check_consumed(town.log, town.topics) == 4 + 3 + 5);
}

TEST_CASE("publisher: who comes back asks the topics again") {
  Town town;
  Node a(town.log, town.topics), b(town.log, town.topics);
  a.own_all();
  shop(town.log, {0}, 1);
  a.settle();
  a.own_all(false);
  a.step();
  b.own_all();
  shop(town.log, {0}, 2);
  b.settle();
  b.own_all(false);
  b.step();
  a.own_all();
  shop(town.log, {0}, 3);
  a.settle();
  CHECK(check_consumed(town.log, town.topics) == 0);
}

TEST_CASE("publisher: where all is noted, nothing is read again") {
  Town town;
  Node a(town.log, town.topics);
  a.own_all();
  for (std::uint8_t n = 1; n <= 9; ++n) shop(town.log, {0}, n);
  a.settle();
  const Seq end = town.log.recent.last_seq({0});
  CHECK(town.topics.notes[{products, 0}] == end);
  // Kafka's retention has taken all records; the note says what was there.
  town.topics.partitions.clear();
  Node b(town.log, town.topics);
  b.own_all();
  b.settle();
  CHECK(b.writer.sent == 0);
  // Without it, all is sent again: a consumer that remembers its positions drops it.
  town.topics.notes.clear();
  Node c(town.log, town.topics);
  c.own_all();
  c.settle();
  CHECK(c.writer.sent == 4 * 9);
  CHECK(check_consumed(town.log, town.topics) == 0);
}

TEST_CASE("publisher: a note never says more than was reported") {
  Town town;
  Node node(town.log, town.topics);
  node.own_all();
  shop(town.log, {0}, 1);
  node.step(100);
  CHECK(town.topics.notes[{orders, 0}] == 0);
  CHECK(node.lag(orders) == 6);
  node.writer.land(orders, 1);
  node.step(100);
  CHECK(town.topics.notes[{orders, 0}] == 3);  // the one at 4 is on its way
  CHECK(town.topics.notes[{stock, 0}] == 1);
  node.writer.land_all();
  node.step(100);
  CHECK(town.topics.notes[{orders, 0}] == 6);
  CHECK(node.lag(orders) == 0);
}

TEST_CASE("publisher: what is under way is bounded by number and bytes, within a record too") {
  Town town;
  for (std::uint8_t n = 1; n <= 20; ++n) shop(town.log, {0}, n);
  std::size_t most = 0;
  SUBCASE("records") {
    Node node(town.log, town.topics, [](auto& o) { o.records_under_way_max = 3; });
    node.own_all();
    node.settle();
    most = node.writer.most_on_the_way;
    CHECK(most == 3);
  }
  SUBCASE("bytes, and one record where it alone has more") {
    Node node(town.log, town.topics, [](auto& o) { o.bytes_under_way_max = 10; });
    node.own_all();
    node.settle();
    most = node.writer.most_on_the_way;
    CHECK(most == 1);
  }
  SUBCASE("the writer's own queue") {
    Node node(town.log, town.topics);
    node.writer.room = 2;
    node.own_all();
    node.settle();
    most = node.writer.most_on_the_way;
    CHECK(most == 2);
  }
  CHECK(check_consumed(town.log, town.topics) == 0);
}

TEST_CASE("publisher: after a failure it asks the topic what is there, and goes on") {
  Town town;
  Node node(town.log, town.topics);
  node.own_all();
  for (std::uint8_t n = 1; n <= 5; ++n) shop(town.log, {0}, n);
  node.step(2);
  node.writer.fail(orders, 3, "a broker refuses it");
  node.step();
  CHECK(node.trouble(orders) == "a broker refuses it");
  CHECK(node.trouble(stock).empty());
  CHECK(node.writer.late() == 7);
  node.settle();
  CHECK(node.trouble(orders).empty());
  CHECK(check_consumed(town.log, town.topics) == 0);
  node.writer.land_late(7);
  CHECK(check_consumed(town.log, town.topics) == 7);
}

TEST_CASE("publisher: a topic that is missing is told, and holds up no other; nor do brokers") {
  Town town;
  Node node(town.log, town.topics);
  town.topics.missing[1] = true;
  node.own_all();
  shop(town.log, {2});
  node.settle();
  CHECK(node.trouble(stock) == "there is no topic");
  CHECK(node.lag(stock) == 6);
  CHECK(node.lag(orders) == 0);
  CHECK(town.topics.partitions[{orders, 2}].size() == 2);
  const auto asked = node.writer.asked;
  node.step(10, milliseconds(60));
  CHECK(node.writer.asked == asked);
  town.topics.missing[1] = false;
  node.settle();
  CHECK(node.trouble(stock).empty());
  CHECK(check_consumed(town.log, town.topics) == 0);
  node.writer.away = true;
  node.own_all(false);
  node.step();
  node.own_all();
  node.step(5);
  CHECK(node.trouble(orders) == "the brokers do not answer");
  node.writer.away = false;
  node.settle();
  CHECK(node.trouble(orders).empty());
}

TEST_CASE("publisher: brokers that take records and are silent are told after a while") {
  Town town;
  Node node(town.log, town.topics);
  node.own_all();
  shop(town.log, {2});
  node.step(160);
  CHECK(node.trouble(orders).empty());
  node.step(10);
  CHECK(node.trouble(orders).find("acknowledged nothing for 10 s") != std::string::npos);
  node.writer.land_all();
  node.step(2);
  CHECK(node.trouble(orders).empty());
}

TEST_CASE("publisher: a topic that is ahead of the log is another log's") {
  Town town;
  Node node(town.log, town.topics);
  town.topics.notes[{orders, 0}] = 7;
  shop(town.log, {0});
  node.own_all();
  node.step(20);
  CHECK(node.trouble(orders).empty());  // the end of the log may come yet
  node.step(100);
  CHECK(node.trouble(orders).find("another log of this name") != std::string::npos);
  CHECK(town.topics.partitions[{orders, 0}].empty());
  shop(town.log, {0}, 2);
  node.settle();
  CHECK(node.trouble(orders).empty());
  REQUIRE(town.topics.partitions[{orders, 0}].size() == 1);
  CHECK(town.topics.partitions[{orders, 0}][0].position == 10);
}

TEST_CASE("publisher: a long log is joined near the place, and read in steps") {
  Town town;
  const EntityKey lamp = *Sku::parse("LAMP");
  for (int i = 0; i < 60; ++i)
    town.log.write({0}, std::vector<Event>(200, {lamp, StockReceived{1, "r"}}));
  town.topics.notes[{stock, 0}] = 11'000;
  town.topics.notes[{orders, 0}] = 12'000;
  town.topics.notes[{products, 0}] = 12'000;
  Node node(town.log, town.topics, [](auto& o) { o.events_a_step = 100; });
  node.owned[0] = true;
  node.settle();
  const auto& partition = town.topics.partitions[{stock, 0}];
  REQUIRE(partition.size() == 1'000);
  CHECK(partition.front().position == 11'001);
  CHECK(partition.back().position == 12'000);
}

TEST_CASE("publisher: whoever owns, fails, is deposed or is full: each event once, in order") {
  std::size_t repeats = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 chance(seed);
    const auto pick = [&](std::uint32_t n) { return chance() % n; };
    Town town;
    const auto small = [](auto& o) {
      o.records_under_way_max = 12;
      o.events_a_step = 5;
      o.retry_after = milliseconds(100);
      o.note_every = milliseconds(300);
    };
    Node a(town.log, town.topics, small), b(town.log, town.topics, small),
        c(town.log, town.topics, small);
    Node* const nodes[] = {&a, &b, &c};
    std::uint8_t number = 0;
    for (int round = 0; round < 300; ++round) {
      Node& node = *nodes[pick(3)];
      const auto topic = integration_topics[pick(3)];
      switch (pick(12)) {
        case 0:
        case 1:
          shop(town.log, {static_cast<std::uint16_t>(pick(Log::shards))}, ++number);
          break;
        case 2: {  // a take-over; the one before hears of it later, or never
          const auto shard = pick(Log::shards);
          node.owned[shard] = true;
          if (pick(2) == 0)
            for (Node* other : nodes)
              if (other != &node) other->owned[shard] = false;
          break;
        }
        case 3:
          node.writer.fail(topic, pick(5));
          break;
        case 4:
          node.writer.land_late(pick(9));
          break;
        case 5:
          node.writer.land(topic, pick(3), MemoryTopicWriter::Reports::come);
          break;
        case 6:
          node.writer.room = pick(10) + 1;
          break;
        default:
          node.step(1, milliseconds(pick(200)));
          node.writer.land(topic, pick(6));
      }
    }
    for (Node* node : nodes) {
      node->own_all(false);
      node->writer.room = 1'000;
      node->step(2);
      node->writer.land_all();
      node->writer.land_late(SIZE_MAX);
    }
    c.own_all();
    c.settle();
    repeats += check_consumed(town.log, town.topics);
  }
  MESSAGE("repeats: ", repeats);
  CHECK(repeats > 100);
}

TEST_CASE("publisher: it ends at once, and what was on its way is waited for a little") {
  Town town;
  Node node(town.log, town.topics, [](auto& o) {
    o.now = &std::chrono::steady_clock::now;
    o.end_patience = milliseconds(50);
  });
  node.own_all();
  shop(town.log, {0});
  node.publisher->start();
  const auto began = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(milliseconds(200));
  node.publisher->stop();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  CHECK(node.publisher->status().topics[0].lag_events == 6);
}

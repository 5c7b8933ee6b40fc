// What is decided becomes records without holes.
#include "actors/shard/recorder.h"

#include <doctest/doctest.h>

#include "events/limits.h"
#include "tests/shard/fixture.h"

namespace souk::shard_test::recorders {
namespace {

struct RecorderBench : Bench {
  ShardClock time{clock};
  Replica replica{ShardId{0}, context, time};
  Recorder recorder{context, time, replica};

  void receive(std::size_t events) {
    std::vector<Event> all(events, {EntityKey(sku("tea")), StockReceived{.quantity = 1}});
    recorder.record({}, std::move(all));
  }
  std::vector<Batch> cut() {
    std::vector<Batch> batches;
    recorder.cut(batches);
    return batches;
  }
};

}  // namespace

TEST_CASE("recorder: a fact is folded the moment it is recorded") {
  RecorderBench b;
  b.receive(3);
  CHECK(b.recorder.last_seq() == 3);
  CHECK(b.replica.seq() == 3);
  CHECK(b.replica.find<SkuState>(sku("tea"))->state.inventory.on_hand == 3);
  CHECK(b.recorder.cut_seq() == 0);
}

TEST_CASE("recorder: records follow each other without a hole, each from the chain before") {
  RecorderBench b;
  b.receive(2);
  auto records = b.cut();
  b.receive(1);
  b.receive(1);
  for (auto& more : b.cut()) records.push_back(std::move(more));
  REQUIRE(records.size() == 2);
  CHECK(records[0].first_seq == 1);
  CHECK(records[0].last_seq == 2);
  CHECK(records[1].first_seq == 3);
  CHECK(records[1].last_seq == 4);
  std::uint64_t chain = 0;
  for (const auto& r : records) {
    const auto decoded = decode_batch(r.bytes);
    REQUIRE(decoded.ok());
    CHECK(decoded->header.incarnation == 7);
    chain = chain_after(chain, r.first_seq, record_payload(r.bytes));
    CHECK(decoded->header.chain == chain);
    CHECK(decoded->transactions == r.transactions);
  }
  CHECK(b.recorder.chain() == chain);
  CHECK(b.cut().empty());
}

TEST_CASE("recorder: a record holds batch_events_max events and not one more") {
  RecorderBench b;
  b.receive(limits::batch_events_max - 1);
  b.receive(1);
  CHECK(b.cut().size() == 1);
  b.receive(limits::batch_events_max);
  b.receive(1);
  const auto records = b.cut();
  REQUIRE(records.size() == 2);
  CHECK(records[1].first_seq == records[0].last_seq + 1);
  CHECK(records[1].last_seq == 2 * limits::batch_events_max + 1);
}

TEST_CASE("recorder: a record ends at batch_bytes_max bytes as well") {
  RecorderBench b;
  constexpr std::size_t large = limits::batch_bytes_max / 8;
  for (int i = 0; i < 20; ++i)
    b.recorder.record({}, {{EntityKey(sku("tea")),
                            StockReceived{.quantity = 1, .reference = std::string(large, 'x')}}});
  const auto records = b.cut();
  CHECK(records.size() >= 3);
  for (const auto& r : records) CHECK(r.bytes.size() <= limits::batch_bytes_max + large);
  CHECK(records.back().last_seq == 20);
}

TEST_CASE("recorder: what was dropped is recorded under the same numbers, in the claimed epoch") {
  RecorderBench b;
  RecoveryReport report;
  const auto go_on = [&] {
    b.log.grant(7);
    REQUIRE(b.replica.recover(b.log.reader(), b.log.end, report).ok());
    b.recorder.begin();
  };
  go_on();
  b.receive(1);
  auto first = b.cut();
  REQUIRE(first.size() == 1);
  CHECK(first[0].epoch == 1);
  CHECK(first[0].offset == 2);
  b.log.append(std::move(first[0]));
  b.receive(5);
  b.recorder.drop();
  go_on();
  CHECK(b.recorder.last_seq() == 1);
  CHECK(b.recorder.mark().offset == 2);  // of the record, not of the claim behind it
  b.receive(2);
  const auto records = b.cut();
  REQUIRE(records.size() == 1);
  CHECK(records[0].first_seq == 2);
  CHECK(records[0].epoch == 2);
  CHECK(records[0].offset == 4);
  CHECK(b.recorder.mark().offset == 4);
}

TEST_CASE("recorder: a checkpoint's mark is of what is cut, not of what is pending") {
  RecorderBench b;
  b.receive(2);
  (void)b.cut();
  b.receive(1);
  CHECK(b.recorder.mark().seq == 2);
  CHECK(b.recorder.mark().chain == b.recorder.chain());
}

}  // namespace souk::shard_test::recorders

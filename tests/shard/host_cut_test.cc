// How many records a host has under way at once where each has a price.
#include <doctest/doctest.h>

#include "actors/host/host_core.h"
#include "tests/shard/fixture.h"

namespace souk::shard_test {
namespace {

constexpr std::uint32_t shards = 6;
constexpr std::size_t at_once = 2;

struct Logs final : ShardLogs {
  std::array<MemoryLog, shards> all;
  ShardLog& log(ShardId shard) override { return all[shard.value]; }
  std::size_t under_way_max() const override { return at_once; }
  void start(LogListener&) override {}
  void flush() override {}
  void stop() override {}
};

struct Host {
  Bench around;
  Logs logs;
  std::unique_ptr<HostCore> core;

  Host() {
    around.options.shards = shards;
    core = std::make_unique<HostCore>(0, around.context, logs);
    RecoveryReport report;
    for (auto& shard : core->shards()) REQUIRE(shard->recover(report).ok());
    core->start();
    for (const ShardId shard : std::exchange(core->output().claims, {}))
      core->claimed(shard, logs.all[shard.value].grant(around.context.incarnation));
    for (auto& shard : core->shards()) REQUIRE(shard->owns());
  }
  /// A command for each shard.
  void ask_all() {
    std::set<ShardId> asked;
    for (int i = 0; asked.size() < shards; ++i) {
      const Sku of = sku("s" + std::to_string(i));
      if (!asked.insert(shard_of(EntityKey(of), shards)).second) continue;
      ProductDefined definition;
      definition.name = "tea";
      definition.price = {Micros{1'000'000}, gbp()};
      core->input(ShardInput(Request{.op = PutProduct{of, std::move(definition)}}));
    }
  }
  /// The shards whose records a turn puts out.
  std::vector<ShardId> turn() {
    core->end_turn();
    std::vector<ShardId> cut;
    for (Batch& batch : core->batches()) {
      cut.push_back(batch.shard);
      logs.all[batch.shard.value].append(std::move(batch));
    }
    core->batches().clear();
    return cut;
  }
  void land(ShardId shard) {
    const Offset last = logs.all[shard.value].end - 1;
    core->landed({{shard, last, last}});
  }
};

}  // namespace

TEST_CASE(
    "host: what is decided waits while enough records are under way, each shard in its turn") {
  Host host;
  host.ask_all();
  std::set<ShardId> seen;
  std::vector<ShardId> cut = host.turn();
  CHECK(cut.size() == at_once);
  CHECK(host.turn().empty());
  while (seen.size() < shards) {
    REQUIRE(cut.size() == at_once);
    for (const ShardId shard : cut) {
      CHECK(seen.insert(shard).second);
      host.land(shard);
    }
    cut = host.turn();
  }
  CHECK(cut.empty());
}

TEST_CASE("host: records that take long keep no others waiting") {
  Host host;
  host.ask_all();
  CHECK(host.turn().size() == at_once);
  host.around.clock.at = host.around.clock.at.plus_ms(slow_record_ms);
  CHECK(host.turn().empty());
  host.around.clock.at = host.around.clock.at.plus_ms(1);
  CHECK(host.turn().size() == at_once);
}

}  // namespace souk::shard_test

// How long a checkpoint may keep its host from the commands that wait.
#include <doctest/doctest.h>

#include <algorithm>

#include "actors/host/host_core.h"
#include "gateway/api/commands/presenter.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/world.h"

namespace souk::simulation {
namespace {

constexpr std::size_t products = 1'000;
constexpr std::size_t description_bytes = 16'000;
constexpr std::size_t flushes_max = 64 * checkpoint_flushes_max;

/// One host with all shards, all of them full of what no store has, and a store that says nothing
/// until it is asked to.
struct Full {
  World world{1};
  MachineClock clock{world};
  WorldRandomness randomness{world};
  SimJournal journal{world, SimJournal::Honesty::honest};
  SimStateStore states{world, SimStateStore::Memory::sound};
  const JsonPresenter presenter{*Currency::parse("GBP")};
  const EngineOptions options{.shards = 64};
  HostCore core{0,
                {.options = options,
                 .states = states,
                 .clock = clock,
                 .randomness = randomness,
                 .presenter = presenter,
                 .incarnation = 1,
                 .quote_now = {}},
                journal};
  std::vector<ShardOutput::Flush> flushes;
  std::vector<std::pair<ShardId, ShardLog::Claimed>> claims;

  Full() {
    journal.power_on();
    states.start(SimStateStore::Phase::recovering);
    clock.begin_at({});
    RecoveryReport report;
    for (auto& shard : core.shards()) REQUIRE(shard->recover(report).ok());
    core.start();
    for (const ShardId shard : std::exchange(core.output().claims, {}))
      journal.log(shard).claim(
          1, [&, shard](const auto& claimed) { claims.emplace_back(shard, *claimed); });
    journal.flush();
    world.pass(100);
    for (const auto& [shard, claimed] : claims) core.claimed(shard, claimed);

    for (std::size_t i = 0; i < products; ++i) {
      ProductDefined definition;
      definition.name = "product";
      definition.description = std::string(description_bytes, 'x');
      definition.price = {Micros{1'000'000}, *Currency::parse("GBP")};
      Request put;
      put.op = PutProduct{*Sku::parse("p" + std::to_string(i)), std::move(definition)};
      core.input(std::move(put));
    }
    end_turn();
    world.pass(options.checkpoint_ms);
    core.tick();
    end_turn();
  }

  /// The disk is at once done with what the turn decided. Returns the bytes of states that it put
  /// out.
  std::size_t end_turn() {
    core.end_turn();
    std::vector<LandedRange> ranges;
    for (const Batch& b : core.batches()) ranges.push_back({b.shard, b.offset, b.offset});
    core.batches().clear();
    core.landed(ranges);
    std::size_t bytes = 0;
    for (auto& flush : core.output().flushes) {
      for (const auto& state : flush.states) bytes += state.state.size();
      flushes.push_back(std::move(flush));
    }
    core.output().flushes.clear();
    return bytes;
  }

  void answer_store() {
    std::vector<ShardOutput::Flush> done;
    done.swap(flushes);
    for (const auto& flush : done) {
      std::vector<std::pair<EntityKey, Seq>> written;
      for (const auto& state : flush.states) written.emplace_back(state.entity, state.seq);
      core.flushed(flush.shard, flush.round, written, flush.checkpoint, Done{}, flush.generation);
    }
  }
  bool clean() {
    return std::ranges::all_of(core.shards(), [](const auto& s) { return s->clean(); });
  }
};

}  // namespace

TEST_CASE("checkpoint: all shards fall due together, and a step of them is short") {
  Full host;
  std::size_t steps = 0, most = 0, all = 0;
  while (!host.clean() && steps < 100'000) {
    const bool more = host.core.checkpoint_step();
    const std::size_t bytes = host.end_turn();
    most = std::max(most, bytes);
    all += bytes;
    ++steps;
    if (!more) host.answer_store();
  }
  CHECK(host.clean());
  CHECK(all >= products * description_bytes);
  CHECK(most <= checkpoint_bytes_per_step + 2 * description_bytes);  // the last state goes past it
  CHECK(steps >= all / checkpoint_bytes_per_step);
}

TEST_CASE("checkpoint: a store that does not answer has a bounded number of flushes before it") {
  Full host;
  while (host.core.checkpoint_step()) host.end_turn();
  host.end_turn();
  CHECK(host.flushes.size() <= flushes_max);
  const std::size_t waiting = host.flushes.size();
  CHECK_FALSE(host.core.checkpoint_step());
  host.end_turn();
  CHECK(host.flushes.size() == waiting);
  for (int i = 0; i < 100'000 && !host.clean(); ++i) {
    host.answer_store();
    host.core.checkpoint_step();
    host.end_turn();
  }
  CHECK(host.clean());
}

}  // namespace souk::simulation

// A state store that failed is opened anew, and may lack the end of what it took: no shard counts
// on what is gone.
#include <doctest/doctest.h>

#include "actors/host/host_core.h"
#include "tests/shard/fixture.h"

namespace souk::shard_test::store_reopened {
namespace {

const Sku tea = sku("tea");

/// A host of one shard whose store does what it is told to, when run() comes to it.
struct HostBench : Bench {
  OneLog logs{log};
  HostCore core{0, context, logs};
  MemoryStates durable;  // as of the last sync
  std::uint64_t tickets = 0;

  HostBench() {
    options.memory_bytes = 0;  // all that may leave memory does, at the second tick
    options.checkpoint_events = UINT64_MAX;
    options.checkpoint_ms = INT64_MAX / 2;
    RecoveryReport report;
    REQUIRE(owner().recover(report).ok());
    core.start();
    claim();
    ask(PutProduct{tea, definition()});
  }
  void claim() {
    core.output().claims.clear();
    core.claimed(ShardId{0}, log.grant(context.incarnation));
  }
  static ProductDefined definition() {
    ProductDefined d;
    d.name = "tea";
    d.price = {Micros{1'000'000}, gbp()};
    return d;
  }
  Owner& owner() { return *core.shards().front(); }
  const Residency& entities() { return owner().replica().residency(); }
  /// Null where it is not in memory.
  const SkuState* stock() {
    const auto* hosted = entities().find<SkuState>(tea);
    return hosted ? &hosted->state : nullptr;
  }

  void run() {
    for (bool more = true; more;) {
      core.end_turn();
      more = !core.batches().empty() || !core.output().loads.empty();
      for (auto& batch : std::exchange(core.batches(), {})) {
        const Offset offset = batch.offset;
        log.append(std::move(batch));
        core.landed({{ShardId{0}, offset, offset}});
      }
      for (const auto& [shard, entity] : std::exchange(core.output().loads, {})) load(entity);
    }
  }
  void load(const EntityKey& entity) {
    auto found = states.get({}, entity, StateStore::Where::anywhere);
    if (!found.ok()) return core.loaded(ShardId{0}, entity, found.error(), states.generation());
    std::optional<StoredState> state;
    if (found->answer == StateStore::Found::Answer::found) state = std::move(found->state);
    core.loaded(ShardId{0}, entity, std::move(state), found->generation);
  }
  void refold() {
    const std::atomic<bool> ending{false};
    REQUIRE_FALSE(core.output().refolds.empty());
    for (const auto& one : std::exchange(core.output().refolds, {})) {
      auto states_anew = fold_anew(log.reader(), one.shard, {one.lost}, ending);
      using State = Result<std::optional<StoredState>, Fault>;
      core.folded_anew(
          one.shard, one.lost.entity, one.number,
          states_anew.ok() ? State(std::move(states_anew->front())) : State(states_anew.error()));
    }
    run();
  }
  std::vector<ShardOutput::Flush> flushes() {
    core.checkpoint_step();
    core.end_turn();
    return std::exchange(core.output().flushes, {});
  }
  Status write(const ShardOutput::Flush& flush) {
    std::optional<std::pair<ShardId, Checkpoint>> mark;
    if (flush.checkpoint) mark.emplace(ShardId{0}, *flush.checkpoint);
    const Status status = states.put(flush.states, mark, flush.generation);
    std::vector<std::pair<EntityKey, Seq>> written;
    for (const auto& s : flush.states) written.emplace_back(s.entity, s.seq);
    core.flushed(ShardId{0}, flush.round, written, flush.checkpoint, status, states.generation());
    return status;
  }
  void checkpoint() {
    owner().start_checkpoint();
    for (auto all = flushes(); !all.empty(); all = flushes())
      for (const auto& flush : all) REQUIRE(write(flush).ok());
  }
  void sync() { durable = states; }
  /// What came after the last sync is gone.
  void reopen() {
    const auto opened = states.opened + 1;
    states = durable;
    states.opened = opened;
  }
  void evict() {
    core.tick();
    core.tick();
    REQUIRE(stock() == nullptr);
  }
  void send(Op&& op, std::uint64_t key = 0) {
    Request r{.op = std::move(op)};
    r.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ++tickets, .entity = {}};
    r.key_hash = r.request_hash = key;
    core.input(ShardInput(std::move(r)));
  }
  /// Nothing: it waits.
  std::optional<Reply> reply(std::uint64_t ticket) {
    for (const auto& [sink, reply] : core.output().replies)
      if (reply.ticket == ticket) return reply;
    return std::nullopt;
  }
  /// REQUIRES: it waits for nothing but commits and loads.
  Reply ask(Op&& op, std::uint64_t key = 0) {
    send(std::move(op), key);
    run();
    REQUIRE(reply(tickets));
    return *reply(tickets);
  }
  void receive(std::int64_t pieces, std::uint64_t key = 0) {
    REQUIRE(ask(ReceiveStock{tea, pieces, ""}, key).code == ReplyCode::ok);
  }
};

}  // namespace

TEST_CASE("store: an evicted entity whose newest state a reopened store lost is folded again") {
  HostBench b;
  b.receive(5);
  b.checkpoint();
  b.sync();
  b.receive(3);
  b.checkpoint();
  b.evict();
  b.reopen();
  CHECK(b.ask(GetStock{tea}).code == ReplyCode::ok);
  REQUIRE(b.stock());
  CHECK(b.stock()->inventory.on_hand == 8);
  b.receive(1);
  CHECK(b.stock()->inventory.on_hand == 9);
}

TEST_CASE("store: what is in memory and was lost is written again before it may leave") {
  HostBench b;
  b.receive(5);
  b.checkpoint();
  b.sync();
  b.receive(3);
  b.checkpoint();
  b.reopen();
  CHECK(b.entities().dirty() == 0);
  b.load(sku("another"));  // any answer tells of it
  CHECK(b.entities().dirty() == 1);
  CHECK(b.entities().checkpoint_seq() == 2);
  b.core.tick();
  b.core.tick();
  CHECK(b.stock());
  b.checkpoint();
  CHECK(b.states.mark.seq == 3);
  b.evict();
  CHECK(b.ask(GetStock{tea}).code == ReplyCode::ok);
  CHECK(b.stock()->inventory.on_hand == 8);
}

TEST_CASE("store: a checkpoint of an older generation is not written") {
  HostBench b;
  b.checkpoint();
  b.sync();
  b.receive(3);
  b.checkpoint();
  b.ask(PutProduct{sku("coffee"), HostBench::definition()});
  b.owner().start_checkpoint();
  const auto flushes = b.flushes();
  REQUIRE(flushes.size() == 1);
  b.reopen();
  CHECK_FALSE(b.write(flushes.front()).ok());
  CHECK(b.states.mark.seq == 1);
  CHECK_FALSE(b.entities().in_round());
  CHECK(b.entities().dirty() == 2);  // the lost one as well
  b.checkpoint();
  CHECK(b.states.mark.seq == 3);
  CHECK(b.states.kept.at(tea).seq == 2);
}

TEST_CASE("store: answers that left their entity and were lost are kept beside it again") {
  HostBench b;
  b.checkpoint();
  b.sync();
  constexpr std::uint64_t keys = limits::answers_per_entity_max + 4;
  for (std::uint64_t key = 1; key <= keys; ++key) b.receive(1, key);
  b.checkpoint();
  SUBCASE("of an entity in memory") {}
  SUBCASE("of one that was evicted") { b.evict(); }
  b.reopen();
  CHECK(b.ask(ReceiveStock{tea, 1, ""}, 1).replayed);
  CHECK(b.stock()->inventory.on_hand == static_cast<std::int64_t>(keys));
  b.checkpoint();
  CHECK(b.entities().dirty() == 0);
  CHECK(std::ranges::count_if(b.states.kept,
                              [](const auto& one) { return one.first.kind() == Kind::key; }) == 4);
  b.evict();
  CHECK(b.ask(ReceiveStock{tea, 1, ""}, 2).replayed);
}

TEST_CASE("store: what a claim decides does not go on from a state that was lost meanwhile") {
  HostBench b;
  b.receive(5);
  b.checkpoint();
  b.sync();
  b.receive(3);
  b.checkpoint();
  b.send(ReceiveStock{tea, 1, ""});
  b.core.end_turn();
  for (auto& batch : std::exchange(b.core.batches(), {})) b.log.append(std::move(batch));
  b.owner().doubted();
  REQUIRE(b.stock() == nullptr);
  b.reopen();
  b.claim();
  b.run();
  CHECK(b.reply(b.tickets)->code == ReplyCode::ok);
  CHECK(b.ask(GetStock{tea}).code == ReplyCode::ok);
  CHECK(b.stock()->inventory.on_hand == 9);
}

TEST_CASE("store: while the log cannot be read nothing that the store says is believed") {
  HostBench b;
  b.receive(5);
  b.checkpoint();
  b.sync();
  b.receive(3);
  b.checkpoint();
  b.evict();
  b.reopen();
  b.log.readable = false;
  CHECK(b.ask(GetStock{tea}).code == ReplyCode::unavailable);
  b.log.readable = true;
  CHECK(b.ask(GetStock{tea}).code == ReplyCode::ok);
  CHECK(b.stock()->inventory.on_hand == 8);
}

TEST_CASE("store: a state that is damaged while it serves is folded anew, and others go on") {
  HostBench b;
  constexpr std::uint64_t keys = limits::answers_per_entity_max + 4;
  for (std::uint64_t key = 1; key <= keys; ++key) b.receive(1, key);
  b.checkpoint();
  b.evict();
  SUBCASE("that the store cannot give") { b.states.damaged.insert(tea); }
  SUBCASE("that says nothing") { b.states.kept.at(tea).state = "rubbish"; }
  b.send(ReceiveStock{tea, 1, ""}, 1);
  b.send(GetStock{tea});
  b.run();
  CHECK_FALSE(b.reply(b.tickets));
  CHECK(b.ask(PutProduct{sku("coffee"), HostBench::definition()}).code == ReplyCode::created);
  b.refold();
  CHECK(b.reply(b.tickets - 2)->replayed);
  CHECK(b.reply(b.tickets - 1)->code == ReplyCode::ok);
  CHECK(b.stock()->inventory.on_hand == static_cast<std::int64_t>(keys));
  b.states.damaged.clear();
  b.checkpoint();  // it is written again
  b.evict();
  CHECK(b.ask(GetStock{tea}).code == ReplyCode::ok);
  CHECK(b.core.output().refolds.empty());
}

TEST_CASE("store: a damaged answer beside its entity is folded anew") {
  HostBench b;
  for (std::uint64_t key = 1; key <= limits::answers_per_entity_max + 4; ++key) b.receive(1, key);
  b.checkpoint();
  for (const auto& [entity, state] : b.states.kept)
    if (entity.kind() == Kind::key) b.states.damaged.insert(entity);
  REQUIRE(b.states.damaged.size() == 4);
  b.send(ReceiveStock{tea, 1, ""}, 2);
  b.run();
  REQUIRE_FALSE(b.reply(b.tickets));
  b.refold();
  REQUIRE(b.reply(b.tickets));
  CHECK(b.reply(b.tickets)->replayed);
}

TEST_CASE("store: where the log cannot be read either, who waits for a damaged state is told") {
  HostBench b;
  b.receive(1);
  b.checkpoint();
  b.evict();
  b.states.damaged.insert(tea);
  b.send(GetStock{tea});
  b.run();
  b.log.readable = false;
  b.refold();
  CHECK(b.reply(b.tickets)->code == ReplyCode::unavailable);
  b.log.readable = true;
  b.send(GetStock{tea});  // and may ask again
  b.run();
  b.refold();
  CHECK(b.reply(b.tickets)->code == ReplyCode::ok);
}

TEST_CASE("store: a fold that began before a recovery is not taken for what came after it") {
  HostBench b;
  b.receive(1);
  b.checkpoint();
  b.evict();
  b.states.damaged.insert(tea);
  b.send(GetStock{tea});
  b.run();
  const auto late = b.core.output().refolds.front();
  b.core.output().refolds.clear();
  b.owner().doubted();
  b.claim();
  b.send(GetStock{tea});
  b.run();
  b.core.folded_anew(ShardId{0}, tea, late.number, std::optional<StoredState>());
  CHECK_FALSE(b.reply(b.tickets));
  b.refold();
  CHECK(b.stock()->inventory.on_hand == 1);
}

TEST_CASE("store: a recovery that meets a damaged state goes by the log alone") {
  HostBench b;
  b.receive(5);
  b.checkpoint();
  b.receive(3);
  SUBCASE("a state") { b.states.damaged.insert(tea); }
  SUBCASE("a state that says nothing") { b.states.kept.at(tea).state = "rubbish"; }
  SUBCASE("the checkpoint") { b.states.mark_damaged = true; }
  RecoveryReport report;
  REQUIRE(b.owner().recover(report).ok());
  CHECK(report.events == 3);
  CHECK(b.stock()->inventory.on_hand == 8);
  CHECK(b.entities().dirty() == 1);
  CHECK(b.owner().last_seq() == 3);
}

}  // namespace souk::shard_test::store_reopened

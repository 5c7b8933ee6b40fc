#pragma once
/// Nodes of a cluster that have one shard, whose log they share.
#include <doctest/doctest.h>

#include "tests/shard/fixture.h"

namespace souk::shard_test::cluster {

inline const Sku tea = sku("tea");
inline const OrderId order = id<OrderId>(3);
using What = Assignment::What;

struct Site : Bench {
  Freshness freshness{1};
  Site(MemoryLog& log_of_all, std::uint64_t incarnation) {
    log_of_all.shared = true;
    options.clustered = true;
    context.incarnation = incarnation;
    context.freshness = &freshness;
  }
  /// Whether a document that is made now may be shown later.
  bool copies_last(Seq made_at) const {
    return freshness.mark_of(ShardId{0}, tea).load() <= made_at;
  }
};

/// One node's part of a shard whose log others share.
struct Member : Site {
  MemoryLog& shared;
  Owner owner{ShardId{0}, context, out, shared};
  RecoveryReport report;
  std::uint64_t tickets = 0;

  Member(MemoryLog& log_of_all, std::uint64_t incarnation)
      : Site(log_of_all, incarnation), shared(log_of_all) {
    REQUIRE(owner.recover(report).ok());
    owner.assign({ShardId{0}, What::follow});
  }
  void own() {
    owner.assign({ShardId{0}, What::own});
    grant();
  }
  /// Its claim is in the log, which cannot be read.
  void own_unread() { shared.grant(context.incarnation); }
  void grant() {
    REQUIRE(out.claims.size() == 1);
    out.claims.clear();
    REQUIRE(owner.claimed(shared.grant(context.incarnation)).ok());
  }
  void land() {
    std::vector<Batch> batches;
    owner.cut(batches);
    land(std::move(batches));
  }
  void land(std::vector<Batch>&& batches) {
    if (batches.empty()) return;
    const Offset first = batches.front().offset, last = batches.back().offset;
    for (auto& batch : batches) {
      if (batch.first_seq == 0) shared.epoch = batch.epoch + 1;  // a transfer
      shared.append(std::move(batch));
    }
    owner.landed(first, last);
  }
  void commit() {
    for (int i = 0; i < 50; ++i) {
      for (auto& next : take_inputs()) owner.handle(std::move(next));
      land();
    }
  }
  std::vector<Envelope> take_inputs() {
    std::vector<Envelope> taken;
    while (!out.inputs.empty()) {
      taken.push_back(std::move(out.inputs.front()));
      out.inputs.pop_front();
    }
    return taken;
  }
  std::uint64_t send(Op&& op, std::uint64_t key = 0, bool wait_final = false) {
    Request r{.op = std::move(op)};
    r.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ++tickets, .entity = {}};
    r.cause.bytes[0] = static_cast<std::uint8_t>(tickets);
    r.key_hash = r.request_hash = key;
    r.wait_final = wait_final;
    owner.handle(ShardInput(std::move(r)));
    return tickets;
  }
  std::uint64_t receive(std::int64_t pieces, std::uint64_t key = 0) {
    return send(ReceiveStock{tea, pieces, ""}, key);
  }
  void define(std::int64_t pieces) {
    ProductDefined definition;
    definition.name = "tea";
    definition.price = {Micros{1'000'000}, gbp()};
    send(PutProduct{tea, std::move(definition)});
    receive(pieces);
    commit();
  }
  std::optional<ReplyCode> code(std::uint64_t ticket) const {
    std::optional<ReplyCode> found;
    for (const auto& [sink, reply] : out.replies) {
      if (reply.ticket != ticket) continue;
      CHECK_FALSE(found);  // once
      found = reply.code;
    }
    return found;
  }
  std::vector<std::uint64_t> strays() const {
    std::vector<std::uint64_t> tickets_of;
    for (const auto& stray : out.strays)
      if (const auto* r = std::get_if<Request>(&stray.content))
        tickets_of.push_back(r->reply_to.ticket);
    return tickets_of;
  }
  std::int64_t on_hand() const {
    const auto* hosted = owner.replica().residency().find<SkuState>(tea);
    return hosted ? hosted->state.inventory.on_hand : 0;
  }
  void pass(std::int64_t ms) {
    clock.at = clock.at.plus_ms(ms);
    owner.tick();
  }
  /// All of them, and a checkpoint.
  void keep_states() {
    options.checkpoint_ms = 1'000;
    pass(2'000);
    REQUIRE(owner.checkpoint_waits());
    owner.checkpoint_step(SIZE_MAX);
    REQUIRE_FALSE(out.flushes.empty());
    for (auto& flush : std::exchange(out.flushes, {})) {
      std::vector<std::pair<EntityKey, Seq>> written;
      for (const auto& state : flush.states) written.emplace_back(state.entity, state.seq);
      std::optional<std::pair<ShardId, Checkpoint>> checkpoint;
      if (flush.checkpoint) checkpoint.emplace(flush.shard, *flush.checkpoint);
      REQUIRE(states.put(flush.states, checkpoint, 0).ok());
      owner.states_written(flush.round, written, flush.checkpoint);
    }
  }
  void hand_over_to(const Member& other) {
    owner.assign({ShardId{0}, What::hand_over, other.context.incarnation, 2});
  }
  void given() { REQUIRE(owner.given({shared.epoch, shared.end}).ok()); }
};

struct Pair {
  MemoryLog log;
  Member a{log, 7}, b{log, 8};
  Pair() {
    a.own();
    a.define(5);
    b.owner.followed();
  }
};

}  // namespace souk::shard_test::cluster

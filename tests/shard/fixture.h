#pragma once
/// What the parts of a shard stand on in their tests: a clock that stands still, a state store and a
/// log in memory, documents that are empty.
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/shard/owner.h"
#include "events/log_records.h"

namespace souk::shard_test {

inline constexpr UnixMs noon{1'700'000'000'000};
inline Currency gbp() { return *Currency::parse("GBP"); }
inline Sku sku(const std::string& text) { return *Sku::parse(text); }
/// An id of `number` on shard 0.
template <class Id>
Id id(std::uint8_t number) {
  Id made;
  made.raw.bytes[15] = number;
  return made;
}

struct StillClock final : Clock {
  UnixMs at = noon;
  UnixMs now() override { return at; }
};

struct NoChance final : Randomness {
  void fill(void* bytes, std::size_t count) override { std::memset(bytes, 4, count); }
};

struct EmptyDocuments final : Presenter {
  void product(const Sku&, const Product&, std::int64_t, Body&) const override {}
  void delisted(const Sku&, Version, Body&) const override {}
  void stock(const Sku&, const StockFigures&, Body&) const override {}
  void user(UserId, const UserProfile&, Body&) const override {}
  void user_created(UserId, Body&) const override {}
  void user_orders(UserId, const std::vector<std::pair<OrderId, const Order*>>&, More,
                   Body&) const override {}
  void cart(CartId, const Cart&, Body&) const override {}
  void cart_created(CartId, const Cart&, Body&) const override {}
  void order(OrderId, const Order&, Version, Body&) const override {}
  void check_out(OrderId, OrderStatus, Refusal, Body&) const override {}
};

/// What it was given stays; `cold` ones need the disk.
struct MemoryStates final : StateStore {
  std::map<EntityKey, StateWrite> kept;
  std::set<EntityKey> cold, damaged;
  Checkpoint mark;
  bool mark_damaged = false;
  std::uint64_t opened = 0;  // how often anew

  std::uint64_t generation() const override { return opened; }
  Status put(const std::vector<StateWrite>& states,
             const std::optional<std::pair<ShardId, Checkpoint>>& checkpoint,
             std::uint64_t generation) override {
    if (generation != opened) return Fault{Fault::Kind::unavailable, "it was opened anew"};
    for (const auto& s : states) kept[s.entity] = s;
    if (checkpoint) mark = checkpoint->second;
    return Done{};
  }
  Result<Found, Fault> get(ShardId, const EntityKey& entity, Where where) override {
    if (where == Where::memory && cold.contains(entity))
      return Found{.answer = Found::Answer::on_disk, .state = {}, .generation = opened};
    if (damaged.contains(entity)) return Fault{Fault::Kind::corrupt, "a state is damaged"};
    const auto at = kept.find(entity);
    if (at == kept.end())
      return Found{.answer = Found::Answer::absent, .state = {}, .generation = opened};
    return Found{.answer = Found::Answer::found,
                 .state = {at->second.seq, at->second.state},
                 .generation = opened};
  }
  Result<Checkpoint, Fault> checkpoint(ShardId) override {
    if (mark_damaged) return Fault{Fault::Kind::corrupt, "the checkpoint is damaged"};
    return mark;
  }
  Result<std::vector<EntityKey>, Fault> active(ShardId) override {
    std::vector<EntityKey> found;
    for (const auto& [entity, state] : kept)
      if (state.attention == Attention::active) found.push_back(entity);
    return found;
  }
  Status each(ShardId, const std::function<bool(const EntityKey&, StoredState)>& visit) override {
    for (const auto& [entity, state] : kept)
      if (!visit(entity, {state.seq, state.state})) break;
    return Done{};
  }
};

/// The log of the one shard. What is appended is durable; `tail` shows it.
struct MemoryLog final : ShardLog {
  std::map<Offset, std::string> records;
  Offset end = 1;
  std::uint64_t epoch = 0;
  bool readable = true;
  bool shared = false;             // others may write to it
  std::size_t at_once = SIZE_MAX;  // ShardLog::under_way_max

  LogTicket append(Batch record) override {
    SOUK_ASSERT(record.offset == end);
    records[end++] = std::move(record.bytes);
    return end;
  }
  Claimed grant(std::uint64_t incarnation) {
    records[end++] = encode(Claim{++epoch, incarnation, 0}, {});
    return {epoch, end};
  }
  void claim(std::uint64_t incarnation, ClaimDone done) override { done(grant(incarnation)); }
  Status tail(Offset from, const Visit& visit) override {
    if (!readable) return Fault{Fault::Kind::unavailable, "the disk cannot be read"};
    for (auto at = records.lower_bound(from); at != records.end(); ++at)
      if (!visit(at->first, at->second)) break;
    return Done{};
  }
  bool alone() const override { return !shared; }
  std::size_t under_way_max() const override { return at_once; }
  LogTail reader() {
    return [this](Offset from, const Visit& visit) { return tail(from, visit); };
  }
};

/// The logs of a node with one shard.
struct OneLog final : ShardLogs {
  explicit OneLog(MemoryLog& one) : only(one) {}
  ShardLog& log(ShardId) override { return only; }
  void start(LogListener&) override {}
  void flush() override {}
  void stop() override {}
  MemoryLog& only;
};

/// A shard, and all that is around it. What leaves it is looked at in `out`.
struct Bench {
  EngineOptions options{.shards = 1};
  StillClock clock;
  NoChance chance;
  EmptyDocuments documents;
  MemoryStates states;
  MemoryLog log;
  ShardOutput out;
  ShardContext context{.options = options,
                       .states = states,
                       .clock = clock,
                       .randomness = chance,
                       .presenter = documents,
                       .incarnation = 7,
                       .quote_now = [](const Sku&) { return std::nullopt; }};
};

/// A whole owner, recovered from nothing; the log is as quick as commit() is called.
struct OwnerBench : Bench {
  Owner owner{ShardId{0}, context, out, log};
  RecoveryReport report;
  std::uint64_t tickets = 0;

  OwnerBench() {
    start();
    context.quote_now = [this](const Sku& wanted) { return owner.quote_if_ready(wanted); };
  }
  void start() {
    SOUK_ASSERT(owner.recover(report).ok());
    owner.claim();
    grant();
  }
  /// The claim that the owner asked for is in the log.
  void grant() {
    SOUK_ASSERT(!out.claims.empty());
    out.claims.clear();
    SOUK_ASSERT(owner.claimed(log.grant(context.incarnation)).ok());
  }
  void run_inputs() {
    while (!out.inputs.empty()) {
      Envelope next = std::move(out.inputs.front());
      out.inputs.pop_front();
      owner.handle(std::move(next));
    }
  }
  /// The records are in the log, and the owner hears of it.
  void land(std::vector<Batch>& batches) {
    const Offset first = batches.front().offset, last = batches.back().offset;
    for (auto& batch : batches) log.append(std::move(batch));
    owner.landed(first, last);
  }
  /// All that was decided is durable, and what comes of that is, too.
  void commit() {
    for (;;) {
      run_inputs();
      std::vector<Batch> batches;
      owner.cut(batches);
      if (batches.empty()) return;
      land(batches);
    }
  }
  Request request(Op&& op, std::uint64_t key = 0) {
    Request r{.op = std::move(op)};
    r.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ++tickets, .entity = {}};
    r.cause.bytes[0] = static_cast<std::uint8_t>(tickets);
    r.key_hash = key;
    r.request_hash = key;
    return r;
  }
  /// The reply that has left to the newest request; nothing: it waits.
  std::optional<Reply> reply() const {
    for (const auto& [sink, reply] : out.replies)
      if (reply.ticket == tickets) return reply;
    return std::nullopt;
  }
  /// Asks and commits until it is answered. REQUIRES: it waits for nothing but commits.
  Reply ask(Op&& op, std::uint64_t key = 0) {
    owner.handle(request(std::move(op), key));
    commit();
    SOUK_ASSERT(reply().has_value());
    return *reply();
  }
  void define(const Sku& product, std::int64_t pieces) {
    ProductDefined definition;
    definition.name = "tea";
    definition.price = {Micros{1'000'000}, gbp()};
    ask(PutProduct{product, std::move(definition)});
    if (pieces > 0) ask(ReceiveStock{product, pieces, ""});
  }
};

}  // namespace souk::shard_test

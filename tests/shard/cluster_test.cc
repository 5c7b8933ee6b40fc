// A shard of a cluster: who follows it, how it passes from one owner to the next, and what becomes
// of those who wait.
#include <doctest/doctest.h>

#include "tests/shard/fixture.h"

namespace souk::shard_test::cluster {
namespace {

const Sku tea = sku("tea");
const OrderId order = id<OrderId>(3);
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

}  // namespace

TEST_CASE("cluster shard: who follows has what the owner wrote, and passes on what it is asked") {
  Pair p;
  CHECK(p.b.on_hand() == 5);
  CHECK(p.b.owner.committed_seq() == p.a.owner.committed_seq());
  const auto command = p.b.receive(1), read = p.b.send(GetStock{tea});
  CHECK(p.b.strays() == std::vector{command, read});
  CHECK(p.b.out.replies.empty());
  // Messages of shards, too, with who sent them.
  p.b.owner.handle(Envelope{{.shard = {}, .epoch = 3, .seq = 4}, QuoteWanted{tea, order}});
  REQUIRE(p.b.out.strays.size() == 3);
  CHECK(p.b.out.strays[2].from.epoch == 3);
  p.b.owner.tick();
  CHECK(p.b.out.claims.empty());
  CHECK_FALSE(p.b.owner.suspended());
}

TEST_CASE("cluster shard: it is handed over behind all that is under way, and nobody hears of it") {
  Pair p;
  const auto before = p.a.receive(10);
  std::vector<Batch> cut;
  p.a.owner.cut(cut);
  const auto decided = p.a.receive(20);  // recorded, not cut
  p.a.hand_over_to(p.b);
  const auto after = p.a.receive(40), read = p.a.send(GetStock{tea});
  CHECK(p.a.strays() == std::vector{after, read});
  p.a.owner.cut(cut);
  REQUIRE(cut.size() == 3);
  CHECK(cut[2].first_seq == 0);  // the transfer
  std::vector<Batch> nothing;
  p.a.owner.cut(nothing);
  CHECK(nothing.empty());
  p.b.owner.assign({ShardId{0}, What::expect});
  const auto early = p.b.receive(80);  // it waits for the transfer
  CHECK(p.b.strays().empty());
  p.a.land(std::move(cut));
  CHECK(p.a.code(before) == ReplyCode::ok);
  CHECK(p.a.code(decided) == ReplyCode::ok);
  CHECK_FALSE(p.a.owner.owns());
  p.b.given();
  CHECK(p.b.owner.owns());
  REQUIRE(p.b.out.owned.size() == 1);
  CHECK(p.b.out.owned[0].epoch == p.a.owner.epoch());
  p.b.commit();
  CHECK(p.b.code(early) == ReplyCode::ok);
  CHECK(p.b.on_hand() == 115);
  // The former owner follows, as warm as it was.
  p.a.owner.followed();
  CHECK(p.a.on_hand() == 115);
  CHECK(p.a.owner.committed_seq() == p.b.owner.committed_seq());
  // And back.
  p.b.hand_over_to(p.a);
  p.b.land();
  p.a.given();
  CHECK(p.a.owner.owns());
  const auto last = p.a.receive(1);
  p.a.commit();
  CHECK(p.a.code(last) == ReplyCode::ok);
  CHECK(p.a.on_hand() == 116);
}

TEST_CASE("cluster shard: a read that may be old is answered by who follows, at once") {
  Pair p;
  Request read{.op = GetStock{tea}};
  read.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = 77, .entity = {}};
  read.level = ReadLevel::standby;
  p.b.owner.handle(ShardInput(read));
  CHECK(p.b.code(77) == ReplyCode::ok);
  CHECK(p.b.out.replies.back().second.seq == p.b.owner.committed_seq());
  // Of the owner, too, without a record; one that must be new waits for one.
  p.a.owner.handle(ShardInput(read));
  CHECK(p.a.code(77) == ReplyCode::ok);
  const auto strict = p.a.send(GetStock{tea});
  CHECK_FALSE(p.a.code(strict));
  // A position that has not come is waited for here.
  p.a.land();
  p.a.receive(1);
  p.a.commit();
  read.reply_to.ticket = 78;
  read.min_seq = p.a.owner.committed_seq();
  p.b.owner.handle(ShardInput(read));
  CHECK_FALSE(p.b.code(78));
  p.b.owner.followed();
  CHECK(p.b.code(78) == ReplyCode::ok);
  CHECK(p.b.strays().empty());
  // A command is never answered so.
  Request command{.op = ReceiveStock{tea, 1, ""}};
  command.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = 79, .entity = {}};
  command.level = ReadLevel::standby;
  p.b.owner.handle(ShardInput(command));
  CHECK(p.b.strays() == std::vector<std::uint64_t>{79});
}

TEST_CASE("cluster shard: documents are kept by the owner alone, and none of an earlier time") {
  Pair p;
  const Seq now = p.a.owner.committed_seq();
  CHECK(p.a.copies_last(now));
  CHECK_FALSE(p.b.copies_last(now));
  p.a.hand_over_to(p.b);
  CHECK_FALSE(p.a.copies_last(now));
  p.a.land();
  p.b.given();
  CHECK(p.b.copies_last(now));
  p.b.receive(1);
  p.b.commit();
  CHECK_FALSE(p.b.copies_last(now));
  p.a.owner.followed();
  CHECK_FALSE(p.a.copies_last(p.b.owner.committed_seq()));
  p.b.hand_over_to(p.a);
  p.b.land();
  p.a.given();
  CHECK_FALSE(p.a.copies_last(now));  // what it kept when it owned it before
  CHECK(p.a.copies_last(p.b.owner.committed_seq()));
  p.a.owner.doubted();
  CHECK_FALSE(p.a.copies_last(p.b.owner.committed_seq()));
}

TEST_CASE("cluster shard: replies that rest on no record leave with the transfer") {
  Pair p;
  const auto read = p.a.send(GetStock{tea});
  CHECK_FALSE(p.a.code(read));
  p.a.hand_over_to(p.b);
  p.a.land();
  CHECK(p.a.code(read) == ReplyCode::ok);
}

TEST_CASE("cluster shard: an order under way goes on at the next owner, and is paid once") {
  Pair p;
  PlaceOrder place;
  place.order = order;
  place.lines.push_back({.sku = tea, .quantity = 2});
  place.payment.method = "card";
  const auto waits = p.a.send(std::move(place), 99, true);
  p.a.commit();
  REQUIRE(p.a.out.payments.size() == 1);
  CHECK_FALSE(p.a.code(waits));
  p.a.hand_over_to(p.b);
  p.a.land();
  CHECK(p.a.strays() == std::vector{waits});  // by its key it waits at the next
  p.a.owner.handle(ProcessAnswer{order, PaymentAnswer{.order = order,
                                                      .op = PaymentCall::Op::authorise,
                                                      .kind = PaymentAnswer::Kind::done}});
  p.a.commit();  // it is not the former owner's any more
  CHECK(p.a.out.payments.size() == 1);
  p.b.given();
  p.b.commit();
  p.b.pass(2'000);
  p.b.commit();
  REQUIRE_FALSE(p.b.out.payments.empty());
  CHECK(p.b.out.payments[0].op == p.a.out.payments[0].op);  // asked again, under the same key
  CHECK(p.b.out.payments[0].order == order);
  for (const auto op : {PaymentCall::Op::authorise, PaymentCall::Op::capture}) {
    p.b.owner.handle(ProcessAnswer{
        order, PaymentAnswer{.order = order, .op = op, .kind = PaymentAnswer::Kind::done}});
    p.b.commit();
  }
  const auto read = p.b.send(GetOrder{order});
  p.b.commit();
  CHECK(p.b.code(read) == ReplyCode::ok);
  CHECK(p.b.on_hand() == 3);
}

TEST_CASE("cluster shard: who is deposed in doubt answers what landed, and passes on the rest") {
  for (std::size_t landed = 0; landed <= 2; ++landed) {
    CAPTURE(landed);
    Pair p;
    const auto one = p.a.receive(10), two = p.a.receive(20);
    std::vector<Batch> cut;
    p.a.owner.cut(cut);
    const auto three = p.a.receive(40, 5);
    p.a.owner.cut(cut);
    const auto read = p.a.send(GetStock{tea});
    p.a.owner.cut(cut);
    REQUIRE(cut.size() == 2);
    for (std::size_t i = 0; i < landed; ++i) p.log.append(std::move(cut[i]));
    p.a.owner.doubted();
    CHECK(p.a.out.claims.size() == 1);  // it was not told otherwise
    p.a.out.claims.clear();
    const auto during = p.a.receive(80);
    p.b.own();  // and another is quicker
    const auto theirs = p.b.receive(1'000);
    p.b.commit();
    CHECK(p.b.code(theirs) == ReplyCode::ok);
    // Its own claim is of no higher epoch: it learns whose the shard is.
    p.log.records[p.log.end++] = encode(Claim{p.b.owner.epoch(), 7, 0}, {});
    REQUIRE(p.a.owner.claimed({p.b.owner.epoch() + 9, p.log.end}).ok());
    CHECK_FALSE(p.a.owner.owns());
    CHECK(p.a.code(one).has_value() == (landed > 0));
    CHECK(p.a.code(two).has_value() == (landed > 0));
    CHECK(p.a.code(three).has_value() == (landed > 1));
    const auto strays = p.a.strays();
    CHECK(std::ranges::count(strays, one) == (landed > 0 ? 0 : 1));
    CHECK(std::ranges::count(strays, three) == (landed > 1 ? 0 : 1));
    CHECK(std::ranges::count(strays, during) == 1);
    CHECK_FALSE(p.a.code(read));
    CHECK(std::ranges::count(strays, read) == 1);
    CHECK(p.a.on_hand() == p.b.on_hand());
    // It should own the shard still, as far as it was told: it claims again after a while.
    p.a.pass(claim_again_ms);
    CHECK(p.a.out.claims.size() == 1);
  }
}

TEST_CASE("cluster shard: who is deposed and was told so follows without a claim") {
  Pair p;
  const auto mine = p.a.receive(10);
  std::vector<Batch> cut;
  p.a.owner.cut(cut);
  p.a.owner.assign({ShardId{0}, What::follow});
  p.a.owner.doubted();
  CHECK(p.a.out.claims.empty());
  p.b.own();
  p.a.owner.followed();
  CHECK(p.a.strays() == std::vector{mine});
  p.a.pass(10 * claim_again_ms);
  CHECK(p.a.out.claims.empty());
  CHECK(p.a.on_hand() == 5);
}

TEST_CASE("cluster shard: who is told to own no more asks the log whether it does") {
  Pair p;
  std::vector<Batch> cut;
  p.a.owner.cut(cut);
  CHECK(cut.empty());
  p.a.owner.assign({ShardId{0}, What::follow});
  p.a.owner.cut(cut);
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].last_seq < cut[0].first_seq);  // a no-op
  p.a.land(std::exchange(cut, {}));
  CHECK(p.a.owner.owns());  // nobody else does
  p.a.owner.cut(cut);
  CHECK(cut.empty());
  p.b.own();  // and writes nothing here that it would hear of
  p.a.pass(1'000);
  p.a.owner.cut(cut);
  REQUIRE(cut.size() == 1);
  p.a.owner.doubted();  // it stands elsewhere than it must
  p.a.owner.followed();
  CHECK_FALSE(p.a.owner.owns());
  CHECK(p.a.out.claims.empty());
}

TEST_CASE("cluster shard: who is told to own what it owns asks the log once whether it does") {
  Pair p;
  for (const auto what : {What::own, What::expect}) {
    p.a.owner.assign({ShardId{0}, what});
    std::vector<Batch> cut;
    p.a.owner.cut(cut);
    REQUIRE(cut.size() == 1);
    CHECK(cut[0].last_seq < cut[0].first_seq);
    p.a.land(std::exchange(cut, {}));
    p.a.pass(10'000);
    p.a.owner.cut(cut);
    CHECK(cut.empty());
  }
}

TEST_CASE("cluster shard: a claim that cannot be read, and is in doubt since, is made again") {
  Pair p;
  p.b.owner.assign({ShardId{0}, What::own});
  p.b.out.claims.clear();
  p.log.readable = false;
  CHECK_FALSE(p.b.owner.claimed(p.log.grant(8)).ok());
  p.b.owner.doubted();  // the log takes nothing any more
  p.log.readable = true;
  CHECK(p.b.owner.retry().ok());
  CHECK_FALSE(p.b.owner.owns());
  p.b.grant();
  CHECK(p.b.owner.owns());
  CHECK(p.b.owner.epoch() == p.log.epoch);
}

TEST_CASE("cluster shard: who is given the log while its claim is on the way writes in one epoch") {
  for (const bool landed : {false, true}) {
    CAPTURE(landed);
    Pair p;
    p.b.owner.assign({ShardId{0}, What::own});
    REQUIRE(p.b.out.claims.size() == 1);  // and before it is in the log:
    p.a.hand_over_to(p.b);
    p.a.land();
    p.b.given();
    REQUIRE(p.b.owner.owns());
    const auto before = p.b.receive(10);
    std::vector<Batch> cut;
    p.b.owner.cut(cut);
    REQUIRE(cut.size() == 1);
    if (landed) p.log.append(std::move(cut[0]));
    p.b.grant();
    CHECK(p.b.owner.epoch() == p.log.epoch);
    CHECK(p.b.code(before).has_value() == landed);
    const auto since = p.b.receive(20);
    p.b.owner.cut(cut = {});
    REQUIRE_FALSE(cut.empty());
    for (const auto& batch : cut) CHECK(batch.epoch == p.log.epoch);
    p.b.land(std::move(cut));
    p.b.commit();
    CHECK(p.b.code(before) == ReplyCode::ok);
    CHECK(p.b.code(since) == ReplyCode::ok);
    CHECK(p.b.on_hand() == 35);
  }
}

TEST_CASE("cluster shard: a transfer in doubt that landed is seen, and one that did not is not") {
  for (const bool landed : {true, false}) {
    CAPTURE(landed);
    Pair p;
    p.a.hand_over_to(p.b);
    std::vector<Batch> cut;
    p.a.owner.cut(cut);
    REQUIRE(cut.size() == 1);
    if (landed) {
      p.log.epoch = cut[0].epoch + 1;
      p.log.append(std::move(cut[0]));
    }
    p.a.owner.doubted();
    CHECK(p.a.out.claims.empty());  // the shard is the other's to claim
    if (landed)
      p.b.given();
    else
      p.b.own();
    p.a.owner.followed();
    CHECK(p.b.owner.owns());
    CHECK_FALSE(p.a.owner.owns());
    const auto ticket = p.b.receive(1);
    p.b.commit();
    CHECK(p.b.code(ticket) == ReplyCode::ok);
    p.a.owner.followed();
    CHECK(p.a.on_hand() == 6);
  }
}

TEST_CASE(
    "cluster shard: what could not be read as it came is read later, though nothing more comes") {
  Pair p;
  p.a.receive(10);
  p.a.commit();
  p.log.readable = false;
  p.b.owner.followed();
  p.a.receive(20);
  p.a.commit();
  p.b.owner.followed();
  CHECK_FALSE(p.b.owner.retry().ok());
  p.log.readable = true;
  CHECK(p.b.owner.retry().ok());
  CHECK(p.b.on_hand() == 35);
  CHECK(p.b.owner.committed_seq() == p.a.owner.committed_seq());
  // Of one that is in doubt, too: it sees that another owns.
  const auto mine = p.a.receive(40);
  p.a.owner.assign({ShardId{0}, What::follow});
  p.log.readable = false;
  p.a.owner.doubted();
  p.b.own_unread();
  p.a.owner.followed();
  p.log.readable = true;
  CHECK(p.a.strays().empty());
  CHECK(p.a.owner.retry().ok());
  CHECK(p.a.strays() == std::vector{mine});
}

TEST_CASE("cluster shard: who follows folds a state that is damaged from the log") {
  Pair p;
  p.b.keep_states();
  REQUIRE(p.b.owner.recover(p.b.report).ok());
  p.b.owner.assign({ShardId{0}, What::follow});
  p.b.states.damaged.insert(EntityKey(tea));
  p.a.receive(10);
  p.a.commit();
  p.b.owner.followed();
  CHECK(p.b.owner.retry().ok());
  CHECK(p.b.on_hand() == 15);
  p.a.receive(20);
  p.a.commit();
  p.b.owner.followed();
  CHECK(p.b.on_hand() == 35);
}

TEST_CASE("cluster shard: who follows writes checkpoints, and recovers from them") {
  Pair p;
  const std::uint64_t seq = p.b.owner.committed_seq();
  p.b.keep_states();
  CHECK(p.b.owner.clean());
  CHECK(p.b.states.mark.seq == seq);
  CHECK(p.b.states.mark.incarnation == 7);  // whose events they are
  p.a.receive(1);
  p.a.commit();
  REQUIRE(p.b.owner.recover(p.b.report).ok());
  p.b.owner.assign({ShardId{0}, What::follow});
  const auto read = p.b.send(GetStock{tea});
  CHECK(p.b.strays() == std::vector{read});
  p.b.own();
  const auto again = p.b.send(GetStock{tea});
  p.b.commit();
  CHECK(p.b.code(again) == ReplyCode::ok);
}

}  // namespace souk::shard_test::cluster

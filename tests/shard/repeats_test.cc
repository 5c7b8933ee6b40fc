// A key counts for 24 hours, however many commands its entity took meanwhile.
#include "actors/shard/repeats.h"

#include <doctest/doctest.h>

#include <memory>

#include "tests/shard/fixture.h"

using namespace souk;
using namespace souk::shard_test;

namespace {

const Sku tea = sku("tea");
const CartId cart = id<CartId>(2);
const UserId user = id<UserId>(1);
constexpr std::int64_t day_ms = limits::answer_kept_ms;

/// Documents that show what a repeat must show again.
struct Words final : Presenter {
  static void say(Body& out, const std::string& words) { out.json += words; }
  void product(const Sku& sku, const Product& p, std::int64_t, Body& out) const override {
    say(out, sku.text() + " " + p.name + " v" + std::to_string(p.version));
  }
  void delisted(const Sku&, Version version, Body& out) const override {
    say(out, "off sale v" + std::to_string(version));
  }
  void stock(const Sku&, const StockFigures& f, Body& out) const override {
    say(out, std::to_string(f.on_hand) + "/" + std::to_string(f.reserved) + " v" +
                 std::to_string(f.version));
  }
  void user(UserId, const UserProfile& p, Body& out) const override {
    say(out, p.sealed_name.bytes + " of " + p.country + " v" + std::to_string(p.version));
  }
  void user_created(UserId id, Body& out) const override { say(out, id.text()); }
  void user_orders(UserId, const std::vector<std::pair<OrderId, const Order*>>&, More,
                   Body&) const override {}
  void cart(CartId, const Cart& c, Body& out) const override {
    say(out, "v" + std::to_string(c.version) + " " + std::to_string(c.total.value));
    for (const auto& line : c.lines)
      say(out, " " + line.item.sku().text() + ":" + std::to_string(line.quantity));
  }
  void cart_created(CartId id, const Cart& c, Body& out) const override { cart(id, c, out); }
  void order(OrderId, const Order& o, Version version, Body& out) const override {
    say(out, std::to_string(o.lines.size()) + " v" + std::to_string(version));
  }
  void check_out(OrderId, OrderStatus, Refusal, Body&) const override {}
};

struct Keyed {
  Op op;
  std::uint64_t key = 0;
  Reply first;
};

/// An owner that is killed and started again, with a store that needs the disk for what left.
struct Shop : Bench {
  Words words;
  ShardContext speaking{.options = options,
                        .states = states,
                        .clock = clock,
                        .randomness = chance,
                        .presenter = words,
                        .incarnation = 7,
                        .quote_now = {}};
  std::unique_ptr<Owner> owner;
  std::uint64_t tickets = 0;
  std::vector<Keyed> asked;

  Shop() {
    speaking.quote_now = [this](const Sku& wanted) { return owner->quote_if_ready(wanted); };
    start();
  }
  void start() {
    out = {};
    owner = std::make_unique<Owner>(ShardId{0}, speaking, out, log);
    RecoveryReport report;
    REQUIRE(owner->recover(report).ok());
    owner->claim();
    REQUIRE(owner->claimed(log.grant(speaking.incarnation)).ok());
  }
  /// Everything that is under way comes to its end.
  void run() {
    for (bool more = true; more;) {
      more = false;
      while (!out.inputs.empty()) {
        Envelope next = std::move(out.inputs.front());
        out.inputs.pop_front();
        owner->handle(std::move(next));
      }
      std::vector<Batch> batches;
      owner->cut(batches);
      for (auto& batch : batches) {
        more = true;
        const Offset offset = batch.offset;
        log.append(std::move(batch));
        owner->landed(offset, offset);
      }
      const auto loads = std::exchange(out.loads, {});
      for (const auto& [shard, entity] : loads) {
        more = true;
        const auto at = states.kept.find(entity);
        std::optional<StoredState> found;
        if (at != states.kept.end()) found = StoredState{at->second.seq, at->second.state};
        owner->loaded(entity, std::move(found));
      }
      more = more || !out.inputs.empty();
    }
  }
  Reply ask(const Op& op, std::uint64_t key = 0) {
    Request r{.op = op};
    r.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ++tickets, .entity = {}};
    r.key_hash = key;
    r.request_hash = key;
    owner->handle(std::move(r));
    run();
    for (const auto& [sink, reply] : out.replies)
      if (reply.ticket == tickets) return reply;
    FAIL("it was not answered");
    return {};
  }
  void first(const Op& op) {
    const std::uint64_t key = 1000 + asked.size();
    Reply reply = ask(op, key);
    REQUIRE_FALSE(reply.replayed);
    asked.push_back({op, key, std::move(reply)});
  }
  void repeat_all() {
    for (const auto& one : asked) {
      const Seq before = owner->last_seq();
      const Reply again = ask(one.op, one.key);
      REQUIRE(again.replayed);
      CHECK(again.code == one.first.code);
      CHECK(again.refusal == one.first.refusal);
      CHECK(again.detail == one.first.detail);
      CHECK(again.version == one.first.version);
      CHECK(again.body.json == one.first.body.json);
      CHECK(owner->last_seq() == before);  // nothing happened
    }
  }
  /// Some of a checkpoint, and the store has it; false when it is complete.
  bool step(std::size_t bytes) {
    if (!owner->checkpoint_waits()) return false;
    owner->checkpoint_step(bytes);
    const auto flushes = std::exchange(out.flushes, {});
    for (const auto& flush : flushes) {
      std::optional<std::pair<ShardId, Checkpoint>> mark;
      if (flush.checkpoint) mark.emplace(ShardId{0}, *flush.checkpoint);
      REQUIRE(states.put(flush.states, mark, flush.generation).ok());
      std::vector<std::pair<EntityKey, Seq>> written;
      for (const auto& s : flush.states) {
        written.emplace_back(s.entity, s.seq);
        states.cold.insert(s.entity);
      }
      owner->states_written(flush.round, written, flush.checkpoint);
    }
    return true;
  }
  void checkpoint() {
    owner->start_checkpoint();
    while (step(1 << 20)) continue;
  }
  /// Memory, store, store and tail, log alone: the same answers.
  void repeat_everywhere() {
    repeat_all();
    checkpoint();
    repeat_all();
    const MemoryStates whole = states;
    start();
    repeat_all();
    states.kept.clear();
    states.cold.clear();
    states.mark = {};
    start();
    repeat_all();
    states.kept = whole.kept;
    states.cold = whole.cold;
    states.mark = whole.mark;
  }
  void define(std::int64_t pieces) {
    ProductDefined definition;
    definition.name = "tea";
    definition.price = {Micros{1'000'000}, gbp()};
    ask(PutProduct{tea, std::move(definition)});
    if (pieces > 0) ask(ReceiveStock{tea, pieces, ""});
  }
};

}  // namespace

TEST_CASE("repeats: 300 deliveries of one SKU are each booked once, whichever comes again") {
  Shop shop;
  shop.define(0);
  for (std::int64_t n = 1; n <= 300; ++n) {
    shop.first(ReceiveStock{tea, n, "delivery"});
    if (n % 97 == 0) shop.checkpoint();
  }
  shop.first(AdjustStock{tea, -1'000'000, "more than there is"});  // refused
  for (std::int64_t n = 1; n <= 70; ++n) shop.first(AdjustStock{tea, 1, "counted"});
  shop.repeat_everywhere();
  CHECK(shop.ask(GetStock{tea}).body.json.starts_with("45220/0"));
}

TEST_CASE("repeats: a cart shows what it showed, 300 commands ago") {
  Shop shop;
  shop.define(0);
  shop.first(OpenCart{.cart = cart, .user = {}, .currency = {}});
  for (std::int64_t n = 1; n <= 300; ++n) {
    if (n % 50 == 0)
      shop.first(RemoveItem{cart, tea});
    else if (n % 7 == 0)
      shop.first(SetItem{cart, tea, n});
    else if (n % 11 == 0)
      shop.first(AddItem{cart, sku("nothing"), 1, {}});  // refused
    else
      shop.first(AddItem{cart, tea, 1, Money{Micros{n % 13}, gbp()}});
    if (n % 41 == 0) shop.checkpoint();
    if (n % 3 == 0) shop.ask(AddItem{cart, tea, 1, {}});  // without a key
  }
  shop.repeat_everywhere();
}

TEST_CASE("repeats: thousands of commands without a key do not forget those with one") {
  Shop shop;
  shop.define(0);
  shop.first(OpenCart{.cart = cart, .user = {}, .currency = {}});
  for (int n = 0; n < 5; ++n) shop.first(AddItem{cart, tea, 1, {}});
  for (std::size_t n = 0; n < limits::cart_undo_max + 200; ++n) {
    Request r{.op = AddItem{cart, tea, 1, {}}};
    shop.owner->handle(std::move(r));
  }
  shop.run();
  for (int n = 0; n < 5; ++n) shop.first(SetItem{cart, tea, 7 + n});
  shop.repeat_everywhere();
}

TEST_CASE("repeats: a person's 100 changes are answered as they were") {
  Shop shop;
  shop.first(RegisterUser{.user = user, .email = id<EmailHash>(4)});
  for (int n = 0; n < 100; ++n)
    shop.first(UpdateUser{.user = user,
                          .email = {},
                          .sealed_name = Sealed{"name" + std::to_string(n)},
                          .country = n % 2 == 0 ? "GB" : "FR"});
  shop.repeat_everywhere();
}

TEST_CASE("repeats: a key counts for 24 hours and not a millisecond longer") {
  Shop shop;
  shop.define(0);
  shop.first(ReceiveStock{tea, 1, ""});
  for (int n = 0; n < 100; ++n) shop.ask(ReceiveStock{tea, 1, ""}, 50'000 + n);
  shop.checkpoint();
  shop.clock.at = noon.plus_ms(day_ms);
  shop.repeat_all();
  shop.clock.at = noon.plus_ms(day_ms + 1);
  CHECK_FALSE(shop.ask(shop.asked[0].op, shop.asked[0].key).replayed);
}

TEST_CASE("repeats: another request under a key that left is a conflict") {
  Shop shop;
  shop.define(0);
  for (std::int64_t n = 1; n <= 80; ++n) shop.first(ReceiveStock{tea, n, ""});
  Request other{.op = ReceiveStock{tea, 999, ""}};
  other.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ++shop.tickets, .entity = {}};
  other.key_hash = shop.asked[0].key;
  other.request_hash = 5;
  shop.owner->handle(std::move(other));
  shop.run();
  CHECK(shop.out.replies.back().second.code == ReplyCode::idempotency_conflict);
}

TEST_CASE("repeats: a kill between any two writes of a checkpoint loses no answer") {
  Shop shop;
  shop.define(0);
  for (std::int64_t n = 1; n <= 150; ++n) {
    shop.first(ReceiveStock{tea, n, ""});
    if (n == 100) shop.checkpoint();
  }
  shop.first(OpenCart{.cart = cart, .user = {}, .currency = {}});
  for (int n = 0; n < 80; ++n) shop.first(AddItem{cart, tea, 1, {}});
  shop.owner->start_checkpoint();
  std::size_t steps = 0;
  while (shop.step(1)) {
    ++steps;
    Shop again;
    again.log = shop.log;
    again.states = shop.states;
    again.asked = shop.asked;
    again.start();
    again.repeat_all();
  }
  CHECK(steps > 1);
}

TEST_CASE("repeats: what left memory is not in memory once it is stored") {
  Shop shop;
  shop.define(0);
  for (std::int64_t n = 1; n <= 2'000; ++n) shop.ask(ReceiveStock{tea, 1, ""}, 5'000 + n);
  const auto before = shop.owner->replica().residency().entities();
  CHECK(before > 1'900);
  shop.checkpoint();
  CHECK(shop.owner->replica().residency().entities() == 1);
  CHECK(shop.states.kept.size() == before);
}

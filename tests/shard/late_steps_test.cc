// Steps between shards that come late, doubled or out of order do nothing that is not owed any more.
#include <doctest/doctest.h>

#include <functional>

#include "tests/shard/fixture.h"

namespace souk::shard_test::late_steps {
namespace {

const OrderId order = id<OrderId>(3);
const UserId user = id<UserId>(1), other = id<UserId>(2);
const EmailHash email = id<EmailHash>(4), elsewhere = id<EmailHash>(5);
const Sku tea = sku("tea");

using Lost = std::function<bool(const Envelope&)>;
bool nothing(const Envelope&) { return false; }

template <class O>
bool is_step(const Envelope& message) {
  const auto* r = std::get_if<Request>(&message.content);
  return r && std::holds_alternative<O>(r->op);
}
template <class A>
const A* answer_in(const Envelope& message) {
  const auto* answer = std::get_if<ProcessAnswer>(&message.content);
  return answer ? std::get_if<A>(&answer->answer) : nullptr;
}

/// A shop that remembers what was sent between shards, so that it can come again.
struct Shop : OwnerBench {
  std::vector<Envelope> sent;

  /// As commit(); what `lost` says so of does not come.
  void run(const Lost& lost = nothing) {
    for (;;) {
      while (!out.inputs.empty()) {
        Envelope next = std::move(out.inputs.front());
        out.inputs.pop_front();
        sent.push_back(next);
        if (!lost(next)) owner.handle(std::move(next));
      }
      std::vector<Batch> batches;
      owner.cut(batches);
      if (batches.empty()) return;
      land(batches);
    }
  }
  void pass(std::int64_t ms, const Lost& lost = nothing) {
    clock.at = clock.at.plus_ms(ms);
    owner.tick();
    run(lost);
  }
  /// Comes again; what it leads to is lost.
  void again(const Envelope& message) {
    owner.handle(Envelope(message));
    run([](const Envelope&) { return true; });
  }
  /// Each of these comes again; returns the least that was on sale at any time.
  std::int64_t least_available(const std::vector<Envelope>& messages) {
    std::int64_t least = stock().available();
    for (const auto& message : messages) {
      again(message);
      least = std::min(least, stock().available());
    }
    return least;
  }
  Envelope first(const Lost& which) const {
    const auto at = std::ranges::find_if(sent, which);
    SOUK_ASSERT(at != sent.end());
    return *at;
  }
  void place(const Lost& lost = nothing) {
    define(tea, 5);
    PlaceOrder place;
    place.order = order;
    place.lines.push_back({.sku = tea, .quantity = 2});
    place.payment.method = "card";
    owner.handle(request(std::move(place)));
    run(lost);
  }
  void pay(PaymentCall::Op op, PaymentAnswer::Kind kind = PaymentAnswer::Kind::done) {
    owner.handle(ProcessAnswer{order, PaymentAnswer{.order = order, .op = op, .kind = kind}});
    run();
  }
  void sell() {
    place();
    pay(PaymentCall::Op::authorise);
    pay(PaymentCall::Op::capture);
    SOUK_ASSERT(stock().sold == 2 && owner.works() == 0);
  }
  /// Held, claimed, and then given back: the money could not be had.
  void reject() {
    place();
    pay(PaymentCall::Op::authorise);
    pay(PaymentCall::Op::capture, PaymentAnswer::Kind::declined);
    pay(PaymentCall::Op::cancel);
    SOUK_ASSERT(stock().sold == 0 && owner.works() == 0);
  }
  const Inventory& stock() {
    return owner.replica().residency().find<SkuState>(tea)->state.inventory;
  }
  UserId owner_of(const EmailHash& address) {
    const auto* h = owner.replica().residency().find<EmailState>(address);
    return h ? h->state.owner.user : UserId{};
  }
  const User& person(const UserId& of) {
    return owner.replica().residency().find<UserState>(of)->state.user;
  }
  void registers(const UserId& who, const EmailHash& address) {
    owner.handle(request(RegisterUser{.user = who, .email = address}));
    run();
    pass(5);
  }
  void moves(const UserId& who, const EmailHash& address, const Lost& lost = nothing) {
    owner.handle(request(UpdateUser{.user = who, .email = PendingEmail{.hash = address}}));
    run(lost);
    pass(5, lost);
  }
};

/// That long a copy is under way.
const std::int64_t delays_ms[] = {0, 1, 4'000, 20'000, 3'600'000};

}  // namespace

TEST_CASE("late steps: each step of an order that is sold, again in any order, moves no stock") {
  for (const std::int64_t delay : delays_ms) {
    CAPTURE(delay);
    Shop shop;
    shop.sell();
    shop.pass(delay);
    const std::vector<Envelope> steps = shop.sent;
    for (const auto& one : steps)
      for (const auto& two : steps) {
        shop.again(one);
        shop.again(two);
      }
    CHECK(shop.stock().sold == 2);
    CHECK(shop.stock().on_hand == 3);
    CHECK(shop.stock().reserved == 0);
  }
}

TEST_CASE("late steps: a hold that was given back stays so, whatever of its order comes again") {
  for (const std::int64_t delay : delays_ms) {
    CAPTURE(delay);
    Shop shop;
    shop.reject();
    shop.pass(delay);
    const std::vector<Envelope> steps = shop.sent;
    for (const auto& one : steps)
      for (const auto& two : steps) CHECK(shop.least_available({one, two}) == 5);
    CHECK(shop.stock().sold == 0);
  }
}

TEST_CASE("late steps: a reserve that comes behind the release of its order makes no hold") {
  Shop shop;
  shop.place(is_step<ReserveStock>);
  shop.pass(shop.options.hold_ms, is_step<ReserveStock>);  // too late to go on: it is rejected
  REQUIRE(std::ranges::any_of(shop.sent, is_step<ReleaseStock>));
  CHECK(shop.least_available(std::vector<Envelope>(shop.sent)) == 5);
}

TEST_CASE("late steps: who takes a message is not behind its sender's time any more") {
  Shop shop;
  shop.define(tea, 5);
  const UnixMs ahead = noon.plus_ms(60'000);
  Request step{.op = ReserveStock{
                   .sku = tea, .order = order, .quantity = 2, .hold_ms = 5, .asked_at = ahead}};
  step.reply_to = {.who = ReplyTo::Who::process, .entity = order};
  shop.owner.handle(
      Envelope{{.shard = ShardId{9}, .epoch = 1, .seq = 1, .at = ahead}, std::move(step)});
  CHECK(shop.stock().holds.find(order)->expires_at == ahead.plus_ms(5));
  shop.run([](const Envelope&) { return true; });
  CHECK(shop.sent.back().from.at == ahead);
}

TEST_CASE("late steps: an owner that has forgotten all but the log still knows what is over") {
  Shop shop;
  shop.reject();
  const std::vector<Envelope> steps = shop.sent;
  shop.owner.doubted();
  shop.grant();
  shop.run();
  CHECK(shop.least_available(steps) == 5);
}

TEST_CASE("late steps: the answer to an earlier return does not stand for that to a later one") {
  Shop shop;
  shop.sell();
  shop.ask(ShipOrder{order});
  const auto bring_back = [&](std::uint32_t number, const Lost& lost) {
    ReturnOrder back{.order = order};
    back.lines.push_back({.sku = tea, .quantity = 1, .unit_price = {}});
    shop.owner.handle(shop.request(std::move(back)));
    shop.run();
    shop.owner.handle(ProcessAnswer{order, PaymentAnswer{.order = order,
                                                         .op = PaymentCall::Op::refund,
                                                         .number = number,
                                                         .kind = PaymentAnswer::Kind::done}});
    shop.run(lost);
  };
  bring_back(1, nothing);
  REQUIRE(shop.stock().returned == 1);
  const Envelope answered = shop.first([](const Envelope& m) {
    const auto* a = answer_in<StockAnswer>(m);
    return a && a->op == op_index<ReturnStock>;
  });
  bring_back(2, is_step<ReturnStock>);
  shop.owner.handle(Envelope(answered));
  shop.run();
  shop.pass(shop.options.payment_retry_ms);
  CHECK(shop.stock().returned == 2);
}

TEST_CASE("late steps: an address that was given back is not taken by a claim of before") {
  Shop shop;
  shop.registers(user, email);
  const Envelope claim = shop.first(is_step<ClaimEmail>);
  shop.moves(user, elsewhere);
  REQUIRE(shop.owner_of(email) == UserId{});
  shop.again(claim);
  CHECK(shop.owner_of(email) == UserId{});
}

TEST_CASE("late steps: an address that its owner has again is not freed by a step of before") {
  Shop shop;
  shop.registers(user, email);
  shop.moves(user, elsewhere);
  const Envelope frees = shop.first(is_step<FreeEmail>);
  shop.moves(user, email);
  shop.pass(1'000);
  REQUIRE(shop.owner_of(email) == user);
  shop.again(frees);
  CHECK(shop.owner_of(email) == user);
}

TEST_CASE("late steps: a claim that was refused takes nothing once its user has given it up") {
  Shop shop;
  shop.registers(other, email);
  shop.owner.handle(shop.request(RegisterUser{.user = user, .email = email}));
  shop.run([](const Envelope& m) { return answer_in<EmailAnswer>(m) != nullptr; });
  const Envelope refused = shop.sent.back();
  shop.moves(other, elsewhere);         // now it is free
  shop.pass(995, is_step<ClaimEmail>);  // asked again: that is long under way
  const Envelope claim = [&] {
    for (auto m = shop.sent.rbegin();; ++m)
      if (is_step<ClaimEmail>(*m)) return *m;
  }();
  shop.owner.handle(Envelope(refused));
  shop.run();
  shop.pass(1'000);
  REQUIRE(shop.person(user).status == UserStatus::rejected);
  REQUIRE_FALSE(owes_work(shop.person(user)));
  shop.again(claim);
  CHECK(shop.owner_of(email) == UserId{});
}

TEST_CASE("late steps: an answer about an address counts for the question that it answers alone") {
  Shop shop;
  shop.registers(user, email);
  const Envelope assigned =
      shop.first([](const Envelope& m) { return answer_in<EmailAnswer>(m) != nullptr; });
  shop.moves(user, elsewhere);
  shop.pass(1'000);
  shop.registers(other, email);
  REQUIRE(shop.owner_of(email) == other);
  shop.moves(user, email, is_step<ClaimEmail>);
  shop.owner.handle(Envelope(assigned));
  shop.run();
  CHECK(shop.person(user).email == elsewhere);
}

TEST_CASE("late steps: an address counts as given back when this time it was") {
  Shop shop;
  shop.registers(user, email);
  shop.moves(user, elsewhere);
  const Envelope freed = shop.first([](const Envelope& m) {
    const auto* a = answer_in<EmailAnswer>(m);
    return a && a->op == op_index<FreeEmail>;
  });
  shop.moves(user, email);
  shop.pass(1'000);
  REQUIRE(shop.owner_of(email) == user);
  shop.owner.handle(shop.request(EraseUser{user}));
  shop.run(is_step<FreeEmail>);
  shop.owner.handle(Envelope(freed));
  shop.run(is_step<FreeEmail>);
  shop.pass(1'000);
  CHECK(shop.owner_of(email) == UserId{});
}

TEST_CASE("late steps: who repeats an erasure hears of it no sooner than it is in the log") {
  Shop shop;
  shop.registers(user, email);
  const auto answered = [&](std::uint64_t ticket) {
    return std::ranges::any_of(shop.out.replies,
                               [&](const auto& one) { return one.second.ticket == ticket; });
  };
  shop.owner.handle(shop.request(EraseUser{user}, 9));
  const std::uint64_t first = shop.tickets;
  std::vector<Batch> lost;
  shop.owner.cut(lost);
  REQUIRE_FALSE(lost.empty());
  shop.owner.handle(shop.request(EraseUser{user}, 9));
  const std::uint64_t second = shop.tickets;
  shop.owner.doubted();  // nothing of it has landed
  shop.grant();
  CHECK_FALSE(answered(first));
  CHECK_FALSE(answered(second));
  CHECK(shop.person(user).status == UserStatus::erased);  // it is done anew
  shop.run();
  CHECK_FALSE(answered(second));  // the key is still there
  shop.owner.handle(ProcessAnswer{user, KeysDestroyed{}});
  shop.run();
  CHECK(answered(first));
  CHECK(answered(second));
}

}  // namespace souk::shard_test::late_steps

// What is owed is sent again until it is answered, and each that waits is answered once.
#include <doctest/doctest.h>

#include "tests/shard/fixture.h"

namespace souk::shard_test::processes {
namespace {

const OrderId order = id<OrderId>(3);
const UserId user = id<UserId>(1);
const Sku tea = sku("tea");

struct Shop : OwnerBench {
  /// Pays at once and lets its stock steps stay where they are: in `out.inputs`.
  void place(bool wait_final = true) {
    define(tea, 5);
    PlaceOrder place;
    place.order = order;
    place.lines.push_back({.sku = tea, .quantity = 2});
    place.payment.method = "card";
    Request r = request(std::move(place));
    r.wait_final = wait_final;
    owner.handle(std::move(r));
    make_durable();
  }
  /// As commit(), but what comes of it is not handled.
  void make_durable() {
    std::vector<Batch> batches;
    owner.cut(batches);
    if (batches.empty()) return;
    land(batches);
  }
  void pass(std::int64_t ms) {
    clock.at = clock.at.plus_ms(ms);
    owner.tick();
  }
  /// Takes the stock steps that were sent.
  std::vector<Request> steps() {
    std::vector<Request> sent;
    for (auto& input : out.inputs)
      if (auto* r = std::get_if<Request>(&input.content)) sent.push_back(std::move(*r));
    out.inputs.clear();
    return sent;
  }
  std::vector<PaymentCall> calls() { return std::exchange(out.payments, {}); }
  void pay(PaymentCall::Op op, PaymentAnswer::Kind kind = PaymentAnswer::Kind::done) {
    owner.handle(ProcessAnswer{order, PaymentAnswer{.order = order, .op = op, .kind = kind}});
    commit();
  }
  const Inventory& stock() {
    return owner.replica().residency().find<SkuState>(tea)->state.inventory;
  }
  std::size_t replies_to(std::uint64_t ticket) {
    return static_cast<std::size_t>(std::ranges::count_if(
        out.replies, [&](const auto& r) { return r.second.ticket == ticket; }));
  }
};

}  // namespace

TEST_CASE("order process: a step leaves with the order's commit, and again until it is answered") {
  Shop shop;
  shop.define(tea, 5);
  PlaceOrder place;
  place.order = order;
  place.lines.push_back({.sku = tea, .quantity = 2});
  place.payment.method = "card";
  shop.owner.handle(shop.request(std::move(place)));
  CHECK(shop.steps().empty());  // not durable yet
  shop.make_durable();
  CHECK(shop.steps().size() == 1);
  shop.pass(shop.options.payment_retry_ms - 1);
  CHECK(shop.steps().empty());
  shop.pass(1);
  auto again = shop.steps();
  REQUIRE(again.size() == 1);
  CHECK(std::holds_alternative<ReserveStock>(again[0].op));
  shop.owner.handle(std::move(again[0]));
  shop.commit();
  CHECK(shop.stock().reserved == 2);
  shop.pass(shop.options.payment_retry_ms);
  CHECK(shop.steps().empty());
}

TEST_CASE(
    "order process: a payment call is repeated until it is answered, a late answer does nothing") {
  Shop shop;
  shop.place();
  shop.commit();
  REQUIRE(shop.calls().size() == 1);
  shop.pass(shop.options.payment_retry_ms);
  CHECK(shop.calls().size() == 1);
  shop.pay(PaymentCall::Op::authorise);
  CHECK(shop.calls().size() == 1);  // capture
  shop.pay(PaymentCall::Op::authorise);
  CHECK(shop.calls().empty());
  shop.pay(PaymentCall::Op::capture);
  CHECK(shop.owner.works() == 0);
  CHECK(shop.stock().sold == 2);
  shop.pass(60'000);
  CHECK(shop.calls().empty());
  CHECK(shop.replies_to(shop.tickets) == 1);
}

TEST_CASE("order process: who waits for the end hears 202 at the latest at its time, once") {
  Shop shop;
  shop.place();
  shop.commit();
  shop.pass(shop.options.wait_final_ms - 1);
  CHECK_FALSE(shop.reply());
  shop.pass(1);
  REQUIRE(shop.reply());
  CHECK(shop.reply()->code == ReplyCode::accepted);
  shop.pay(PaymentCall::Op::authorise);
  shop.pay(PaymentCall::Op::capture);
  CHECK(shop.replies_to(shop.tickets) == 1);
}

TEST_CASE("order process: a doubt takes nobody's turn from them, and it goes on with the claim") {
  Shop shop;
  shop.place();
  shop.commit();
  shop.calls();
  shop.owner.doubted();
  const std::uint64_t waits = shop.tickets;
  CHECK(shop.replies_to(waits) == 0);
  shop.owner.handle(shop.request(OpenCart{.cart = id<CartId>(9)}));
  CHECK_FALSE(shop.reply());
  shop.grant();
  shop.commit();
  REQUIRE(shop.reply());
  CHECK(shop.reply()->code == ReplyCode::created);
  CHECK(shop.calls().size() == 1);  // the hold is there: it is authorised again, under the same key
  CHECK(shop.stock().reserved == 2);
  CHECK(shop.replies_to(waits) == 0);
  shop.pay(PaymentCall::Op::authorise);
  shop.pay(PaymentCall::Op::capture);
  CHECK(shop.replies_to(waits) == 1);
}

TEST_CASE("stock steps: a hold that is not claimed expires by the SKU's timer") {
  Shop shop;
  shop.define(tea, 5);
  Request step{.op = ReserveStock{.sku = tea, .order = order, .quantity = 2, .hold_ms = 5'000}};
  step.reply_to = {.who = ReplyTo::Who::process, .entity = order};
  shop.owner.handle(std::move(step));
  shop.commit();
  shop.pass(4'999);
  CHECK(shop.stock().reserved == 2);
  shop.pass(1);
  shop.commit();
  CHECK(shop.stock().reserved == 0);
  CHECK(shop.stock().available() == 5);
}

TEST_CASE("user process: an address is asked for again until its index has answered") {
  Shop shop;
  shop.owner.handle(shop.request(RegisterUser{.user = user, .email = id<EmailHash>(4)}));
  shop.make_durable();
  CHECK(shop.steps().size() == 1);
  shop.pass(999);
  CHECK(shop.steps().empty());
  shop.pass(1);
  auto again = shop.steps();
  REQUIRE(again.size() == 1);
  shop.owner.handle(std::move(again[0]));
  shop.commit();
  REQUIRE(shop.reply());
  CHECK(shop.reply()->code == ReplyCode::created);
  shop.pass(60'000);
  CHECK(shop.steps().empty());
  CHECK(shop.replies_to(shop.tickets) == 1);
}

}  // namespace souk::shard_test::processes

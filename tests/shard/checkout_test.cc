#include "actors/checkout/checkout.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace souk;

namespace {

constexpr UnixMs noon{1'700'000'000'000};

Sku sku(std::size_t i) { return *Sku::parse("p" + std::to_string(i)); }

/// Pending, with two lines of each SKU.
Order pending(std::size_t skus) {
  OrderPlaced placed;
  placed.currency = *Currency::parse("GBP");
  placed.total = Micros{5};
  for (std::size_t i = 0; i < 2 * skus; ++i)
    placed.lines.push_back({Item(sku(i % skus), "n"), 1, Micros{1}, Pricing::catalogue});
  return evolve(Order{}, placed, noon);
}

/// Yes, from the shard of `of`.
StockAnswer yes(std::size_t op, const Sku& of) {
  StockAnswer answer;
  answer.op = op;
  answer.sku = of;
  return answer;
}

OrderReturned one_piece_back() {
  OrderReturned back;
  back.number = 1;
  back.lines = {{0, 1, Micros{1}}};
  back.value = Micros{1};
  return back;
}

}  // namespace

TEST_CASE("check-out: each SKU is asked once and each answer counts once, however many there are") {
  const Checkout checkout(
      {.hold_ms = 1'000, .payment_retry_ms = 100, .payment_deadline_ms = 1'000});
  const OrderId id{Id128{{1}}};
  std::mt19937 random(7);
  for (const std::size_t skus : {1U, 8U, 9U, 2'000U}) {
    CAPTURE(skus);
    const Order order = pending(skus);
    OrderWork work;
    const Advance first = checkout.begin(id, order, work, noon, Checkout::Start::fresh);
    REQUIRE(first.stock.size() == skus);
    std::vector<std::size_t> turns(skus);
    for (std::size_t i = 0; i < skus; ++i) turns[i] = i;
    std::ranges::shuffle(turns, random);
    const auto answer = [&](const Sku& of) {
      return checkout.on_stock(id, order, work, yes(first.stock[0].index(), of), noon);
    };
    CHECK(answer(*Sku::parse("unknown")).payments.empty());
    std::size_t calls = 0;
    for (std::size_t i = 0; i < skus; ++i) {
      CHECK(calls == 0);
      CHECK(work.unanswered == skus - i);
      calls += answer(sku(turns[i])).payments.size();
      if (i + 1 < skus) calls += answer(sku(turns[i])).payments.size();  // a repeat
    }
    CHECK(calls == 1);
    CHECK(work.stage == OrderWork::Stage::authorising);
  }
}

TEST_CASE("check-out: what it has just told is not owed any more") {
  const Checkout checkout({});
  const OrderId id{Id128{{1}}};
  Order order = pending(2);
  for (const Payload& fact :
       {Payload(PaymentAuthorised{Micros{5}}), Payload(PaymentCaptured{Micros{5}}),
        Payload(OrderConfirmed{}), Payload(OrderSettled{}), Payload(OrderShipped{}),
        Payload(one_piece_back()), Payload(RefundRequested{1, Micros{1}}),
        Payload(RefundRequested{2, Micros{2}})})
    order = evolve(std::move(order), fact, noon);
  OrderWork work;
  const auto advance = [&](const Advance& out) {
    for (const auto& fact : out.facts) order = evolve(std::move(order), fact, noon);
    return out;
  };
  Advance out = checkout.begin(id, order, work, noon, Checkout::Start::fresh);
  for (const std::uint32_t refund : {1U, 2U}) {
    REQUIRE(out.payments.size() == 1);
    CHECK(out.payments[0].number == refund);
    CHECK(out.payments[0].amount == Micros{refund});
    out = advance(checkout.on_payment(id, order, work,
                                      {.order = id,
                                       .op = PaymentCall::Op::refund,
                                       .number = refund,
                                       .kind = PaymentAnswer::Kind::done},
                                      noon));
  }
  REQUIRE(out.stock.size() == 1);
  StockAnswer restocked = yes(out.stock[0].index(), sku(0));
  CHECK(checkout.on_stock(id, order, work, restocked, noon).facts.empty());  // of another return
  restocked.number = 1;
  out = advance(checkout.on_stock(id, order, work, restocked, noon));
  CHECK(out.stock.empty());
  CHECK(work.stage == OrderWork::Stage::idle);
  CHECK_FALSE(owes_work(order));
}

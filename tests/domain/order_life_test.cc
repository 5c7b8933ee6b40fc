// Any life of an order, with whatever customers, the provider and the stock do.
#include <rapidcheck.h>

#include "domain/order/order.h"
#include "tests/domain/scenario.h"

using namespace souk;
using namespace souk::test;

namespace {

const OrderId order1 = order_id(1);

OrderPlaced any_placed() {
  OrderPlaced e;
  e.currency = gbp("1").currency;
  const int lines = *rc::gen::inRange(1, 5);
  for (int i = 0; i < lines; ++i) {
    const auto quantity = *rc::gen::inRange<std::int64_t>(1, 5);
    const auto price = *rc::gen::inRange<std::int64_t>(0, 9);
    e.lines.push_back({Item{sku(*rc::gen::element<std::string>("a", "b", "c")), "Thing"}, quantity,
                       Micros{price}, Pricing::catalogue});
    e.total.value += quantity * price;
  }
  return e;
}

std::optional<Money> any_money() {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  return Money{Micros{*rc::gen::inRange<std::int64_t>(0, 20)}, gbp("1").currency};
}

ReturnOrder any_return() {
  std::vector<ReturnLine> lines;
  const int count = *rc::gen::inRange(0, 3);
  for (int i = 0; i < count; ++i) {
    lines.push_back({sku(*rc::gen::element<std::string>("a", "b", "c", "d")),
                     *rc::gen::inRange<std::int64_t>(1, 5), any_money()});
  }
  return {order1, std::move(lines), {}};
}

/// What the check-out, the provider or the stock says next about work that is owed.
Facts answer_of_the_world(const Order& order) {
  if (order.status == OrderStatus::pending) {
    if (*rc::gen::inRange(0, 5) == 0) return {OrderRejected{Refusal::payment_declined}};
    if (order.total.value == 0) return {OrderConfirmed{}};
    return {PaymentAuthorised{order.total}, PaymentCaptured{order.total}, OrderConfirmed{}};
  }
  if (!order.settled) return {OrderSettled{}};
  for (const auto& r : order.returns) {
    if (!r.restocked) return {ReturnRestocked{r.number}};
  }
  if (order.payment.due.empty()) return {};
  const auto& due = order.payment.due.back();
  return {PaymentRefunded{due.number, due.amount}};
}

Facts any_step(const Order& order) {
  const auto decided = [](const Decision& decision) { return decision ? *decision : Facts{}; };
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      return decided(decide(order, CancelOrder{order1}));
    case 1:
      return decided(decide(order, ShipOrder{order1}));
    case 2:
      return decided(decide(order, DeliverOrder{order1}));
    case 3:
      return decided(decide(order, any_return()));
    case 4:
      return decided(decide(order, RefundOrder{order1, any_money()}));
    default:
      return answer_of_the_world(order);
  }
}

bool may_follow(OrderStatus before, OrderStatus after) {
  using S = OrderStatus;
  if (before == after) return true;
  switch (after) {
    case S::confirmed:
    case S::rejected:
      return before == S::pending;
    case S::shipped:
    case S::cancelled:
      return before == S::confirmed;
    case S::delivered:
      return before == S::shipped;
    case S::returned:
      return before == S::shipped || before == S::delivered;
    case S::none:
    case S::pending:
      return false;
  }
  return false;
}

void check_books(const Order& order) {
  const Payment& payment = order.payment;
  RC_ASSERT(payment.refunded <= payment.refund_promised);
  RC_ASSERT(payment.refund_promised <= payment.captured);
  Micros due;
  for (const auto& d : payment.due) due.value += d.amount.value;
  RC_ASSERT(payment.refunded.value + due.value == payment.refund_promised.value);
  bool all_back = true;
  const auto returned = returned_by_line(order, order.version);
  for (std::size_t i = 0; i < order.lines.size(); ++i) {
    const auto back = returned[i];
    RC_ASSERT(back >= 0);
    RC_ASSERT(back <= order.lines[i].quantity);
    all_back = all_back && back == order.lines[i].quantity;
  }
  RC_ASSERT(all_back ==
            (order.status == OrderStatus::returned || order.status == OrderStatus::cancelled));
  for (std::size_t i = 0; i < order.returns.size(); ++i)
    RC_ASSERT(order.returns[i].number == i + 1);
  RC_ASSERT(order.history.size() == order.version);
}

}  // namespace

TEST_CASE("order: no life of one leads to an illegal state, and all work comes to an end") {
  CHECK(rc::check([] {
    Order order = fold(Order{}, {any_placed()});
    const int steps = *rc::gen::inRange(0, 40);
    for (int i = 0; i < steps; ++i) {
      const OrderStatus before = order.status;
      order = fold(std::move(order), any_step(order));
      RC_ASSERT(may_follow(before, order.status));
      check_books(order);
    }
    for (int i = 0; i < 200 && owes_work(order); ++i) {
      order = fold(std::move(order), answer_of_the_world(order));
    }
    RC_ASSERT(!owes_work(order));
    check_books(order);
    if (order.status == OrderStatus::cancelled) {
      RC_ASSERT(order.payment.refunded == order.payment.captured);
    }
  }));
}

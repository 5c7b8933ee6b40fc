#include "domain/order/order.h"

#include <algorithm>

#include "events/limits.h"
#include "tests/domain/scenario.h"

using namespace souk;
using namespace souk::test;

namespace {

using OrderScenario = Scenario<Order>;
using What = OrderStep::What;
const OrderId order1 = order_id(1);

OrderLine line(std::string_view what, std::int64_t quantity, std::string_view price) {
  return {item(what, "A thing"), quantity, micros(price), Pricing::catalogue};
}
/// 2 tea at 4.50, 1 mug at 3, 1 tea at a fixed 1: 13.
OrderPlaced placed() {
  OrderPlaced e;
  e.cart = id<CartId>(7);
  e.user = user_id(8);
  e.currency = *Currency::parse("GBP");
  e.lines = {line("tea", 2, "4.50"), line("mug", 1, "3"), line("tea", 1, "1")};
  e.total = micros("13");
  e.payment_method = "simulated";
  e.payment_token = "ok";
  e.sealed_address = {"sealed"};
  e.occurred_at = noon.plus_ms(-5);
  return e;
}
Facts confirmed() {
  return {placed(), PaymentAuthorised{micros("13")}, PaymentCaptured{micros("13")},
          OrderConfirmed{}};
}
Facts operator+(Facts facts, const Facts& more) {
  facts.insert(facts.end(), more.begin(), more.end());
  return facts;
}
ReturnOrder give_back(std::vector<ReturnLine> lines = {}) { return {order1, std::move(lines), {}}; }
OrderReturned returned(std::uint32_t number, std::vector<ReturnedLine> lines,
                       std::string_view value, Goods goods = Goods::restocked) {
  return {number, std::move(lines), micros(value), {}, goods};
}
constexpr auto detail(OrderStatus status) { return static_cast<std::uint8_t>(status); }

}  // namespace

TEST_CASE("order: it remembers what was placed, and every step with its time") {
  Order order = fold(Order{}, confirmed());
  order = fold(order, {OrderSettled{}}, noon.plus_ms(9));
  CHECK(order.status == OrderStatus::confirmed);
  CHECK(order.cart == id<CartId>(7));
  CHECK(order.user == user_id(8));
  CHECK(order.currency.text() == "GBP");
  CHECK(order.lines == placed().lines);
  CHECK(order.total == micros("13"));
  CHECK(order.payment_method == "simulated");
  CHECK(order.payment_token == "ok");
  CHECK(order.sealed_address.bytes == "sealed");
  CHECK(order.occurred_at == noon.plus_ms(-5));
  CHECK(order.placed_at == noon);
  CHECK(order.payment.captured == micros("13"));
  CHECK(order.version == 5);
  using S = OrderStatus;
  using P = PaymentStatus;
  CHECK(order.history == std::vector<OrderStep>{
                             {What::placed, S::pending, P::none, 1, noon.value},
                             {What::payment_authorised, S::pending, P::authorised, 2, noon.value},
                             {What::payment_captured, S::pending, P::captured, 3, noon.value},
                             {What::confirmed, S::confirmed, P::captured, 4, noon.value},
                             {What::settled, S::confirmed, P::captured, 5, noon.value + 9},
                         });
}

TEST_CASE("order: from confirmed it is shipped and then delivered, each once") {
  OrderScenario{}
      .given(confirmed())
      .when(DeliverOrder{order1})
      .refused(Refusal::illegal_state, detail(OrderStatus::confirmed))
      .when(give_back())
      .refused(Refusal::illegal_state, detail(OrderStatus::confirmed))
      .when(ShipOrder{order1})
      .then({OrderShipped{}})
      .when(ShipOrder{order1})
      .refused(Refusal::illegal_state, detail(OrderStatus::shipped))
      .when(CancelOrder{order1})
      .refused(Refusal::illegal_state, detail(OrderStatus::shipped))
      .when(DeliverOrder{order1})
      .then({OrderDelivered{}})
      .when(DeliverOrder{order1})
      .refused(Refusal::illegal_state, detail(OrderStatus::delivered));
}

TEST_CASE("order: one that is pending or rejected takes no step of a customer") {
  const auto refuses_all = [](const Facts& past, OrderStatus status) {
    OrderScenario scenario;
    scenario.given(past);
    scenario.when(CancelOrder{order1}).refused(Refusal::illegal_state, detail(status));
    scenario.when(ShipOrder{order1}).refused(Refusal::illegal_state, detail(status));
    scenario.when(DeliverOrder{order1}).refused(Refusal::illegal_state, detail(status));
    scenario.when(give_back()).refused(Refusal::illegal_state, detail(status));
    scenario.when(RefundOrder{order1, {}}).refused(Refusal::illegal_state, detail(status));
  };
  refuses_all({placed()}, OrderStatus::pending);
  refuses_all({placed(), OrderRejected{Refusal::out_of_stock}}, OrderStatus::rejected);
  CHECK(fold(Order{}, {placed(), OrderRejected{Refusal::out_of_stock}}).reason ==
        Refusal::out_of_stock);
}

TEST_CASE("order: a cancelled one goes back into stock, is paid back whole and stays cancelled") {
  const Facts cancel{
      OrderCancelled{},
      returned(1, {{0, 2, micros("4.50")}, {1, 1, micros("3")}, {2, 1, micros("1")}}, "13"),
      RefundRequested{1, micros("13")}};
  auto scenario = OrderScenario{}
                      .given(confirmed() + Facts{OrderSettled{}})
                      .when(CancelOrder{order1})
                      .then(cancel)
                      .when(CancelOrder{order1})
                      .refused(Refusal::illegal_state, detail(OrderStatus::cancelled));
  CHECK(scenario.state().status == OrderStatus::cancelled);
  CHECK(owes_work(scenario.state()));
  scenario.given({ReturnRestocked{1}});
  CHECK(owes_work(scenario.state()));
  scenario.given({PaymentRefunded{1, micros("13")}});
  CHECK_FALSE(owes_work(scenario.state()));
  CHECK(scenario.state().status == OrderStatus::cancelled);
  CHECK(scenario.state().payment.status == PaymentStatus::refunded);
}

TEST_CASE("order: cancelling pays back only what was not promised back before") {
  auto scenario = OrderScenario{}
                      .given(confirmed())
                      .when(RefundOrder{order1, gbp("3")})
                      .then({RefundRequested{1, micros("3")}});
  const auto cancel = decide(scenario.state(), CancelOrder{order1});
  REQUIRE(cancel.ok());
  CHECK(cancel->back() == Payload{RefundRequested{2, micros("10")}});
}

TEST_CASE("order: a free one is cancelled without a refund") {
  OrderPlaced free = placed();
  free.lines = {line("gift", 1, "0")};
  free.total = Micros{0};
  OrderScenario{}
      .given({free, OrderConfirmed{}})
      .when(CancelOrder{order1})
      .then({OrderCancelled{}, returned(1, {{0, 1, Micros{0}}}, "0")});
  OrderScenario{}
      .given({free, OrderConfirmed{}, OrderShipped{}})
      .when(give_back({{sku("gift"), 1, gbp("0.000001")}}))
      .refused(Refusal::above_price_paid)
      .when(give_back())
      .then({returned(1, {{0, 1, Micros{0}}}, "0", Goods::kept_off_sale)});
}

TEST_CASE("order: everything still out comes back, and only then it is returned") {
  auto scenario =
      OrderScenario{}
          .given(confirmed() + Facts{OrderShipped{}})
          .when(give_back({{sku("mug"), 1, {}}}))
          .then({returned(1, {{1, 1, micros("3")}}, "3"), RefundRequested{1, micros("3")}});
  CHECK(scenario.state().status == OrderStatus::shipped);
  scenario.given({OrderDelivered{}})
      .when(give_back())
      .then({returned(2, {{0, 2, micros("4.50")}, {2, 1, micros("1")}}, "10", Goods::kept_off_sale),
             RefundRequested{2, micros("10")}})
      .when(give_back())
      .refused(Refusal::illegal_state, detail(OrderStatus::returned));
  CHECK(scenario.state().status == OrderStatus::returned);
}

TEST_CASE("order: only lines that were named owe their goods to the stock") {
  const auto after = [](const ReturnOrder& command) {
    const Order order = fold(Order{}, confirmed() + Facts{OrderSettled{}, OrderShipped{}});
    const auto decision = decide(order, command);
    REQUIRE(decision.ok());
    return fold(fold(order, *decision), {PaymentRefunded{1, order.total}});
  };
  CHECK_FALSE(owes_work(after(give_back())));
  const Order named = after(give_back({{sku("tea"), 3, {}}, {sku("mug"), 1, {}}}));
  CHECK(owes_work(named));
  CHECK_FALSE(owes_work(fold(named, {ReturnRestocked{1}})));
}

TEST_CASE(
    "order: lines of one SKU are filled in their order; at a given price, the cheapest that cost "
    "it") {
  OrderScenario{}
      .given(confirmed() + Facts{OrderShipped{}})
      .when(give_back({{sku("tea"), 3, {}}}))
      .then({returned(1, {{0, 2, micros("4.50")}, {2, 1, micros("1")}}, "10"),
             RefundRequested{1, micros("10")}});
  OrderScenario{}
      .given(confirmed() + Facts{OrderShipped{}})
      .when(give_back({{sku("tea"), 1, gbp("2")}, {sku("tea"), 2, gbp("0.50")}}))
      .then(
          {returned(1, {{0, 1, micros("2")}, {2, 1, micros("0.50")}, {0, 1, micros("0.50")}}, "3"),
           RefundRequested{1, micros("3")}});
}

TEST_CASE("order: a return of what is not out, or above the price of a piece, is refused") {
  OrderScenario{}
      .given(confirmed() + Facts{OrderShipped{}})
      .when(give_back({{sku("pot"), 1, {}}}))
      .refused(Refusal::unknown_line)
      .when(give_back({{sku("mug"), 2, {}}}))
      .refused(Refusal::return_too_large)
      .when(give_back({{sku("mug"), 1, {}}, {sku("mug"), 1, {}}}))
      .refused(Refusal::return_too_large)
      .when(give_back({{sku("mug"), 1, eur("1")}}))
      .refused(Refusal::currency_mismatch)
      .when(give_back({{sku("mug"), 1, gbp("3.000001")}}))
      .refused(Refusal::above_price_paid)
      .when(give_back({{sku("tea"), 3, gbp("4.50")}}))
      .refused(Refusal::above_price_paid)
      .when(give_back({{sku("tea"), 4, gbp("4.50")}}))
      .refused(Refusal::return_too_large)
      .when(give_back(
          {{sku("tea"), 3, Money{Micros{limits::price_micros_max * 900}, gbp("1").currency}}}))
      .refused(Refusal::above_price_paid)
      .when(give_back({{sku("mug"), 1, gbp("3")}}))
      .then({returned(1, {{1, 1, micros("3")}}, "3"), RefundRequested{1, micros("3")}})
      .when(give_back({{sku("mug"), 1, gbp("0")}}))
      .refused(Refusal::return_too_large)
      .when(give_back({{sku("tea"), 1, gbp("0")}}))
      .then({returned(2, {{2, 1, Micros{0}}}, "0")});
}

TEST_CASE("order: after a goodwill refund a return takes the goods and pays what is left") {
  auto scenario =
      OrderScenario{}
          .given(confirmed() + Facts{OrderShipped{}, RefundRequested{1, micros("12")}})
          .when(give_back({{sku("mug"), 1, {}}}))
          .then({returned(1, {{1, 1, micros("3")}}, "3"), RefundRequested{2, micros("1")}})
          .when(give_back())
          .then({returned(2, {{0, 2, micros("4.50")}, {2, 1, micros("1")}}, "10",
                          Goods::kept_off_sale)});
  CHECK(scenario.state().status == OrderStatus::returned);
}

TEST_CASE("order: what was paid back whole is not shipped, and may be cancelled") {
  auto scenario = OrderScenario{}
                      .given(confirmed() + Facts{RefundRequested{1, micros("12.99")}})
                      .when(ShipOrder{order1})
                      .then({OrderShipped{}});
  OrderScenario{}
      .given(confirmed() + Facts{RefundRequested{1, micros("13")}})
      .when(ShipOrder{order1})
      .refused(Refusal::paid_back)
      .when(CancelOrder{order1})
      .then(
          {OrderCancelled{},
           returned(1, {{0, 2, micros("4.50")}, {1, 1, micros("3")}, {2, 1, micros("1")}}, "13")});
}

TEST_CASE("order: a return is not dated before its sale") {
  ReturnOrder command = give_back({{sku("mug"), 1, {}}});
  command.occurred_at = placed().occurred_at->plus_ms(-1);
  auto scenario = OrderScenario{}
                      .given(confirmed() + Facts{OrderShipped{}})
                      .when(command)
                      .refused(Refusal::before_sale);
  command.occurred_at = placed().occurred_at;
  OrderReturned back = returned(1, {{1, 1, micros("3")}}, "3");
  back.occurred_at = command.occurred_at;
  scenario.when(command).then({back, RefundRequested{1, micros("3"), command.occurred_at}});
}

TEST_CASE("order: returns of what was rounded pay whole minor units, the last one the rest") {
  OrderPlaced yen = placed();
  yen.currency = *Currency::parse("JPY");
  yen.occurred_at.reset();
  yen.lines = {line("tea", 3, "10.50")};  // 31.50, for which 32 were paid
  yen.total = micros("32");
  yen.adjustments = {{Adjustment::Kind::rounding, micros("0.5")}};
  const ReturnOrder one = give_back({{sku("tea"), 1, {}}});
  const auto tea_back = [](std::uint32_t number) {
    return returned(number, {{0, 1, micros("10.50")}}, "10.50");
  };
  OrderScenario{}
      .given({yen, PaymentAuthorised{yen.total}, PaymentCaptured{yen.total}, OrderConfirmed{},
              OrderShipped{}})
      .when(one)
      .then({tea_back(1), RefundRequested{1, micros("10")}})
      .when(one)
      .then({tea_back(2), RefundRequested{2, micros("11")}})
      .when(one)
      .then({tea_back(3), RefundRequested{3, micros("11")}});
  OrderScenario{}
      .given({yen, PaymentAuthorised{yen.total}, PaymentCaptured{yen.total}, OrderConfirmed{}})
      .when(CancelOrder{order1})
      .then({OrderCancelled{}, returned(1, {{0, 3, micros("10.50")}}, "31.50"),
             RefundRequested{1, micros("32")}});
}

TEST_CASE("order: its last return is allowed, the next is one step too many") {
  OrderPlaced big = placed();
  big.lines = {line("tea", 1'000, "1")};
  big.total = micros("1000");
  Order order = fold(Order{}, {big, PaymentAuthorised{big.total}, PaymentCaptured{big.total},
                               OrderConfirmed{}, OrderShipped{}});
  for (std::size_t i = 0; i < limits::returns_per_order_max; ++i) {
    const auto decision = decide(order, give_back({{sku("tea"), 1, gbp("0")}}));
    REQUIRE(decision.ok());
    order = fold(std::move(order), *decision);
  }
  CHECK(decide(order, give_back({{sku("tea"), 1, gbp("0")}})).error().reason ==
        Refusal::too_many_steps);
}

TEST_CASE("order: a refund alone changes no status; all of it twice is once") {
  auto scenario = OrderScenario{}
                      .given(confirmed() + Facts{OrderShipped{}})
                      .when(RefundOrder{order1, eur("1")})
                      .refused(Refusal::currency_mismatch)
                      .when(RefundOrder{order1, gbp("13.01")})
                      .refused(Refusal::refund_too_large)
                      .when(RefundOrder{order1, gbp("3")})
                      .then({RefundRequested{1, micros("3")}})
                      .when(RefundOrder{order1, {}})
                      .then({RefundRequested{2, micros("10")}})
                      .when(RefundOrder{order1, {}})
                      .then({})
                      .when(RefundOrder{order1, gbp("1")})
                      .refused(Refusal::refund_too_large);
  CHECK(scenario.state().status == OrderStatus::shipped);
}

TEST_CASE("order: a return without an order is returned from birth and owes only its goods") {
  ReturnAccepted accepted;
  accepted.user = user_id(3);
  accepted.currency = *Currency::parse("GBP");
  accepted.lines = {line("tea", 2, "4.50")};
  accepted.value = micros("9");
  accepted.occurred_at = noon.plus_ms(-1);
  auto scenario = OrderScenario{}.given({accepted});
  const Order& order = scenario.state();
  CHECK(order.status == OrderStatus::returned);
  CHECK(order.payment == Payment{});
  CHECK(order.total == Micros{0});
  CHECK(order.user == user_id(3));
  CHECK(order.occurred_at == noon.plus_ms(-1));
  CHECK(order.placed_at == noon);
  CHECK(order.returns ==
        std::vector<OrderReturn>{{1, 1, false, {{0, 2, micros("4.50")}}, micros("9")}});
  CHECK(owes_work(order));
  scenario.given({ReturnRestocked{1}});
  CHECK_FALSE(owes_work(scenario.state()));
  scenario.when(give_back()).refused(Refusal::illegal_state, detail(OrderStatus::returned));
}

TEST_CASE("order: pieces that came back can be counted as of a version") {
  const Order order = fold(
      Order{}, confirmed() + Facts{OrderShipped{}, returned(1, {{0, 1, {}}}, "0"),
                                   ReturnRestocked{1}, returned(2, {{0, 1, {}}, {1, 1, {}}}, "0")});
  using Pieces = std::vector<std::int64_t>;
  REQUIRE(order.lines.size() == 3);
  CHECK(returned_by_line(order, 5) == Pieces{0, 0, 0});
  CHECK(returned_by_line(order, 6) == Pieces{1, 0, 0});
  CHECK(returned_by_line(order, 7) == Pieces{1, 0, 0});
  CHECK(returned_by_line(order, 8) == Pieces{2, 1, 0});
  CHECK(returned_by_line(Order{}, 8).empty());
  Order stored = order;  // its stored form does not have them
  stored.returned.clear();
  count_returned(stored);
  CHECK(stored.returned == order.returned);
}

TEST_CASE(
    "order: it owes work while it is pending, unsettled, or has refunds or returns under way") {
  CHECK_FALSE(owes_work(Order{}));
  CHECK(owes_work(fold(Order{}, {placed()})));
  CHECK(owes_work(fold(Order{}, confirmed())));
  const Order settled = fold(Order{}, confirmed() + Facts{OrderSettled{}});
  CHECK_FALSE(owes_work(settled));
  CHECK(owes_work(fold(settled, {RefundRequested{1, micros("1")}})));
  CHECK(owes_work(fold(settled, {returned(1, {}, "0")})));
  const Facts rejected{placed(), OrderRejected{Refusal::expired}};
  CHECK(owes_work(fold(Order{}, rejected)));
  CHECK_FALSE(owes_work(fold(Order{}, rejected + Facts{OrderSettled{}})));
}

TEST_CASE("order: what was refused or already true, or is another's, changes nothing") {
  const Order order = fold(Order{}, confirmed());
  CHECK(fold(order, {CommandRefused{Refusal::illegal_state}, CommandNoted{}, CartOrdered{order1},
                     UserOrdered{order1}, StockSold{order1, 1}}) == order);
}

TEST_CASE("order: each status and each step has a word of its own") {
  std::vector<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(OrderStatus::returned); ++i) {
    words.push_back(order_status_text(static_cast<OrderStatus>(i)));
  }
  std::vector<std::string_view> steps;
  for (int i = 1; i <= static_cast<int>(What::return_accepted); ++i) {
    steps.push_back(order_step_text(static_cast<What>(i)));
  }
  for (auto* all : {&words, &steps}) {
    const auto count = all->size();
    std::ranges::sort(*all);
    all->erase(std::ranges::unique(*all).begin(), all->end());
    CHECK(all->size() == count);
  }
}

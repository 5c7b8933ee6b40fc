#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <set>

#include "domain/cart/cart.h"
#include "events/limits.h"
#include "oracle.h"
#include "tests/support/history.h"

using namespace souk;
using namespace souk::test;

namespace {

using Row = std::vector<ReportCell>;

MoneySum pounds(std::int64_t micros) { return {Micros{micros}, gbp()}; }
std::string text(const char* t) { return t; }

/// Orders of known customers, one line of tea each unless said otherwise.
struct Known {
  Known() : history(1) {}

  UserId user(int number) { return id_on<UserId>({0}, static_cast<std::uint64_t>(number)); }
  void order(std::optional<UserId> who, const std::string& at, std::vector<OrderLine> lines,
             Payload end = OrderConfirmed{}) {
    OrderPlaced placed;
    placed.user = who;
    placed.currency = gbp();
    placed.lines = std::move(lines);
    placed.occurred_at = time_of(at);
    const auto id = id_on<OrderId>({0}, 1'000 + next++);
    history.add({0}, time_of("2020-01-01T00:00:00Z"), {{id, placed}, {id, std::move(end)}});
  }
  OrderLine line(const std::string& code, std::int64_t quantity = 1) {
    return {{sku(code), code}, quantity, {1'000'000}, Pricing::fixed};
  }
  std::shared_ptr<AnalyticsModel> run() {
    auto model = open_model(home.path());
    feed(*model, history, 1);
    return model;
  }

  TemporaryDirectory home;
  History history;
  std::uint64_t next = 0;
};

}  // namespace

TEST_CASE("cohorts: customers are of the month of their first order, also when it comes late") {
  Known shop;
  const auto buy = [&](int who, const char* at) {
    shop.order(shop.user(who), at, {shop.line("A")});
  };
  buy(1, "2011-02-03T00:00:00Z");
  buy(1, "2011-01-31T23:59:59Z");  // late: moves customer 1 to January
  buy(1, "2011-03-01T00:00:00Z");
  buy(2, "2011-01-05T00:00:00Z");
  buy(3, "2011-02-05T00:00:00Z");
  buy(3, "2011-02-06T00:00:00Z");
  shop.order({}, "2011-01-01T00:00:00Z", {shop.line("A")});  // a guest is nobody's cohort
  shop.order(shop.user(4), "2011-01-01T00:00:00Z", {shop.line("A")}, OrderRejected{});
  const auto model = shop.run();
  const auto report = model->cohorts(100);
  REQUIRE(report);
  using N = std::int64_t;
  CHECK(report->rows == std::vector<Row>{
                            {text("2011-01"), text("2011-01"), N{0}, N{2}, N{2}, 1.0},
                            {text("2011-01"), text("2011-02"), N{1}, N{2}, N{1}, 0.5},
                            {text("2011-01"), text("2011-03"), N{2}, N{2}, N{1}, 0.5},
                            {text("2011-02"), text("2011-02"), N{0}, N{1}, N{1}, 1.0},
                            {text("2011-02"), text("2011-03"), N{1}, N{1}, N{0}, 0.0},
                        });
  CHECK(model->cohorts(5)->rows.empty() == false);
  CHECK_FALSE(model->cohorts(0));

  CustomersQuery query;
  const auto customers = model->customers(query);
  REQUIRE(customers);
  REQUIRE(customers->rows.size() == 2);
  CHECK(customers->rows[0][0] == ReportCell{shop.user(1).text()});
  CHECK(customers->rows[0][2] == ReportCell{N{3}});
  CHECK(customers->rows[0][4] == ReportCell{pounds(3'000'000)});
  CHECK(customers->rows[0][6] == ReportCell{text("2011-01-31T23:59:59.000Z")});
  CHECK(customers->rows[0][7] == ReportCell{text("2011-03-01T00:00:00.000Z")});
  CHECK(customers->summary[0].second == ReportCell{N{4}});
  CHECK(customers->summary[1].second == ReportCell{N{3}});
  CHECK(customers->summary[2].second == ReportCell{N{2}});
  query.orders_min = 0;
  CHECK_FALSE(model->customers(query));
}

TEST_CASE("pairs: products of one order count once, rejected orders not at all") {
  Known shop;
  shop.order({}, "2011-01-01T00:00:00Z", {shop.line("B"), shop.line("A"), shop.line("B", 7)});
  shop.order({}, "2011-01-01T00:00:00Z", {shop.line("A"), shop.line("B"), shop.line("C")});
  shop.order({}, "2011-01-01T00:00:00Z", {shop.line("A"), shop.line("B")}, OrderRejected{});
  shop.order({}, "2011-01-01T00:00:00Z", {shop.line("A")});
  const auto model = shop.run();
  const auto report = model->basket_pairs(10);
  REQUIRE(report);
  CHECK(report->rows == std::vector<BasketPair>{{"A", "B", 2}, {"A", "C", 1}, {"B", "C", 1}});
  CHECK(model->basket_pairs(2)->rows.size() == 2);
}

TEST_CASE("stock: turnover, days of cover and what was lost") {
  Known shop;
  const EntityKey a = sku("A");
  const auto at = [](const char* t) { return time_of(t); };
  shop.history.add({0}, at("2011-01-01T08:00:00Z"), {{a, StockReceived{100, ""}}});
  const auto order = id_on<OrderId>({0}, 5);
  shop.history.add({0}, at("2011-01-02T08:00:00Z"),
                   {{a, StockReserved{order, 60, {}}}, {a, StockSold{order, 60}}});
  shop.order({}, "2011-01-02T08:00:00Z", {shop.line("A", 60)});
  shop.order({}, "2011-01-02T09:00:00Z", {shop.line("A", 50), shop.line("B", 1)},
             OrderRejected{Refusal::out_of_stock});
  shop.order({}, "2011-01-02T10:00:00Z", {shop.line("A", 5)},
             OrderRejected{Refusal::payment_declined});
  const auto model = shop.run();
  PeriodQuery query;
  query.from = at("2011-01-02T00:00:00Z");
  query.to = at("2011-01-05T00:00:00Z");
  const auto report = model->stock(query);
  REQUIRE(report);
  using N = std::int64_t;
  REQUIRE(report->rows.size() == 2);
  // 100 pieces at the begin, 40 at the end; 20 a day go out, so 40 last two days.
  CHECK(report->rows[0] == Row{text("A"), N{40}, N{40}, N{60}, 70.0, 60.0 / 70.0, 2.0, N{1}, N{50},
                               pounds(50'000'000)});
  CHECK(report->rows[1][6] == ReportCell{});
  query.sort = "sku";
  CHECK(model->stock(query)->rows[0][0] == ReportCell{text("A")});
  query.sort = "days_of_cover";
  CHECK(model->stock(query)->rows[0][0] == ReportCell{text("A")});
  query.sort = "colour";
  CHECK_FALSE(model->stock(query));
  query.sort = "";
  const auto lost = model->lost_sales(query);
  REQUIRE(lost);
  CHECK(lost->rows ==
        std::vector<Row>{{text("out_of_stock"), N{1}, N{2}, N{51}, pounds(51'000'000)},
                         {text("payment_declined"), N{1}, N{1}, N{5}, pounds(5'000'000)}});
  // Cut to the millisecond.
  query.from = at("2011-01-02T09:00:00.001Z");
  query.to = at("2011-01-02T10:00:00Z");
  CHECK(model->lost_sales(query)->rows.empty());
  query.to = at("2011-01-02T10:00:00.001Z");
  CHECK(model->lost_sales(query)->rows.size() == 1);
}

TEST_CASE("funnel, abandoned carts and lost sales equal a brute-force fold") {
  CHECK(rc::check([] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    CAPTURE(seed);
    const History history = random_history(seed, 50);
    const TemporaryDirectory home;
    const auto model = open_model(home.path());
    feed(*model, history, seed);
    const Oracle oracle(history);
    const std::string currency = oracle.main_currency();

    std::int64_t opened = 0, filled = 0, checked_out = 0, paid = 0, fill_ms = 0, pay_ms = 0;
    std::int64_t abandoned = 0, value = 0, dearest = -1;
    const UnixMs since = time_of("2011-06-25T00:00:00Z");
    for (const auto& [id, cart] : oracle.carts) {
      ++opened;
      filled += cart.filled >= 0 ? 1 : 0;
      checked_out += cart.checked_out >= 0 ? 1 : 0;
      paid += cart.paid >= 0 ? 1 : 0;
      fill_ms += cart.filled >= 0 ? cart.filled - cart.opened : 0;
      pay_ms += cart.paid >= 0 ? cart.paid - cart.checked_out : 0;
      if (!cart.open || cart.lines.empty() || cart.touched >= since.value ||
          cart.currency != currency)
        continue;
      ++abandoned;
      std::int64_t worth = 0;
      for (const auto& line : cart.lines) worth += line.quantity * line.price;
      value += worth;
      dearest = std::max(dearest, worth);
    }
    const auto funnel = model->funnel({});
    REQUIRE(funnel);
    CHECK(funnel->rows[0][1] == ReportCell{opened});
    CHECK(funnel->rows[1][1] == ReportCell{filled});
    CHECK(funnel->rows[2][1] == ReportCell{checked_out});
    CHECK(funnel->rows[3][1] == ReportCell{paid});
    if (filled > 0) CHECK(funnel->rows[1][3] == ReportCell{fill_ms / filled});
    if (paid > 0) CHECK(funnel->rows[3][3] == ReportCell{pay_ms / paid});

    const auto carts = model->abandoned({since, "", report_rows_max});
    REQUIRE(carts);
    CHECK(carts->summary[0].second == ReportCell{abandoned});
    CHECK(std::get<MoneySum>(carts->summary[1].second).amount == Micros{value});
    CHECK(static_cast<std::int64_t>(carts->rows.size()) == abandoned);
    if (abandoned > 0) CHECK(std::get<MoneySum>(carts->rows[0][4]).amount == Micros{dearest});

    std::map<std::string, std::int64_t> lost;
    for (const auto& [id, order] : oracle.orders)
      for (const auto& line : order.lines)
        if (order.rejected != 0 && order.currency == currency)
          lost[std::string(refusal_code(static_cast<Refusal>(order.rejected)))] +=
              line.quantity * line.price;
    const auto report = model->lost_sales({});
    REQUIRE(report);
    CHECK(report->rows.size() == lost.size());
    for (const auto& row : report->rows)
      CHECK(std::get<MoneySum>(row[4]).amount == Micros{lost[std::get<std::string>(row[0])]});
  }));
}

TEST_CASE("abandoned carts: one is worth what the cart itself says, whatever its events") {
  CHECK(rc::check([] {
    const TemporaryDirectory home;
    const auto model = open_model(home.path());
    History history(1);
    const UnixMs day = time_of("2011-06-01T00:00:00Z");
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());  // too many to draw one by one
    const auto below = [&](std::uint64_t end) { return static_cast<std::int64_t>(random() % end); };
    const auto one_of = [&](auto... of) {
      const std::array all{of...};
      return all[random() % all.size()];
    };
    const auto any_price = [&] {
      constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
      const auto amount = one_of(std::int64_t{1'000'000}, most / 2, most / 3, most / 8);
      return Money{{amount}, one_of(gbp(), gbp(), gbp(), *Currency::parse("EUR"))};
    };
    const auto any_item = [&] {
      const std::string code = one_of(std::string("A"), std::string("B"), std::string("C"));
      return Item{sku(code), code};
    };
    const auto any_event = [&]() -> Payload {
      const auto quantity = 1 + below(3);
      const Money price{{one_of(std::int64_t{1'000'000}, std::int64_t{3'000'000})}, gbp()};
      const Pricing pricing = one_of(Pricing::catalogue, Pricing::fixed);
      switch (below(6)) {
        case 0:
        case 1:
          return ItemAdded{any_item(), quantity, price, pricing};
        case 2:
          return ItemQuantitySet{any_item(), quantity, price, pricing};
        case 3:
          return ItemRemoved{any_item().sku()};
        case 4:
          return CheckOutStarted{id_on<OrderId>({0}, 1)};
        default: {
          CartReopened reopened{id_on<OrderId>({0}, 1), {}};
          for (auto i = below(4); i > 0; --i)
            reopened.price_changes.push_back({any_item(), any_price()});
          return reopened;
        }
      }
    };
    const auto id = id_on<CartId>({0}, 1);
    Cart cart;
    const auto happens = [&](Payload event) {
      cart = evolve(std::move(cart), event);
      history.add({0}, day, {{id, std::move(event)}});
    };
    happens(CartOpened{{}, gbp()});
    for (auto i = below(20); i > 0; --i) happens(any_event());
    const std::int64_t abandoned = cart.status == CartStatus::open && !cart.lines.empty() ? 1 : 0;
    feed(*model, history, 1);
    const auto carts = model->abandoned({day.plus_ms(86'400'000), "GBP", report_rows_max});
    REQUIRE(carts);
    CHECK(carts->summary[0].second == ReportCell{abandoned});
    if (abandoned > 0) CHECK(std::get<MoneySum>(carts->summary[1].second).amount == cart.total);
  }));
}

TEST_CASE("poison: an event that cannot be counted has changed nothing") {
  const TemporaryDirectory home;
  const auto model = open_model(home.path());
  Transaction t;
  const auto apply = [&](const EntityKey& entity, Payload payload) {
    t.events = {{entity, std::move(payload)}};
    return model->apply({{0}, 1, t, 0}).ok();
  };
  const auto big = [&](std::uint64_t number, Micros price, std::int64_t pieces = 1) {
    OrderPlaced placed;
    placed.currency = gbp();
    placed.lines = {{{sku("A"), "A"}, pieces, price, Pricing::fixed}};
    placed.total = price;
    return apply(id_on<OrderId>({0}, number), placed);
  };
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(big(1, {most}));
  CHECK_FALSE(big(1, {1}));  // placed twice
  CHECK(big(5, {0}, limits::stock_max));
  CHECK_FALSE(big(6, {0}, limits::stock_max + 1));
  CHECK(apply(id_on<OrderId>({0}, 1), OrderConfirmed{}));
  REQUIRE(model->commit("a"));
  const auto digest = *model->digest();
  CHECK_FALSE(apply(id_on<OrderId>({0}, 1), OrderConfirmed{}));  // confirmed already
  CHECK_FALSE(apply(id_on<OrderId>({0}, 3), OrderConfirmed{}));
  CHECK_FALSE(apply(id_on<OrderId>({0}, 3), OrderShipped{}));
  CHECK_FALSE(apply(id_on<CartId>({0}, 4), ItemRemoved{sku("A")}));
  OrderReturned back;
  back.lines = {{7, 1, {1}}};
  CHECK_FALSE(apply(id_on<OrderId>({0}, 1), back));  // a line that the order has not
  back.lines = {{0, 1, {-1}}};
  CHECK_FALSE(apply(id_on<OrderId>({0}, 1), back));
  CHECK(*model->digest() == digest);
  REQUIRE(model->commit("b"));
  CHECK(model->sales({})->total.revenue == Micros{most});
}

TEST_CASE("reports: sums beyond 64 bits are exact, and cost no other order its place") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::string at = "2011-03-05T10:00:00Z";
  Known shop;
  const auto dear = [] { return OrderLine{{sku("A"), "A"}, 1, {most}, Pricing::fixed}; };
  for (int i = 0; i < 3; ++i) shop.order(shop.user(1), at, {dear()});
  for (int i = 0; i < 2; ++i)
    shop.order(std::nullopt, at, {dear()}, OrderRejected{Refusal::out_of_stock});
  shop.order(shop.user(2), at, {shop.line("tea")});
  for (std::uint64_t i = 0; i < 2; ++i) {
    const auto cart = id_on<CartId>({0}, i);
    const auto opened = time_of("2011-03-05T10:00:00Z");
    shop.history.add({0}, opened, {{cart, CartOpened{}}});
    shop.history.add({0}, opened,
                     {{cart, ItemAdded{{sku("A"), "A"}, 1, {{most}, gbp()}, Pricing::fixed}}});
  }
  const auto model = shop.run();
  // 3 x 9,223,372,036,854.775807 and 1.
  const std::string sold = "27670116110565.327421";
  CHECK(to_decimal(model->sales({})->total.revenue) == sold);
  SalesQuery within;
  within.from = time_of("2011-03-05T09:30:00Z");
  CHECK(to_decimal(model->sales(within)->total.revenue) == sold);
  SalesQuery by_product;
  by_product.group_by = SalesGroup::product;
  const auto products = model->sales(by_product);
  CHECK(to_decimal(products->rows.at(0).figures.revenue) == "27670116110564.327421");
  const auto buyers = model->customers({1, {}, 100});
  CHECK(std::get<MoneySum>(buyers->rows.at(0).at(4)) ==
        MoneySum{products->rows[0].figures.revenue, gbp()});
  CHECK(std::get<MoneySum>(buyers->rows.at(1).at(4)) == pounds(1'000'000));
  const std::string twice = "18446744073709.551614";
  CHECK(to_decimal(std::get<MoneySum>(model->lost_sales({})->rows.at(0).at(4)).amount) == twice);
  CHECK(to_decimal(std::get<MoneySum>(model->stock({})->rows.at(0).at(9)).amount) == twice);
  const auto carts = model->abandoned({time_of("2011-03-06T00:00:00Z"), {}, 100});
  CHECK(to_decimal(std::get<MoneySum>(carts->summary.at(1).second).amount) == twice);
}

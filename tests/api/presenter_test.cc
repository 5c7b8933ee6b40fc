#include "gateway/api/commands/presenter.h"

#include <doctest/doctest.h>

#include "gateway/api/commands/vault_worker.h"
#include "tests/api/fixtures.h"

using namespace souk;
using namespace souk::test;

namespace {

const Currency gbp = *Currency::parse("GBP");
const JsonPresenter presenter{gbp};

template <class F>
std::string json_of(F write) {
  Body body;
  write(body);
  CHECK(Json(body.json).good());
  return body.json;
}

CartLine line(std::string_view sku, std::int32_t quantity, std::int64_t micros) {
  CartLine l;
  l.item = Item(Sku::trusted(sku), "name of " + std::string(sku));
  l.quantity = quantity;
  l.unit_price = Micros{micros};
  return l;
}

Order some_life() {
  Order order;
  order.status = OrderStatus::shipped;
  order.cart = some_cart();
  order.user = some_user();
  order.currency = gbp;
  order.lines = {{Item(Sku::trusted("tea"), "Tea"), 2, Micros{12'345'000}, Pricing::catalogue}};
  order.total = Micros{24'690'000};
  order.placed_at = UnixMs{1314786300000};
  order.occurred_at = UnixMs{1314786300000};
  order.payment.status = PaymentStatus::captured;
  order.payment.captured = order.total;
  using What = OrderStep::What;
  order.history = {
      {What::placed, OrderStatus::pending, PaymentStatus::none, 1, 1314786300000},
      {What::payment_authorised, OrderStatus::pending, PaymentStatus::authorised, 2, 1314786300001},
      {What::confirmed, OrderStatus::confirmed, PaymentStatus::authorised, 3, 1314786300002},
      {What::payment_captured, OrderStatus::confirmed, PaymentStatus::captured, 4, 1314786300002},
      {What::shipped, OrderStatus::shipped, PaymentStatus::captured, 5, 1314786400000},
  };
  order.version = 5;
  return order;
}

}  // namespace

TEST_CASE("presenter: a cart shows its lines, its total and where it stands") {
  Cart cart;
  cart.status = CartStatus::open;
  cart.currency = gbp;
  cart.user = some_user();
  cart.lines = {line("t\"1", 2, 12'345'000), line("b", 1, 0)};
  cart.total = Micros{24'690'000};
  cart.version = 3;
  CHECK(
      json_of([&](Body& b) { presenter.cart(some_cart(), cart, b); }) ==
      R"({"cart_id":")" + some_cart().text() + R"(","status":"open","user_id":")" +
          some_user().text() +
          R"(","currency":"GBP","lines":[{"sku":"t\"1","name":"name of t\"1","quantity":2,)"
          R"("unit_price":{"amount":"12.345","currency":"GBP"},"total":{"amount":"24.69","currency":"GBP"}},)"
          R"({"sku":"b","name":"name of b","quantity":1,"unit_price":{"amount":"0.00","currency":"GBP"},)"
          R"("total":{"amount":"0.00","currency":"GBP"}}],"total":{"amount":"24.69","currency":"GBP"},)"
          R"("version":3})");
  cart.status = CartStatus::ordered;
  cart.order = some_order();
  const Json ordered(json_of([&](Body& b) { presenter.cart(some_cart(), cart, b); }));
  CHECK(ordered.text("/status") == "ordered");
  CHECK(ordered.text("/order_id") == some_order().text());
}

TEST_CASE("presenter: an empty cart without a currency has a total in the default one") {
  Cart cart;
  cart.status = CartStatus::open;
  cart.version = 1;
  const Json json(json_of([&](Body& b) { presenter.cart(some_cart(), cart, b); }));
  CHECK(json.text("/total/amount") == "0.00");
  CHECK(json.text("/total/currency") == "GBP");
  CHECK_FALSE(json.has("/user_id"));
  CHECK_FALSE(json.has("/order_id"));
}

TEST_CASE("presenter: an order is shown as it was at a version") {
  const auto order = some_life();
  const auto at = [&](Version version) {
    return json_of([&](Body& b) { presenter.order(some_order(), order, version, b); });
  };
  const Json pending(at(1)), now(at(5));
  CHECK(pending.text("/status") == "pending");
  CHECK(pending.text("/payment/status") == "none");
  CHECK(pending.number("/version") == 1);
  CHECK(pending.at("/history").get_array().size() == 1);
  CHECK(now.text("/status") == "shipped");
  CHECK(now.text("/payment/status") == "captured");
  CHECK(now.at("/history").get_array().size() == 5);
  CHECK(now.text("/history/4/event") == std::string(order_step_text(OrderStep::What::shipped)));
  CHECK(now.text("/history/4/at") == "2011-08-31T10:26:40.000Z");
  CHECK(now.text("/cart_id") == some_cart().text());
  CHECK(now.text("/lines/0/total/amount") == "24.69");
  CHECK(now.text("/placed_at") == "2011-08-31T10:25:00.000Z");
  CHECK_FALSE(now.has("/lines/0/returned"));
  CHECK_FALSE(now.has("/reason"));
  CHECK_FALSE(now.has("/shipping_address"));
}

TEST_CASE("presenter: what came back is shown from the version at which it did") {
  auto order = some_life();
  order.history.push_back(
      {OrderStep::What::returned, OrderStatus::shipped, PaymentStatus::captured, 6, 1314786500000});
  order.returns.push_back({1, 6, false, {{0, 1, Micros{12'345'000}}}, Micros{12'345'000}});
  count_returned(order);
  order.version = 6;
  const auto at = [&](Version version) {
    return json_of([&](Body& b) { presenter.order(some_order(), order, version, b); });
  };
  CHECK_FALSE(Json(at(5)).has("/lines/0/returned"));
  CHECK(Json(at(6)).number("/lines/0/returned") == 1);
}

TEST_CASE("presenter: a declined payment is shown as none, a rejected order says why") {
  Order order = some_life();
  order.status = OrderStatus::rejected;
  order.reason = Refusal::payment_declined;
  order.history.resize(1);
  order.history.push_back(
      {OrderStep::What::payment_declined, OrderStatus::pending, PaymentStatus::declined, 2, 1});
  order.history.push_back(
      {OrderStep::What::rejected, OrderStatus::rejected, PaymentStatus::declined, 3, 1});
  order.version = 3;
  const Json json(json_of([&](Body& b) { presenter.order(some_order(), order, 3, b); }));
  CHECK(json.text("/status") == "rejected");
  CHECK(json.text("/reason") == "payment_declined");
  CHECK(json.text("/payment/status") == "none");
  const Json before(json_of([&](Body& b) { presenter.order(some_order(), order, 2, b); }));
  CHECK(before.text("/status") == "pending");
  CHECK_FALSE(before.has("/reason"));
}

TEST_CASE("presenter: products, stock and small answers have their members") {
  Product product;
  product.name = "Thing <1>";
  product.category = {"home", "tea"};
  product.attributes = {{"co\"lour", "r\xc3\xb6t"}};
  product.price = {Micros{2'500'000}, gbp};
  product.active = true;
  product.version = 4;
  CHECK(
      json_of([&](Body& b) { presenter.product(Sku::trusted("85123A"), product, 7, b); }) ==
      R"({"sku":"85123A","name":"Thing <1>","category":["home","tea"],"price":{"amount":"2.50",)"
      R"("currency":"GBP"},"attributes":{"co\"lour":"röt"},"active":true,"available":7,"version":4})");
  CHECK(json_of([&](Body& b) { presenter.delisted(Sku::trusted("a"), 5, b); }) ==
        R"({"sku":"a","active":false,"version":5})");
  CHECK(json_of([&](Body& b) {
          presenter.stock(Sku::trusted("a"), {5, 2, 9}, b);
        }) == R"({"sku":"a","on_hand":5,"reserved":2,"available":3,"version":9})");
  CHECK(json_of([&](Body& b) { presenter.user_created(some_user(), b); }) ==
        R"({"user_id":")" + some_user().text() + "\"}");
  CHECK(json_of([&](Body& b) { presenter.cart_created(some_cart(), {}, b); }) ==
        R"({"cart_id":")" + some_cart().text() + R"(","status":"open"})");
  CHECK(json_of([&](Body& b) {
          presenter.check_out(some_order(), OrderStatus::rejected, Refusal::out_of_stock, b);
        }) == R"({"order_id":")" + some_order().text() +
                  R"(","status":"rejected","reason":"out_of_stock"})");
  CHECK(json_of([&](Body& b) {
          presenter.check_out(some_order(), OrderStatus::pending, Refusal::none, b);
        }) == R"({"order_id":")" + some_order().text() + R"(","status":"pending"})");
}

TEST_CASE("presenter: a page of orders ends with the cursor of the next one") {
  const Order order = some_life();
  const std::vector<std::pair<OrderId, const Order*>> page = {{some_order(), &order}};
  const Json more(
      json_of([&](Body& b) { presenter.user_orders(some_user(), page, More::yes, b); }));
  CHECK(more.text("/orders/0/order_id") == some_order().text());
  CHECK(more.text("/orders/0/status") == "shipped");
  CHECK(more.text("/next") == some_order().text());
  const Json last(json_of([&](Body& b) { presenter.user_orders(some_user(), page, More::no, b); }));
  CHECK_FALSE(last.has("/next"));
}

TEST_CASE(
    "presenter: sealed members are opened into their place, or null once their key is destroyed") {
  MemoryVault vault;
  REQUIRE(vault.ensure({EntityKey(some_user())}).ok());
  UserProfile profile;
  profile.sealed_email = *vault.seal(EntityKey(some_user()), "a@b.c");
  profile.sealed_name = *vault.seal(EntityKey(some_user()), "Zo\xc3\xab \"Z\"");
  profile.country = "GB";
  profile.version = 2;
  const auto opened = [&] {
    Body body;
    presenter.user(some_user(), profile, body);
    REQUIRE(open_sealed(vault, body).ok());
    CHECK(body.sealed.empty());
    return body.json;
  };
  const auto id = R"({"user_id":")" + some_user().text();
  CHECK(opened() == id + R"(","email":"a@b.c","name":"Zoë \"Z\"","country":"GB","version":2})");
  REQUIRE(vault.destroy({EntityKey(some_user())}).ok());
  CHECK(opened() == id + R"(","email":null,"name":null,"country":"GB","version":2})");
  profile.sealed_name = {};
  CHECK(opened() == id + R"(","email":null,"country":"GB","version":2})");
}

TEST_CASE(
    "presenter: an address is opened as the JSON that it was, with the key of whom it belongs to") {
  MemoryVault vault;
  auto order = some_life();
  const auto shown = [&](const EntityKey& person) {
    REQUIRE(vault.ensure({person}).ok());
    order.sealed_address = *vault.seal(person, R"({"street":"1 A St"})");
    Body body;
    presenter.order(some_order(), order, 5, body);
    REQUIRE(open_sealed(vault, body).ok());
    return Json(body.json).text("/shipping_address/street");
  };
  CHECK(shown(EntityKey(some_order())) == "1 A St");  // of a cart: the order's own key
  order.cart.reset();
  CHECK(shown(EntityKey(some_user())) == "1 A St");  // bought at once by a user
  order.user.reset();
  CHECK(shown(EntityKey(some_order())) == "1 A St");  // bought at once by a guest
}

TEST_CASE("presenter: of a person whose key is lost, what was not sealed is shown") {
  MemoryVault vault;
  UserProfile profile;
  profile.sealed_email = {"rubbish"};
  profile.country = "GB";
  Body body;
  presenter.user(some_user(), profile, body);
  REQUIRE(open_sealed(vault, body).ok());
  const Json shown(body.json);
  CHECK(shown.at("/email").is_null());
  CHECK(shown.text("/country") == "GB");
}

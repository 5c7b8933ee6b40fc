#include "domain/cart/cart.h"

#include <rapidcheck.h>

#include <map>

#include "events/limits.h"
#include "tests/domain/scenario.h"

using namespace souk;
using namespace souk::test;

namespace {

using CartScenario = Scenario<Cart>;
constexpr auto by_catalogue = Pricing::catalogue;
constexpr auto by_hand = Pricing::fixed;

Quote quote(std::string name, Money price) {
  return {Quote::Standing::on_sale, std::move(name), price};
}
const Quote tea_quote = quote("Tea", gbp("4.50"));
Item tea() { return item("tea", "Tea"); }
AddItem add(std::int64_t quantity, std::optional<Money> price = std::nullopt) {
  return {CartId{}, sku("tea"), quantity, price};
}
SetItem set(std::int64_t quantity) { return {CartId{}, sku("tea"), quantity}; }
RemoveItem take_out(std::string_view what) { return {CartId{}, sku(what)}; }
ItemAdded added(std::int64_t quantity, Money price = gbp("4.50"), Pricing pricing = by_catalogue) {
  return {tea(), quantity, price, pricing};
}
const CartOpened opened{};

std::vector<std::string> skus(const Cart& cart) {
  std::vector<std::string> all;
  for (const auto& line : cart.lines) all.push_back(line.item.sku().text());
  return all;
}

}  // namespace

TEST_CASE("cart: it opens once") {
  const OpenCart open{CartId{}, user_id(1), *Currency::parse("GBP")};
  CartScenario{}
      .when(open)
      .then({CartOpened{user_id(1), *Currency::parse("GBP")}})
      .when(open)
      .then({});
}

TEST_CASE("cart: adding the same SKU adds to its line and gives it today's name and price") {
  auto scenario = CartScenario{}
                      .given({opened})
                      .when(add(2), tea_quote)
                      .then({added(2)})
                      .when(add(1), quote("Finer tea", gbp("5")))
                      .then({ItemAdded{item("tea", "Finer tea"), 1, gbp("5"), by_catalogue}});
  REQUIRE(scenario.state().lines.size() == 1);
  CHECK(scenario.state().lines[0].quantity == 3);
  CHECK(scenario.state().lines[0].item.name() == "Finer tea");
  CHECK(scenario.state().total == micros("15"));
  CHECK(scenario.state().version == 3);
}

TEST_CASE("cart: a fixed price is a line of its own, each time") {
  auto scenario = CartScenario{}
                      .given({opened, added(1)})
                      .when(add(1, gbp("4.50")), tea_quote)
                      .then({added(1, gbp("4.50"), by_hand)})
                      .when(add(1, gbp("4.50")), tea_quote)
                      .then({added(1, gbp("4.50"), by_hand)})
                      .when(add(1), tea_quote)
                      .then({added(1)});
  CHECK(scenario.state().lines.size() == 3);
  CHECK(scenario.state().lines[0].quantity == 2);
  CHECK(scenario.state().total == micros("18"));
}

TEST_CASE("cart: a line is refused where the product, the cart or the currency forbids it") {
  CartScenario{}
      .given({opened})
      .when(add(1), Quote{})
      .refused(Refusal::unknown_product)
      .when(add(1), Quote{Quote::Standing::inactive, "Tea", gbp("1")})
      .refused(Refusal::inactive_product)
      .given({added(1)})
      .when(add(1), quote("Tea", eur("4.50")))
      .refused(Refusal::currency_mismatch)
      .when(add(1, eur("1")), tea_quote)
      .refused(Refusal::currency_mismatch)
      .when(set(2), quote("Tea", eur("4.50")))
      .refused(Refusal::currency_mismatch)
      .given({CheckOutStarted{order_id(1)}})
      .when(add(1), Quote{})
      .refused(Refusal::cart_closed)
      .when(set(1), tea_quote)
      .refused(Refusal::cart_closed)
      .when(set(0), tea_quote)
      .refused(Refusal::cart_closed)
      .when(take_out("tea"))
      .refused(Refusal::cart_closed)
      .given({CartOrdered{order_id(1)}})
      .when(add(1), tea_quote)
      .refused(Refusal::cart_closed);
}

TEST_CASE("cart: the first line fixes the currency; with the last line it goes") {
  auto scenario = CartScenario{}.given({opened, added(1)});
  CHECK(scenario.state().currency.text() == "GBP");
  scenario.when(add(1), quote("Tea", eur("1"))).refused(Refusal::currency_mismatch);
  scenario.given({ItemRemoved{sku("tea")}});
  CHECK(scenario.state().currency.none());
  CHECK(scenario.state().lines.empty());
  CHECK(scenario.state().total == Micros{0});
  CHECK(decide(scenario.state(), add(1), quote("Tea", eur("1"))).ok());
  CHECK(as_of(scenario.state(), 2).currency.text() == "GBP");
}

TEST_CASE("cart: a currency given when it opened holds from the first line on") {
  CartScenario{}
      .given({CartOpened{std::nullopt, *Currency::parse("EUR")}})
      .when(add(1), tea_quote)
      .refused(Refusal::currency_mismatch);
}

TEST_CASE("cart: a line holds its largest quantity and not one more") {
  CartScenario{}
      .given({opened, added(limits::quantity_max - 1)})
      .when(add(2), tea_quote)
      .refused(Refusal::quantity_too_large)
      .when(add(1), tea_quote)
      .then({added(1)})
      .when(add(1), tea_quote)
      .refused(Refusal::quantity_too_large)
      .when(add(limits::quantity_max, gbp("1")), tea_quote)
      .then({added(limits::quantity_max, gbp("1"), by_hand)});
}

TEST_CASE("cart: it holds its largest number of lines and not one more") {
  Cart cart = fold(Cart{}, {opened});
  for (std::size_t i = 0; i < limits::cart_lines_max; ++i) {
    const AddItem command{CartId{}, sku("s" + std::to_string(i)), 1, std::nullopt};
    const Decision decision = decide(cart, command, tea_quote);
    REQUIRE(decision.ok());
    cart = fold(std::move(cart), *decision);
    trim_undo(cart, cart.version);
  }
  CHECK(cart.lines.size() == limits::cart_lines_max);
  CHECK(decide(cart, add(1), tea_quote).error().reason == Refusal::too_many_lines);
  CHECK(decide(cart, set(1), tea_quote).error().reason == Refusal::too_many_lines);
  CHECK(decide(cart, AddItem{CartId{}, sku("s7"), 1, gbp("1")}, tea_quote).error().reason ==
        Refusal::too_many_lines);
  CHECK(decide(cart, AddItem{CartId{}, sku("s7"), 1, std::nullopt}, tea_quote).ok());
}

TEST_CASE("cart: a total fills 64 bits and not one millionth more") {
  // 922 pieces at the largest price come to less than 2^63; `rest` fills it up.
  const Money dear{Micros{limits::price_micros_max}, *Currency::parse("GBP")};
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() / limits::price_micros_max;
  const std::int64_t left =
      std::numeric_limits<std::int64_t>::max() - most * limits::price_micros_max;
  const Money rest{Micros{left}, dear.currency};
  const Money over{Micros{left + 1}, dear.currency};
  auto scenario = CartScenario{}
                      .given({opened})
                      .when(add(most + 1, dear), tea_quote)
                      .refused(Refusal::amount_too_large)
                      .when(add(most, dear), tea_quote)
                      .then({added(most, dear, by_hand)})
                      .when(add(1, over), tea_quote)
                      .refused(Refusal::amount_too_large)
                      .when(add(1, rest), tea_quote)
                      .then({added(1, rest, by_hand)});
  CHECK(scenario.state().total.value == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("cart: setting makes, changes and removes the line of a SKU") {
  CartScenario{}
      .given({opened})
      .when(set(0), tea_quote)
      .then({})
      .when(set(4), tea_quote)
      .then({added(4)})
      .when(set(4), tea_quote)
      .then({})
      .when(set(4), quote("Tea", gbp("5")))
      .then({ItemQuantitySet{tea(), 4, gbp("5"), by_catalogue}})
      .when(set(limits::quantity_max + 1), tea_quote)
      .refused(Refusal::quantity_too_large)
      .when(set(0), tea_quote)
      .then({ItemRemoved{sku("tea")}});
}

TEST_CASE("cart: setting means the catalogue's line first, then the only fixed one") {
  auto scenario = CartScenario{}
                      .given({opened, added(1, gbp("3"), by_hand)})
                      .when(set(5), tea_quote)
                      .then({ItemQuantitySet{tea(), 5, gbp("3"), by_hand}})
                      .given({added(1, gbp("2"), by_hand)})
                      .when(set(2), tea_quote)
                      .refused(Refusal::ambiguous_line)
                      .given({added(1)})
                      .when(set(7), tea_quote)
                      .then({ItemQuantitySet{tea(), 7, gbp("4.50"), by_catalogue}});
  REQUIRE(scenario.state().lines.size() == 3);
  CHECK(scenario.state().lines[0].quantity == 5);
  CHECK(scenario.state().lines[1].quantity == 1);
  CHECK(scenario.state().lines[2].quantity == 7);
  CHECK(scenario.state().total == micros("48.50"));
}

TEST_CASE("cart: removing takes every line of the SKU and nothing else") {
  auto scenario =
      CartScenario{}
          .given({opened, added(1), ItemAdded{item("mug", "Mug"), 2, gbp("3"), by_catalogue},
                  added(1, gbp("1"), by_hand)})
          .when(take_out("pot"))
          .then({})
          .when(take_out("tea"))
          .then({ItemRemoved{sku("tea")}})
          .when(take_out("tea"))
          .then({});
  CHECK(skus(scenario.state()) == std::vector<std::string>{"mug"});
  CHECK(scenario.state().total == micros("6"));
}

TEST_CASE("cart: an empty cart cannot check out, nor one that is checking out or ordered") {
  CartScenario scenario;
  scenario.given({opened});
  scenario.decided(start_check_out(scenario.state(), order_id(1))).refused(Refusal::cart_empty);
  scenario.given({added(1)});
  scenario.decided(start_check_out(scenario.state(), order_id(1)))
      .then({CheckOutStarted{order_id(1)}});
  CHECK(scenario.state().order == order_id(1));
  scenario.decided(start_check_out(scenario.state(), order_id(2))).refused(Refusal::cart_closed);
  scenario.given({CartOrdered{order_id(1)}});
  CHECK(scenario.state().status == CartStatus::ordered);
  CHECK(scenario.state().order == order_id(1));
  scenario.decided(start_check_out(scenario.state(), order_id(2))).refused(Refusal::cart_closed);
}

TEST_CASE("cart: a rejected order opens it again at today's catalogue prices") {
  const auto cart =
      fold(Cart{},
           {opened, added(2), added(1, gbp("1"), by_hand), CheckOutStarted{order_id(1)},
            CartReopened{order_id(1),
                         {{item("tea", "Finer tea"), gbp("6")}, {item("pot", "Pot"), gbp("7")}}}});
  CHECK(cart.status == CartStatus::open);
  CHECK(cart.order == OrderId{});
  CHECK(cart.lines[0].unit_price == micros("6"));
  CHECK(cart.lines[0].item.name() == "Finer tea");
  CHECK(cart.lines[1].unit_price == micros("1"));
  CHECK(cart.lines[1].item.name() == "Tea");
  CHECK(cart.total == micros("13"));
}

TEST_CASE("cart: a new price that the cart cannot hold leaves its line as it was") {
  const Money dear{Micros{limits::price_micros_max}, *Currency::parse("GBP")};
  const Facts past{opened, added(limits::quantity_max), CheckOutStarted{order_id(1)}};
  for (const Money& price : {dear, eur("1")}) {
    const auto cart = fold(fold(Cart{}, past), {CartReopened{order_id(1), {{tea(), price}}}});
    CHECK(cart.status == CartStatus::open);
    CHECK(cart.lines[0].unit_price == micros("4.50"));
    CHECK(cart.total == micros("4500000"));
  }
}

TEST_CASE("cart: what was refused or already true changes no version") {
  const auto cart = fold(Cart{}, {opened, added(1)});
  CHECK(fold(cart, {CommandRefused{Refusal::cart_closed}, CommandNoted{}, OrderShipped{}}) == cart);
}

// ---- any history ----

namespace {

__extension__ using Wide = __int128;

Money any_price() {
  const auto any = *rc::gen::weightedOneOf<std::int64_t>(
      {{8, rc::gen::inRange<std::int64_t>(0, 20'000'000)},
       {1, rc::gen::inRange<std::int64_t>(0, limits::price_micros_max + 1)}});
  return {Micros{any}, *rc::gen::weightedElement<Currency>(
                           {{20, *Currency::parse("GBP")}, {1, *Currency::parse("EUR")}})};
}
std::int64_t any_quantity() {
  return *rc::gen::weightedOneOf<std::int64_t>(
      {{8, rc::gen::inRange<std::int64_t>(1, 10)},
       {1, rc::gen::inRange<std::int64_t>(1, limits::quantity_max + 1)}});
}
Sku any_sku() { return sku(*rc::gen::element<std::string>("a", "b", "c", "d", "e")); }
Quote any_quote() {
  return {*rc::gen::weightedElement<Quote::Standing>({{1, Quote::Standing::unknown},
                                                      {1, Quote::Standing::inactive},
                                                      {12, Quote::Standing::on_sale}}),
          *rc::gen::element<std::string>("One", "Two"), any_price()};
}

CartReopened any_reopening(const Cart& cart) {
  CartReopened reopened{cart.order, {}};
  const int changes = *rc::gen::inRange(0, 4);
  for (int i = 0; i < changes; ++i) {
    reopened.price_changes.push_back(
        {Item{any_sku(), *rc::gen::element<std::string>("One", "Three")}, any_price()});
  }
  return reopened;
}

/// What happens next to `cart`: nothing where it was refused.
Facts any_facts(const Cart& cart) {
  if (cart.status == CartStatus::checking_out) {
    if (*rc::gen::inRange(0, 8) == 0) return {CartOrdered{cart.order}};
    return {any_reopening(cart)};
  }
  const auto decided = [](const Decision& decision) { return decision ? *decision : Facts{}; };
  const int choice = *rc::gen::inRange(0, 12);
  if (choice == 0) {
    return decided(start_check_out(cart, order_id(*rc::gen::inRange<std::uint64_t>(1, 99))));
  }
  if (choice == 1) return decided(decide(cart, RemoveItem{CartId{}, any_sku()}));
  if (choice < 4) {
    const auto quantity = *rc::gen::inRange(0, 4) == 0 ? 0 : any_quantity();
    return decided(decide(cart, SetItem{CartId{}, any_sku(), quantity}, any_quote()));
  }
  const auto price = choice < 7 ? std::optional<Money>{any_price()} : std::nullopt;
  return decided(decide(cart, AddItem{CartId{}, any_sku(), any_quantity(), price}, any_quote()));
}

Cart without_undo(Cart cart) {
  cart.undo.clear();
  return cart;
}

Cart any_opened() {
  const auto currency = *rc::gen::element(Currency{}, *Currency::parse("GBP"));
  return fold(Cart{}, {CartOpened{std::nullopt, currency}});
}

}  // namespace

TEST_CASE("cart: after any history the total is the exact sum and every limit holds") {
  CHECK(rc::check([] {
    Cart cart = any_opened();
    const int steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      cart = fold(std::move(cart), any_facts(cart));
      Wide sum = 0;
      std::map<Sku, int> catalogue_lines;
      for (const auto& line : cart.lines) {
        sum += Wide{line.unit_price.value} * line.quantity;
        RC_ASSERT(line.quantity >= 1);
        RC_ASSERT(line.quantity <= limits::quantity_max);
        if (line.pricing == by_catalogue) RC_ASSERT(++catalogue_lines[line.item.sku()] == 1);
      }
      RC_ASSERT(sum == Wide{cart.total.value});
      RC_ASSERT(cart.lines.empty() || !cart.currency.none());
      RC_ASSERT(cart.order.raw.zero() == (cart.status == CartStatus::open));
    }
  }));
}

TEST_CASE("cart: any version that is still kept can be seen again exactly as it was") {
  CHECK(rc::check([] {
    Cart cart = any_opened();
    std::map<Version, Cart> seen{{cart.version, without_undo(cart)}};
    Version oldest = 1;
    const int steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      for (const auto& fact : any_facts(cart)) {
        cart = evolve(std::move(cart), fact);
        RC_ASSERT(seen.emplace(cart.version, without_undo(cart)).second);
      }
      if (*rc::gen::inRange(0, 10) == 0) {
        oldest = *rc::gen::inRange<Version>(oldest, cart.version + 1);
        trim_undo(cart, oldest);
      }
    }
    for (Version v = oldest; v <= cart.version; ++v) {
      RC_ASSERT(without_undo(as_of(cart, v)) == seen.at(v));
    }
    trim_undo(cart, cart.version);
    RC_ASSERT(cart.undo.empty());
  }));
}

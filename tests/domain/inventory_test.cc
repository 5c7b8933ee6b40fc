#include "domain/inventory/inventory.h"

#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "domain/product/product.h"
#include "events/limits.h"
#include "tests/domain/scenario.h"

using namespace souk;
using namespace souk::test;

namespace {

using StockScenario = Scenario<Inventory>;
const Sku tea = sku("tea");

Product on_sale(Money price = gbp("4.50")) {
  ProductDefined definition;
  definition.name = "Tea";
  definition.price = price;
  return fold(Product{}, {definition});
}
ReserveStock reserve(std::uint64_t order, std::int64_t quantity) {
  return {tea, order_id(order), quantity, gbp("4.50"), 1'000};
}
StockReserved reserved(std::uint64_t order, std::int64_t quantity) {
  return {order_id(order), quantity, noon.plus_ms(1'000)};
}

}  // namespace

TEST_CASE("inventory: what is received can be reserved, claimed and sold") {
  auto scenario = StockScenario{}
                      .when(ReceiveStock{tea, 5, "opening"})
                      .then({StockReceived{5, "opening"}})
                      .when(on_sale(), reserve(1, 4), noon)
                      .then({reserved(1, 4)});
  CHECK(scenario.state().available() == 1);
  scenario.when(ClaimStock{tea, order_id(1)}).then({StockClaimed{order_id(1)}});
  scenario.when(SellStock{tea, order_id(1)}).then({StockSold{order_id(1), 4}});
  CHECK(scenario.state().on_hand == 1);
  CHECK(scenario.state().reserved == 0);
  CHECK(scenario.state().sold == 4);
  CHECK(scenario.state().version == 4);
}

TEST_CASE("inventory: a reservation takes all that is available and not one piece more") {
  StockScenario{}
      .given({StockReceived{5, ""}})
      .when(on_sale(), reserve(1, 6), noon)
      .refused(Refusal::out_of_stock)
      .when(on_sale(), reserve(1, 5), noon)
      .then({reserved(1, 5)})
      .when(on_sale(), reserve(2, 1), noon)
      .refused(Refusal::out_of_stock);
}

TEST_CASE("inventory: a reservation is refused for the first reason that applies") {
  Product inactive = fold(on_sale(gbp("5")), {ProductTakenOffSale{}});
  StockScenario{}
      .when(Product{}, reserve(1, 1), noon)
      .refused(Refusal::unknown_product)
      .when(inactive, reserve(1, 1), noon)
      .refused(Refusal::inactive_product)
      .when(on_sale(gbp("5")), reserve(1, 1), noon)
      .refused(Refusal::price_changed)
      .when(on_sale(), reserve(1, 1), noon)
      .refused(Refusal::out_of_stock);
}

TEST_CASE("inventory: a fixed price is not compared with the catalogue's") {
  auto command = reserve(1, 1);
  command.expected_price.reset();
  StockScenario{}
      .given({StockReceived{1, ""}})
      .when(on_sale(gbp("99")), command, noon)
      .then({reserved(1, 1)});
}

TEST_CASE("inventory: a hold that is there answers yes whatever the product is now") {
  StockScenario{}
      .given({StockReceived{1, ""}, reserved(1, 1)})
      .when(on_sale(gbp("99")), reserve(1, 1), noon)
      .then({})
      .when(Product{}, reserve(1, 1), noon)
      .then({});
}

TEST_CASE("inventory: without a hold a claim has expired; selling and releasing are done") {
  StockScenario{}
      .given({StockReceived{1, ""}})
      .when(ClaimStock{tea, order_id(1)})
      .refused(Refusal::expired)
      .when(SellStock{tea, order_id(1)})
      .then({})
      .when(ReleaseStock{tea, order_id(1)})
      .then({ReservationReleased{order_id(1), 0}})
      .when(ReleaseStock{tea, order_id(1)})
      .then({});
}

TEST_CASE("inventory: an order that is over here begins nothing, and hears what it heard before") {
  auto scenario =
      StockScenario{}
          .given({StockReceived{9, ""}, reserved(1, 2), StockClaimed{order_id(1)},
                  StockSold{order_id(1), 2}, reserved(2, 3), ReservationReleased{order_id(2), 3},
                  ReservationReleased{order_id(3), 0}})
          .when(on_sale(), reserve(1, 2), noon)
          .then({})
          .when(ClaimStock{tea, order_id(1)})
          .then({})
          .when(SellStock{tea, order_id(1)})
          .then({})
          .when(ReleaseStock{tea, order_id(1)})
          .then({});
  for (const std::uint64_t released : {2U, 3U})
    scenario.when(on_sale(), reserve(released, 3), noon)
        .refused(Refusal::expired)
        .when(ClaimStock{tea, order_id(released)})
        .refused(Refusal::expired)
        .when(ReleaseStock{tea, order_id(released)})
        .then({})
        .when(SellStock{tea, order_id(released)})
        .then({});
  CHECK(scenario.state().available() == 7);
  CHECK(scenario.state().version == 6);  // a release of nothing shows nothing new
}

TEST_CASE("inventory: a hold that expired may be made again, as long as its order goes on") {
  StockScenario{}
      .given({StockReceived{1, ""}, reserved(1, 1), ReservationExpired{order_id(1), 1}})
      .when(on_sale(), reserve(1, 1), noon)
      .then({reserved(1, 1)});
}

TEST_CASE(
    "inventory: of an order that ended long ago nothing is known, and its steps are too late") {
  const auto ends_at = [](std::int64_t ms, std::uint64_t order) {
    return [=](Inventory stock) {
      return evolve(std::move(stock), ReservationReleased{order_id(order), 0}, noon.plus_ms(ms));
    };
  };
  const auto late = [](const Inventory& stock, std::uint64_t order, std::int64_t asked_ms) {
    ReserveStock command = reserve(order, 1);
    command.asked_at = noon.plus_ms(asked_ms);
    return comes_too_late(stock, command);
  };
  Inventory stock = ends_at(0, 1)(Inventory{});
  stock = ends_at(fence_kept_ms - 1, 2)(std::move(stock));
  stock = ends_at(fence_kept_ms, 3)(std::move(stock));
  stock = ends_at(2 * fence_kept_ms - 1, 4)(std::move(stock));
  CHECK(stock.fences.size() == 4);
  CHECK_FALSE(late(stock, 5, 0));  // that it is not over is known
  stock = ends_at(2 * fence_kept_ms, 6)(std::move(stock));
  CHECK(stock.fences.size() == 3);  // two are forgotten
  CHECK(stock.fences.find(order_id(2)) == Over::no);
  CHECK(stock.fences.find(order_id(3)) == Over::released);
  CHECK(late(stock, 1, 0));
  CHECK(late(stock, 2, fence_kept_ms - 1));
  CHECK(late(stock, 5, fence_kept_ms - 1));
  CHECK_FALSE(late(stock, 5, fence_kept_ms));
  CHECK_FALSE(late(stock, 3, 0));  // known: answered
  ReleaseStock release{tea, order_id(2), noon.plus_ms(fence_kept_ms - 1)};
  CHECK(decide(stock, release)->empty());  // a reservation of before is too late itself
  release.asked_at = noon.plus_ms(fence_kept_ms);
  CHECK(decide(stock, release)->size() == 1);
  Inventory restored;
  restored.fences.restore(stock.fences.last_end());
  CHECK(late(restored, 6, 2 * fence_kept_ms));
  CHECK_FALSE(late(restored, 7, 2 * fence_kept_ms + 1));
}

TEST_CASE(
    "inventory: the fences of a SKU with 10,000 orders an hour are few, and of 8,000/s bounded") {
  const auto most_of = [](std::int64_t orders, std::int64_t apart_us) {
    Inventory stock;
    std::size_t most = 0;
    for (std::int64_t i = 0; i < orders; ++i) {
      advance(stock, ReservationReleased{order_id(static_cast<std::uint64_t>(i)), 0},
              noon.plus_ms(i * apart_us / 1'000));
      most = std::max(most, stock.fences.size());
    }
    CHECK(stock.fences.heap_bytes() <= 128 + most * 2 * 4 * 17);
    return most;
  };
  CHECK(most_of(10'000, 360'000) <= 28);
  CHECK(most_of(200'000, 125) == 80'000);
}

TEST_CASE("inventory: a claimed hold can be released, an unclaimed one sold") {
  auto scenario =
      StockScenario{}
          .given({StockReceived{3, ""}, reserved(1, 1), StockClaimed{order_id(1)}, reserved(2, 2)})
          .when(ReleaseStock{tea, order_id(1)})
          .then({ReservationReleased{order_id(1), 1}})
          .when(SellStock{tea, order_id(2)})
          .then({StockSold{order_id(2), 2}});
  CHECK(scenario.state().on_hand == 1);
  CHECK(scenario.state().available() == 1);
}

TEST_CASE("inventory: holds expire at their time, in the order of their ids, unless claimed") {
  const auto stock =
      fold(Inventory{},
           {StockReceived{9, ""}, StockReserved{order_id(3), 1, noon},
            StockReserved{order_id(1), 2, noon}, StockReserved{order_id(2), 3, noon.plus_ms(1)},
            StockReserved{order_id(4), 1, noon.plus_ms(-1)}, StockClaimed{order_id(4)}});
  CHECK(next_expiry(stock) == noon);
  CHECK(expire_holds(stock, noon.plus_ms(-1)).empty());
  const Facts due = expire_holds(stock, noon);
  CHECK(due == Facts{ReservationExpired{order_id(1), 2}, ReservationExpired{order_id(3), 1}});
  const auto after = fold(stock, due);
  CHECK(after.reserved == 4);
  CHECK(next_expiry(after) == noon.plus_ms(1));
  CHECK(next_expiry(fold(after, expire_holds(after, noon.plus_ms(1)))) == std::nullopt);
}

TEST_CASE("inventory: stock is adjusted down to what is available and not below") {
  StockScenario{}
      .given({StockReceived{5, ""}, reserved(1, 2)})
      .when(AdjustStock{tea, -4, "lost"})
      .refused(Refusal::out_of_stock)
      .when(AdjustStock{tea, -3, "lost"})
      .then({StockAdjusted{-3, "lost"}})
      .when(AdjustStock{tea, -1, "lost"})
      .refused(Refusal::out_of_stock);
}

TEST_CASE("inventory: stock grows to its limit and not past it") {
  StockScenario{}
      .given({StockReceived{limits::stock_max - 2, ""}})
      .when(ReceiveStock{tea, 3, ""})
      .refused(Refusal::stock_limit)
      .when(AdjustStock{tea, 3, "found"})
      .refused(Refusal::stock_limit)
      .when(AdjustStock{tea, 1, "found"})
      .then({StockAdjusted{1, "found"}})
      .when(ReceiveStock{tea, 1, ""})
      .then({StockReceived{1, ""}})
      .when(ReceiveStock{tea, 1, ""})
      .refused(Refusal::stock_limit);
}

TEST_CASE("inventory: a return is booked once, and remembered for a week") {
  const ReturnStock back{tea, order_id(1), 1, 2};
  auto scenario = StockScenario{}
                      .when(back)
                      .then({StockReturned{order_id(1), 1, 2}})
                      .when(back)
                      .then({})
                      .when(ReturnStock{tea, order_id(1), 2, 1})
                      .then({StockReturned{order_id(1), 2, 1}});
  CHECK(scenario.state().on_hand == 3);
  CHECK(scenario.state().returned == 3);
  const UnixMs week = noon.plus_ms(booked_return_kept_ms);
  scenario.given({StockReturned{order_id(2), 1, 1}}, week);
  CHECK(scenario.state().booked_returns.size() == 3);
  scenario.given({StockReturned{order_id(3), 1, 1}}, week.plus_ms(1));
  CHECK(scenario.state().booked_returns.size() == 2);
}

TEST_CASE("inventory: it is known once any stock was booked") {
  CHECK_FALSE(
      fold(Inventory{}, {CommandRefused{Refusal::out_of_stock}, ProductTakenOffSale{}}).known);
  CHECK(fold(Inventory{}, {CommandNoted{}}).version == 0);
  CHECK(fold(Inventory{}, {StockReceived{1, ""}}).known);
}

namespace {

/// What an auditor would count beside the engine.
struct Books {
  std::int64_t received = 0, adjusted = 0, returned = 0, sold = 0;
  std::map<OrderId, std::int64_t> holds;
  std::set<OrderId> over;
  void count(const Payload& fact) {
    if (auto* e = std::get_if<StockReceived>(&fact)) received += e->quantity;
    if (auto* e = std::get_if<StockAdjusted>(&fact)) adjusted += e->delta;
    if (auto* e = std::get_if<StockReturned>(&fact)) returned += e->quantity;
    if (auto* e = std::get_if<StockReserved>(&fact)) {
      holds[e->order] = e->quantity;
      RC_ASSERT(!over.contains(e->order));
    }
    if (auto* e = std::get_if<ReservationReleased>(&fact)) over.insert(e->order);
    if (auto* e = std::get_if<StockSold>(&fact)) {
      sold += e->quantity;
      RC_ASSERT(holds.at(e->order) == e->quantity);
      holds.erase(e->order);
      over.insert(e->order);
    }
    if (auto* e = std::get_if<ReservationReleased>(&fact)) holds.erase(e->order);
    if (auto* e = std::get_if<ReservationExpired>(&fact)) holds.erase(e->order);
  }
};

struct Step {
  Decision decision{Facts{}};
  std::function<Decision(const Inventory&)> again;  // a command that promises to be repeatable
};

Step any_step(const Inventory& stock, UnixMs now) {
  const auto order = order_id(*rc::gen::inRange<std::uint64_t>(1, 20));
  const auto quantity = *rc::gen::inRange<std::int64_t>(1, 8);
  const auto repeatable = [&](auto command) {
    return Step{decide(stock, command), [=](const Inventory& i) { return decide(i, command); }};
  };
  switch (*rc::gen::inRange(0, 9)) {
    case 0:
      return {decide(stock, ReceiveStock{tea, quantity, "r"}), {}};
    case 1:
      return {decide(stock, AdjustStock{tea, quantity - 8, "a"}), {}};
    case 2:
      return repeatable(ClaimStock{tea, order});
    case 3:
      return repeatable(SellStock{tea, order});
    case 4:
      return repeatable(ReleaseStock{tea, order});
    case 5:
      return repeatable(ReturnStock{tea, order, *rc::gen::inRange<std::uint32_t>(1, 4), quantity});
    case 6:
      return {Decision{expire_holds(stock, now)}, {}};
    default: {
      const ReserveStock command{tea, order, quantity, gbp("4.50"),
                                 *rc::gen::inRange<std::int64_t>(0, 20)};
      return Step{decide(stock, on_sale(), command, now),
                  [=](const Inventory& i) { return decide(i, on_sale(), command, now); }};
    }
  }
}

/// Against a walk over all holds.
void check_expiries(const Inventory& stock, UnixMs now) {
  std::vector<OrderId> due;
  std::optional<UnixMs> next;
  for (const auto& [order, hold] : stock.holds.all()) {
    if (hold.claimed) continue;
    if (hold.expires_at <= now) due.push_back(order);
    if (!next || hold.expires_at < *next) next = hold.expires_at;
  }
  std::ranges::sort(due);
  RC_ASSERT(stock.holds.due(now) == due);
  RC_ASSERT(stock.holds.next_expiry() == next);
}

}  // namespace

TEST_CASE("inventory: with hundreds of holds it is known which are due, also after a restore") {
  CHECK(rc::check([] {
    Inventory stock;
    UnixMs now = noon;
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());  // too many to draw one by one
    const auto below = [&](std::uint64_t end) { return random() % end; };
    for (int i = 0; i < 1'000; ++i) {
      now = now.plus_ms(i % 3);
      const OrderId order = order_id(1 + below(400));
      switch (below(6)) {
        case 0:
          stock = evolve(std::move(stock), StockClaimed{order}, now);
          break;
        case 1:
          stock = evolve(std::move(stock), ReservationReleased{order, 1}, now);
          break;
        default: {
          const auto later = static_cast<std::int64_t>(below(2'000));
          stock = evolve(std::move(stock), StockReserved{order, 1, now.plus_ms(later)}, now);
        }
      }
      if (i % 50 == 0) check_expiries(stock, now);
    }
    const auto all = stock.holds.all();
    Inventory restored = stock;
    restored.holds = {};
    restored.holds.restore(all);
    check_expiries(restored, now);
    restored = evolve(std::move(restored), StockClaimed{all.front().first}, now);
    check_expiries(restored, now);
  }));
}

TEST_CASE("inventory: a return that was booked twice is known until the later one is a week old") {
  const auto later = [](std::int64_t ms) { return noon.plus_ms(ms); };
  const StockReturned one{order_id(1), 1, 1};
  Inventory stock = evolve(Inventory{}, one, noon);
  stock = evolve(std::move(stock), one, later(10));
  const auto others = [&](std::int64_t ms) {
    stock = evolve(std::move(stock), StockReturned{order_id(2), 1, 1}, later(ms));
  };
  others(booked_return_kept_ms + 1);
  CHECK(stock.booked_returns.contains(order_id(1), 1));
  others(booked_return_kept_ms + 11);
  CHECK_FALSE(stock.booked_returns.contains(order_id(1), 1));
  CHECK_FALSE(stock.booked_returns.contains(order_id(2), 2));
  CHECK(stock.booked_returns.contains(order_id(2), 1));
}

TEST_CASE(
    "inventory: no sequence of commands oversells or leaks a piece, and repeats are harmless") {
  CHECK(rc::check([] {
    Inventory stock;
    Books books;
    UnixMs now = noon;
    const int steps = *rc::gen::inRange(0, 80);
    for (int i = 0; i < steps; ++i) {
      now = now.plus_ms(*rc::gen::inRange<std::int64_t>(0, 10));
      const Step step = any_step(stock, now);
      if (!step.decision) continue;
      for (const auto& fact : *step.decision) {
        stock = evolve(std::move(stock), fact, now);
        books.count(fact);
      }
      if (step.again) {
        const Decision repeated = step.again(stock);
        RC_ASSERT(repeated.ok());
        RC_ASSERT(repeated->empty());
      }
      std::int64_t held = 0;
      for (const auto& [order, quantity] : books.holds) held += quantity;
      check_expiries(stock, now.plus_ms(5));
      RC_ASSERT(stock.reserved == held);
      RC_ASSERT(stock.holds.size() == books.holds.size());
      RC_ASSERT(stock.available() >= 0);
      RC_ASSERT(stock.reserved >= 0);
      RC_ASSERT(stock.sold == books.sold);
      RC_ASSERT(books.sold + stock.reserved + stock.available() ==
                books.received + books.adjusted + books.returned);
      RC_ASSERT(stock.on_hand == stock.received + stock.adjusted + stock.returned - stock.sold);
    }
  }));
}

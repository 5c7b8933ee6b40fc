// `souk bench growth`: what one step costs where there is little, and where there is much. The
// rules alone, in this process: no disk, no threads. Only the ratios mean something.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "actors/checkout/checkout.h"
#include "domain/inventory/inventory.h"
#include "domain/order/order.h"
#include "domain/user/user.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr UnixMs start{1'700'000'000'000};

/// Of `rounds` runs the quickest: what is left is the work, not the machine's other work.
/// Returns: nanoseconds of one step, where `run` does `steps`.
double nanoseconds_a_step(std::size_t rounds, std::size_t steps, const std::function<void()>& run) {
  double best = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto began = SteadyClock::now();
    run();
    const double passed =
        std::chrono::duration<double, std::nano>(SteadyClock::now() - began).count();
    if (i == 0 || passed < best) best = passed;
  }
  return best / static_cast<double>(steps);
}

OrderId order_id(std::size_t number) {
  OrderId id;
  const std::uint64_t spread = (number + 1) * 0x9E3779B97F4A7C15ULL;
  for (std::size_t i = 0; i < 8; ++i)
    id.raw.bytes[8 + i] = static_cast<std::uint8_t>(spread >> (8 * i));
  return id;
}
Sku sku(std::size_t number) { return *Sku::parse(fmt::format("p{}", number)); }

Order order_of(std::size_t lines) {
  const auto total = static_cast<std::int64_t>(1'000 * lines);
  OrderPlaced placed{.currency = *Currency::parse("GBP"), .total = Micros{1'000'000 * total}};
  for (std::size_t i = 0; i < lines; ++i)
    placed.lines.push_back({Item(sku(i), "product"), 1'000, Micros{1'000'000}, Pricing::catalogue});
  Order order = evolve(Order{}, placed, start);
  for (const Payload& fact :
       {Payload(PaymentAuthorised{placed.total}), Payload(PaymentCaptured{placed.total}),
        Payload(OrderConfirmed{}), Payload(OrderSettled{}), Payload(OrderShipped{})})
    order = evolve(std::move(order), fact, start);
  return order;
}

/// One answer of a SKU to a check-out of `lines` SKUs.
double stock_answer(std::size_t lines) {
  OrderPlaced placed{.currency = *Currency::parse("GBP"), .total = Micros{1}};
  for (std::size_t i = 0; i < lines; ++i)
    placed.lines.push_back({Item(sku(i), "product"), 1, Micros{1}, Pricing::catalogue});
  const Order order = evolve(Order{}, placed, start);
  const Checkout checkout(
      {.hold_ms = 1'000, .payment_retry_ms = 1'000, .payment_deadline_ms = 1'000});
  std::vector<StockAnswer> answers(lines);
  for (std::size_t i = 0; i < lines; ++i)
    answers[i] = {.op = Op(ReserveStock{}).index(), .sku = sku(i * 7 % lines)};
  return nanoseconds_a_step(20, lines, [&] {
    OrderWork work;
    checkout.begin(order_id(0), order, work, start, Checkout::Start::fresh);
    for (const StockAnswer& answer : answers)
      checkout.on_stock(order_id(0), order, work, answer, start);
  });
}

/// An order of 2,000 lines with `returns` behind it, each of 100 lines.
Order order_with_returns(std::size_t returns) {
  Order order = order_of(2'000);
  for (std::size_t i = 0; i < returns; ++i) {
    ReturnOrder command{.order = order_id(0)};
    for (std::size_t line = 0; line < 100; ++line)
      command.lines.push_back({.sku = sku((100 * i + line) % 2'000), .quantity = 1});
    const Decision decision = decide(order, command);
    SOUK_ASSERT(decision.ok());
    for (const auto& fact : *decision) order = evolve(std::move(order), fact, start);
    order = evolve(std::move(order), ReturnRestocked{static_cast<std::uint32_t>(i + 1)}, start);
  }
  return order;
}

double lines_shown(std::size_t returns) {
  const Order order = order_with_returns(returns);
  return nanoseconds_a_step(20, 1, [&] {
    const auto returned = returned_by_line(order, order.version);
    SOUK_ASSERT(returned.size() == 2'000);
  });
}

double another_return(std::size_t returns) {
  const Order order = order_with_returns(returns);
  const ReturnOrder command{.order = order_id(0), .lines = {{.sku = sku(5), .quantity = 1}}};
  return nanoseconds_a_step(20, 1, [&] { SOUK_ASSERT(decide(order, command).ok()); });
}

/// A SKU takes one hold more and gives the oldest back; which expires next is asked each time.
double hold(std::size_t holds) {
  Inventory stock =
      evolve(Inventory{}, StockReceived{.quantity = 1'000'000, .reference = {}}, start);
  std::size_t next = 0;
  const auto reserve = [&] {
    const UnixMs at = start.plus_ms(static_cast<std::int64_t>(next));
    stock = evolve(std::move(stock), StockReserved{order_id(next++), 1, at}, start);
  };
  while (next < holds) reserve();
  return nanoseconds_a_step(20, 1'000, [&] {
    for (std::size_t i = 0; i < 1'000; ++i) {
      reserve();
      stock = evolve(std::move(stock), ReservationReleased{order_id(next - holds - 1), 1}, start);
      SOUK_ASSERT(next_expiry(stock) && stock.holds.size() == holds);
      SOUK_ASSERT(expire_holds(stock, start.plus_ms(-1)).empty());
    }
  });
}

/// A repeated return is known, and one more is booked.
double booked_return(std::size_t booked) {
  Inventory stock;
  std::size_t next = 0;
  const auto book = [&] {
    stock = evolve(std::move(stock), StockReturned{order_id(next++), 1, 1}, start);
  };
  while (next < booked) book();
  return nanoseconds_a_step(5, 1'000, [&] {
    for (std::size_t i = 0; i < 1'000; ++i) {
      book();
      SOUK_ASSERT(decide(stock, ReturnStock{Sku{}, order_id(i), 1, 1})->empty());
    }
  });
}

/// The last page of a user's orders, by its cursor.
double page_of_orders(std::size_t count) {
  User user;
  for (std::size_t i = 0; i < count; ++i) user = evolve(std::move(user), UserOrdered{order_id(i)});
  return nanoseconds_a_step(20, 1'000, [&] {
    for (std::size_t i = 0; i < 1'000; ++i)
      SOUK_ASSERT(user.orders.place_of(order_id(count * i / 1'000)) == count * i / 1'000);
  });
}

Outcome<ExitCode> bench_growth(const Invocation&) {
  struct Row {
    const char* what;
    double (*run)(std::size_t);
    std::size_t few, many;
  };
  const Row rows[] = {
      {"a stock answer to a check-out, by its SKUs", stock_answer, 20, 2'000},
      {"what came back of 2,000 lines, by the returns before", lines_shown, 1, 256},
      {"a return of one line, by the returns before", another_return, 1, 255},
      {"a hold made and one dropped, by the holds of the SKU", hold, 10, 10'000},
      {"a return booked and one known, by those of the week", booked_return, 10, 100'000},
      {"a cursor into a user's orders, by their number", page_of_orders, 100, 100'000},
  };
  Table table({{"STEP"},
               {"FEW", Align::right},
               {"MANY", Align::right},
               {"NS WITH FEW", Align::right},
               {"NS WITH MANY", Align::right},
               {"TIMES", Align::right}});
  for (const Row& row : rows) {
    const double few = row.run(row.few), many = row.run(row.many);
    table.add({row.what, with_thousands(row.few), with_thousands(row.many),
               fmt::format("{:.0f}", few), fmt::format("{:.0f}", many),
               fmt::format("{:.1f}", many / few)});
  }
  fmt::print("{}", table.text());
  return ExitCode::ok;
}

}  // namespace

Verbs growth_bench_verbs() {
  return {{.path = "bench growth",
           .summary = "Cost of a step where there is little against where there is much",
           .examples = {"souk bench growth"},
           .arguments = {},
           .run = bench_growth,
           .details =
               "Long orders, many returns, holds of one SKU and orders of one user: the rules "
               "alone, in this\nprocess. The last column is flat where the cost does not grow "
               "with what is there."}};
}

}  // namespace souk::cli

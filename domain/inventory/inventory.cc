#include "domain/inventory/inventory.h"

#include <algorithm>

#include "domain/decision.h"
#include "domain/product/product.h"
#include "events/limits.h"

namespace souk {
namespace {

const Hold* hold_of(const Inventory& inventory, OrderId order) {
  return inventory.holds.find(order);
}

void drop_hold(Inventory& inventory, OrderId order) {
  inventory.reserved -= inventory.holds.drop(order);
}

template <class E>
constexpr bool is_stock_event =
    std::is_same_v<E, StockReceived> || std::is_same_v<E, StockAdjusted> ||
    std::is_same_v<E, StockReserved> || std::is_same_v<E, StockClaimed> ||
    std::is_same_v<E, StockSold> || std::is_same_v<E, ReservationReleased> ||
    std::is_same_v<E, ReservationExpired> || std::is_same_v<E, StockReturned>;

void apply(Inventory& inventory, const StockReceived& e, UnixMs) {
  inventory.on_hand += e.quantity;
  inventory.received += e.quantity;
}
void apply(Inventory& inventory, const StockAdjusted& e, UnixMs) {
  inventory.on_hand += e.delta;
  inventory.adjusted += e.delta;
}
void apply(Inventory& inventory, const StockReserved& e, UnixMs) {
  drop_hold(inventory, e.order);
  inventory.holds.put(e.order, Hold{.quantity = e.quantity, .expires_at = e.expires_at});
  inventory.reserved += e.quantity;
}
void apply(Inventory& inventory, const StockClaimed& e, UnixMs) { inventory.holds.claim(e.order); }
void apply(Inventory& inventory, const StockSold& e, UnixMs at) {
  drop_hold(inventory, e.order);
  inventory.fences.end(e.order, Over::sold, at);
  inventory.on_hand -= e.quantity;
  inventory.sold += e.quantity;
}
void apply(Inventory& inventory, const ReservationReleased& e, UnixMs at) {
  drop_hold(inventory, e.order);
  inventory.fences.end(e.order, Over::released, at);
}
void apply(Inventory& inventory, const ReservationExpired& e, UnixMs) {
  drop_hold(inventory, e.order);
}
void apply(Inventory& inventory, const StockReturned& e, UnixMs at) {
  inventory.booked_returns.book({.order = e.order, .number = e.number, .at_ms = at.value});
  inventory.on_hand += e.quantity;
  inventory.returned += e.quantity;
}

}  // namespace

Decision decide(const Inventory& inventory, const ReceiveStock& command) {
  if (command.quantity > limits::stock_max - inventory.on_hand) {
    return Refused{Refusal::stock_limit};
  }
  return facts_of(StockReceived{.quantity = command.quantity, .reference = command.reference});
}

Decision decide(const Inventory& inventory, const AdjustStock& command) {
  if (command.delta < 0 && command.delta < -inventory.available()) {
    return Refused{Refusal::out_of_stock};
  }
  if (command.delta > 0 && command.delta > limits::stock_max - inventory.on_hand) {
    return Refused{Refusal::stock_limit};
  }
  return facts_of(StockAdjusted{.delta = command.delta, .reason = command.reason});
}

bool comes_too_late(const Inventory& inventory, const ReserveStock& command) {
  return inventory.fences.before_horizon(command.asked_at) &&
         inventory.fences.find(command.order) == Over::no && !hold_of(inventory, command.order);
}

Decision decide(const Inventory& inventory, const Product& product, const ReserveStock& command,
                UnixMs now) {
  if (hold_of(inventory, command.order)) return Facts{};
  const Over over = inventory.fences.find(command.order, command.asked_at);
  if (over == Over::sold) return Facts{};
  if (over == Over::released) return Refused{Refusal::expired};
  if (!product.defined) return Refused{Refusal::unknown_product};
  if (!product.active) return Refused{Refusal::inactive_product};
  if (command.expected_price && *command.expected_price != product.price) {
    return Refused{Refusal::price_changed};
  }
  if (command.quantity > inventory.available()) return Refused{Refusal::out_of_stock};
  return facts_of(StockReserved{.order = command.order,
                                .quantity = command.quantity,
                                .expires_at = now.plus_ms(command.hold_ms)});
}

Decision decide(const Inventory& inventory, const ClaimStock& command) {
  const Hold* hold = hold_of(inventory, command.order);
  if (!hold && inventory.fences.find(command.order) == Over::sold) return Facts{};
  if (!hold) return Refused{Refusal::expired};
  if (hold->claimed) return Facts{};
  return facts_of(StockClaimed{command.order});
}

Decision decide(const Inventory& inventory, const SellStock& command) {
  const Hold* hold = hold_of(inventory, command.order);
  if (!hold) return Facts{};
  return facts_of(StockSold{.order = command.order, .quantity = hold->quantity});
}

Decision decide(const Inventory& inventory, const ReleaseStock& command) {
  const Hold* hold = hold_of(inventory, command.order);
  if (hold)
    return facts_of(ReservationReleased{.order = command.order, .quantity = hold->quantity});
  if (inventory.fences.before_horizon(command.asked_at)) return Facts{};  // so is its reservation
  if (inventory.fences.find(command.order) != Over::no) return Facts{};
  return facts_of(ReservationReleased{.order = command.order, .quantity = 0});
}

Decision decide(const Inventory& inventory, const ReturnStock& command) {
  if (inventory.booked_returns.contains(command.order, command.number)) return Facts{};
  // Never refused, not even past stock_max: the goods are here.
  return facts_of(StockReturned{
      .order = command.order, .number = command.number, .quantity = command.quantity});
}

Facts expire_holds(const Inventory& inventory, UnixMs now) {
  const std::vector<OrderId> due = inventory.holds.due(now);
  Facts facts;
  facts.reserve(due.size());
  for (const OrderId& order : due) {
    facts.emplace_back(
        ReservationExpired{.order = order, .quantity = inventory.holds.find(order)->quantity});
  }
  return facts;
}

std::optional<UnixMs> next_expiry(const Inventory& inventory) {
  return inventory.holds.next_expiry();
}

void advance(Inventory& inventory, const Payload& event, UnixMs at) {
  std::visit(
      [&]<class E>(const E& e) {
        if constexpr (is_stock_event<E>) {
          apply(inventory, e, at);
          if constexpr (std::is_same_v<E, ReservationReleased>) {
            if (e.quantity == 0) return;  // of the stock nothing has changed
          }
          inventory.known = true;
          ++inventory.version;
        }
      },
      event);
}

Inventory evolve(Inventory inventory, const Payload& event, UnixMs at) {
  advance(inventory, event, at);
  return inventory;
}

}  // namespace souk

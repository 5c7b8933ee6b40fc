#pragma once
/// The stock of a SKU. Rules only.
/// Invariant (P3): on_hand = received + adjusted + returned - sold >= reserved >= 0, where reserved
/// is the sum of the holds; available = on_hand - reserved.
#include <unordered_map>

#include "domain/decision.h"

namespace souk {

struct Hold {
  std::int64_t quantity = 0;
  UnixMs expires_at;
  bool claimed = false;  // then it does not expire
  bool operator==(const Hold&) const = default;
};

/// A return that was booked: a repeat of it must not book again.
struct BookedReturn {
  OrderId order;
  std::uint32_t number = 0;
  std::int64_t at_ms = 0;
  bool operator==(const BookedReturn&) const = default;
};
inline constexpr std::int64_t booked_return_kept_ms = 7LL * 24 * 60 * 60 * 1000;

/// Figures at a version, as an answer to receive and adjust shows them.
struct StockFigures {
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::uint32_t version = 0;
  bool operator==(const StockFigures&) const = default;
};

struct Inventory {
  bool known = false;  // any stock was ever booked
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  // Totals over all time, for P3 and its auditors.
  std::int64_t received = 0, adjusted = 0, returned = 0, sold = 0;
  std::unordered_map<OrderId, Hold> holds;
  std::vector<BookedReturn> booked_returns;  // oldest first; by order of booking
  Version version = 0;

  std::int64_t available() const { return on_hand - reserved; }
  bool operator==(const Inventory&) const = default;
};

struct ReceiveStock {
  Sku sku;
  std::int64_t quantity = 0;  // 1 to limits::quantity_max
  std::string reference;
};
struct AdjustStock {
  Sku sku;
  std::int64_t delta = 0;  // not 0; at most limits::quantity_max either way
  std::string reason;
};
/// The check-out's own commands. Each is safe to repeat at any time.
struct ReserveStock {
  Sku sku;
  OrderId order;
  std::int64_t quantity = 0;
  std::optional<Money> expected_price;  // none: a fixed price
  std::int64_t hold_ms = 0;             // how long the hold lasts unclaimed
};
struct ClaimStock {
  Sku sku;
  OrderId order;
};
struct SellStock {
  Sku sku;
  OrderId order;
};
struct ReleaseStock {
  Sku sku;
  OrderId order;
};
struct ReturnStock {
  Sku sku;
  OrderId order;
  std::uint32_t number = 0;
  std::int64_t quantity = 0;
};

Decision decide(const Inventory& inventory, const ReceiveStock& command);  // refusal: stock_limit
Decision decide(const Inventory& inventory,
                const AdjustStock& command);  // out_of_stock, stock_limit
/// A hold of this order that is there already answers yes, whatever the price is now.
/// Refusals, from the first that applies: unknown_product, inactive_product, price_changed,
/// out_of_stock.
Decision decide(const Inventory& inventory, const struct Product& product,
                const ReserveStock& command, UnixMs now);
/// Refusal: expired, where there is no hold.
Decision decide(const Inventory& inventory, const ClaimStock& command);
/// REQUIRES in spirit: claimed. No hold: already sold, no new fact.
Decision decide(const Inventory& inventory, const SellStock& command);
Decision decide(const Inventory& inventory, const ReleaseStock& command);
Decision decide(const Inventory& inventory, const ReturnStock& command);
/// Holds that are due at `now`, in the order of their ids (so that a replay decides the same).
Facts expire_holds(const Inventory& inventory, UnixMs now);
/// When the next hold expires; nothing where none does.
std::optional<UnixMs> next_expiry(const Inventory& inventory);

/// `at`: the transaction's time (booked returns older than a week are forgotten by it).
Inventory evolve(Inventory inventory, const Payload& event, UnixMs at);

}  // namespace souk

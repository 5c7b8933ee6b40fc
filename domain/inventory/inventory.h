#pragma once
/// The stock of a SKU. Rules only.
/// Invariant (P3): on_hand = received + adjusted + returned - sold >= reserved >= 0, where reserved
/// is the sum of the holds; available = on_hand - reserved.
#include <functional>
#include <vector>

#include "domain/decision.h"
#include "domain/fifo.h"
#include "domain/inventory/booked_returns.h"
#include "domain/inventory/fences.h"

namespace souk {

struct Hold {
  std::int64_t quantity = 0;
  UnixMs expires_at;
  bool claimed = false;  // then it does not expire
  bool operator==(const Hold&) const = default;
};

/// The holds of a SKU by order, and which of them expires next. Whatever their number, to make one,
/// to claim it and to drop it costs the same, and so does the question which expires next.
/// Few of them stand in a line or two of the cache: an open table, not a node each.
/// Invariants: `table_` is at most three quarters full; the front of `queue_` expires (it is there,
///   and not claimed), where any hold does.
class Holds {
 public:
  /// Nothing where there is none.
  const Hold* find(const OrderId& order) const;
  /// Instead of one of this order that is there.
  void put(const OrderId& order, const Hold& hold);
  void claim(const OrderId& order);
  /// Returns what it held; 0 where there is none.
  std::int64_t drop(const OrderId& order);
  /// The orders whose holds are due at `now`, sorted.
  std::vector<OrderId> due(UnixMs now) const;
  std::optional<UnixMs> next_expiry() const;

  /// All of them, sorted by order.
  std::vector<std::pair<OrderId, Hold>> all() const;
  /// As they were stored. REQUIRES: it is empty.
  void restore(const std::vector<std::pair<OrderId, Hold>>& holds);
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t heap_bytes() const;
  /// Makes a look into it that comes soon cheap.
  void prefetch() const {
    if (!table_.empty()) __builtin_prefetch(table_.data());
  }
  bool operator==(const Holds& o) const { return size_ == o.size_ && all() == o.all(); }

 private:
  struct Slot {
    OrderId order;
    Hold hold;
    bool used = false;
  };
  struct Expiry {
    UnixMs at;
    OrderId order;
  };
  std::size_t mask() const { return table_.size() - 1; }
  std::size_t home_of(const OrderId& order) const { return std::hash<OrderId>{}(order)&mask(); }
  std::size_t slot_of(const OrderId& order) const;
  void insert(const OrderId& order, const Hold& hold);
  void grow();
  bool expires(const Expiry& expiry) const;
  void settle_front();

  std::vector<Slot> table_;  // a power of two, or none
  std::size_t size_ = 0;
  /// By time. Holds that were claimed or dropped leave it when they come to the front, or when they
  /// are more than half of it: so each leaves once, at no cost that grows.
  Fifo<Expiry> queue_;
};

/// Figures at a version, as an answer to receive and adjust shows them.
struct StockFigures {
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  Version version = 0;
  bool operator==(const StockFigures&) const = default;
};

struct Inventory {
  bool known = false;  // any stock was ever booked
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  // Totals over all time, for P3 and its auditors.
  std::int64_t received = 0, adjusted = 0, returned = 0, sold = 0;
  Holds holds;
  BookedReturns booked_returns;
  Fences fences;
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
/// The check-out's own commands. Each is safe to repeat at any time, and to come late: what comes
/// after the order's end here (sold, released) does nothing, and is answered as it would have been.
struct ReserveStock {
  Sku sku;
  OrderId order;
  std::int64_t quantity = 0;
  std::optional<Money> expected_price;  // none: a fixed price
  std::int64_t hold_ms = 0;             // how long the hold lasts unclaimed
  UnixMs asked_at = {};                 // by the clock of the order's shard
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
  UnixMs asked_at = {};
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
/// Too old to be told from a step of an order that is over: it must be asked for anew.
bool comes_too_late(const Inventory& inventory, const ReserveStock& command);
/// A hold of this order that is there already answers yes, whatever the price is now.
/// Refusals, from the first that applies: expired (it was released), unknown_product,
/// inactive_product, price_changed, out_of_stock. REQUIRES: not too late.
Decision decide(const Inventory& inventory, const struct Product& product,
                const ReserveStock& command, UnixMs now);
/// Refusal: expired, where there is no hold and nothing was sold.
Decision decide(const Inventory& inventory, const ClaimStock& command);
/// REQUIRES in spirit: claimed. No hold: already sold, no new fact.
Decision decide(const Inventory& inventory, const SellStock& command);
/// Without a hold it is a fact too (of no pieces): the order's reservation may be still to come.
Decision decide(const Inventory& inventory, const ReleaseStock& command);
Decision decide(const Inventory& inventory, const ReturnStock& command);
/// Holds that are due at `now`, in the order of their ids (so that a replay decides the same).
Facts expire_holds(const Inventory& inventory, UnixMs now);
/// When the next hold expires; nothing where none does.
std::optional<UnixMs> next_expiry(const Inventory& inventory);

/// `at`: the transaction's time (booked returns older than a week are forgotten by it).
Inventory evolve(Inventory inventory, const Payload& event, UnixMs at);
/// The same, where it stands: nothing is moved.
void advance(Inventory& inventory, const Payload& event, UnixMs at);

}  // namespace souk

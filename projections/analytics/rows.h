#pragma once
/// The rows that the fold works on, in memory.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "events/ids.h"
#include "events/money_sum.h"
#include "projections/analytics/calendar.h"
#include "projections/analytics/schema.h"

namespace souk::analytics {

/// Of any table that has a `no`.
struct Row {
  std::int64_t no = 0;
  bool dirty = false;  // differs from the database
  bool fresh = false;  // is not in it yet
};

struct ProductRow : Row {
  // Facts of ProductDefined; written only when `defined_now`, else the database keeps them.
  bool defined_now = false;
  std::string name, brand, category;
  Money price;
  bool active = false;
  std::int64_t on_hand = 0, reserved = 0, received = 0, adjusted = 0, sold = 0, returned = 0,
               expired = 0;
};

struct CustomerRow : Row {
  std::int64_t country = 0;
  std::optional<std::int64_t> registered_at;
  bool erased = false;
  std::int64_t orders = 0;  // confirmed
  std::optional<std::int64_t> first_order_at, last_order_at;
  bool has_orders = false;  // perhaps: then a new country moves what they bought
};

struct LineRow {
  std::int64_t product = 0;
  std::int64_t quantity = 0;
  std::int64_t price = 0;
  std::int64_t fixed = 0;
};

struct OrderRow : Row {
  OrderStage status = OrderStage::pending;
  int reason = 0;
  std::string cart;
  std::optional<UserId> user;
  std::int64_t customer = 0;  // 0: a guest
  Currency currency;
  std::int64_t currency_no = 0;
  std::int64_t own_country = 0;  // 0: the customer's counts
  std::int64_t at = 0;           // business time
  std::int64_t logged_at = 0;
  std::optional<std::int64_t> confirmed_at;
  std::int64_t line_count = 0, quantity = 0, value = 0;
  std::int64_t returned = 0, returned_quantity = 0;
  std::int64_t refunded = 0, rounding = 0;
  bool lines_known = false;
  std::vector<LineRow> lines;
};

struct ReturnRow {
  std::int64_t order_no = 0;
  std::int64_t number = 0;
  std::int64_t at = 0;
  std::int64_t value = 0;
  bool restocked = false;
  std::vector<LineRow> lines;
};

struct RefundRow {
  std::int64_t order_no = 0;
  std::int64_t number = 0;
  std::int64_t at = 0;
  std::int64_t amount = 0;
};

struct CartRow : Row {
  CartStage status = CartStage::open;
  std::int64_t customer = 0;
  Currency currency;
  std::int64_t opened_at = 0;
  std::optional<std::int64_t> filled_at, checked_out_at, paid_at;
  std::int64_t touched_at = 0;
  std::vector<LineRow> lines;
};

/// What one event, or many, add to one row of rollup_row.
struct Sums {
  std::int64_t orders = 0, lines = 0, quantity = 0;
  MicrosSum revenue, returned, refunded, rounding;
  Sums& operator+=(const Sums& o) {
    orders += o.orders;
    lines += o.lines;
    quantity += o.quantity;
    revenue += o.revenue;
    returned += o.returned;
    refunded += o.refunded;
    rounding += o.rounding;
    return *this;
  }
  Sums operator-() const {
    return {-orders, -lines, -quantity, -revenue, -returned, -refunded, -rounding};
  }
  bool operator==(const Sums&) const = default;
};

struct RollupKey {
  Dimension dim = Dimension::time;
  Level level = Level::all;
  std::int64_t currency = 0;
  std::int64_t bucket = 0;
  std::int64_t key = 0;
  auto operator<=>(const RollupKey&) const = default;
};

struct RollupKeyHash {
  std::size_t operator()(const RollupKey& k) const {
    std::uint64_t h = static_cast<std::uint64_t>(k.key) * 0x9E3779B97F4A7C15ULL;
    h ^= static_cast<std::uint64_t>(k.bucket) + (h >> 29);
    h *= 0xBF58476D1CE4E5B9ULL;
    h ^= static_cast<std::uint64_t>(k.currency) << 8 | static_cast<std::uint64_t>(k.dim) << 3 |
         static_cast<std::uint64_t>(k.level);
    h *= 0x94D049BB133111EBULL;
    return static_cast<std::size_t>(h ^ (h >> 31));
  }
};

struct FunnelRow {
  std::int64_t opened = 0, filled = 0, checked_out = 0, paid = 0;
  std::int64_t fill_ms = 0, check_out_ms = 0, pay_ms = 0;
};

struct StockDay {
  std::int64_t on_hand = 0;  // at the end of the day
  std::int64_t sold = 0;     // what this commit adds
};

}  // namespace souk::analytics

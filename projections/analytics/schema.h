#pragma once
/// The database of the analytics: its physical tables, which change with the code, and the views
/// over them, which analysts see.
#include <string>
#include <string_view>
#include <vector>

namespace souk::analytics {

/// Of the physical tables; another one on disk is rebuilt.
inline constexpr int schema_version = 4;

/// Creates everything in an empty database.
extern const char* const create_sql;
/// The views of projections/sql/tables.h. They use the functions iso_time(ms) and
/// refusal_code(n), which the SQL door brings.
extern const char* const view_sql;

/// `dim` in rollup_row. Stored: never renumber.
enum class Dimension : int {
  time = 0,
  product = 1,
  country = 2,
  customer = 3,
  refused_reason = 4,   // key: Refusal; revenue: what the orders were worth
  refused_product = 5,  // of orders rejected as out of stock
};

/// `status` in order_row. Stored: never renumber.
enum class OrderStage : int {
  pending = 1,
  confirmed = 2,
  rejected = 3,
  shipped = 4,
  delivered = 5,
  cancelled = 6,
  returned = 7,
  loose_return = 8  // goods came back that no order explains
};
/// `status` in cart_row. Stored: never renumber.
enum class CartStage : int { open = 0, checking_out = 1, ordered = 2 };

}  // namespace souk::analytics

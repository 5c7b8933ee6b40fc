#pragma once
/// What an import does, worked out before anything is sent: a pure function of the file.
#include "tools/souk/import/retail_data.h"

namespace souk::cli {

struct PlannedAdjustment {
  std::uint32_t line = 0;
  std::int64_t delta = 0;
  std::uint32_t reason = 0;  // of RetailData::descriptions
  std::uint32_t invoice = 0;
  std::uint32_t repeat = 0;  // counts the adjustments of this SKU in this invoice, from 0
};

/// Indexed as RetailData::skus.
struct PlannedProduct {
  bool used = false;  // by a line that is not rejected; all else is sent only then
  std::string name;
  Micros price;              // the latest above 0
  std::int64_t opening = 0;  // pieces to receive before anything else
  std::vector<PlannedAdjustment> adjustments;
  std::uint64_t fingerprint = 0;  // of the opening and the adjustments
};

struct PlannedLine {
  std::uint32_t line = 0;
  std::uint32_t sku = 0;
  std::int64_t quantity = 0;
  Micros price;
};

struct PlannedOrder {
  std::uint32_t invoice = 0;
  std::vector<PlannedLine> lines = {};  // 1 to limits::cart_lines_max
  Micros total = {};
};

inline constexpr std::uint32_t no_order = std::numeric_limits<std::uint32_t>::max();

/// The lines of one `C` invoice that go back to one order, or to none.
struct PlannedReturn {
  std::uint32_t invoice = 0;
  std::uint32_t order = no_order;       // of RetailPlan::orders
  std::vector<PlannedLine> lines = {};  // quantities above 0
};

struct RetailPlan {
  std::vector<PlannedProduct> products;
  std::vector<std::uint32_t> customer_country;  // by RetailData::customers
  std::vector<PlannedOrder> orders;             // by their first line in the file
  std::vector<PlannedReturn> returns;           // by their first line in the file
  std::vector<Rejection> rejected;              // by line
  std::uint64_t order_lines = 0, returned_lines = 0, adjustments = 0;
};

/// Every line goes to exactly one place: a line of an order (quantity and price above 0), a
/// returned line (a `C` invoice), a stock adjustment (price 0 or a negative quantity), or it is
/// rejected.
///
/// A returned line goes back to the customer's latest order that is not later, has the SKU with
/// enough pieces still out and money enough still to be paid back; the same price is preferred.
///
/// Opening stock is what is short when first the adjustments are made in the order of the file and
/// then everything is sold before anything comes back.
RetailPlan plan_retail(const RetailData& data);

}  // namespace souk::cli

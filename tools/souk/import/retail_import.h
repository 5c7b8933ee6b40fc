#pragma once
/// Sends a RetailPlan to a daemon. Safe to repeat, from any machine, at any time: every entity has
/// an id that its key decides, and what is there already is looked at before it is added to.
///
/// How each kind of line stays single:
///   order lines   the invoice's cart has an id for ever; its lines are compared with the invoice's
///   returns       an order's history counts its returns; a return without an order has an id for
///   ever adjustments   keys for a day, and then the product's attribute `imported_stock`, which
///   carries
///                 the fingerprint of the opening stock and the adjustments that were made
/// Limits: at most adds_in_doubt_max commands of one entity are under way at a time, so that a
/// daemon which keeps 64 answers an entity knows every one of them again.
#include <atomic>
#include <string>
#include <vector>

#include "tools/souk/cli/progress.h"
#include "tools/souk/client/batch_sender.h"
#include "tools/souk/import/retail_plan.h"

namespace souk::cli {

inline constexpr std::size_t adds_in_doubt_max = 60;

struct ImportSummary {
  std::uint64_t lines = 0, orders = 0, order_lines = 0, returned_lines = 0, stock_adjustments = 0,
                rejected = 0, already_there = 0;
  Micros revenue;
  double seconds = 0;  // set by whoever also read the file
  std::string json() const;
  std::string text() const;
};

Outcome<ImportSummary> import_retail(const RetailData& data, const RetailPlan& plan, const Url& url,
                                     std::size_t connections, Progress& progress);

/// What the stages share. Each stage writes only the elements of its own chunk.
struct RetailImport {
  const RetailData& data;
  const RetailPlan& plan;
  Progress& progress;
  std::vector<std::string> user_ids = {};          // by customer
  std::vector<std::string> order_ids = {};         // by order
  std::vector<std::uint8_t> order_was_there = {};  // by order: from an earlier run
  std::atomic<std::uint64_t> already_there{0};
  std::atomic<std::int64_t> confirmed{0}, confirmed_lines{0}, revenue_micros{0};

  void count(std::uint64_t lines, std::uint64_t there) {
    already_there += there;
    progress.add(lines);
  }
  std::string time_of(std::uint32_t invoice) const { return to_rfc3339(data.invoice[invoice].at); }
};

/// "line 5 (invoice 536365): out_of_stock: ..."
Failure unexpected(const RetailImport& import, std::uint32_t invoice, std::uint32_t line,
                   const std::string& what, const BatchAnswer& answer);
/// `{"amount":"2.55","currency":"GBP"}`
std::string pounds(Micros amount);

// The stages; each takes the elements [first, last) of its kind.
Outcome<Done> import_stock(RetailImport& import, BatchSender& sender, std::size_t first,
                           std::size_t last);
Outcome<Done> import_customers(RetailImport& import, BatchSender& sender, std::size_t first,
                               std::size_t last);
Outcome<Done> import_orders(RetailImport& import, BatchSender& sender, std::size_t first,
                            std::size_t last);

/// The returns of the plan, those of one order together.
struct ReturnsByOrder {
  explicit ReturnsByOrder(const RetailPlan& plan);
  std::vector<std::vector<std::uint32_t>> groups;  // of RetailPlan::returns, each in their order
};
Outcome<Done> import_returns(RetailImport& import, BatchSender& sender,
                             const ReturnsByOrder& returns, std::size_t first, std::size_t last);

}  // namespace souk::cli

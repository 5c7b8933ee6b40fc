#pragma once
/// The analytics: what was sold, to whom, what came back, what was lost, in roll-ups that are kept
/// as events come, so that no report reads the lines of orders (but those at the ends of a period
/// that begins or ends within a day or an hour).
///
/// What counts, everywhere:
///   - an order counts once it is confirmed, at its business time (`occurred_at` where it was
///   given,
///     else the log's), also where that lies before what came already;
///   - `returned` is the value of the goods that came back, at the time of the return. A cancelled
///     order stays a sale, and all of it counts as returned when it was cancelled;
///   - `refunded` is all money that the provider paid back, at the time of the return that it pays
///     for, else at its own; `rounding` is what orders cost beside their goods because only whole
///     minor units can be paid. By product there is neither;
///   - a report is of one currency: the one asked for, else the one with the most confirmed orders
///     (the first in byte order where several have as many); where none was asked for it says which
///     others have orders;
///   - the country of an order is what its event says: of the address, else the customer's then.
///     Events of before format 4 may name none: then it is its customer's as it is now; where
///     neither is known the key is null. A guest's key among the customers is null too;
///   - days, months and hours are UTC's. Sums are exact, to 2^63 of the currency's units.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "events/money_sum.h"
#include "events/time.h"
#include "projections/projection.h"

namespace souk {

/// A question that cannot be answered, in words for whoever asked.
/// (Not BadReport: that is the search model's.)
struct BadReport {
  std::string why;
  enum class Kind { invalid, unavailable } kind = Kind::invalid;  // the database cannot be read
};

/// What every report says of itself.
struct ReportOf {
  Currency currency;  // none: nothing was ever sold
  /// Others with confirmed orders, and how many; the most first, then by code. Empty where a
  /// currency was asked for.
  std::vector<std::pair<Currency, std::int64_t>> other_currencies;
  std::string checkpoint;  // of the runner's: the position that the figures are at
};

enum class SalesGroup : std::uint8_t { month, day, hour, product, country, customer };
std::optional<SalesGroup> parse_sales_group(std::string_view text);
/// `month`, ...: also the name of the row's key in JSON.
std::string_view sales_group_text(SalesGroup group);

struct SalesQuery {
  std::optional<UnixMs> from;  // included
  std::optional<UnixMs> to;    // not included
  SalesGroup group_by = SalesGroup::month;
  /// `key`, `orders`, `lines`, `quantity`, `revenue`, `returned`, `refunded`, the group's own name for
  /// `key`; `-` in front: the largest first. Empty: by key for times, else `-revenue`.
  std::string sort;
  std::size_t limit = 100;  // 1 to report_rows_max
  std::string currency;     // empty: see above
};

struct SalesFigures {
  std::int64_t orders = 0, lines = 0, quantity = 0;
  MicrosSum revenue, returned, refunded, rounding;
  bool operator==(const SalesFigures&) const = default;
};
struct SalesRow {
  /// `2011-08`, `2011-08-31`, `2011-08-31T11:00:00.000Z`; a SKU; a country; a user's id.
  std::optional<std::string> key;
  SalesFigures figures;
  bool operator==(const SalesRow&) const = default;
};
struct SalesReport : ReportOf {
  SalesGroup group_by = SalesGroup::month;
  std::vector<SalesRow> rows;  // ties by key in byte order, null first
  SalesFigures total;          // of all rows, also those beyond the limit
};

struct BasketPair {
  std::string a, b;  // SKUs, a < b
  std::int64_t orders = 0;
  bool operator==(const BasketPair&) const = default;
};
/// Most orders first, then by a, then by b. Of all currencies.
struct PairsReport : ReportOf {
  std::vector<BasketPair> rows;
};

inline constexpr std::size_t report_rows_max = 1'000;

/// A report that is a table: null, a count, a ratio, a text, an amount.
using ReportCell = std::variant<std::monostate, std::int64_t, double, std::string, MoneySum>;
struct ReportTable : ReportOf {
  std::vector<std::string> columns;
  std::vector<std::vector<ReportCell>> rows;
  std::vector<std::pair<std::string, ReportCell>> summary;  // of all rows, also those cut off
};

struct PeriodQuery {
  std::optional<UnixMs> from, to;  // as SalesQuery's
  std::string currency;
  std::string sort;
  std::size_t limit = 100;
};

struct CustomersQuery {
  std::int64_t orders_min = 2;  // repeat buyers; 1: all buyers
  std::string currency;
  std::size_t limit = 100;
};

struct AbandonedQuery {
  UnixMs idle_since;  // carts that nobody touched from then on
  std::string currency;
  std::size_t limit = 100;
};

/// Lifecycle: open; the runner applies and commits; whoever asks asks.
/// Thread: open, apply, commit, digest: the runner's; the queries: any, each in a snapshot of the
///         last commit.
class AnalyticsModel final : public Projection {
 public:
  static Result<std::shared_ptr<AnalyticsModel>, Fault> open(const std::filesystem::path& folder);
  ~AnalyticsModel() override;

  Result<Done, Poison> apply(const EventAt& event) override;
  Status commit(std::string_view checkpoint) override;
  std::string checkpoint() const override;
  Result<std::uint64_t, Fault> digest() override;

  // Errors of all: a period that ends before it begins, a limit of 0 or beyond report_rows_max, an
  // unknown word, no currency code: invalid; unavailable: the database cannot be read.
  Result<SalesReport, BadReport> sales(const SalesQuery& query) const;
  Result<PairsReport, BadReport> basket_pairs(std::size_t limit) const;

  /// Buyers by revenue, the largest first: customer, country, orders, quantity, revenue, returned,
  /// first_order_at, last_order_at. Summary: customers, buyers, repeat_buyers (of all currencies).
  Result<ReportTable, BadReport> customers(const CustomersQuery& query) const;
  /// Carts opened on the days from `from` to before `to` (both cut down to their day, by the log's
  /// time): step (opened, filled, checked_out, paid), carts, share (of those opened), mean_ms
  /// (since the step before, of those that came so far). No currency, no sort.
  Result<ReportTable, BadReport> funnel(const PeriodQuery& query) const;
  /// By month of the first confirmed order, of any currency: cohort, month, months_later, customers
  /// (of the cohort), active (of them, in that month), share. The latest cohorts that fit `limit`.
  Result<ReportTable, BadReport> cohorts(std::size_t limit) const;
  /// Orders that were rejected, by reason: reason, orders, lines, quantity, value.
  Result<ReportTable, BadReport> lost_sales(const PeriodQuery& query) const;
  /// By product: sku, on_hand, available, sold (in the period, of all currencies), average_stock
  /// (mean of the stock where the period begins and ends, by the log's time), turnover (sold by
  /// average_stock), days_of_cover (at the period's pace), lost_orders, lost_quantity, lost_value:
  /// of orders rejected as out of stock; the log does not say which of an order's products was
  /// short, so each of them counts. A period without an end is that from the first sale to the
  /// last. `sort`: a column, `-` in front for the largest first; null comes last. Empty:
  /// `-lost_value`.
  Result<ReportTable, BadReport> stock(const PeriodQuery& query) const;
  /// Open carts with something in them, the most valuable first: cart, customer, lines, quantity,
  /// value, opened_at, touched_at. Summary: carts, value.
  Result<ReportTable, BadReport> abandoned(const AbandonedQuery& query) const;

  /// Of SqlDoor.
  std::filesystem::path database() const;

 private:
  struct Impl;
  explicit AnalyticsModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Named "analytics".
ProjectionKind analytics_kind();

}  // namespace souk

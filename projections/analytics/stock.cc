// What lies in the house, how fast it goes, and what was not sold for want of it.
#include <algorithm>

#include "events/refusal.h"
#include "projections/analytics/report.h"

namespace souk::analytics {
namespace {

/// The days from the first sale or return to the last.
Span days_of_sales(const Database& database) {
  Statement get(database,
                "SELECT min(bucket), max(bucket)+1 FROM rollup_row WHERE dim=0 AND level=2 AND "
                "orders>0");
  if (!get.step() || get.null(0)) return {};
  return {begin_of(Level::day, get.integer(0)), begin_of(Level::day, get.integer(1))};
}

/// Pieces in the house at the begin of a day, by product.
std::unordered_map<std::int64_t, std::int64_t> stock_at(const Database& database,
                                                        std::int64_t day) {
  std::unordered_map<std::int64_t, std::int64_t> stock;
  // SQLite takes on_hand from the row that has the max.
  Statement get(database,
                "SELECT product, on_hand, max(day) FROM stock_day_row WHERE day<?1 "
                "GROUP BY product");
  get.bind(day);
  while (get.step()) stock[get.integer(0)] = get.integer(1);
  return stock;
}

std::int64_t of(const std::unordered_map<std::int64_t, std::int64_t>& map, std::int64_t key) {
  const auto found = map.find(key);
  return found == map.end() ? 0 : found->second;
}

/// Null last, whichever way; texts and numbers as they are.
bool before(const ReportCell& a, const ReportCell& b, bool descending) {
  const bool no_a = a.index() == 0, no_b = b.index() == 0;
  if (no_a || no_b) return !no_a && no_b;
  const auto less = [](const ReportCell& x, const ReportCell& y) {
    if (const auto* money = std::get_if<MoneySum>(&x))
      return money->amount < std::get<MoneySum>(y).amount;
    if (const auto* n = std::get_if<std::int64_t>(&x)) return *n < std::get<std::int64_t>(y);
    if (const auto* d = std::get_if<double>(&x)) return *d < std::get<double>(y);
    return std::get<std::string>(x) < std::get<std::string>(y);
  };
  return descending ? less(b, a) : less(a, b);
}

void sort_and_cut(ReportTable& report, std::string_view sort, std::size_t limit) {
  const bool descending = sort.starts_with('-');
  if (descending) sort.remove_prefix(1);
  const auto column = std::ranges::find(report.columns, sort);
  if (column == report.columns.end()) {
    std::string why = "sort must be one of";
    for (const std::string& name : report.columns) why += " " + name;
    throw BadReport{why + ", with or without a - in front"};
  }
  const auto index = static_cast<std::size_t>(column - report.columns.begin());
  const std::size_t kept = std::min(limit, report.rows.size());
  std::ranges::partial_sort(report.rows, report.rows.begin() + static_cast<std::ptrdiff_t>(kept),
                            [&](const auto& a, const auto& b) {
                              if (before(a[index], b[index], descending)) return true;
                              if (before(b[index], a[index], descending)) return false;
                              return before(a[0], b[0], false);
                            });
  report.rows.resize(kept);
}

SumsByKey sold_in_all_currencies(const Database& database, Span span) {
  SumsByKey sold;
  Statement currencies(database, "SELECT no FROM currency_row");
  while (currencies.step())
    for (const auto& [product, sums] :
         sums_by_key(database, Dimension::product, currencies.integer(0), span))
      sold[product].quantity += sums.quantity;
  return sold;
}

}  // namespace

ReportTable lost_sales_report(const Database& database, const PeriodQuery& query) {
  const Span span = span_of(query.from, query.to);
  check_limit(query.limit);
  const ChosenCurrency currency = choose_currency(database, query.currency);
  ReportTable report;
  report.currency = currency.currency;
  report.other_currencies = currency.others;
  report.checkpoint = checkpoint_of(database);
  report.columns = {"reason", "orders", "lines", "quantity", "value"};
  Sums all;
  for (const auto& [reason, sums] :
       sums_by_key(database, Dimension::refused_reason, currency.no, span)) {
    all += sums;
    report.rows.push_back({std::string(refusal_code(static_cast<Refusal>(reason))), sums.orders,
                           sums.lines, sums.quantity, MoneySum{sums.revenue, currency.currency}});
  }
  report.summary = {{"orders", all.orders},
                    {"lines", all.lines},
                    {"quantity", all.quantity},
                    {"value", MoneySum{all.revenue, currency.currency}}};
  sort_and_cut(report, query.sort.empty() ? "-value" : query.sort, query.limit);
  return report;
}

ReportTable stock_report(const Database& database, const PeriodQuery& query) {
  Span span = span_of(query.from, query.to);
  check_limit(query.limit);
  const Span sales = days_of_sales(database);
  if (!query.from) span.from = std::min(sales.from, span.to);
  if (!query.to) span.to = std::max(sales.to, span.from);
  const ChosenCurrency currency = choose_currency(database, query.currency);
  ReportTable report;
  report.currency = currency.currency;
  report.other_currencies = currency.others;
  report.checkpoint = checkpoint_of(database);
  report.columns = {"sku",      "on_hand",       "available",   "sold",          "average_stock",
                    "turnover", "days_of_cover", "lost_orders", "lost_quantity", "lost_value"};
  const SumsByKey sold = sold_in_all_currencies(database, span);
  const SumsByKey lost = sums_by_key(database, Dimension::refused_product, currency.no, span);
  const auto opening = stock_at(database, bucket_of(Level::day, span.from));
  const auto closing = stock_at(database, (span.to + ms_per_day - 1) / ms_per_day);
  const double days = static_cast<double>(span.to - span.from) / static_cast<double>(ms_per_day);
  const Sums none;
  const auto sums_of = [&](const SumsByKey& map, std::int64_t key) -> const Sums& {
    const auto found = map.find(key);
    return found == map.end() ? none : found->second;
  };
  Statement get(database, "SELECT no, sku, on_hand, on_hand-reserved FROM product_row");
  while (get.step()) {
    const std::int64_t product = get.integer(0);
    const std::int64_t pieces = sums_of(sold, product).quantity;
    const Sums& missed = sums_of(lost, product);
    const double average =
        (static_cast<double>(of(opening, product)) + static_cast<double>(of(closing, product))) / 2;
    ReportCell turnover, cover;
    if (average > 0) turnover = static_cast<double>(pieces) / average;
    if (pieces > 0 && days > 0)
      cover = static_cast<double>(get.integer(2)) * days / static_cast<double>(pieces);
    report.rows.push_back({std::string(get.text(1)), get.integer(2), get.integer(3), pieces,
                           average, turnover, cover, missed.orders, missed.quantity,
                           MoneySum{missed.revenue, currency.currency}});
  }
  sort_and_cut(report, query.sort.empty() ? "-lost_value" : query.sort, query.limit);
  return report;
}

}  // namespace souk::analytics

// Who buys, who comes back, and which carts become orders.
#include <map>
#include <roaring/roaring.hh>

#include "projections/analytics/report.h"

namespace souk::analytics {
namespace {

constexpr std::int64_t customer_no_max = std::numeric_limits<std::uint32_t>::max();

std::int64_t one_number(const Database& database, const char* sql) {
  Statement query(database, sql);
  return query.step() ? query.integer(0) : 0;
}

ReportCell text_or_null(const Statement& row, int column) {
  if (row.null(column)) return std::monostate{};
  return std::string(row.text(column));
}

double share_of(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ReportTable customers_report(const Database& database, const CustomersQuery& query) {
  check_limit(query.limit);
  if (query.orders_min < 1) throw BadReport{"orders_min must be 1 or more"};
  const ChosenCurrency currency = choose_currency(database, query.currency);
  ReportTable report;
  report.currency = currency.currency;
  report.other_currencies = currency.others;
  report.checkpoint = checkpoint_of(database);
  report.columns = {"customer", "country",  "orders",         "quantity",
                    "revenue",  "returned", "first_order_at", "last_order_at"};
  Statement get(
      database,
      "SELECT c.id, n.name, r.orders, r.quantity, c.first_order_at, c.last_order_at, r.revenue, "
      "r.revenue_micros, r.returned, r.returned_micros FROM rollup_row r "
      "JOIN customer_row c ON c.no=r.key LEFT JOIN country_row n ON n.no=c.country "
      "WHERE r.dim=3 AND r.level=0 AND r.currency=?1 AND r.bucket=0 AND r.orders>=?2 "
      "ORDER BY r.revenue+r.revenue_micros/1000000 DESC, r.revenue_micros%1000000 DESC, c.id "
      "LIMIT ?3");
  get.bind(currency.no, query.orders_min, query.limit);
  while (get.step()) {
    report.rows.push_back({text_or_null(get, 0), text_or_null(get, 1), get.integer(2),
                           get.integer(3),
                           MoneySum{{get.integer(6), get.integer(7)}, currency.currency},
                           MoneySum{{get.integer(8), get.integer(9)}, currency.currency},
                           to_rfc3339({get.integer(4)}), to_rfc3339({get.integer(5)})});
  }
  report.summary = {
      {"customers", one_number(database, "SELECT count(*) FROM customer_row")},
      {"buyers", one_number(database, "SELECT count(*) FROM customer_row WHERE orders>0")},
      {"repeat_buyers", one_number(database, "SELECT count(*) FROM customer_row WHERE orders>1")}};
  return report;
}

ReportTable funnel_report(const Database& database, const PeriodQuery& query) {
  const Span span = span_of(query.from, query.to);
  ReportTable report;
  report.currency = choose_currency(database, {}).currency;
  report.checkpoint = checkpoint_of(database);
  report.columns = {"step", "carts", "share", "mean_ms"};
  Statement get(database,
                "SELECT coalesce(sum(opened),0), coalesce(sum(filled),0), "
                "coalesce(sum(checked_out),0), coalesce(sum(paid),0), 0, "
                "coalesce(sum(fill_ms),0), coalesce(sum(check_out_ms),0), coalesce(sum(pay_ms),0) "
                "FROM funnel_row WHERE day>=?1 AND day<?2");
  get.bind(bucket_of(Level::day, span.from), bucket_of(Level::day, span.to)).step();
  constexpr const char* steps[] = {"opened", "filled", "checked_out", "paid"};
  for (int i = 0; i < 4; ++i) {
    const std::int64_t carts = get.integer(i);
    ReportCell mean;
    if (i > 0 && carts > 0) mean = get.integer(i + 4) / carts;
    report.rows.push_back({std::string(steps[i]), carts, share_of(carts, get.integer(0)), mean});
  }
  return report;
}

ReportTable cohorts_report(const Database& database, std::size_t limit) {
  check_limit(limit);
  ReportTable report;
  report.currency = choose_currency(database, {}).currency;
  report.checkpoint = checkpoint_of(database);
  report.columns = {"cohort", "month", "months_later", "customers", "active", "share"};
  std::map<std::int64_t, ::Roaring> active;  // who bought, by month
  Statement get(database,
                "SELECT bucket, key FROM rollup_row WHERE dim=3 AND level=1 AND orders>0 AND "
                "key>0 AND key<=?1");
  get.bind(customer_no_max);
  while (get.step()) active[get.integer(0)].add(static_cast<std::uint32_t>(get.integer(1)));

  struct Cohort {
    std::int64_t month = 0;
    ::Roaring customers;
  };
  std::vector<Cohort> cohorts;
  ::Roaring known;
  for (const auto& [month, customers] : active) {
    cohorts.push_back({month, customers - known});
    known |= customers;
  }
  // The latest ones that fit, whole.
  std::size_t first = cohorts.size(), rows = 0;
  while (first > 0 && rows + (cohorts.size() - first + 1) <= limit)
    rows += cohorts.size() - --first;
  for (std::size_t i = first; i < cohorts.size(); ++i) {
    const auto size = static_cast<std::int64_t>(cohorts[i].customers.cardinality());
    if (size == 0) continue;
    for (auto month = active.find(cohorts[i].month); month != active.end(); ++month) {
      const auto there =
          static_cast<std::int64_t>(cohorts[i].customers.and_cardinality(month->second));
      report.rows.push_back({bucket_text(Level::month, cohorts[i].month),
                             bucket_text(Level::month, month->first),
                             month->first - cohorts[i].month, size, there, share_of(there, size)});
    }
  }
  report.summary = {{"customers", static_cast<std::int64_t>(known.cardinality())}};
  return report;
}

ReportTable abandoned_report(const Database& database, const AbandonedQuery& query) {
  check_limit(query.limit);
  const ChosenCurrency currency = choose_currency(database, query.currency);
  const std::string code(currency.currency.text());
  ReportTable report;
  report.currency = currency.currency;
  report.other_currencies = currency.others;
  report.checkpoint = checkpoint_of(database);
  report.columns = {"cart", "customer", "lines", "quantity", "value", "opened_at", "touched_at"};
  Statement get(database,
                "SELECT t.id, c.id, t.line_count, t.quantity, t.value, t.opened_at, t.touched_at "
                "FROM cart_row t INDEXED BY cart_open LEFT JOIN customer_row c ON c.no=t.customer "
                "WHERE t.status=0 AND t.line_count>0 AND t.touched_at<?1 AND t.currency=?2 "
                "ORDER BY t.value DESC, t.id LIMIT ?3");
  get.bind(query.idle_since.value, std::string_view(code), query.limit);
  while (get.step())
    report.rows.push_back({text_or_null(get, 0), text_or_null(get, 1), get.integer(2),
                           get.integer(3), MoneySum{Micros{get.integer(4)}, currency.currency},
                           to_rfc3339({get.integer(5)}), to_rfc3339({get.integer(6)})});
  Statement all(database,
                "SELECT count(*), coalesce(sum(value/1000000),0), coalesce(sum(value%1000000),0) "
                "FROM cart_row INDEXED BY cart_open "
                "WHERE status=0 AND line_count>0 AND touched_at<?1 AND currency=?2");
  all.bind(query.idle_since.value, std::string_view(code)).step();
  report.summary = {{"carts", all.integer(0)},
                    {"value", MoneySum{{all.integer(1), all.integer(2)}, currency.currency}}};
  return report;
}

}  // namespace souk::analytics

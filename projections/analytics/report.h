#pragma once
/// What the reports share: periods cut into buckets, the currency, the checkpoint.
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "projections/analytics/analytics.h"
#include "projections/analytics/rows.h"
#include "projections/analytics/sqlite.h"

namespace souk::analytics {

/// Whole buckets of one level, or (level `all`, first < last) milliseconds that no bucket covers.
struct Piece {
  Level level = Level::all;
  std::int64_t first = 0, end = 0;  // buckets [first, end)
};
struct Span {
  std::int64_t from = 0, to = 0;  // ms, [from, to)
};
struct Cover {
  std::vector<Piece> pieces;
  std::vector<Span> edges;
};

/// Cuts [from, to) into the largest whole buckets of `levels` (largest first), and what is left.
Cover cover_of(Span span, const std::vector<Level>& levels);

/// Throws BadReport.
Span span_of(const std::optional<UnixMs>& from, const std::optional<UnixMs>& to);
void check_limit(std::size_t limit);

struct ChosenCurrency {
  Currency currency;
  std::int64_t no = 0;                                         // 0: never seen
  std::vector<std::pair<Currency, std::int64_t>> others = {};  // of ReportOf
};
ChosenCurrency choose_currency(const Database& database, const std::string& asked);
std::string checkpoint_of(const Database& database);

/// Runs one query: what is thrown inside becomes words, and damage is told to the model.
template <class Report, class Query>
Result<Report, BadReport> answer(const Projection& model, Query&& query) {
  try {
    return query();
  } catch (const BadReport& bad) {
    return bad;
  } catch (const SqliteError& error) {
    model.note_damage(fault_of(error));
    return BadReport{"the analytics cannot be read: " + error.what, BadReport::Kind::unavailable};
  }
}

/// Sums of one dimension over a period, by key.
using SumsByKey = std::unordered_map<std::int64_t, Sums>;
SumsByKey sums_by_key(const Database& database, Dimension dim, std::int64_t currency, Span span);
/// Of the dimension time, by bucket of `level`.
SumsByKey sums_by_time(const Database& database, Level level, std::int64_t currency, Span span);

ReportTable customers_report(const Database& database, const CustomersQuery& query);
ReportTable funnel_report(const Database& database, const PeriodQuery& query);
ReportTable cohorts_report(const Database& database, std::size_t limit);
ReportTable lost_sales_report(const Database& database, const PeriodQuery& query);
ReportTable stock_report(const Database& database, const PeriodQuery& query);
ReportTable abandoned_report(const Database& database, const AbandonedQuery& query);
SalesReport sales_report(const Database& database, const SalesQuery& query);

}  // namespace souk::analytics

// Sales of a period, by one dimension.
#include <fmt/format.h>

#include <algorithm>

#include "projections/analytics/report.h"

namespace souk::analytics {
namespace {

/// What one order or return is worth.
Sums worth_at(const Statement& row, int column) {
  return {row.integer(column),
          row.integer(column + 1),
          row.integer(column + 2),
          Micros{row.integer(column + 3)},
          Micros{row.integer(column + 4)},
          Micros{row.integer(column + 5)},
          Micros{row.integer(column + 6)}};
}
/// Of rollup_row.
Sums sums_at(const Statement& row, int column) {
  return {row.integer(column),
          row.integer(column + 1),
          row.integer(column + 2),
          {row.integer(column + 3), row.integer(column + 4)},
          {row.integer(column + 5), row.integer(column + 6)},
          {row.integer(column + 7), row.integer(column + 8)},
          {row.integer(column + 9), row.integer(column + 10)}};
}

std::string key_column(Dimension dim) {
  if (dim == Dimension::customer) return "o.customer";
  if (dim == Dimension::country)
    return "CASE WHEN o.own_country<>0 THEN o.own_country ELSE coalesce((SELECT country FROM "
           "customer_row WHERE no=o.customer),0) END";
  return "0";
}

constexpr const char* sold_products =
    "SELECT o.at, l.product, 1, count(*), sum(l.quantity), sum(l.quantity*l.price), 0,0,0 "
    "FROM order_row o JOIN line_row l ON l.order_no=o.no ";
constexpr const char* returned_products =
    "SELECT r.at, l.product, 0,0,0,0, l.quantity*l.price, 0,0 FROM return_row r "
    "JOIN order_row o ON o.no=r.order_no "
    "JOIN return_line_row l ON l.order_no=r.order_no AND l.number=r.number ";
constexpr const char* of_period = "WHERE o.at>=?1 AND o.at<?2 AND o.currency=?3 ";
constexpr const char* returned_in_period = "WHERE r.at>=?1 AND r.at<?2 AND o.currency=?3";

/// What one order adds: at, key, then Sums.
std::string sold_sql(Dimension dim) {
  if (dim == Dimension::refused_reason)
    return fmt::format(
        "SELECT o.at, o.reason, 1, o.lines, o.quantity, o.value, 0,0,0 FROM order_row o {}"
        "AND o.status=3",
        of_period);
  if (dim == Dimension::refused_product)
    return fmt::format("{}{}AND o.status=3 AND o.reason=1 GROUP BY o.no, l.product", sold_products,
                       of_period);
  if (dim == Dimension::product)
    return fmt::format("{}{}AND o.confirmed_at IS NOT NULL GROUP BY o.no, l.product", sold_products,
                       of_period);
  return fmt::format(
      "SELECT o.at, {}, 1, o.lines, o.quantity, o.value, 0,0, o.rounding FROM order_row o {}"
      "AND o.confirmed_at IS NOT NULL",
      key_column(dim), of_period);
}
/// What one return adds, and one refund.
std::string returned_sql(Dimension dim) {
  if (dim == Dimension::product) return fmt::format("{}{}", returned_products, returned_in_period);
  return fmt::format(
      "SELECT r.at, {0}, 0,0,0,0, r.value, 0,0 FROM return_row r "
      "JOIN order_row o ON o.no=r.order_no {1} UNION ALL "
      "SELECT r.at, {0}, 0,0,0,0,0, r.amount, 0 FROM refund_row r "
      "JOIN order_row o ON o.no=r.order_no {1}",
      key_column(dim), returned_in_period);
}

/// What no bucket covers: read from the orders and returns themselves. Calls `take(at, key, sums)`.
template <class Take>
void read_edge(const Database& database, Dimension dim, std::int64_t currency, const Span& span,
               const Take& take) {
  const auto read = [&](const std::string& sql) {
    Statement get(database, sql);
    get.bind(span.from, span.to, currency);
    while (get.step()) take(get.integer(0), get.integer(1), worth_at(get, 2));
  };
  read(sold_sql(dim));
  if (dim != Dimension::refused_reason && dim != Dimension::refused_product)
    read(returned_sql(dim));
}

template <class Take>
void read_pieces(const Database& database, Dimension dim, std::int64_t currency,
                 const std::vector<Piece>& pieces, const Take& take) {
  Statement get(database,
                "SELECT bucket,key,orders,lines,quantity,revenue,revenue_micros,returned,"
                "returned_micros,refunded,refunded_micros,rounding,rounding_micros FROM rollup_row "
                "WHERE dim=?1 AND level=?2 AND currency=?3 AND bucket>=?4 AND bucket<?5");
  for (const Piece& piece : pieces) {
    get.bind(static_cast<int>(dim), static_cast<int>(piece.level), currency, piece.first,
             piece.end);
    while (get.step()) take(begin_of(piece.level, get.integer(0)), get.integer(1), sums_at(get, 2));
  }
}

struct Grouping {
  Dimension dim = Dimension::time;
  Level level = Level::all;
};

Grouping grouping_of(SalesGroup group) {
  switch (group) {
    case SalesGroup::month:
      return {Dimension::time, Level::month};
    case SalesGroup::day:
      return {Dimension::time, Level::day};
    case SalesGroup::hour:
      return {Dimension::time, Level::hour};
    case SalesGroup::product:
      return {Dimension::product, Level::all};
    case SalesGroup::country:
      return {Dimension::country, Level::all};
    case SalesGroup::customer:
      return {Dimension::customer, Level::all};
  }
  return {};
}

std::optional<std::string> key_text(const Grouping& grouping, std::int64_t key, Statement* names) {
  if (grouping.dim == Dimension::time) return bucket_text(grouping.level, key);
  if (key == 0) return std::nullopt;
  if (!names->bind(key).step()) return std::nullopt;
  std::string text(names->text(0));
  names->reset();
  return text;
}

const char* names_sql(Dimension dim) {
  switch (dim) {
    case Dimension::product:
      return "SELECT sku FROM product_row WHERE no=?1";
    case Dimension::country:
      return "SELECT name FROM country_row WHERE no=?1";
    default:
      return "SELECT id FROM customer_row WHERE no=?1";
  }
}

using Measure = MicrosSum (*)(const SalesFigures&);
struct Sort {
  Measure measure = nullptr;  // none: by key
  bool descending = false;
};

Sort sort_of(const SalesQuery& query) {
  std::string_view word = query.sort;
  const bool time = grouping_of(query.group_by).dim == Dimension::time;
  if (word.empty()) word = time ? "key" : "-revenue";
  Sort sort;
  if (word.starts_with('-')) {
    sort.descending = true;
    word.remove_prefix(1);
  }
  if (word == "orders") sort.measure = [](const SalesFigures& f) { return MicrosSum(0, f.orders); };
  if (word == "lines") sort.measure = [](const SalesFigures& f) { return MicrosSum(0, f.lines); };
  if (word == "quantity")
    sort.measure = [](const SalesFigures& f) { return MicrosSum(0, f.quantity); };
  if (word == "revenue") sort.measure = [](const SalesFigures& f) { return f.revenue; };
  if (word == "returned") sort.measure = [](const SalesFigures& f) { return f.returned; };
  if (word == "refunded") sort.measure = [](const SalesFigures& f) { return f.refunded; };
  if (!sort.measure && word != "key" && word != sales_group_text(query.group_by))
    throw BadReport{
        "sort must be one of key, orders, lines, quantity, revenue, returned, refunded, with or "
        "without "
        "a - in front"};
  return sort;
}

SalesFigures figures_of(const Sums& s) {
  return {s.orders, s.lines, s.quantity, s.revenue, s.returned, s.refunded, s.rounding};
}

void sort_and_cut(std::vector<SalesRow>& rows, const Sort& sort, std::size_t limit) {
  const auto before = [&](const SalesRow& a, const SalesRow& b) {
    if (sort.measure) {
      const auto x = sort.measure(a.figures);
      const auto y = sort.measure(b.figures);
      if (x != y) return sort.descending ? x > y : x < y;
      return a.key < b.key;
    }
    return sort.descending ? b.key < a.key : a.key < b.key;
  };
  const std::size_t kept = std::min(limit, rows.size());
  std::ranges::partial_sort(rows, rows.begin() + static_cast<std::ptrdiff_t>(kept), before);
  rows.resize(kept);
}

}  // namespace

SumsByKey sums_by_key(const Database& database, Dimension dim, std::int64_t currency, Span span) {
  SumsByKey sums;
  const auto take = [&](std::int64_t, std::int64_t key, const Sums& more) { sums[key] += more; };
  const Cover cover = cover_of(span, {Level::all, Level::month, Level::day});
  read_pieces(database, dim, currency, cover.pieces, take);
  for (const Span& edge : cover.edges) read_edge(database, dim, currency, edge, take);
  return sums;
}

SumsByKey sums_by_time(const Database& database, Level level, std::int64_t currency, Span span) {
  SumsByKey sums;
  const auto take = [&](std::int64_t at, std::int64_t, const Sums& more) {
    sums[bucket_of(level, at)] += more;
  };
  std::vector<Level> levels;  // none larger than what is asked for
  for (const Level one : {Level::all, Level::month, Level::day, Level::hour})
    if (one >= level) levels.push_back(one);
  const Cover cover = cover_of(span, levels);
  read_pieces(database, Dimension::time, currency, cover.pieces, take);
  for (const Span& edge : cover.edges) read_edge(database, Dimension::time, currency, edge, take);
  return sums;
}

SalesReport sales_report(const Database& database, const SalesQuery& query) {
  const Span span = span_of(query.from, query.to);
  check_limit(query.limit);
  const Sort sort = sort_of(query);
  const Grouping grouping = grouping_of(query.group_by);
  const ChosenCurrency currency = choose_currency(database, query.currency);
  SalesReport report;
  report.group_by = query.group_by;
  report.currency = currency.currency;
  report.other_currencies = currency.others;
  report.checkpoint = checkpoint_of(database);
  const bool time = grouping.dim == Dimension::time;
  const SumsByKey sums = time ? sums_by_time(database, grouping.level, currency.no, span)
                              : sums_by_key(database, grouping.dim, currency.no, span);
  std::optional<Statement> names;
  if (!time) names.emplace(database, names_sql(grouping.dim));
  for (const auto& [key, figures] : sums) {
    if (figures == Sums{}) continue;  // all of it moved to another country
    report.rows.push_back(
        {key_text(grouping, key, names ? &*names : nullptr), figures_of(figures)});
  }
  sort_and_cut(report.rows, sort, query.limit);
  const SumsByKey total = sums_by_time(database, Level::all, currency.no, span);
  if (!total.empty()) report.total = figures_of(total.begin()->second);
  return report;
}

}  // namespace souk::analytics

#include "projections/analytics/report.h"

#include "events/currencies.h"

namespace souk::analytics {
namespace {

constexpr std::int64_t end_of_time = ms_max + 1;

/// The first bucket of `level` that begins at or after `at`.
std::int64_t first_bucket(Level level, std::int64_t at) {
  const std::int64_t bucket = bucket_of(level, at);
  return begin_of(level, bucket) == at ? bucket : bucket + 1;
}

}  // namespace

Cover cover_of(Span span, const std::vector<Level>& levels) {
  Cover cover;
  std::vector<Span> open{span};
  for (const Level level : levels) {
    std::vector<Span> rest;
    for (const Span& part : open) {
      if (level == Level::all) {
        if (part.from == 0 && part.to == end_of_time) {
          cover.pieces.push_back({level, 0, 1});
        } else {
          rest.push_back(part);
        }
        continue;
      }
      const std::int64_t first = first_bucket(level, part.from);
      const std::int64_t end = bucket_of(level, part.to);
      if (first >= end) {
        rest.push_back(part);
        continue;
      }
      cover.pieces.push_back({level, first, end});
      const std::int64_t begins = begin_of(level, first);
      const std::int64_t ends = begin_of(level, end);
      if (part.from < begins) rest.push_back({part.from, begins});
      if (ends < part.to) rest.push_back({ends, part.to});
    }
    open = std::move(rest);
  }
  cover.edges = std::move(open);
  return cover;
}

Span span_of(const std::optional<UnixMs>& from, const std::optional<UnixMs>& to) {
  Span span{0, end_of_time};
  if (from) span.from = clamped(*from);
  if (to) span.to = std::clamp<std::int64_t>(to->value, 0, end_of_time);
  if (span.from > span.to)
    throw BadReport{"the period ends before it begins: `to` is before `from`"};
  return span;
}

void check_limit(std::size_t limit) {
  if (limit >= 1 && limit <= report_rows_max) return;
  throw BadReport{"limit must be 1 to " + std::to_string(report_rows_max)};
}

ChosenCurrency choose_currency(const Database& database, const std::string& asked) {
  if (!asked.empty()) {
    const auto currency = Currency::parse(asked);
    if (!currency) throw BadReport{"currency " + why_not_payable(asked)};
    Statement find(database, "SELECT no FROM currency_row WHERE code=?1");
    if (find.bind(std::string_view(asked)).step()) return {*currency, find.integer(0)};
    if (!can_be_paid(*currency)) throw BadReport{"currency: " + why_not_payable(asked)};
    return {*currency, 0};
  }
  Statement most(database,
                 "SELECT y.no, y.code, coalesce(r.orders,0) FROM currency_row y LEFT JOIN "
                 "rollup_row r ON r.dim=0 AND r.level=0 AND r.currency=y.no WHERE y.code<>'' "
                 "ORDER BY coalesce(r.orders,0) DESC, y.code");
  if (!most.step()) return {};
  ChosenCurrency chosen{Currency::parse(most.text(1)).value_or(Currency{}), most.integer(0)};
  while (most.step() && most.integer(2) > 0)
    chosen.others.emplace_back(Currency::parse(most.text(1)).value_or(Currency{}), most.integer(2));
  return chosen;
}

std::string checkpoint_of(const Database& database) {
  Statement get(database, "SELECT value FROM meta WHERE key='checkpoint'");
  return get.step() ? std::string(get.bytes(0)) : std::string();
}

}  // namespace souk::analytics

// Reports as JSON.
#include "projections/analytics/analytics.h"

#include <fmt/format.h>

#include <chrono>

#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/reads/answers.h"

namespace souk {
namespace {

/// A cart that nobody touched for so long is abandoned, where the question does not say.
constexpr std::chrono::hours idle_default{1};

HttpResponse refusal(const BadReport& bad) {
  if (bad.kind == BadReport::Kind::unavailable)
    return response_of(Problem{503, "unavailable", bad.why, {}});
  return response_of(invalid_request("", bad.why));
}

std::size_t limit_of(const QueryValues& values) {
  return static_cast<std::size_t>(values.count("limit", 100));
}

/// A shop in which nothing was sold yet has its figures in `unfixed`.
Currency shown(Currency currency, Currency unfixed) { return currency.none() ? unfixed : currency; }

void put_other_currencies(const ReportOf& report, JsonObject& out) {
  if (report.other_currencies.empty()) return;
  std::string& list = out.key("other_currencies");
  append_list(list, report.other_currencies, [&](const auto& other) {
    JsonObject one(list);
    one.text("currency", other.first.text());
    one.number("orders", other.second);
    one.end();
  });
}

/// By product there is no money paid back, and nothing is rounded.
void put_figures(JsonObject& out, const SalesFigures& figures, SalesGroup group,
                 Currency currency) {
  out.number("orders", figures.orders);
  out.number("lines", figures.lines);
  out.number("quantity", figures.quantity);
  append_money(out.key("revenue"), figures.revenue, currency);
  append_money(out.key("returned"), figures.returned, currency);
  if (group == SalesGroup::product) return;
  append_money(out.key("refunded"), figures.refunded, currency);
  append_money(out.key("rounding"), figures.rounding, currency);
}

struct PutCell {
  JsonObject& out;
  Currency unfixed;
  std::string_view name;
  void operator()(std::monostate) const { out.null(name); }
  void operator()(std::int64_t count) const { out.number(name, count); }
  void operator()(double ratio) const {
    fmt::format_to(std::back_inserter(out.key(name)), "{:.6g}", ratio);
  }
  void operator()(const std::string& text) const { out.text(name, text); }
  void operator()(const MoneySum& money) const {
    append_money(out.key(name), money.amount, shown(money.currency, unfixed));
  }
};

NoAnswer put_table(const Result<ReportTable, BadReport>& report, Currency unfixed,
                   JsonObject& out) {
  if (!report.ok()) return refusal(report.error());
  std::string& rows = out.key("rows");
  append_list(rows, report->rows, [&](const std::vector<ReportCell>& cells) {
    JsonObject row(rows);
    for (std::size_t i = 0; i < cells.size(); ++i)
      std::visit(PutCell{row, unfixed, report->columns[i]}, cells[i]);
    row.end();
  });
  put_other_currencies(*report, out);
  if (report->summary.empty()) return std::nullopt;
  JsonObject summary(out.key("summary"));
  for (const auto& [name, cell] : report->summary)
    std::visit(PutCell{summary, unfixed, name}, cell);
  summary.end();
  return std::nullopt;
}

PeriodQuery period_of(const QueryValues& values) {
  return {.from = values.time("from"),
          .to = values.time("to"),
          .currency = values.text("currency"),
          .sort = values.text("sort"),
          .limit = limit_of(values)};
}

UnixMs idle_since(const QueryValues& values) {
  if (const auto given = values.time("idle_since")) return *given;
  const auto at = std::chrono::system_clock::now() - idle_default;
  return {std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count()};
}

}  // namespace

NoAnswer answer_sales(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                      JsonObject& out) {
  SalesQuery query;
  query.from = values.time("from");
  query.to = values.time("to");
  query.group_by = parse_sales_group(values.text("group_by")).value_or(SalesGroup::month);
  query.sort = values.text("sort");
  query.limit = limit_of(values);
  query.currency = values.text("currency");
  const auto report = model.sales(query);
  if (!report.ok()) return refusal(report.error());
  const auto group = sales_group_text(report->group_by);
  const Currency currency = shown(report->currency, unfixed);
  std::string& rows = out.key("rows");
  append_list(rows, report->rows, [&](const SalesRow& sales) {
    JsonObject row(rows);
    if (sales.key)
      row.text(group, *sales.key);
    else
      row.null(group);
    put_figures(row, sales.figures, report->group_by, currency);
    row.end();
  });
  JsonObject total(out.key("total"));
  put_figures(total, report->total, SalesGroup::month, currency);
  total.end();
  put_other_currencies(*report, out);
  return std::nullopt;
}

NoAnswer answer_basket_pairs(const AnalyticsModel& model, const QueryValues& values, Currency,
                             JsonObject& out) {
  const auto report = model.basket_pairs(limit_of(values));
  if (!report.ok()) return refusal(report.error());
  std::string& rows = out.key("rows");
  append_list(rows, report->rows, [&](const BasketPair& pair) {
    JsonObject row(rows);
    row.text("a", pair.a);
    row.text("b", pair.b);
    row.number("orders", pair.orders);
    row.end();
  });
  return std::nullopt;
}

NoAnswer answer_customers(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                          JsonObject& out) {
  return put_table(model.customers({.orders_min = values.count("orders_min", 2),
                                    .currency = values.text("currency"),
                                    .limit = limit_of(values)}),
                   unfixed, out);
}

NoAnswer answer_funnel(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                       JsonObject& out) {
  return put_table(model.funnel(period_of(values)), unfixed, out);
}

NoAnswer answer_cohorts(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                        JsonObject& out) {
  return put_table(model.cohorts(limit_of(values)), unfixed, out);
}

NoAnswer answer_lost_sales(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                           JsonObject& out) {
  return put_table(model.lost_sales(period_of(values)), unfixed, out);
}

NoAnswer answer_stock(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                      JsonObject& out) {
  return put_table(model.stock(period_of(values)), unfixed, out);
}

NoAnswer answer_abandoned(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                          JsonObject& out) {
  return put_table(model.abandoned({.idle_since = idle_since(values),
                                    .currency = values.text("currency"),
                                    .limit = limit_of(values)}),
                   unfixed, out);
}

}  // namespace souk

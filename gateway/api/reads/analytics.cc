// Reports as JSON.
#include "projections/analytics/analytics.h"

#include <fmt/format.h>

#include <chrono>

#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/reads/read_side.h"

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

void append_figures(std::string& out, const SalesFigures& figures, std::string_view currency) {
  out += "\"orders\":";
  append_number(out, figures.orders);
  out += ",\"lines\":";
  append_number(out, figures.lines);
  out += ",\"quantity\":";
  append_number(out, figures.quantity);
  out += ",\"revenue\":";
  append_money(out, figures.revenue, currency);
  out += ",\"returned\":";
  append_money(out, figures.returned, currency);
}

HttpResponse answer_sales(const AnalyticsModel& model, const QueryValues& values) {
  SalesQuery query;
  query.from = values.time("from");
  query.to = values.time("to");
  query.group_by = parse_sales_group(values.text("group_by")).value_or(SalesGroup::month);
  query.sort = values.text("sort");
  query.limit = limit_of(values);
  query.currency = values.text("currency");
  const auto report = model.sales(query);
  if (!report.ok()) return refusal(report.error());
  HttpResponse response;
  std::string& out = response.body;
  out = "{\"rows\":";
  append_list(out, report->rows, [&](const SalesRow& row) {
    out += '{';
    append_json_string(out, sales_group_text(report->group_by));
    out += ':';
    if (row.key)
      append_json_string(out, *row.key);
    else
      out += "null";
    out += ',';
    append_figures(out, row.figures, report->currency.text());
    out += '}';
  });
  out += ",\"total\":{";
  append_figures(out, report->total, report->currency.text());
  out += "}}";
  return response;
}

HttpResponse answer_basket_pairs(const AnalyticsModel& model, const QueryValues& values) {
  const auto report = model.basket_pairs(limit_of(values));
  if (!report.ok()) return refusal(report.error());
  HttpResponse response;
  std::string& out = response.body;
  out = "{\"rows\":";
  append_list(out, report->rows, [&](const BasketPair& pair) {
    out += "{\"a\":";
    append_json_string(out, pair.a);
    out += ",\"b\":";
    append_json_string(out, pair.b);
    out += ",\"orders\":";
    append_number(out, pair.orders);
    out += '}';
  });
  out += '}';
  return response;
}

struct CellToJson {
  std::string& out;
  void operator()(std::monostate) const { out += "null"; }
  void operator()(std::int64_t count) const { append_number(out, count); }
  void operator()(double ratio) const { fmt::format_to(std::back_inserter(out), "{:.6g}", ratio); }
  void operator()(const std::string& text) const { append_json_string(out, text); }
  void operator()(const MoneySum& money) const {
    append_money(out, money.amount, money.currency.text());
  }
};

void append_member(std::string& out, std::string_view name, const ReportCell& cell) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
  std::visit(CellToJson{out}, cell);
}

HttpResponse answer_table(const Result<ReportTable, BadReport>& report) {
  if (!report.ok()) return refusal(report.error());
  HttpResponse response;
  std::string& out = response.body;
  out = "{\"rows\":";
  append_list(out, report->rows, [&](const std::vector<ReportCell>& row) {
    out += '{';
    for (std::size_t i = 0; i < row.size(); ++i) append_member(out, report->columns[i], row[i]);
    out += '}';
  });
  if (!report->summary.empty()) {
    out += ",\"summary\":{";
    for (const auto& [name, cell] : report->summary) append_member(out, name, cell);
    out += '}';
  }
  out += '}';
  return response;
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

HttpResponse answer_analytics(Action action, const Projection& model, const QueryValues& values) {
  const auto& analytics = dynamic_cast<const AnalyticsModel&>(model);
  switch (action) {
    case Action::sales:
      return answer_sales(analytics, values);
    case Action::basket_pairs:
      return answer_basket_pairs(analytics, values);
    case Action::customers:
      return answer_table(analytics.customers({.orders_min = values.count("orders_min", 2),
                                               .currency = values.text("currency"),
                                               .limit = limit_of(values)}));
    case Action::funnel:
      return answer_table(analytics.funnel(period_of(values)));
    case Action::cohorts:
      return answer_table(analytics.cohorts(limit_of(values)));
    case Action::lost_sales:
      return answer_table(analytics.lost_sales(period_of(values)));
    case Action::stock_report:
      return answer_table(analytics.stock(period_of(values)));
    default:
      return answer_table(analytics.abandoned({.idle_since = idle_since(values),
                                               .currency = values.text("currency"),
                                               .limit = limit_of(values)}));
  }
}

}  // namespace souk

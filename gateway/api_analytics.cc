// Reports as JSON.
#include "gateway/api_read_side.h"
#include "gateway/api_response.h"
#include "gateway/api_text.h"
#include "projections/analytics/analytics.h"

namespace souk {
namespace {

HttpResponse refusal(const BadReport& bad) { return response_of(invalid_request("", bad.why)); }

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

}  // namespace

HttpResponse answer_sales(const Projection& model, const QueryValues& values) {
  SalesQuery query;
  query.from = values.time("from");
  query.to = values.time("to");
  query.group_by = parse_sales_group(values.text("group_by")).value_or(SalesGroup::month);
  query.sort = values.text("sort");
  query.limit = static_cast<std::size_t>(values.count("limit", 100));
  query.currency = values.text("currency");
  const auto report = dynamic_cast<const AnalyticsModel&>(model).sales(query);
  if (!report.ok()) return refusal(report.error());
  HttpResponse response;
  std::string& out = response.body;
  out = "{\"rows\":[";
  for (const auto& row : report->rows) {
    if (out.back() != '[') out += ',';
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
  }
  out += "],\"total\":{";
  append_figures(out, report->total, report->currency.text());
  out += "}}";
  return response;
}

HttpResponse answer_basket_pairs(const Projection& model, const QueryValues& values) {
  const auto report = dynamic_cast<const AnalyticsModel&>(model).basket_pairs(
      static_cast<std::size_t>(values.count("limit", 100)));
  if (!report.ok()) return refusal(report.error());
  HttpResponse response;
  std::string& out = response.body;
  out = "{\"rows\":[";
  for (const auto& pair : report->rows) {
    if (out.back() != '[') out += ',';
    out += "{\"a\":";
    append_json_string(out, pair.a);
    out += ",\"b\":";
    append_json_string(out, pair.b);
    out += ",\"orders\":";
    append_number(out, pair.orders);
    out += '}';
  }
  out += "]}";
  return response;
}

}  // namespace souk

// souk sales, souk report ...
#include <algorithm>

#include "tools/souk/cli/rows.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

std::string report_text(const Json& report) {
  std::string text = rows_text(report["rows"].items(), report["total"]);
  std::vector<std::pair<std::string, std::string>> facts;
  for (const auto& [name, value] : report["summary"].members()) {
    std::string words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    facts.emplace_back(std::move(words), cell_text(value));
  }
  return text + (facts.empty() ? "" : "\nIn all\n" + facts_text(facts));
}

/// A report passes its options on as parameters of the same names.
struct Report {
  const char* verb;
  const char* path;
  const char* summary;
  const char* example;
  std::vector<Argument> arguments;
};

Argument from() { return option("from", "2011-08-01 or 2011-08-01T12:00:00Z; included"); }
Argument to() { return option("to", "Not included"); }
Argument currency() { return option("currency", "Of the figures; else the one with most orders"); }
Argument limit() { return option("limit", "Rows, 1 to 1,000", "100"); }
Argument sort(const char* columns) {
  return option("sort", std::string(columns) + "; as --sort=-COLUMN: the largest first");
}

Argument group_by() {
  Argument group = option("group-by", "What a row is", "month");
  group.choices = {"month", "day", "hour", "product", "country", "customer"};
  return group;
}

const std::vector<Report>& reports() {
  static const std::vector<Report> all = {
      {"sales",
       "sales",
       "Sales by time, product, country or customer",
       "souk sales --group-by product --sort=-revenue --limit 10",
       {from(), to(), group_by(), sort("key, orders, lines, quantity, revenue or returned"),
        currency(), limit()}},
      {"report customers",
       "customers",
       "Buyers who came again, by revenue",
       "souk report customers --orders-min 3",
       {option("orders-min", "Only who ordered so often", "2"), currency(), limit()}},
      {"report funnel",
       "funnel",
       "From opened carts to paid orders",
       "souk report funnel --from 2011-08-01 --to 2011-09-01",
       {from(), to()}},
      {"report cohorts",
       "cohorts",
       "Who came back, by the month of the first order",
       "souk report cohorts",
       {limit()}},
      {"report pairs",
       "basket-pairs",
       "Products bought in the same order",
       "souk report pairs --limit 10",
       {limit()}},
      {"report stock",
       "stock",
       "Stock, turnover, cover, and what was lost for want of it",
       "souk report stock --sort=days_of_cover --limit 20",
       {from(), to(), sort("A column"), currency(), limit()}},
      {"report lost-sales",
       "lost-sales",
       "Orders that were rejected, by reason",
       "souk report lost-sales --from 2011-08-01",
       {from(), to(), sort("reason, orders, lines, quantity or value"), currency(), limit()}},
      {"report abandoned",
       "abandoned",
       "Open carts that nobody touches, the most valuable first",
       "souk report abandoned --idle-since 2011-08-31T12:00:00Z",
       {option("idle-since", "Nobody touched them from then on; an hour ago where not given"),
        currency(), limit()}}};
  return all;
}

Outcome<ExitCode> show_report(const Invocation& invocation) {
  for (const Report& report : reports()) {
    if (report.verb != invocation.verb) continue;
    QueryString query;
    for (const Argument& argument : report.arguments) {
      std::string parameter = argument.name;
      std::replace(parameter.begin(), parameter.end(), '-', '_');
      query.add(parameter, invocation.get(argument.name));
    }
    return read_and_show(invocation, "/v1/analytics/" + std::string(report.path) + query.text(),
                         report_text);
  }
  return Failure{ExitCode::usage, "there is no such report"};
}

}  // namespace

Verbs report_verbs() {
  Verbs verbs;
  for (const Report& report : reports())
    verbs.push_back({.path = report.verb,
                     .summary = report.summary,
                     .examples = {report.example},
                     .arguments = report.arguments,
                     .run = show_report});
  return verbs;
}

}  // namespace souk::cli

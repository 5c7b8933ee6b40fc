// souk sql
#include <cstdio>
#include <iostream>
#include <iterator>

#include "tools/souk/cli/rows.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

std::string sql_tables_text(const Json& answer) {
  std::string text;
  for (const Json& table : answer["tables"].items()) {
    text +=
        (text.empty() ? "" : "\n") + table["name"].text() + ": " + table["meaning"].text() + "\n";
    std::vector<std::pair<std::string, std::string>> columns;
    for (const Json& column : table["columns"].items())
      columns.emplace_back("  " + column["name"].text(), column["meaning"].text());
    text += facts_text(columns);
  }
  return text;
}

std::string sql_rows_text(const Json& answer) {
  std::vector<Table::Column> columns;
  for (const Json& name : answer["columns"].items()) {
    Align align = Align::left;
    for (const Json& row : answer["rows"].items())
      if (row.items()[columns.size()].type() == Json::Type::number) align = Align::right;
    columns.push_back({name.text(), align});
  }
  Table table(columns);
  for (const Json& row : answer["rows"].items()) {
    std::vector<std::string> cells;
    for (const Json& cell : row.items()) cells.push_back(cell.is_null() ? "-" : cell.text());
    table.add(std::move(cells));
  }
  return table.text();
}

constexpr const char* truncated_words =
    "souk: there are more rows; ask for more with --limit, or for less in the statement\n";

Outcome<ExitCode> as_csv(const Invocation& invocation, const std::string& target) {
  const auto answer = ApiClient(invocation.url).get(target, "text/csv");
  if (!answer) return answer.error();
  if (answer->status != 200) return refused(*answer);
  std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
  if (answer->truncated) std::fputs(truncated_words, stderr);
  return ExitCode::ok;
}

Outcome<ExitCode> sql(const Invocation& invocation) {
  if (invocation.has("tables")) return read_and_show(invocation, "/v1/sql/tables", sql_tables_text);
  std::string statement = invocation.joined("statement");
  if (statement == "-")
    statement.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  if (statement.empty())
    return Failure{ExitCode::usage, "statement: wanted a SELECT, or - to read one; see --tables"};
  if (invocation.has("csv") && invocation.json())
    return Failure{ExitCode::usage, "--csv and --json exclude each other"};
  QueryString query;
  query.add("q", statement).add("limit", invocation.get("limit"));
  const std::string target = "/v1/sql" + query.text();
  if (invocation.has("csv")) return as_csv(invocation, target);
  const auto answer = ApiClient(invocation.url).get(target);
  const auto outcome = show(invocation, answer, sql_rows_text);
  if (answer && answer->truncated) {
    std::fflush(stdout);
    std::fputs(truncated_words, stderr);
  }
  return outcome;
}

}  // namespace

Verbs sql_verbs() {
  return {
      {.path = "sql",
       .summary = "Ask the analytics and the log one SELECT",
       .examples = {"souk sql --tables",
                    "souk sql \"SELECT country, count(*) FROM orders GROUP BY 1 ORDER BY 2 DESC\"",
                    "souk sql \"SELECT * FROM events WHERE entity = 'MUG-1'\" --json",
                    "souk sql - --csv < question.sql > answer.csv"},
       .arguments = {any_words("statement", "A SELECT of SQLite's; - reads it from standard input"),
                     flag("tables", "Show the tables and what their columns mean"),
                     flag("csv", "Print CSV instead of a table"),
                     option("limit", "Rows, 1 to 1,000,000", "10000")},
       .run = sql,
       .details =
           "Reads only, on a snapshot, for at most 5 seconds. Columns that end in _micros are\n"
           "exact millionths; money(x) shows them as 12.50."}};
}

}  // namespace souk::cli

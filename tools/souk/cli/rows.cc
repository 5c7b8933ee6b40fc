#include "tools/souk/cli/rows.h"

#include <fmt/format.h>

#include <cstdlib>

#include "tools/souk/cli/table.h"

namespace souk::cli {
namespace {

bool is_money(const Json& value) { return !value["amount"].is_null(); }

/// The currency of every amount of a column; empty where there are several or none.
std::string shared_currency(const std::vector<Json>& rows, const std::string& column) {
  std::string shared;
  for (const Json& row : rows) {
    const std::string& currency = row[column]["currency"].text();
    if (currency.empty()) continue;
    if (!shared.empty() && shared != currency) return {};
    shared = currency;
  }
  return shared;
}

}  // namespace

std::string cell_text(const Json& value) {
  if (value.is_null()) return "-";
  if (is_money(value)) return value.money();
  const std::string& text = value.text();
  if (value.type() != Json::Type::number || text.find_first_of(".eE") == std::string::npos)
    return text;
  std::string shown = fmt::format("{:.3f}", std::strtod(text.c_str(), nullptr));
  shown.erase(shown.find_last_not_of('0') + 1);
  if (shown.back() == '.') shown.pop_back();
  return shown;
}

std::string heading(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += c == '_' ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string rows_text(const std::vector<Json>& rows, const Json& total) {
  if (rows.empty()) return "Nothing.\n";
  std::vector<Table::Column> columns;
  std::vector<std::string> currencies;
  for (const auto& [name, first] : rows.front().members()) {
    Align align = Align::left;
    for (const Json& row : rows)
      if (row[name].type() == Json::Type::number || is_money(row[name])) align = Align::right;
    currencies.push_back(shared_currency(rows, name));
    columns.push_back(
        {heading(name) + (currencies.back().empty() ? "" : " " + currencies.back()), align});
  }
  Table table(columns);
  const auto add = [&](const Json& row, bool is_total) {
    std::vector<std::string> cells;
    for (const auto& [name, first] : rows.front().members()) {
      const Json& value = row[name];
      const bool bare = !currencies[cells.size()].empty() && is_money(value);
      cells.push_back(bare                          ? value["amount"].text()
                      : is_total && value.is_null() ? (cells.empty() ? "total" : "")
                                                    : cell_text(value));
    }
    table.add(std::move(cells));
  };
  for (const Json& row : rows) add(row, false);
  if (!total.is_null()) add(total, true);
  return table.text();
}

}  // namespace souk::cli

#include "tools/souk/import/sheet.h"

#include <algorithm>
#include <array>

#include "events/utf8.h"
#include "tools/souk/import/csv.h"

namespace souk::cli {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::array delimiters = {',', ';', '\t', '|'};

/// `sep=;` in the first line, as spreadsheets write and read it; 0: there is none.
char declared_delimiter(std::string_view text) {
  if (text.size() < 6 || lower(text.substr(0, 4)) != "sep=") return 0;
  return text[5] == '\n' || text[5] == '\r' ? text[4] : '\0';
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::vector<std::string> parts_of(std::string_view text, std::string_view mark) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at != std::string_view::npos;) {
    const std::size_t end = text.find(mark, at);
    const std::string_view part = trimmed(text.substr(at, end - at));
    if (!part.empty()) parts.emplace_back(part);
    at = end == std::string_view::npos ? end : end + mark.size();
  }
  return parts;
}

char guess_delimiter(std::string_view text) {
  if (const char declared = declared_delimiter(text); declared != 0) return declared;
  std::array<std::size_t, delimiters.size()> seen{};
  bool quoted = false, begun = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && c == '\n' && begun) break;
    begun = begun || blanks.find(c) == std::string_view::npos;
    for (std::size_t i = 0; i < delimiters.size(); ++i)
      if (!quoted && c == delimiters[i]) ++seen[i];
  }
  return delimiters[static_cast<std::size_t>(std::ranges::max_element(seen) - seen.begin())];
}

Outcome<Sheet> read_sheet(std::string_view text, char delimiter) {
  Sheet sheet;
  sheet.delimiter = delimiter != 0 ? delimiter : guess_delimiter(text);
  const bool declared = declared_delimiter(text) != 0;
  std::string wrong;
  bool header = true;
  const auto take_header = [&](const CsvRecord& record) {
    header = false;
    if (!record.wrong.empty()) wrong = "line " + std::to_string(record.line) + ": " + record.wrong;
    for (const std::string& name : record.fields)
      if (!utf8_valid(name)) wrong = "line 1: the header is not UTF-8; see --encoding";
    for (const std::string& name : record.fields) sheet.columns.emplace_back(trimmed(name));
  };
  CsvReader csv(
      [&](const CsvRecord& record) {
        if (!wrong.empty() || (declared && record.line == 1)) return;
        if (header) return take_header(record);
        SheetRow row{.line = static_cast<std::uint32_t>(record.line), .cells = record.fields};
        row.wrong = record.wrong;
        if (row.wrong.empty() && row.cells.size() != sheet.columns.size())
          row.wrong = std::to_string(row.cells.size()) + " fields instead of " +
                      std::to_string(sheet.columns.size());
        sheet.rows.push_back(std::move(row));
      },
      sheet.delimiter);
  csv.feed(text);
  csv.finish();
  if (wrong.empty() && header) wrong = "the file is empty";
  if (!wrong.empty()) return Failure{ExitCode::refused, wrong};
  return sheet;
}

std::size_t Columns::at(std::string_view name) const {
  const std::string wanted = lower(name);
  for (std::size_t i = 0; i < sheet_.columns.size(); ++i)
    if (lower(sheet_.columns[i]) == wanted) return i;
  return none;
}

std::size_t Columns::find(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const std::size_t found = at(name);
    if (found == none) continue;
    used_[found] = true;
    for (std::size_t i = found + 1; i < sheet_.columns.size(); ++i)
      if (lower(sheet_.columns[i]) == lower(name))
        wrong_ = "line 1: the column " + sheet_.columns[found] + " stands twice";
    return found;
  }
  return none;
}

std::vector<std::string> Columns::unused() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < used_.size(); ++i)
    if (!used_[i]) names.push_back(sheet_.columns[i]);
  return names;
}

std::string_view cell(const SheetRow& row, std::size_t column) {
  if (column >= row.cells.size()) return {};
  return trimmed(row.cells[column]);
}

}  // namespace souk::cli

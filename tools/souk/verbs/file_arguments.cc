#include "tools/souk/verbs/file_arguments.h"

#include <algorithm>
#include <cstdio>

#include "tools/souk/import/input_file.h"
#include "tools/souk/import/sheet.h"

namespace souk::cli {
namespace {

constexpr std::size_t lines_shown_max = 1'000;

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

/// Cut at the commas that a new NAME= stands behind: a column's name may have commas of its own.
std::vector<std::string> pairs_of(std::string_view text) {
  std::vector<std::string> pairs;
  std::size_t begin = 0;
  for (std::size_t at = text.find(','); at != std::string_view::npos; at = text.find(',', at + 1)) {
    const std::size_t equals = text.find('=', at);
    if (equals == std::string_view::npos) break;
    if (!is_name(trimmed(text.substr(at + 1, equals - at - 1)))) continue;
    pairs.emplace_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  pairs.emplace_back(text.substr(begin));
  return pairs;
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

}  // namespace

Outcome<std::string> read_whole_file(const std::string& name) {
  std::string bytes;
  auto done = read_input(name, [&](std::string_view piece) {
    bytes += piece;
    return bytes.size() <= file_bytes_max;
  });
  if (!done) return done.error();
  if (bytes.size() > file_bytes_max)
    return Failure{ExitCode::refused, name + ": larger than 2 GiB; import it in parts"};
  return bytes;
}

Outcome<std::map<std::string, std::string>> map_argument(const Invocation& invocation) {
  std::map<std::string, std::string> renamed;
  for (const std::string& text : invocation.all("map"))
    for (const std::string& pair : pairs_of(text)) {
      const std::size_t equals = pair.find('=');
      const std::string column =
          equals == std::string::npos ? "" : unquoted(trimmed(pair.substr(equals + 1)));
      if (column.empty() || equals == 0)
        return Failure{ExitCode::usage, "--map: wanted NAME=COLUMN, got \"" + pair + "\""};
      renamed[std::string(trimmed(pair.substr(0, equals)))] = column;
    }
  return renamed;
}

Outcome<char> delimiter_argument(const Invocation& invocation) {
  const std::string& text = invocation.get("delimiter");
  if (text.empty()) return '\0';
  if (text == "tab" || text == "TAB" || text == "\\t") return '\t';
  if (text.size() == 1 && std::string_view(",;|\t").find(text[0]) != std::string_view::npos)
    return char{text[0]};
  return Failure{ExitCode::usage, "--delimiter: wanted , or ; or | or tab, got \"" + text + "\""};
}

Outcome<char> decimal_argument(const Invocation& invocation) {
  const std::string& text = invocation.get("decimal");
  if (text.empty()) return '\0';
  if (text == "." || text == ",") return char{text[0]};
  return Failure{ExitCode::usage, "--decimal: wanted . or , got \"" + text + "\""};
}

Argument map_option() {
  Argument map = option("map", "NAME=COLUMN[,NAME=COLUMN...]: take NAME from the file's COLUMN");
  map.kind = Argument::Kind::repeated;
  return map;
}
Argument delimiter_option() {
  return option("delimiter",
                "Between the fields: , or ; or | or tab; default: what the header has");
}
Argument encoding_option() {
  return option("encoding", "utf-8, utf-16, latin1, windows-1252 ...; default: by the bytes");
}
Argument decimal_option() {
  return option("decimal", "What parts decimals, . or , ; default: as the column of prices tells");
}

void report_lines(const std::vector<Rejection>& lines, const char* what) {
  for (std::size_t i = 0; i < std::min(lines_shown_max, lines.size()); ++i)
    std::fprintf(stderr, "souk: line %u %s: %s\n", lines[i].line, what, lines[i].why.c_str());
  if (lines.size() > lines_shown_max)
    std::fprintf(stderr, "souk: and %zu more lines %s\n", lines.size() - lines_shown_max, what);
}

}  // namespace souk::cli

// The SQL door over HTTP.
#include <fmt/format.h>

#include "events/utf8.h"
#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/reads/answers.h"
#include "projections/analytics/analytics.h"

namespace souk {
namespace {

/// Beyond these a double, as JSON's readers have it, is no longer exact.
constexpr std::int64_t exact_max = std::int64_t{1} << 53;

HttpResponse refusal(const SqlRefused& no) {
  using Kind = SqlRefused::Kind;
  switch (no.kind) {
    case Kind::bad:
      return response_of(Problem{
          422, "invalid_sql",
          no.why + " (allowed: one SELECT of SQLite's over the tables that /v1/sql/tables lists)",
          "q"});
    case Kind::forbidden:
      return response_of(Problem{422, "forbidden_sql", no.why, "q"});
    case Kind::too_long:
      return response_of(Problem{422, "query_too_long", no.why, "q"});
    case Kind::too_large:
      return response_of(Problem{422, "query_too_large", no.why, "q"});
    case Kind::failed:
      return response_of(Problem{422, "query_failed", no.why, "q"});
    case Kind::busy:
      return response_of(Problem{429, "too_many_requests", no.why, {}});
    case Kind::unavailable:
    case Kind::damaged:
      return response_of(Problem{503, "unavailable", no.why, {}});
  }
  return response_of(Problem{503, "unavailable", no.why, {}});
}

/// SQLite takes any bytes for a text: what is no UTF-8 is shown as blobs are.
std::string shown(const std::string& text) {
  if (utf8_valid(text)) return text;
  std::string hex;
  for (const char c : text)
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(c));
  return hex;
}

struct CellToJson {
  std::string& out;
  void operator()(std::monostate) const { out += "null"; }
  void operator()(std::int64_t number) const {
    const bool exact = number >= -exact_max && number <= exact_max;
    if (!exact) out += '"';
    append_number(out, number);
    if (!exact) out += '"';
  }
  void operator()(double number) const {
    // The only reals that JSON lacks and SQLite has: 9e999 and its negative.
    const bool finite = number - number == 0;
    if (!finite) out += '"';
    fmt::format_to(std::back_inserter(out), "{}", number);
    if (!finite) out += '"';
  }
  void operator()(const std::string& text) const { append_json_string(out, shown(text)); }
};

void append_csv_text(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of("\",\r\n") == std::string_view::npos &&
                     text.front() != ' ' && text.back() != ' ';
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

/// Null is nothing, an empty text is two quotes.
struct CellToCsv {
  std::string& out;
  void operator()(std::monostate) const {}
  void operator()(std::int64_t number) const { append_number(out, number); }
  void operator()(double number) const { fmt::format_to(std::back_inserter(out), "{}", number); }
  void operator()(const std::string& text) const { append_csv_text(out, shown(text)); }
};

template <class Cells, class Append>
void append_csv_line(std::string& out, const Cells& cells, Append&& append) {
  bool first = true;
  for (const auto& cell : cells) {
    if (!first) out += ',';
    first = false;
    append(cell);
  }
  out += "\r\n";
}

/// Puts rows behind each other until there are too many bytes. JSON is left open behind the rows.
SqlSink sink_into(std::string& out, AnswerForm form) {
  SqlSink sink;
  if (form == AnswerForm::csv) {
    sink.columns = [&out](const std::vector<std::string>& names) {
      append_csv_line(out, names, [&](const std::string& name) { append_csv_text(out, name); });
    };
  } else {
    sink.columns = [&out](const std::vector<std::string>& names) {
      JsonObject answer(out);
      append_list(answer.key("columns"), names,
                  [&](const std::string& name) { append_json_string(out, name); });
      answer.key("rows") += '[';
    };
  }
  sink.row = [&out, form](const SqlRow& row) {
    const std::size_t before = out.size();
    std::size_t coming = 0;
    for (const SqlCell& cell : row)
      if (const auto* text = std::get_if<std::string>(&cell)) coming += text->size();
    if (before + coming > sql_result_bytes_max) return false;
    if (form == AnswerForm::csv) {
      append_csv_line(out, row, [&](const SqlCell& cell) { std::visit(CellToCsv{out}, cell); });
    } else {
      if (out.back() != '[') out += ',';
      append_list(out, row, [&](const SqlCell& cell) { std::visit(CellToJson{out}, cell); });
    }
    if (out.size() <= sql_result_bytes_max) return true;
    out.resize(before);
    return false;
  };
  return sink;
}

}  // namespace

std::filesystem::path sql_database(const Projection& copy) {
  return dynamic_cast<const AnalyticsModel&>(copy).database();
}

HttpResponse answer_sql(const Projection& copy, const QueryValues& values, SqlDoor& door,
                        const SqlDoor::Turn& turn, AnswerForm form, std::string_view position) {
  const SqlLimits usual;
  const auto limit = values.count("limit", static_cast<std::int64_t>(usual.rows_max));
  HttpResponse response;
  const auto summary =
      door.stream(turn, sql_database(copy), values.text("q"),
                  {.rows_max = static_cast<std::size_t>(limit)}, sink_into(response.body, form));
  if (!summary) {
    const auto& no = summary.error();
    if (no.kind == SqlRefused::Kind::damaged) copy.note_damage({Fault::Kind::corrupt, no.why});
    return refusal(no);
  }
  response.truncated = summary->truncated;
  if (form == AnswerForm::csv) {
    response.content_type = "text/csv; charset=utf-8";
    return response;
  }
  response.body += summary->truncated ? R"(],"truncated":true,"position":)"
                                      : R"(],"truncated":false,"position":)";
  append_json_string(response.body, position);
  response.body += '}';
  return response;
}

std::string sql_tables_json() {
  std::string out;
  JsonObject all(out);
  append_list(all.key("tables"), sql_tables(), [&](const SqlTableDoc& doc) {
    JsonObject table(out);
    table.text("name", doc.name);
    table.text("meaning", doc.meaning);
    append_list(table.key("columns"), doc.columns, [&](const SqlColumnDoc& documented) {
      JsonObject column(out);
      column.text("name", documented.name);
      column.text("meaning", documented.meaning);
      column.end();
    });
    table.end();
  });
  all.end();
  return out;
}

}  // namespace souk

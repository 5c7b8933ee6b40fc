// The SQL door over HTTP.
#include <fmt/format.h>

#include "events/utf8.h"
#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/reads/read_side.h"
#include "projections/analytics/analytics.h"
#include "projections/sql/sql_door.h"

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

/// Puts rows behind each other until there are too many bytes.
SqlSink sink_into(std::string& out, AnswerForm form) {
  SqlSink sink;
  if (form == AnswerForm::csv) {
    sink.columns = [&out](const std::vector<std::string>& names) {
      append_csv_line(out, names, [&](const std::string& name) { append_csv_text(out, name); });
    };
  } else {
    sink.columns = [&out](const std::vector<std::string>& names) {
      out = "{\"columns\":";
      append_list(out, names, [&](const std::string& name) { append_json_string(out, name); });
      out += ",\"rows\":[";
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

HttpResponse answer_sql(const Projection& model, const QueryValues& values, LogSource log,
                        AnswerForm form) {
  const SqlDoor door(dynamic_cast<const AnalyticsModel&>(model).database(), log.journal,
                     log.recent.shards(),
                     [&](ShardId shard) { return log.recent.last_seq(shard); });
  const SqlLimits usual;
  HttpResponse response;
  const auto summary = door.stream(values.text("q"),
                                   {.rows_max = static_cast<std::size_t>(values.count(
                                        "limit", static_cast<std::int64_t>(usual.rows_max)))},
                                   sink_into(response.body, form));
  if (!summary) {
    const auto& no = summary.error();
    if (no.kind == SqlRefused::Kind::damaged) model.note_damage({Fault::Kind::corrupt, no.why});
    return refusal(no);
  }
  response.truncated = summary->truncated;
  if (form == AnswerForm::csv) {
    response.content_type = "text/csv; charset=utf-8";
  } else {
    response.body += "],\"truncated\":";
    response.body += summary->truncated ? "true}" : "false}";
  }
  return response;
}

std::string sql_tables_json() {
  std::string out = "{\"tables\":";
  const auto append = [&](const auto& doc) {
    out += "{\"name\":";
    append_json_string(out, doc.name);
    out += ",\"meaning\":";
    append_json_string(out, doc.meaning);
  };
  append_list(out, sql_tables(), [&](const SqlTableDoc& table) {
    append(table);
    out += ",\"columns\":";
    append_list(out, table.columns, [&](const SqlColumnDoc& column) {
      append(column);
      out += '}';
    });
    out += '}';
  });
  return out + '}';
}

}  // namespace souk

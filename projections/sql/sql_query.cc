#include "projections/sql/sql_query.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "projections/sql/events_table.h"
#include "projections/sql/sql_guard.h"

namespace souk::analytics {
namespace {

using Why = SqlRefused::Kind;

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, Close>;
using Prepared = std::unique_ptr<sqlite3_stmt, Close>;

/// What SQLite's failure means to the asker.
SqlRefused refused(sqlite3* database, const SqlWatch& watch, const SqlLimits& limits) {
  if (!watch.unavailable.empty())
    return {Why::unavailable, "the journal cannot be read: " + watch.unavailable};
  if (watch.late)
    return {Why::too_long, "it took longer than " + std::to_string(limits.time_ms_max) +
                               " ms; ask for less, or for a shorter period"};
  const int code = sqlite3_extended_errcode(database) & 0xFF;
  if (watch.large || code == SQLITE_NOMEM)
    return {Why::too_large, "it took more than " + std::to_string(limits.memory_bytes_max) +
                                " bytes of memory; ask for less"};
  if (!watch.forbidden.empty()) return {Why::forbidden, watch.forbidden};
  switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Why::damaged, std::string("the analytics are damaged: ") + sqlite3_errmsg(database)};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Why::unavailable,
              std::string("the analytics cannot be read: ") + sqlite3_errmsg(database)};
    case SQLITE_TOOBIG:
      return {Why::too_large, "a text or a row of more than 1 MiB"};
    default:
      return {Why::bad, sqlite3_errmsg(database)};
  }
}

SqlCell cell_of(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(row, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
      return text ? std::string(text, size) : std::string();
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(row, column));
      std::string hex;
      for (int i = 0; i < sqlite3_column_bytes(row, column); ++i) {
        hex += "0123456789abcdef"[bytes[i] >> 4];
        hex += "0123456789abcdef"[bytes[i] & 0xF];
      }
      return hex;
    }
    default:
      return std::monostate{};
  }
}

std::string read_checkpoint(sqlite3* database) {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v2(database, "SELECT value FROM meta WHERE key='checkpoint'", -1, &raw, nullptr);
  const Prepared statement(raw);
  if (!raw || sqlite3_step(raw) != SQLITE_ROW) return {};
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(raw, 0));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw, 0));
  return bytes ? std::string(bytes, size) : std::string();
}

/// The one statement of the text. Nothing behind it but blanks, comments and semicolons.
Result<Prepared, SqlRefused> prepare(sqlite3* database, std::string_view sql, const SqlWatch& watch,
                                     const SqlLimits& limits) {
  std::optional<Prepared> only;
  while (!sql.empty()) {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    const int code =
        sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), 0, &raw, &tail);
    Prepared statement(raw);
    if (only && (raw || code != SQLITE_OK))
      return SqlRefused{Why::forbidden, "one statement at a time"};
    if (code != SQLITE_OK) return refused(database, watch, limits);
    sql.remove_prefix(static_cast<std::size_t>(tail - sql.data()));
    if (raw) only = std::move(statement);
  }
  if (!only) return SqlRefused{Why::bad, "there is no statement"};
  if (sqlite3_stmt_readonly(only->get()) == 0)
    return SqlRefused{Why::forbidden, "only a SELECT is allowed"};
  if (sqlite3_bind_parameter_count(only->get()) != 0)
    return SqlRefused{Why::bad, "parameters such as ? have no values here"};
  return std::move(*only);
}

/// SQLite shows some operands of a plan as addresses of this process.
void hide_addresses(std::string& text) {
  for (const std::string_view mark : {"vtab:", "0x"}) {
    const auto at = text.find(mark);
    if (at == std::string::npos) continue;
    const auto from = at + mark.size();
    const auto to = text.find_first_not_of("0123456789abcdefABCDEF", from);
    text.erase(from, to == std::string::npos ? to : to - from);
  }
}

/// The row that the statement stands on; its bytes.
std::size_t take_row(sqlite3_stmt* statement, SqlRow& row) {
  row.clear();
  std::size_t bytes = 0;
  const bool plan = sqlite3_stmt_isexplain(statement) != 0;
  for (int i = 0; i < sqlite3_column_count(statement); ++i) {
    row.push_back(cell_of(statement, i));
    if (auto* text = std::get_if<std::string>(&row.back())) {
      if (plan) hide_addresses(*text);
      bytes += text->size();
    }
  }
  return bytes;
}

std::vector<std::string> names_of(sqlite3_stmt* statement) {
  std::vector<std::string> names;
  for (int i = 0; i < sqlite3_column_count(statement); ++i) {
    const char* name = sqlite3_column_name(statement, i);
    names.emplace_back(name ? name : "");
  }
  return names;
}

}  // namespace

Result<SqlSummary, SqlRefused> run_query(const SqlAsk& ask, const ScanRecords& scan,
                                         const SqlSink& sink) {
  const SqlLimits& limits = ask.limits;
  SqlWatch watch;
  watch.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limits.time_ms_max);
  watch.memory_before = sqlite3_memory_used();
  watch.memory_max = static_cast<std::int64_t>(limits.memory_bytes_max);
  if (std::string why = refuse_text(ask.sql, watch); !why.empty())
    return SqlRefused{Why::forbidden, std::move(why)};

  EventsTable events{scan, ask.shards, ask.ends, watch};
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(ask.database.c_str(), &raw,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  const Connection database(raw);
  if (code != SQLITE_OK || sqlite3_exec(raw, "BEGIN", nullptr, nullptr, nullptr) != SQLITE_OK)
    return SqlRefused{Why::unavailable, "the analytics cannot be opened"};
  SqlSummary summary;
  summary.checkpoint = read_checkpoint(raw);  // and from here on one snapshot
  add_events_table(raw, events);
  guard(raw, watch);

  auto prepared = prepare(raw, ask.sql, watch, limits);
  if (!prepared) return prepared.error();
  sqlite3_stmt* statement = prepared->get();
  if (sink.columns) sink.columns(names_of(statement));
  SqlRow row;
  while (true) {
    const int step = sqlite3_step(statement);
    if (step == SQLITE_DONE) return summary;
    if (step != SQLITE_ROW) return refused(raw, watch, limits);
    if (summary.rows == limits.rows_max || take_row(statement, row) > sql_result_bytes_max) break;
    ++summary.rows;
    if (sink.row && !sink.row(row)) break;
  }
  summary.truncated = true;
  return summary;
}

}  // namespace souk::analytics

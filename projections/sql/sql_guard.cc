#include "projections/sql/sql_guard.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string>

#include "projections/sql/tables.h"

namespace souk::analytics {
namespace {

constexpr int steps_between_looks = 500;
constexpr int length_max = 1024 * 1024;  // of one text, and of one row that is sorted

constexpr auto allowed_functions = std::to_array<std::string_view>({
    // of one value
    "abs",
    "ceil",
    "ceiling",
    "coalesce",
    "exp",
    "floor",
    "format",
    "glob",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "length",
    "like",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "mod",
    "nullif",
    "pow",
    "power",
    "printf",
    "quote",
    "replace",
    "round",
    "rtrim",
    "sign",
    "sqrt",
    "substr",
    "substring",
    "trim",
    "trunc",
    "typeof",
    "unicode",
    "upper",
    // of times
    "date",
    "datetime",
    "julianday",
    "strftime",
    "time",
    "unixepoch",
    // of many
    "avg",
    "count",
    "group_concat",
    "max",
    "min",
    "sum",
    "total",
    // over windows
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
    // of JSON
    "->",
    "->>",
    "json",
    "json_array",
    "json_array_length",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_object",
    "json_type",
    "json_valid",
    // ours
    "iso_time",
    "money",
    "refusal_code",
});

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool is_ours(std::string_view table) {
  return std::ranges::any_of(sql_tables(), [&](const auto& doc) { return doc.name == table; });
}

bool may_read(const SqlWatch& watch, const std::string& table, std::string_view column,
              std::string_view within) {
  if (is_ours(table)) return true;
  if (table == "json_each" || table == "json_tree") return true;
  // The tables behind the views, through these: refuse_text has seen to it that no expression of
  // the query bears the name of a view. Where only the rows of a view count, SQLite has forgotten
  // the view by the time it asks, and names no column.
  if (table.ends_with("_row"))
    return !watch.words.contains(table) && (column.empty() || is_ours(within));
  return column.empty() && std::ranges::find(watch.expressions, table) != watch.expressions.end();
}

std::string what_is(int action) {
  switch (action) {
    case SQLITE_PRAGMA:
      return "PRAGMA";
    case SQLITE_ATTACH:
      return "ATTACH";
    case SQLITE_DETACH:
      return "DETACH";
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return "a transaction";
    default:
      return "anything that changes something";
  }
}

int authorize(void* data, int action, const char* first, const char* second, const char*,
              const char* within) {
  SqlWatch& watch = *static_cast<SqlWatch*>(data);
  std::string why;
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      break;
    case SQLITE_READ: {
      const std::string table = lower(first ? first : "");
      if (!may_read(watch, table, second ? second : "", lower(within ? within : "")))
        why = "there is no table " + table + " here; see `souk sql --tables`";
      break;
    }
    case SQLITE_FUNCTION: {
      const std::string function = lower(second ? second : "");
      if (std::ranges::find(allowed_functions, function) == allowed_functions.end())
        why = "the function " + function + " is not available here";
      break;
    }
    default:
      why = what_is(action) + " is not allowed: one SELECT over the tables of `souk sql --tables`";
  }
  if (why.empty()) return watch.expired() ? SQLITE_DENY : SQLITE_OK;
  if (watch.forbidden.empty()) watch.forbidden = std::move(why);
  return SQLITE_DENY;
}

int look(void* data) {
  SqlWatch& watch = *static_cast<SqlWatch*>(data);
  if (sqlite3_memory_used() - watch.memory_before > watch.memory_max) watch.large = true;
  return watch.expired() || watch.large ? 1 : 0;
}

}  // namespace

bool SqlWatch::expired() {
  if (std::chrono::steady_clock::now() >= deadline) late = true;
  return late;
}

void guard(sqlite3* database, SqlWatch& watch) {
  // Sorting and what is kept for a while stay in memory, where they are counted.
  sqlite3_exec(database,
               "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA query_only=ON; "
               "PRAGMA trusted_schema=OFF",
               nullptr, nullptr, nullptr);
  for (const int off :
       {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER,
        SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_WRITABLE_SCHEMA, SQLITE_DBCONFIG_DQS_DML,
        SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_TRUSTED_SCHEMA})
    sqlite3_db_config(database, off, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  const std::pair<int, int> limits[] = {{SQLITE_LIMIT_LENGTH, length_max},
                                        {SQLITE_LIMIT_SQL_LENGTH, 2 * 64 * 1024},
                                        {SQLITE_LIMIT_COLUMN, 64},
                                        {SQLITE_LIMIT_EXPR_DEPTH, 100},
                                        {SQLITE_LIMIT_COMPOUND_SELECT, 50},
                                        {SQLITE_LIMIT_VDBE_OP, 100'000},
                                        {SQLITE_LIMIT_FUNCTION_ARG, 64},
                                        {SQLITE_LIMIT_ATTACHED, 0},
                                        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
                                        {SQLITE_LIMIT_VARIABLE_NUMBER, 1},
                                        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
                                        {SQLITE_LIMIT_WORKER_THREADS, 0}};
  for (const auto& [id, value] : limits) sqlite3_limit(database, id, value);
  add_functions(database, watch);
  // Virtual tables declare themselves when they are first named, which the authorizer would refuse.
  sqlite3_exec(database, "SELECT 1 FROM events, json_each('[]'), json_tree('[]') LIMIT 0", nullptr,
               nullptr, nullptr);
  sqlite3_progress_handler(database, steps_between_looks, look, &watch);
  sqlite3_set_authorizer(database, authorize, &watch);
}

}  // namespace souk::analytics

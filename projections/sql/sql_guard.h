#pragma once
/// What an SQL text may be: checked before SQLite reads it, while it reads it, and while it runs.
///
/// The wall: a statement reads the tables of sql_tables() and nothing else; these are views, and
/// what is behind them (`*_row`, `meta`, SQLite's own) is read by their text alone. It holds by two
/// rules that do not rest on each other: a table behind a view is refused where SQLite reads it for
/// something else than a view of ours, and where its name stands in the text at all.
/// Time and memory: looked at here, so that the answer is in words; what cannot be interrupted ends
/// with the process (sql_process.h).
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "projections/sql/sql.h"

struct sqlite3;

namespace souk::analytics {

/// What watches one query. Outlives the connection.
struct SqlWatch {
  std::chrono::steady_clock::time_point deadline;
  std::int64_t memory_before = 0;
  std::int64_t memory_max = 0;
  std::vector<std::string> expressions;  // the names of the query's common table expressions
  std::set<std::string> words;           // of the query, in small letters, names without quotes
  std::string forbidden;                 // what the authorizer refused first
  bool late = false;
  bool large = false;
  std::string unavailable;  // what the journal said

  /// True, and marks it, once the time is up.
  bool expired();
};

/// Empty, or why this text is not even read: length, NUL bytes, common table expressions that would
/// unfold into more than can be planned, or that stand in for a table of ours. Fills in
/// `expressions` and `words`.
std::string refuse_text(std::string_view sql, SqlWatch& watch);

/// Puts our own functions in the place of those that one call can keep busy for hours. Each is
/// done in time that is linear in its arguments, or looks at the watch.
void add_functions(sqlite3* database, SqlWatch& watch);

/// Limits, authorizer, progress handler and safe functions on a connection that is only this
/// query's.
void guard(sqlite3* database, SqlWatch& watch);

}  // namespace souk::analytics

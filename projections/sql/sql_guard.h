#pragma once
/// What an SQL text may be: checked before SQLite reads it, while it reads it, and while it runs.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "projections/sql/sql_door.h"

struct sqlite3;

namespace souk::analytics {

/// What watches one query. Outlives the connection.
struct SqlWatch {
  std::chrono::steady_clock::time_point deadline;
  std::int64_t memory_before = 0;
  std::int64_t memory_max = 0;
  std::vector<std::string> expressions;  // the names of the query's common table expressions
  std::string forbidden;                 // what the authorizer refused first
  bool late = false;
  bool large = false;
  std::string unavailable;  // what the journal said

  /// True, and marks it, once the time is up.
  bool expired();
};

/// Empty, or why this text is not even read: length, NUL bytes, common table expressions that would
/// unfold into more than can be planned. Puts their names into `expressions`, in small letters.
std::string refuse_text(std::string_view sql, std::vector<std::string>& expressions);

/// Puts our own functions in the place of those that one call can keep busy for hours.
void add_functions(sqlite3* database);

/// Limits, authorizer, progress handler and safe functions on a connection that is only this
/// query's.
void guard(sqlite3* database, SqlWatch& watch);

}  // namespace souk::analytics

#pragma once
/// What the SQL door takes and gives: limits, rows, refusals.
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace souk {

struct SqlLimits {
  std::size_t rows_max = 10'000;  // more are left out, and it is said
  std::int64_t time_ms_max = 5'000;
  std::size_t memory_bytes_max = 256 * 1024 * 1024;  // about
};
// Beyond these the wishes of a caller are cut down.
inline constexpr std::size_t sql_rows_max = 1'000'000;
inline constexpr std::int64_t sql_time_ms_max = 60'000;
inline constexpr std::size_t sql_memory_bytes_max = 1024 * 1024 * 1024;
/// What `run` collects before it says that there was more.
inline constexpr std::size_t sql_result_bytes_max = 32 * 1024 * 1024;
inline constexpr std::size_t sql_text_bytes_max = 64 * 1024;
inline constexpr std::size_t sql_at_once_max = 4;

/// null, an integer, a real, a text. Blobs come as texts of hexadecimal digits.
using SqlCell = std::variant<std::monostate, std::int64_t, double, std::string>;
using SqlRow = std::vector<SqlCell>;

struct SqlSummary {
  std::size_t rows = 0;
  bool truncated = false;  // there were more
  std::string checkpoint;  // of the runner's: the position of all tables but `events`
};
struct SqlResult : SqlSummary {
  std::vector<std::string> columns;
  std::vector<SqlRow> table;
};

struct SqlRefused {
  enum class Kind {
    bad,          // not SQL, or of tables that are not there
    forbidden,    // SQL that this door does not let through
    too_long,     // it took more time than it may
    too_large,    // it took more memory than it may
    failed,       // its process died of it
    busy,         // sql_at_once_max others are running
    unavailable,  // the database or the journal cannot be read
    damaged,      // the database: what it says must not be trusted
  };
  Kind kind = Kind::bad;
  std::string why;
};

/// Where rows go as they come. `row` may end it all by saying false.
struct SqlSink {
  std::function<void(const std::vector<std::string>&)> columns;
  std::function<bool(const SqlRow&)> row;
};

}  // namespace souk

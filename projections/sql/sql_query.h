#pragma once
/// One query, run by SQLite in this process: that of a worker, which may be killed at any moment.
#include <filesystem>
#include <string_view>

#include "events/ids.h"
#include "events/journal/journal.h"
#include "events/result.h"
#include "projections/sql/sql.h"

namespace souk::analytics {

/// The records of a shard from the one that holds `from` to the one that holds `to`, as
/// Journal::scan gives them.
using ScanRecords =
    std::function<Status(ShardId shard, Seq from, Seq to, const Journal::Visit& visit)>;

struct SqlAsk {
  std::filesystem::path database;  // AnalyticsModel::database()
  std::string sql;
  SqlLimits limits = {};
  std::uint32_t shards = 0;
  std::vector<Seq> ends = {};  // by shard: the last event that `events` shows; empty: all
};

/// Limits: sql_text_bytes_max of SQL, one statement, 64 columns, texts up to 1 MiB, a row up to
///         sql_result_bytes_max; SQLite's memory in this process up to `limits.memory_bytes_max`.
///         The time is looked at between steps of SQLite's: the caller keeps a watch of its own.
/// Errors: rows that came before an error have gone to the sink.
/// Thread: one query at a time in a process.
Result<SqlSummary, SqlRefused> run_query(const SqlAsk& ask, const ScanRecords& scan,
                                         const SqlSink& sink);

}  // namespace souk::analytics

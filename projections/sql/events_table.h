#pragma once
/// The journal as a table of SQLite's, `events`: read in pieces, decoded as rows are asked for, and
/// sought by shard, seq, entity, type and the time from which on.
#include <cstdint>
#include <vector>

#include "projections/sql/sql_guard.h"
#include "projections/sql/sql_query.h"

struct sqlite3;

namespace souk::analytics {

struct EventsTable {
  const ScanRecords& scan;
  std::uint32_t shards;
  std::vector<Seq> ends;  // by shard: the last event that is shown; empty: all
  SqlWatch& watch;
};

/// `table` outlives the connection. Returns SQLite's code.
int add_events_table(sqlite3* database, EventsTable& table);

}  // namespace souk::analytics

#pragma once
#include <cstddef>
#include <filesystem>
#include <string_view>

#include "events/result.h"

namespace souk {

/// How a RocksDB write-ahead log ends. Zeros behind the last record are room that was made ahead
/// (events/journal/zero_ahead.h), not an end.
///
///   clean    after its last record.
///   torn     in the middle of one: a write that a kill or a power cut stopped. Every write is
///            synced before the next begins, so the unfinished one is the last and was never
///            acknowledged. Its end, or whole sectors of it, are missing or still zero.
///   damaged  there is more behind the place that cannot be read, or all of the last record is
///            there and its checksum differs: what stands there was once whole and acknowledged.
///
/// A batch record of version 2 ends in a mark without a zero byte (events/batch.h), so its end says
/// whether it was written. One of version 1 may end in zeros: it counts as damaged where a single
/// changed byte explains the checksum, and as torn where zeros stand at its end otherwise.
enum class WalEnd { clean, torn, damaged };

struct WalVerdict {
  WalEnd end = WalEnd::clean;
  std::filesystem::path log;  // none: clean
  std::size_t at = 0;         // the first byte that cannot be read
};

/// RocksDB reads neither of the two apart reliably: it takes a damaged length near the end of a log
/// for a torn end, and zeros for the end of a block.
/// Source: the record format of rocksdb/db/log_format.h, without recycled logs.
WalVerdict wal_end(std::string_view log);

/// The worst end of all logs in `directory`; clean where there is none.
/// Errors: unavailable  a log is there and cannot be read (the disk, its rights, a folder).
Result<WalVerdict, Fault> worst_wal_end(const std::filesystem::path& directory);

}  // namespace souk

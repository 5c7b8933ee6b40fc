#pragma once
#include <filesystem>
#include <string_view>

namespace souk {

/// How a RocksDB write-ahead log ends.
///   clean    after its last record.
///   torn     in the middle of one: a write that a power cut stopped. Every write is synced before
///            the next begins, so the unfinished one is the last and was never acknowledged.
///   damaged  there is more behind the place that cannot be read, so what stands there was once
///            whole and acknowledged.
enum class WalEnd { clean, torn, damaged };

/// RocksDB takes a damaged length near the end of a log for a torn end, and would drop all behind
/// it. This tells the two apart.
/// Source: the record format of rocksdb/db/log_format.h, without recycled logs.
WalEnd wal_end(std::string_view log);

/// The worst end of all logs in `directory`; clean where there is none.
WalEnd worst_wal_end(const std::filesystem::path& directory);

}  // namespace souk

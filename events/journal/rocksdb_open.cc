#include "events/journal/rocksdb_open.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "events/fault_log.h"
#include "events/journal/rocksdb_log.h"
#include "events/journal/rocksdb_manifest.h"
#include "events/journal/wal_tail.h"
#include "events/journal/zero_ahead.h"

namespace souk::journal_engine {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t block_cache_bytes = 8 * 1024 * 1024;

rocksdb::CompressionType first_supported(std::initializer_list<rocksdb::CompressionType> wanted) {
  const auto supported = rocksdb::GetSupportedCompressions();
  for (const auto type : wanted) {
    if (std::find(supported.begin(), supported.end(), type) != supported.end()) return type;
  }
  return rocksdb::kNoCompression;
}

rocksdb::Status try_open(const fs::path& directory, const rocksdb::Options& engine, Access access,
                         std::unique_ptr<rocksdb::DB>& out) {
  rocksdb::DB* raw = nullptr;
  const auto status = access == Access::read_only
                          ? rocksdb::DB::OpenForReadOnly(engine, directory.string(), &raw)
                          : rocksdb::DB::Open(engine, directory.string(), &raw);
  out.reset(raw);
  return status;
}

}  // namespace

Fault fault_of(const char* doing, const rocksdb::Status& status) {
  const std::string what = std::string(doing) + ": " + one_line(status.ToString());
  if (status.IsNoSpace()) return {Fault::Kind::full, what};
  if (status.IsCorruption()) {
    return {Fault::Kind::corrupt,
            what +
                ". Stored bytes are damaged and nothing was changed: restore the directory from "
                "a copy, and look for the cause (disk, memory) before using this machine again"};
  }
  if (status.IsNotSupported()) return {Fault::Kind::unsupported, what};
  return {Fault::Kind::unavailable, what};
}

std::shared_ptr<spdlog::logger> journal_logger() {
  auto log = spdlog::get("journal");
  return log ? log : spdlog::default_logger()->clone("journal");
}

rocksdb::Options engine_options(const RocksDbJournalOptions& options,
                                std::shared_ptr<spdlog::logger> log) {
  rocksdb::Options engine;
  engine.create_if_missing = true;
  engine.env = zero_ahead_env();
  engine.paranoid_checks = true;
  engine.info_log = rocksdb_log(std::move(log), "journal");
  engine.write_buffer_size = options.write_buffer_bytes;
  engine.max_write_buffer_number = 2;
  engine.max_background_jobs = 2;
  engine.max_bgerror_resume_count = 0;  // settle does, once the disk takes files again
  engine.max_open_files = options.open_files_max;
  engine.stats_dump_period_sec = 0;
  // Tables go to the disk little by little: a large write holds up the commits beside it.
  engine.bytes_per_sync = 256 * 1024;
  engine.strict_bytes_per_sync = true;
  // Each shard appends at its own end of the key space: the hint finds it again at once.
  engine.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(shard_bytes));
  engine.allow_concurrent_memtable_write = false;
  engine.compression = first_supported({rocksdb::kLZ4Compression, rocksdb::kZSTD});
  engine.bottommost_compression = first_supported({rocksdb::kZSTD, rocksdb::kLZ4Compression});
  // Nothing is ever written twice: runs are only merged to keep their number small, which costs a
  // third of what levels do.
  engine.compaction_style = rocksdb::kCompactionStyleUniversal;
  engine.level0_file_num_compaction_trigger = 8;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = block_bytes;
  table.block_cache = rocksdb::NewLRUCache(block_cache_bytes);
  table.format_version = 5;
  engine.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return engine;
}

Database open_database(const fs::path& directory, rocksdb::Options engine, Access access,
                       spdlog::logger& log) {
  if (access == Access::read_write) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) return Fault{Fault::Kind::unavailable, "journal directory: " + error.message()};
  }
  const auto judged = worst_wal_end(directory);
  if (!judged) return judged.error();
  const WalVerdict& tail = *judged;
  const std::string where = fmt::format("{} from byte {}", tail.log.filename().string(), tail.at);
  if (tail.end == WalEnd::damaged)
    return fault_of("open the journal", rocksdb::Status::Corruption("cannot be read", where));
  if (const auto whole = check_manifest(directory); !whole)
    return fault_of("open the journal", rocksdb::Status::Corruption(whole.error().what));
  // Behind a torn end there is nothing, so recovery to that point loses nothing.
  engine.wal_recovery_mode = tail.end == WalEnd::torn
                                 ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                 : rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  std::unique_ptr<rocksdb::DB> database;
  const auto status = try_open(directory, engine, access, database);
  if (status.ok() && tail.end == WalEnd::torn)
    log.warn("torn end of the log dropped log=\"{}\"", where);
  if (status.ok() && access == Access::read_write) note_manifest(directory);
  if (status.ok()) return database;
  const std::string text = one_line(status.ToString());
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  if (says("Permission denied") || says("Operation not permitted"))
    return Fault{Fault::Kind::unavailable,
                 "open the journal: " + text +
                     ". This process may not use it: give the folder to the user that runs it "
                     "(chown -R), then start it again"};
  if (status.IsIOError() && says("/LOCK"))
    return Fault{Fault::Kind::locked, "the journal is in use by another process: " + text};
  return fault_of("open the journal", status);
}

}  // namespace souk::journal_engine

#pragma once
/// How the journal's database is opened, and what of it is found damaged; rocksdb_journal.cc reads
/// and writes it.
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <spdlog/logger.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "events/fault_log.h"
#include "events/journal/rocksdb_journal.h"
#include "events/result.h"

namespace souk::journal_engine {

/// Keys are a shard and an offset, big endian.
inline constexpr std::size_t shard_bytes = 2;

/// What RocksDB answered, with the words of who asked.
Fault fault_of(const char* doing, const rocksdb::Status& status);

std::shared_ptr<spdlog::logger> journal_logger();
rocksdb::Options engine_options(const RocksDbJournalOptions& options,
                                std::shared_ptr<spdlog::logger> log);

/// Keeps what was found damaged, and says it once. RocksDB stops all writes where a compaction
/// cannot read a block; but appends need no old block, so they go on and compactions end.
class DamageWatch final : public rocksdb::EventListener {
 public:
  explicit DamageWatch(std::shared_ptr<spdlog::logger> log) : log_(std::move(log)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    const bool unreadable = error->IsCorruption() || (error->IsIOError() && !error->IsNoSpace());
    if (reason != rocksdb::BackgroundErrorReason::kCompaction || !unreadable) return;
    found("a compaction cannot read: " + one_line(error->ToString()));
    *error = rocksdb::Status::OK();
  }
  void found(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (!what_.empty()) return;
    what_ = what;
    any_ = true;
    log_->error(
        "the journal is damaged; appends go on, tables are no longer merged: stop and restore the "
        "data directory from a copy what=\"{}\"",
        what);
  }
  bool any() const { return any_.load(std::memory_order_relaxed); }
  std::string what() const {
    const std::lock_guard lock(mutex_);
    return what_;
  }

 private:
  const std::shared_ptr<spdlog::logger> log_;
  std::atomic<bool> any_{false};
  mutable std::mutex mutex_;
  std::string what_;
};

enum class Access { read_write, read_only };
using Database = Result<std::unique_ptr<rocksdb::DB>, Fault>;

/// A torn end is cut back to the last whole batch, and said; damage anywhere is refused.
Database open_database(const std::filesystem::path& directory, rocksdb::Options engine,
                       Access access, spdlog::logger& log);

}  // namespace souk::journal_engine

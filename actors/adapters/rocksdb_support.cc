#include "actors/adapters/rocksdb_support.h"

#include <fmt/format.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

#include "events/journal/rocksdb_log.h"
#include "events/journal/rocksdb_manifest.h"
#include "events/journal/wal_tail.h"
#include "events/journal/write_probe.h"

namespace souk {
namespace {

bool library_has(rocksdb::CompressionType type) {
  const auto types = rocksdb::GetSupportedCompressions();
  return std::find(types.begin(), types.end(), type) != types.end();
}

bool has_tables_or_logs(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const auto name = at->path().filename().string();
    if (name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST")) {
      return true;
    }
  }
  return false;
}

}  // namespace

rocksdb::Options rocksdb_base_options(const std::filesystem::path& path,
                                      std::size_t block_cache_bytes) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.info_log = rocksdb_log(spdlog::default_logger(), path.string());
  options.max_background_jobs = 2;
  options.max_bgerror_resume_count = 0;  // we do, once the disk takes files again
  options.max_open_files = -1;           // every file's filter and index stay in memory
  options.max_write_buffer_number = 4;
  options.bytes_per_sync = 256 << 10;  // little by little: a large write holds up the journal
  options.strict_bytes_per_sync = true;
  options.compaction_style = rocksdb::kCompactionStyleUniversal;  // written more than read
  options.compression =
      library_has(rocksdb::kLZ4Compression) ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  options.bottommost_compression =
      library_has(rocksdb::kZSTD) ? rocksdb::kZSTD : options.compression;
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;  // what RocksDB 9 writes by default, 7 takes for damaged
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  // Outside the block cache: never evicted, so absence is always answered from memory.
  table.cache_index_and_filter_blocks = false;
  if (block_cache_bytes == 0) {
    table.no_block_cache = true;
  } else {
    table.block_cache = rocksdb::NewLRUCache(block_cache_bytes);
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

RocksdbHandle::RocksdbHandle(const rocksdb::Options& options, const std::filesystem::path& path,
                             std::string_view if_corrupt, Access access, LogEnd log_end)
    : options_(std::make_unique<rocksdb::Options>(options)),
      path_(path),
      if_corrupt_(if_corrupt),
      access_(access),
      log_end_(log_end) {
  options_->listeners.push_back(manifest_noter(path_));
}

RocksdbHandle::~RocksdbHandle() {
  // After a failed write nothing more is asked of its log: RocksDB's assertions end the process.
  // What was acknowledged is on the disk, and the next start looks after the rest.
  if (!db_ || access_ == Access::read_only || broken_) return;
  if (auto status = db_->FlushWAL(true); !status.ok()) {
    spdlog::warn("store closed unsynced store={} why=\"{}\"", path_.string(),
                 one_line(status.ToString()));
    return;
  }
  if (auto status = db_->Close(); !status.ok()) {
    spdlog::warn("store closed badly store={} why=\"{}\"", path_.string(),
                 one_line(status.ToString()));
  }
}

Result<std::unique_ptr<RocksdbHandle>, Fault> RocksdbHandle::open(const rocksdb::Options& options,
                                                                  const std::filesystem::path& path,
                                                                  std::string_view if_corrupt,
                                                                  Access access, LogEnd log_end) {
  std::unique_ptr<RocksdbHandle> handle(
      new RocksdbHandle(options, path, if_corrupt, access, log_end));
  if (access == Access::read_write) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) {
      return Fault{Fault::Kind::unavailable,
                   fmt::format("{}: cannot be created: {}", path.string(), error.message())};
    }
  }
  // Where CURRENT is missing RocksDB would begin anew and delete what it does not know.
  if (!std::filesystem::exists(path / "CURRENT") && has_tables_or_logs(path)) {
    return handle->fault(rocksdb::Status::Corruption("the file CURRENT is missing"), "open");
  }
  if (auto status = handle->open_database(); !status.ok()) return handle->fault(status, "open");
  return handle;
}

/// Behind a torn end there is nothing, so recovery to that point loses nothing.
rocksdb::Status RocksdbHandle::judge_log_end() {
  const auto judged = worst_wal_end(path_);
  if (!judged) return rocksdb::Status::IOError(judged.error().what);
  const WalVerdict& tail = *judged;
  const auto where = fmt::format("{} from byte {}", tail.log.filename().string(), tail.at);
  if (tail.end == WalEnd::damaged) return rocksdb::Status::Corruption("cannot be read", where);
  options_->wal_recovery_mode = tail.end == WalEnd::torn
                                    ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                    : rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  if (tail.end == WalEnd::torn) {
    spdlog::warn("torn end of a log dropped store={} log=\"{}\"", path_.string(), where);
  }
  return rocksdb::Status::OK();
}

rocksdb::Status RocksdbHandle::open_database() {
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  if (log_end_ == LogEnd::judged) {
    if (status = judge_log_end(); !status.ok()) return status;
  }
  if (const auto whole = check_manifest(path_); !whole)
    return rocksdb::Status::Corruption(whole.error().what);
  try {
    status = access_ == Access::read_only
                 ? rocksdb::DB::OpenForReadOnly(*options_, path_.string(), &db)
                 : rocksdb::DB::Open(*options_, path_.string(), &db);
  } catch (const std::exception& e) {
    return rocksdb::Status::IOError("open", e.what());
  }
  db_.reset(db);
  if (status.ok() && access_ == Access::read_write) note_manifest(path_);
  return status;
}

RocksdbHandle::Reader RocksdbHandle::read() {
  std::shared_lock lock(mutex_);
  auto* db = db_.get();
  return {std::move(lock), db};
}

Status RocksdbHandle::write(rocksdb::WriteBatch& batch, Durability durability) {
  if (access_ == Access::read_only) {
    return Fault{Fault::Kind::unsupported, path_.string() + ": it is open for reading only"};
  }
  if (auto sound = mend(); !sound) return sound;
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::synced;
  if (options.sync) count(batch);
  const auto status = db_->Write(options, &batch);  // only this thread ever replaces db_
  if (status.ok()) {
    if (options.sync) counted();
    return Done{};
  }
  broken_ = true;
  last_fault_ = fault(status, "write");
  next_recovery_ = std::chrono::steady_clock::now() + recovery_interval;
  writes_fail_.failed(fmt::format("what=\"{}\"", last_fault_.what));
  return last_fault_;
}

Status RocksdbHandle::mend() { return broken_ ? recover() : Status(Done{}); }

Status RocksdbHandle::rotate_log() {
  if (broken_) return last_fault_;
  auto status = db_->FlushWAL(true);
  if (status.ok()) {
    rocksdb::FlushOptions flush;
    flush.wait = false;
    flush.allow_write_stall = true;
    status = db_->Flush(flush);
  }
  if (status.ok()) return Done{};
  broken_ = true;
  last_fault_ = fault(status, "rotate the log");
  writes_fail_.failed(fmt::format("what=\"{}\"", last_fault_.what));
  return last_fault_;
}

Status RocksdbHandle::recover() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_recovery_) return last_fault_;
  next_recovery_ = now + recovery_interval;
  // To close it ends its reads: only where it can be opened again.
  if (const auto probe = probe_write(path_); !probe.ok()) {
    last_fault_ = {probe.error().kind, probe.error().what + "; it is tried again by itself"};
    return last_fault_;
  }
  // A merge of files met a damaged block, and would at each opening: what can be read is merged no
  // more, and writing goes on.
  if (last_fault_.kind == Fault::Kind::corrupt) options_->disable_auto_compactions = true;
  auto status = reopen();
  if (!status.ok()) {
    last_fault_ = fault(status, "recover");
    return last_fault_;
  }
  broken_ = false;
  writes_fail_.passed();
  spdlog::info("store recovered store={}", path_.string());
  return Done{};
}

rocksdb::Status RocksdbHandle::reopen() {
  const std::unique_lock lock(mutex_);
  // Not DB::Resume: it says ok where the log's file is still the one that a write failed on, and
  // the next sync of it aborts the process.
  // A stand-in holds no lock on the store, so it can stay open meanwhile.
  auto stand_in = stands_in_ ? std::move(db_) : nullptr;
  db_.reset();
  const auto status = open_database();
  stands_in_ = !status.ok();
  if (status.ok() || !stand_in) ++generation_;
  if (status.ok()) return status;
  db_ = std::move(stand_in);
  rocksdb::DB* reader = nullptr;
  if (!db_ && rocksdb::DB::OpenForReadOnly(*options_, path_.string(), &reader).ok())
    db_.reset(reader);
  return status;
}

Fault RocksdbHandle::fault(const rocksdb::Status& status, std::string_view action) const {
  const auto text = one_line(status.ToString());
  const bool opening = action == "open";  // at the start: it is not tried again
  auto kind = Fault::Kind::unavailable;
  std::string advice = opening
                           ? "look at the disk and the kernel's log, then start it again"
                           : "look at the disk and the kernel's log; it is tried again by itself";
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  if (status.IsNoSpace()) {
    kind = Fault::Kind::full;
    advice = opening ? "the disk is full: free some space, then start it again"
                     : "the disk is full: free some space, writing resumes by itself";
  } else if (says("Permission denied") || says("Operation not permitted")) {
    advice =
        "this process may not use it: give the folder to the user that runs it (chown -R), then "
        "start it again";
  } else if (opening && (says("No such file or directory") || says("Not a directory") ||
                         says("Is a directory"))) {
    kind = Fault::Kind::corrupt;  // a file that others name is gone, or something else is there
    advice = if_corrupt_;
  } else if (status.IsCorruption()) {
    kind = Fault::Kind::corrupt;
    advice = if_corrupt_;
  } else if (says("lock hold by") || says("While lock file")) {
    kind = Fault::Kind::locked;
    advice = "another process has it open: stop that one first";
  } else if (status.IsNotSupported() || status.IsInvalidArgument()) {
    kind = Fault::Kind::unsupported;
    advice = "it may have been written by a newer version: run that one";
  }
  if (kind == Fault::Kind::corrupt) damaged_ = true;
  return {kind, fmt::format("{}: {}: {}; {}", path_.string(), action, text, advice)};
}

Fault RocksdbHandle::away() const {
  return {Fault::Kind::unavailable,
          path_.string() + ": it is closed since the disk failed; it is opened again by itself"};
}

}  // namespace souk

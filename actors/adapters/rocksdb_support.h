#pragma once
/// What the RocksDB adapters of the ports share: opening, faults in words, recovery from a disk
/// that failed, and the byte order of keys. RocksDB's own headers stay in the .cc files.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "actors/adapters/store_binding.h"
#include "events/fault_log.h"
#include "events/result.h"

namespace rocksdb {
class DB;
class Status;
class WriteBatch;
struct Options;
}  // namespace rocksdb

namespace souk {

/// Options that all stores of the ports have in common: LZ4 above ZSTD where the library has them,
/// full Bloom filters (10 bits a key) and indexes of every file held in memory, warnings to spdlog.
rocksdb::Options rocksdb_base_options(const std::filesystem::path& path,
                                      std::size_t block_cache_bytes);

/// One RocksDB instance that comes back after its disk failed.
///
/// Lifecycle: open -> writes; a failed write breaks it; each later write first tries (at most every
///            `recovery_interval`) to resume and, where that does not help and the disk takes files
///            again, to reopen it. Reads go on meanwhile, from what is open, or from a stand-in
///            that is open for reading only.
/// Invariant: while it is broken nothing is written, so what was acknowledged stays a prefix.
/// Thread: `read` any; `write` one caller at a time.
class RocksdbHandle {
 public:
  enum class Access { read_write, read_only };
  enum class Durability { synced, buffered };  // buffered: handed to the kernel, survives a kill
  /// What a log that ends badly means. `cut`: whatever follows the place is dropped, and the store
  /// is older. `judged`, where each write is synced: as for the journal, an end that was never
  /// acknowledged is dropped, with a warning, and damage is refused.
  enum class LogEnd { cut, judged };

  /// `if_corrupt` ends the message of a corrupt fault: what an operator can do.
  /// Errors: locked, corrupt, full, unsupported (a newer format), unavailable.
  static Result<std::unique_ptr<RocksdbHandle>, Fault> open(const rocksdb::Options& options,
                                                            const std::filesystem::path& path,
                                                            std::string_view if_corrupt,
                                                            Access access = Access::read_write,
                                                            LogEnd log_end = LogEnd::cut);
  ~RocksdbHandle();

  /// Checks that the store is the directory's and neither older than the journal nor newer, and
  /// from then on counts each synced write. Opened for reading only, it checks.
  /// Errors: mismatch, with what to do; corrupt; those of write.
  Status bind(const StoreBinding& binding);

  /// Whether it holds nothing at all. Errors: corrupt, unavailable.
  Result<bool, Fault> empty();

  /// The open database for as long as the guard lives; null while the disk is away.
  struct Reader {
    std::shared_lock<std::shared_mutex> lock;
    rocksdb::DB* db = nullptr;
  };
  Reader read();

  /// Errors: unsupported where it is open for reading only. After any other error it is unknown
  /// whether the batch is there.
  Status write(rocksdb::WriteBatch& batch, Durability durability);
  /// Whoever writes by what it has read calls this before it reads: where a write failed the store is
  /// opened anew, and then shows whether that one is there. Errors: those of write. Thread: as write.
  Status mend();
  /// A write failed, and none has succeeded since. Thread: any.
  bool failing() const { return writes_fail_.failing(); }
  /// Damage was met since it was opened, by a read, a merge of files or a scrub. Thread: any.
  bool damaged() const { return damaged_; }
  /// Reads on through all of it, from where the call before stopped, about `bytes`, and holds each
  /// block against its checksum. True: it has come to the end, and begins anew.
  /// Errors: corrupt, which is logged; the pass ends there. unavailable.
  /// Thread: one.
  Result<bool, Fault> scrub(std::size_t bytes);
  /// Closes the current log file durably and starts another, so that no write can survive in the
  /// new file while one before it is lost in the old one.
  Status rotate_log();
  /// Counts openings, also of a stand-in: what a caller remembers of the contents is stale when it
  /// has changed. It does not change while a Reader lives. Thread: any.
  std::uint64_t generation() const { return generation_; }

  /// `status`, which must not be ok, in an operator's words.
  Fault fault(const rocksdb::Status& status, std::string_view action) const;
  /// For a Reader without a database.
  Fault away() const;

 private:
  RocksdbHandle(const rocksdb::Options& options, const std::filesystem::path& path,
                std::string_view if_corrupt, Access access, LogEnd log_end);
  rocksdb::Status open_database();
  rocksdb::Status judge_log_end();
  Result<std::optional<StoreAnchor>, Fault> stored_anchor();
  void count(rocksdb::WriteBatch& batch);
  void counted();
  Status recover();
  rocksdb::Status reopen();

  static constexpr std::chrono::milliseconds recovery_interval{250};
  std::unique_ptr<rocksdb::Options> options_;
  std::filesystem::path path_;
  std::string if_corrupt_;
  Access access_;
  LogEnd log_end_;
  std::shared_mutex mutex_;  // exclusive while db_ is replaced
  std::unique_ptr<rocksdb::DB> db_;
  // The writer's own.
  StoreBinding binding_;
  StoreAnchor anchor_;  // as of the newest write that was tried
  bool broken_ = false;
  bool stands_in_ = false;  // db_ is open for reading only, as the disk takes no writes
  FaultLog writes_fail_{"store write failed"};
  Fault last_fault_;
  std::chrono::steady_clock::time_point next_recovery_{};
  std::atomic<std::uint64_t> generation_{1};
  mutable std::atomic<bool> damaged_{false};
  std::string scrubbed_to_;  // the key at which the next scrub goes on
};

/// Big endian, so that keys sort by number.
inline void append_u16_be(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}
template <class T>
void append_le(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff));
  }
}
/// REQUIRES: `bytes` has at least sizeof(T) bytes.
template <class T>
T read_le(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return static_cast<T>(value);
}
/// The first key after all that begin with `prefix`. REQUIRES: not all of its bytes are 0xff.
inline std::string after_prefix(std::string prefix) {
  while (static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace souk

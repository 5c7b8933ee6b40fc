#pragma once
/// The state store on RocksDB. A cache beside the journal: it may be deleted and is rebuilt.
///
///   key                                        value
///   's' shard(u16 BE) kind(u8) id              u64 LE seq, u32 LE check, state bytes
///   'a' shard(u16 BE) kind(u8) id              empty: the entity is active; no key: idle
///   'c' shard(u16 BE)                          u64 LE seq, chain, epoch, time_ms; u32 LE check
///   "directory"                                whose it is: events/journal/anchor.h
///   "rules"                                    u32 LE: the version of the rules that made the states
///
/// check: the low 32 bits of XXH3-64 over (key, all of the value but the check).
/// Embedded on disk: do not change.
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "actors/adapters/rocksdb_expired_states.h"
#include "actors/adapters/rocksdb_support.h"
#include "actors/ports/state_store.h"
#include "actors/states/rules_version.h"

namespace souk {

class RocksdbStateStore final : public StateStore {
 public:
  struct Options {
    std::filesystem::path path;                // made where it is not there
    std::size_t block_cache_bytes = 64 << 20;  // of uncompressed data blocks
    std::size_t log_bytes = 16 << 20;          // a log file (and a memtable) is closed beyond
    std::optional<StoreBinding> binding = {};  // none: it is of no directory (tests)
  };

  /// Errors: mismatch (another directory's); locked, corrupt, full, unsupported, unavailable.
  static Result<std::unique_ptr<RocksdbStateStore>, Fault> open(const Options& options);
  /// A file that damage found while the store was open leaves in its folder: there may be more, so
  /// the next start folds all states anew.
  static constexpr std::string_view damage_note = "souk-damaged";
  /// Of the rules that made its states; a store that was empty is of this program's.
  std::uint32_t rules() const { return rules_; }
  /// Of now, and since it was opened. Thread: any.
  bool failing() const { return database_->failing(); }
  bool damaged() const { return damage_noted_; }
  /// RocksdbHandle::scrub.
  Result<bool, Fault> scrub(std::size_t bytes);
  /// For `souk verify`: changes nothing on disk, `put` answers unsupported.
  static Result<std::unique_ptr<RocksdbStateStore>, Fault> open_read_only(const Options& options);

  /// A prefix of all puts survives a power cut, also across log files: a file is synced before the
  /// next one takes its first write. All of them survive a kill of the process.
  /// Thread: any; puts queue behind one another, and one in `log_bytes` waits for the disk.
  Status put(const std::vector<StateWrite>& states,
             const std::optional<std::pair<ShardId, Checkpoint>>& checkpoint,
             std::uint64_t generation) override;
  std::uint64_t generation() const override { return database_->generation(); }
  /// Where::memory: from memtables, filters, indexes and cached blocks only. Absence is answered
  /// from memory but for one in a hundred (the filters' false positives: on_disk).
  Result<Found, Fault> get(ShardId shard, const EntityKey& entity, Where where) override;
  Result<Checkpoint, Fault> checkpoint(ShardId shard) override;
  Result<std::vector<EntityKey>, Fault> active(ShardId shard) override;
  Status each(ShardId shard,
              const std::function<bool(const EntityKey&, StoredState)>& visit) override;

 private:
  /// The newest time of the log that a checkpoint told, and the filter that goes by it.
  struct Expiry {
    std::atomic<std::int64_t> log_time_ms{0};
    std::unique_ptr<rocksdb::CompactionFilter> filter;
    Expiry();
    ~Expiry();
  };
  RocksdbStateStore(std::unique_ptr<Expiry> expiry, std::unique_ptr<RocksdbHandle> database,
                    const Options& options, RocksdbHandle::Access access);
  static Result<std::unique_ptr<RocksdbStateStore>, Fault> open_as(const Options& options,
                                                                   RocksdbHandle::Access access);
  void mark(const StateWrite& write, rocksdb::WriteBatch& batch);
  Status reload_marks();
  Status load_rules(bool empty);
  /// Leaves a note in the folder where `fault` is damage.
  Fault noted(Fault fault);
  /// Answers whether to go on.
  using VisitKey = std::function<Result<bool, Fault>(std::string_view key, std::string_view value)>;
  Status visit_keys(char tag, std::optional<ShardId> shard, const VisitKey& visit);

  const std::filesystem::path path_;
  std::unique_ptr<Expiry> expiry_;  // outlives the database
  std::unique_ptr<RocksdbHandle> database_;
  const std::size_t log_bytes_;
  std::atomic<bool> damage_noted_;  // or never to be, as it is open for reading only
  std::mutex write_mutex_;          // guards what follows
  // What is marked 'a' on disk, so that an idle state needs no delete. The engine holds every
  // active entity in memory anyway.
  std::unordered_map<std::uint16_t, std::unordered_set<EntityKey>> active_;
  std::uint64_t marks_generation_ =
      0;                      // of the database when active_ was loaded; 0: never, or stale
  bool marks_known_ = false;  // false: damaged; each idle state takes its mark away, there or not
  std::size_t bytes_in_log_ = 0;
  std::uint32_t rules_ = rules_version;
};

}  // namespace souk

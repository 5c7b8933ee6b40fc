#pragma once
/// The vault on libsodium and a RocksDB of its own.
///
///   key                                value
///   'k' shard(u16 BE) kind(u8) id      u8 1, then the 32 bytes of the key; or u8 2: destroyed.
///                                      Of two nodes that each made one: both, ascending
///   'n' shard(u16 BE) kind(u8) id      empty: a key that no recorded command is known to need
///   'p' shard(u16 BE) kind(u8) id      empty: a destroyed key whose bytes may still be in a file
///   'c', 'e', 'w', 'b'                 what a cluster's nodes know of each other's keys:
///                                      sodium_shared_keys.h
///   's'                                the directory's secret: 16 bytes (SipHash), 32 (BLAKE2b)
///   "directory"                        whose it is: events/journal/anchor.h
///
/// Sealed bytes: nonce (24, random), then ciphertext and tag; the person's kind and id are
/// authenticated with them. Embedded on disk and in the log: do not change.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "actors/adapters/key_cache.h"
#include "actors/adapters/rocksdb_support.h"
#include "actors/ports/vault.h"

namespace souk {

/// What destroying promises. When `destroy` returns, a synced record says that the key is
/// destroyed: it is in no cache, is never used again, also after a crash, and the person never gets
/// another
/// (`ensure` is ok and does nothing, `seal` is unavailable, `open` finds nothing). Right after that
/// a thread of the vault rewrites the files that hold the key's bytes and deletes the old ones; a
/// crash before that is made up for at the next start. `wait_until_purged` waits for it.
/// Not promised: that the disk has overwritten the freed blocks, and that copies of the folder made
/// before (backups) forget the key: keep those apart from copies of the log, and for a short time.
class SodiumVault final : public Vault {
 public:
  struct Options {
    std::filesystem::path path;                // made where it is not there
    std::size_t cached_keys_max = 64 * 1024;   // some 200 bytes each
    std::optional<StoreBinding> binding = {};  // none: it is of no directory (tests)
    /// A secret that is not there is made, or missed: by then other stores rest on it.
    enum class Secret { made, required } secret = Secret::made;
    /// What a cluster shares (secret_file.h). A new directory takes it, one that has another refuses
    /// to open. None: the directory's own, made at random when the directory is.
    std::optional<std::string> given_secret = std::nullopt;
  };
  /// Errors: mismatch (another directory's, older than the journal, or without its secret); locked,
  ///         corrupt, full, unsupported, unavailable.
  static Result<std::unique_ptr<SodiumVault>, Fault> open(const Options& options);
  /// For `souk verify`: writes nothing, makes nothing, purges nothing.
  static Result<std::unique_ptr<SodiumVault>, Fault> open_read_only(const Options& options);
  ~SodiumVault() override;

  /// REQUIRES of every person: a kind whose id has 16 bytes (user, cart, order).
  Status ensure(const std::vector<PersonId>& persons) override;
  Result<Sealed, Fault> seal(const PersonId& person, std::string_view plain) override;
  /// Empty sealed bytes open to an empty text. Errors also: corrupt where this vault has lost the
  /// person's key.
  Result<std::optional<std::string>, Fault> open(const PersonId& person,
                                                 const Sealed& sealed) override;
  Status settle(const PersonId& person, KeyVerdict verdict) override;
  std::vector<PersonId> unsettled() override;
  Status destroy(const std::vector<PersonId>& persons) override;
  std::uint64_t keyed_hash(std::string_view bytes) const override;
  Id128 keyed_hash128(std::string_view purpose, std::string_view bytes) const override;

  /// Keys cannot be written; it is tried again by itself. Thread: any.
  bool failing() const { return database_->failing(); }
  bool damaged() const { return database_->damaged(); }
  /// RocksdbHandle::scrub.
  Result<bool, Fault> scrub(std::size_t bytes) { return database_->scrub(bytes); }
  /// True once the bytes of every key destroyed so far are in no file of the folder.
  bool wait_until_purged(std::chrono::milliseconds at_most);

 private:
  friend class SharedKeys;
  SodiumVault(std::unique_ptr<RocksdbHandle> database, std::size_t cached_keys_max);
  enum class KeyState { none, present, destroyed };
  Result<KeyState, Fault> find_key(const PersonId& person, PersonKey& key);
  Result<KeyState, Fault> read_key(const PersonId& person, PersonKey& key);
  Result<KeyState, Fault> read_keys(const PersonId& person, std::vector<PersonKey>& keys);
  static Result<std::unique_ptr<SodiumVault>, Fault> open_as(const Options& options,
                                                             RocksdbHandle::Access access);
  Status load_secret(const Options& options);
  Status find_doomed(const std::vector<PersonId>& persons, std::vector<PersonId>& doomed);
  Status load_unsettled();
  void forget_marks(rocksdb::WriteBatch& batch);
  void want_purge();
  void purge_loop();
  void try_disk();
  Status purge();
  Status compact(const std::vector<std::string>& marks);

  static constexpr std::chrono::seconds purge_retry{5};
  static constexpr std::chrono::seconds disk_retry{1};
  std::unique_ptr<RocksdbHandle> database_;
  KeyCache cache_;
  std::mutex write_mutex_;  // one writer; also makes ensure's read and write one step
  struct Unsettled {
    std::uint32_t commands = 0;  // of this run, that are not over
    bool left_over = false;      // a former run's commands are unknown
  };
  std::unordered_map<PersonId, Unsettled> unsettled_;  // under write_mutex_, as the next
  std::vector<PersonId> settled_;                      // whose marks are on the disk still
  std::array<unsigned char, 16> hash_key_{};
  std::array<unsigned char, 32> wide_hash_key_{};

  std::mutex purge_mutex_;
  std::condition_variable purge_changed_;
  std::uint64_t purges_wanted_ = 1;  // the first one is what a crash left
  std::uint64_t purges_done_ = 0;
  bool stopping_ = false;
  std::thread purger_;
};

}  // namespace souk

#pragma once
/// A vault's keys as one of the copies that the nodes of a cluster have. What a vault knows of a person
/// only grows, in this order: nothing, keys (one; more where nodes made one each before they heard of
/// the other's), destroyed. So copies that exchange what they know end equal, in whatever order, and a
/// destroyed key comes back from nowhere.
///
/// In the vault's store, beside what sodium_vault.h draws:
///
///   'c' shard(u16 BE) kind(u8) id      empty: no other node is known to have this key
///   'e' shard(u16 BE) kind(u8) id      a destroyed key that not all nodes have confirmed:
///                                      since (i64 LE, Unix ms), then names: length (u8), bytes
///   'w' name                           empty: a node that may have keys
///   'b'                                empty: of each key without 'c' there is a copy elsewhere
///
/// Embedded on disk: do not change.
#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "actors/adapters/sodium_vault.h"

namespace souk {

/// Of persons: by the third byte of their id, which is random or a hash.
inline constexpr std::size_t key_buckets = 256;

enum class KeyClass : std::uint8_t { destroyed = 0, present = 1 };

/// A sum for each bucket and class over what is known of its persons, keyed with the cluster's secret:
/// equal where two vaults know the same, but for a chance of 2^-64.
struct KeyDigests {
  std::array<std::array<std::uint64_t, key_buckets>, 2> sums{};
  bool operator==(const KeyDigests&) const = default;
};

/// What one vault tells another of a person.
struct KeyRecord {
  PersonId person;
  /// The keys, sealed with a key that all who have the secret derive from it: nonce, ciphertext and
  /// tag, as any sealed bytes. Empty: destroyed.
  std::string wrapped;
};

/// A part of a bucket, in the order of the store: behind `after`, up to and with `to`.
struct KeyRange {
  KeyClass what = KeyClass::destroyed;
  std::uint8_t bucket = 0;
  std::string after = {};  // empty: from the beginning. Else what a range or a page ended at
  std::string to = {};     // empty: to the end
};

/// A destroyed key, and who has not confirmed that it is destroyed there too.
struct Erasure {
  PersonId person;
  std::int64_t since_ms = 0;       // Unix ms: when it was destroyed here
  std::vector<std::string> nodes;  // ascending
};

/// REQUIRES: while it lives, nobody calls ensure, settle or destroy of the vault itself.
/// Errors of all: unavailable, full: whether it was written is not known; ask again. corrupt.
/// Thread: any; what is not const blocks for the disk.
class SharedKeys {
 public:
  /// Reads all keys once, for the digests. Keys that a
  /// former run left unsettled are settled as recorded.
  static Result<std::unique_ptr<SharedKeys>, Fault> open(SodiumVault& vault);
  ~SharedKeys();
  SharedKeys(const SharedKeys&) = delete;
  SharedKeys& operator=(const SharedKeys&) = delete;

  // ---- keys ----

  enum class Copies : std::uint8_t { wanted, not_wanted };
  /// Vault::ensure, but that a new key is settled at once: others may use it from now on. `wanted`: a
  /// new key is marked as uncopied in the same write, and so is one without a mark while !all_copied().
  /// Returns those of `persons` that are marked. `not_wanted`: marks none, and all_copied() is over.
  Result<std::vector<PersonId>, Fault> ensure(const std::vector<PersonId>& persons, Copies copies);
  /// Whether `ensure` would return anything. Writes nothing.
  Result<bool, Fault> needs_copies(const std::vector<PersonId>& persons);
  /// Another node has these keys: the marks go, with the next write at the latest.
  void copied(const std::vector<PersonId>& persons);
  bool is_uncopied(const PersonId& person) const;
  std::vector<PersonId> uncopied() const;
  bool all_copied() const;
  /// REQUIRES: each key without a mark has been in a vault elsewhere.
  Status set_all_copied();
  Result<SodiumVault::KeyState, Fault> state(const PersonId& person);

  // ---- erasing ----

  /// Vault::destroy, but that each person gets a tombstone, also where no key is here: it may be on
  /// its way. Each that is new is unconfirmed by `nodes`. One write.
  Status destroy(const std::vector<PersonId>& persons, std::int64_t now_ms,
                 const std::vector<std::string>& nodes);
  /// All that are unconfirmed by anyone, in the order of the store, at most `erasures_max`.
  Result<std::vector<Erasure>, Fault> unconfirmed(std::size_t erasures_max);
  Status confirm(const std::string& node, const std::vector<PersonId>& persons);
  /// The node's vault had these digests: where they are equal to ours it has confirmed all. Returns the
  /// buckets that are equal in both classes.
  Result<std::bitset<key_buckets>, Fault> confirm_equal(const std::string& node,
                                                        const KeyDigests& theirs);
  /// Nodes that may have keys, ascending. A node is told of no key before it is among them.
  std::vector<std::string> nodes() const;
  Status add_node(const std::string& node);
  /// Its directory is gone, by an operator's word: nothing waits for its confirmation any more.
  Status forget_node(const std::string& node);

  // ---- exchange ----

  KeyDigests digests() const;
  /// A keyed hash: equal on all nodes that have the secret.
  std::uint64_t secret_check() const;
  /// What is known of each person now. Those of whom nothing is known are left out.
  Result<std::vector<KeyRecord>, Fault> records(const std::vector<PersonId>& persons);
  struct Merged {
    std::size_t news = 0;              // that changed anything here
    std::vector<PersonId> dead;        // whose keys came, and are destroyed here
    std::vector<PersonId> tombstones;  // that came, whether new or not
  };
  /// Takes over what another vault knows: durable when it returns, one write. Tombstones that are new
  /// are unconfirmed by `nodes`.
  /// Errors also: mismatch: wrapped with another secret, or damaged; nothing was taken.
  Result<Merged, Fault> merge(const std::vector<KeyRecord>& records, std::int64_t now_ms,
                              const std::vector<std::string>& nodes);
  struct Prints {
    std::vector<std::uint64_t> prints;  // ascending
    std::string to;                     // where they end; empty: at the end of the range
  };
  /// A keyed hash of what is known of each person of the range, at most `prints_max`.
  Result<Prints, Fault> prints(const KeyRange& range, std::size_t prints_max);
  struct Page {
    std::vector<KeyRecord> records;
    std::string to;  // as above
  };
  /// What is known of those whose print is not in `without`, which is ascending; some `bytes_max` of it.
  Result<Page, Fault> page(const KeyRange& range, const std::vector<std::uint64_t>& without,
                           std::size_t bytes_max);

 private:
  explicit SharedKeys(SodiumVault& vault) : vault_(vault) {}
  struct Batch;
  Status load();
  Status begin_write();
  std::uint64_t print(const PersonId& person, std::string_view value) const;
  Result<std::vector<std::string>, Fault> values(char tag,
                                                 const std::vector<PersonId>& persons) const;
  std::string wrap(const PersonId& person, std::string_view value) const;
  Result<std::string, Fault> unwrap(const KeyRecord& record) const;
  void put(Batch& batch, const PersonId& person, std::string_view before,
           std::string_view after) const;
  void put_tombstone(Batch& batch, const PersonId& person, std::string_view before,
                     std::int64_t now_ms, const std::vector<std::string>& nodes) const;
  Status write(Batch& batch);
  Status confirm_some(const std::string& node, const std::vector<PersonId>& persons);
  Status confirm_where(const std::string& node, const std::bitset<key_buckets>& buckets,
                       std::unique_lock<std::mutex>& writing);

  SodiumVault& vault_;
  std::array<unsigned char, 32> wrap_key_{};
  mutable std::mutex mutex_;  // what follows; taken under the vault's write_mutex_, never around it
  KeyDigests digests_;
  std::unordered_set<PersonId> uncopied_;
  std::vector<PersonId> copied_;                // whose marks are on the disk still
  std::map<std::string, std::uint64_t> waits_;  // of a node: erasures that it has not confirmed
  std::set<std::string> nodes_;
  bool all_copied_ = false;
  bool stale_ = false;  // a write failed: what is above is read anew
};

}  // namespace souk

#pragma once
/// The keys of persons on every node of a cluster. Any node serves any client and shards move, so each
/// node has all keys; each of them is a copy (actors/adapters/sodium_shared_keys.h).
///
///   V1  *A key is on two nodes before anything is sealed with it.* `ensure` returns ok when the key is
///       durable here and on `copies_wanted` others, or on all others where there are fewer: a cluster
///       of one node waits for nobody. Where so many are not up, it is refused at once (unavailable)
///       for those who have no key yet; whose key has its copies needs nobody. So nothing that was
///       acknowledged becomes unreadable when one node dies; the price is that a cluster of two takes
///       no new personal data while one is down (`copies_wanted = 0` says the opposite).
///   V2  *A destroyed key never comes back.* A tombstone dominates keys in every exchange, stays for
///       ever, and a peer hears of all tombstones before it is told of any key. A node that comes back
///       with an old copy of its directory reads what it had until its first link is up, no longer.
///   V3  *Who has not erased yet is known*: `unconfirmed`, durable, on each node that has the
///       tombstone. It names nodes that may have keys: members, and whoever has been up since the
///       directory was made, until `forget`.
///   V4  *A key that a refused command left stays*: another node may have sealed with it meanwhile. It
///       is 33 bytes and opens nothing. So `settle` does nothing, and nothing is unsettled.
///   V5  *A key that is not here may be elsewhere*: `open` is unavailable, and asks, until all others
///       have said that they do not have it; then it is corrupt, as of one node.
///   V6  *An erasure is on two nodes before it is answered*, where another one takes keys and says so in
///       time; else it is on this one, and stands in `unconfirmed`. It is never refused for that: the
///       key is gone here, and who asked cannot do more than ask again.
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "cluster/keys/key_exchange.h"

namespace souk::cluster {

/// Lifecycle: open; the vault and the peers outlive it; `close` (or the destructor) before either ends.
/// Thread: ensure, destroy, unconfirmed and forget block for the disk, ensure and destroy also for other
///         nodes, at most `ack_timeout_ms` and `erased_timeout_ms`. seal and open wait for no node. up, down, received and tick never
///         block: a thread of its own does what they ask for.
class ReplicatedVault final : public Vault, private KeyNews {
 public:
  enum class Drive : std::uint8_t { own_thread, by_hand };  // by hand: by `step`, for tests
  struct Options {
    std::string node;  // the name of this one
    std::size_t copies_wanted = 1;
    std::int64_t ack_timeout_ms = 3'000;      // of the clock that `tick` brings
    std::int64_t erased_timeout_ms = 2'000;   // V6; 0: waits for nobody
    std::int64_t now_ms = 0;                  // Unix ms, until the first tick
    std::size_t inbox_bytes_max = 32 << 20;   // frames beyond are dropped: peers send them again
    std::size_t missing_persons_max = 4'096;  // that are asked for at a time
    KeyExchangeLimits limits = {};
    Drive drive = Drive::own_thread;
  };
  /// Reads all keys once. Errors: those of SharedKeys.
  static Result<std::unique_ptr<ReplicatedVault>, Fault> open(SodiumVault& vault, KeyPeers& peers,
                                                              Options options);
  ~ReplicatedVault() override;
  /// Who waits in `ensure` hears unavailable; nothing is sent any more.
  void close();

  // ---- Vault ----

  /// V1. Errors also: unavailable: no copy could be made in time. The key is here then, and is used
  /// once a copy is made.
  Status ensure(const std::vector<PersonId>& persons) override;
  Status settle(const PersonId& person, KeyVerdict verdict) override;
  std::vector<PersonId> unsettled() override { return {}; }
  Result<Sealed, Fault> seal(const PersonId& person, std::string_view plain) override;
  Result<std::optional<std::string>, Fault> open(const PersonId& person,
                                                 const Sealed& sealed) override;
  /// V6. A tombstone for each person, whether or not a key is here.
  Status destroy(const std::vector<PersonId>& persons) override;
  std::uint64_t keyed_hash(std::string_view bytes) const override;
  Id128 keyed_hash128(std::string_view purpose, std::string_view bytes) const override;

  // ---- what the links bring ----

  /// Of a link: up, received..., down, in this order; then again. Thread: any, one at a time.
  void up(const std::string& node);
  void down(const std::string& node);
  void received(const std::string& node, std::string_view frame);
  /// Each 20 to 200 ms. Units: Unix ms; a clock that is set back delays, and harms nothing.
  void tick(std::int64_t now_ms);
  /// With Drive::by_hand: does one thing of what was brought; false: there is none.
  bool step();

  // ---- for operators ----

  /// V3, in the order of the store, at most `erasures_max`. A node may still stand here for some
  /// `summary_ms` after it has erased.
  Result<std::vector<Erasure>, Fault> unconfirmed(std::size_t erasures_max = 1'000);
  /// The node has left for good and its directory is gone.
  Status forget(const std::string& node);
  /// Keys that are on this node alone, as far as it knows.
  std::size_t uncopied() const { return keys_->uncopied().size(); }

 private:
  struct Up {
    std::string node;
  };
  struct Down {
    std::string node;
  };
  struct Frame {
    std::string node;
    std::string bytes;
  };
  struct Tick {
    std::int64_t now_ms;
  };
  struct Push {
    std::vector<PersonId> persons;
  };
  struct Ask {
    PersonId person;
  };
  using Work = std::variant<Up, Down, Frame, Tick, Push, Ask>;
  struct Missing {
    std::set<std::string> unanswered;
    std::int64_t asked_ms = 0;
  };

  ReplicatedVault(SodiumVault& vault, KeyPeers& peers, Options options,
                  std::unique_ptr<SharedKeys> keys);
  std::vector<std::string> others() override;
  void ready(const std::string& node, bool is_ready) override;
  void acked(const std::string& node, const std::vector<PersonId>& persons) override;
  void erased(const std::string& node, const std::vector<PersonId>& persons) override;
  void told(const std::string& node, const std::vector<PersonId>& absent,
            const std::vector<PersonId>& found) override;
  void enqueue(Work&& work);
  void run();
  void work(Work& work);
  Fault missing(const PersonId& person, const Fault& lost);
  Fault not_copied(std::size_t wanted) const;
  std::size_t copies_needed();

  static constexpr std::int64_t ask_again_ms = 60'000;  // of what nobody had
  SodiumVault& vault_;
  KeyPeers& peers_;
  const Options options_;
  const std::unique_ptr<SharedKeys> keys_;
  KeyExchange exchange_;  // the thread's own

  mutable std::mutex mutex_;                               // what follows
  std::condition_variable work_changed_, copies_changed_;  // the latter: of keys and erasures
  std::deque<Work> inbox_;
  std::size_t inbox_bytes_ = 0;
  std::int64_t now_ms_;
  std::set<std::string> ready_;
  std::unordered_map<PersonId, std::set<std::string>> acks_;  // of those that are uncopied
  std::unordered_map<PersonId, Missing> missing_;
  std::unordered_map<PersonId, std::size_t> erasing_;  // who waits for another node to say so
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace souk::cluster

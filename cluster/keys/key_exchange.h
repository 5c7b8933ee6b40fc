#pragma once
/// What this node says to each node that is up, so that all end with the same keys and tombstones.
///
///   X1  When a link comes up each side sends its digests. Who lacks something *pulls* it, bucket by
///       bucket: prints of what it has, answered with what it has not. One such question is on its way
///       at a time, so a cut costs one frame, and what is there already is not sent again.
///   X2  All tombstones of a peer are pulled before any of its keys, and no key is pushed to a peer that
///       has not pulled ours (`ready`).
///   X3  What is new here (a key that was made, a tombstone) is *pushed* to all who are up, and pushed
///       again until it is acknowledged. What cannot be pushed is owed: a summary, and the peer pulls.
///   X4  A peer with another secret is told nothing but digests.
#include <bitset>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/keys/key_frames.h"
#include "cluster/keys/key_peers.h"

namespace souk::cluster {

struct KeyExchangeLimits {
  std::int64_t resend_ms = 1'000;             // what is not answered
  std::int64_t summary_ms = 60'000;           // to a peer that is up, at the latest
  std::int64_t summary_pause_ms = 1'000;      // between two, at least
  std::size_t pull_bytes_per_tick = 2 << 20;  // of a peer; the frame that goes beyond is the last
  std::size_t unacked_persons_max = 16'384;   // of a peer; the rest is owed
};

/// Hears what the exchange finds out. Thread: the exchange's.
class KeyNews {
 public:
  virtual ~KeyNews() = default;
  /// All other nodes that may have keys.
  virtual std::vector<std::string> others() = 0;
  /// The node takes keys from now on, or does no more.
  virtual void ready(const std::string& node, bool is_ready) = 0;
  /// What this node knew of them when it pushed them is durable at `node`.
  virtual void acked(const std::string& node, const std::vector<PersonId>& persons) = 0;
  /// `node` has their tombstones, durably.
  virtual void erased(const std::string& node, const std::vector<PersonId>& persons) = 0;
  /// `node` has answered for them: it has none of them (`absent`), or what it had is here now.
  virtual void told(const std::string& node, const std::vector<PersonId>& absent,
                    const std::vector<PersonId>& found) = 0;
};

/// Thread: one at a time; blocks for the disk.
class KeyExchange {
 public:
  /// `copies`: whether a key that a peer turns out to have is remembered as copied.
  KeyExchange(SharedKeys& keys, KeyPeers& peers, KeyNews& news, const KeyExchangeLimits& limits,
              SharedKeys::Copies copies);

  void up(const std::string& node);
  void down(const std::string& node);
  void received(const std::string& node, std::string_view bytes);
  void tick(std::int64_t now_ms);
  /// Tells all what is known of these persons.
  void push(const std::vector<PersonId>& persons);
  /// Asks all who are up for the keys of persons that are not here.
  void ask(const std::vector<PersonId>& persons);

 private:
  struct Unacked {
    std::vector<PersonId> persons;
    std::vector<PersonId> erased;  // those of whom a tombstone was pushed, not a key
    std::int64_t sent_ms = 0;
  };
  /// Of one connection.
  struct Peer {
    bool known = false;                      // its name is durable among those who may have keys
    bool refused = false;                    // it has another secret
    bool is_ready = false;                   // it has our tombstones
    bool heard = false;                      // a summary of it
    bool said_ready = false;                 // we have its tombstones
    bool owed = true;                        // a summary
    std::optional<std::int64_t> summary_ms;  // when one was sent last
    std::deque<std::pair<KeyClass, std::uint8_t>> todo;  // buckets to pull, tombstones first
    std::string after;                                   // where the first of them goes on
    std::optional<KeyRange> wanted;                      // on its way
    std::int64_t wanted_ms = 0;
    std::size_t pull_bytes = 0;  // in this tick
    bool pulled = false;         // something new since the last summary
    std::map<std::uint64_t, Unacked> unacked;
    std::size_t unacked_persons = 0;
    std::int64_t repushed_ms = 0;  // when all that is uncopied was pushed last
  };
  using Entry = std::pair<const std::string, Peer>;

  void on(Entry& from, const KeySummary& summary);
  void on(Entry& from, const KeyReady&);
  void on(Entry& from, const KeyWant& want);
  void on(Entry& from, const KeyHave& have);
  void on(Entry& from, const KeyPut& put);
  void on(Entry& from, const KeyAck& ack);
  void on(Entry& from, const KeyAsk& ask);
  void on(Entry& from, const KeyTold& told);
  bool introduce(Entry& to);
  void send_summary(Entry& to);
  void pull(Entry& from);
  bool has_tombstones(const Peer& peer) const;
  void say_ready(Entry& to);
  std::optional<SharedKeys::Merged> merge(Entry& from, const std::vector<KeyRecord>& records);
  void push_to(Entry& to, const std::vector<PersonId>& persons);
  void send_put(Entry& to, std::vector<KeyRecord>&& records);

  SharedKeys& keys_;
  KeyPeers& peers_;
  KeyNews& news_;
  const KeyExchangeLimits limits_;
  const SharedKeys::Copies copies_;
  std::map<std::string, Peer> up_;
  std::bitset<key_buckets> equal_once_;  // with some peer
  std::uint64_t next_number_;            // begins anywhere: no ack of a former run is taken for one
  std::int64_t now_ms_ = 0;
};

}  // namespace souk::cluster

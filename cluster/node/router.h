#pragma once
/// The way of a request to the node that owns its shard, and of the answer back; and of what shards
/// send each other. A gateway hands all to its own engine; what is not for it comes here.
///
///   strayed -> (waits for an owner) -> sent to the owner -> answered
///                     ^---- not there, or the link is lost ----'
///
/// So a move is a pause and no error: a request is sent again to whoever owns the shard next, until
/// wait_ms after it came. It is sent again only where it cannot be done twice: it was not taken, it
/// has a key, or it changes nothing; else the answer is `unavailable` (may or may not have
/// happened), as at the end of the wait. Who is in no link's hands yet then hears `not_done`.
///
/// Invariants: each client's request that enters is answered once; a link has at most
///   requests_per_peer_max of them; what waits is at most waiting_max, beyond it `overloaded`.
/// Thread: any, but for what is said.
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/host/engine.h"
#include "actors/shard/envelope.h"
#include "cluster/links/links.h"
#include "cluster/node/clocks.h"

namespace souk::cluster {

class CommandRelay;
class QuestionRelay;

/// Shorter than the edge waits.
inline constexpr std::int64_t route_wait_ms = 10'000;
/// A request that its owner did not take is sent again after this, or when the owner changes.
inline constexpr std::int64_t route_again_ms = 20;
inline constexpr std::size_t requests_per_peer_max = 16'384;
inline constexpr std::size_t waiting_max = 65'536;

/// Who else sends frames over the same links: the keys of persons.
class Passenger {
 public:
  virtual ~Passenger() = default;
  // As LinkListener. Thread: the links'.
  virtual void up(const std::string& node) = 0;
  virtual void down(const std::string& node) = 0;
  virtual void received(const std::string& node, std::string_view frame) = 0;
  /// Now and then. Thread: one.
  virtual void tick() = 0;
};

/// Lifecycle: made, wire(), then as the engine runs; stop() before the links and the engine end.
class Router final : public ClusterWatch, public LinkListener, private ReplySink {
 public:
  /// `incarnation`: of this node.
  Router(std::uint32_t shards, std::uint64_t incarnation,
         std::function<SteadyMs()> steady = &steady_now);

  /// REQUIRES: before the engine runs and the links start.
  void wire(Engine& engine, Links& links);
  /// REQUIRES: before the links start; it outlives them.
  void carry(Passenger& passenger) { passenger_ = &passenger; }
  /// A frame of the passenger's. False: it was not taken.
  bool send_for_passenger(const std::string& node, std::string_view frame);
  /// To whom go what peers say of operators' commands. REQUIRES: before the links start.
  void relay_to(CommandRelay& relay) { relay_ = &relay; }
  Sent send_command(const std::string& node, std::uint64_t id, std::string_view bytes);
  Sent send_outcome(const std::string& node, std::uint64_t id, std::string_view bytes);
  /// The same for questions to read models.
  void relay_to(QuestionRelay& relay) { questions_ = &relay; }
  Sent send_question(const std::string& node, std::uint64_t id, std::string_view bytes);
  Sent send_answer(const std::string& node, std::uint64_t id, std::string_view bytes);
  Sent send_taken(const std::string& node, std::uint64_t id, std::string_view bytes);
  /// Now and then: requests that waited long enough. Thread: one.
  void tick(std::int64_t now_ms);
  /// All that waits is answered; nothing is sent any more.
  void stop();

  std::uint32_t shards() const { return static_cast<std::uint32_t>(owners_.size()); }
  /// Under which incarnation the shard is owned, as far as its log was read or nodes were heard; 0:
  /// nobody knows.
  std::uint64_t owner(ShardId shard) const {
    return owners_[shard.value].load(std::memory_order_acquire);
  }
  /// With its epoch in the shard's log.
  std::pair<std::uint64_t, std::uint64_t> owner_and_epoch(ShardId shard) const;
  /// What its owner says of a shard, also of one whose log is not read here. Thread: any.
  void heard(ShardId shard, std::uint64_t incarnation, std::uint64_t epoch) {
    owner_is(shard, incarnation, epoch);
  }
  /// The last epoch in which this node said to own the shard; 0: it never did. Thread: any.
  std::uint64_t owned_epoch(ShardId shard) const {
    return owned_epochs_[shard.value].load(std::memory_order_acquire);
  }
  /// Grows with each shard that this node takes or loses. Thread: any.
  std::uint64_t reigns() const { return reigns_.load(std::memory_order_acquire); }
  /// Of the records of a shard that were read here: behind the last one.
  Offset place(ShardId shard) const { return places_[shard.value].load(std::memory_order_acquire); }

  struct Counters {
    std::atomic<std::uint64_t> sent{0}, answered{0}, sent_again{0}, waiting{0}, taken{0},
        messages_sent{0}, messages_taken{0}, messages_lost{0};
  };
  const Counters& counters() const { return counters_; }

  // ---- ClusterWatch ----
  void followed(ShardId shard, const FoldState& place) override;
  void owned(ShardId shard, std::uint64_t epoch) override;
  void wrote(ShardId shard, Offset next) override;
  void strayed(std::vector<Envelope>&& strays) override;

  // ---- LinkListener ----
  void up(const PeerHello& peer) override;
  void down(const std::string& node, const std::string& why) override;
  void received(const std::string& node, std::string_view frame) override;

 private:
  struct Routed {
    Request request;
    ShardId shard;
    std::int64_t until_ms = 0;
    std::int64_t again_ms = 0;  // while it waits
    std::string at;             // the node that has it; empty: it waits
    bool sent_once = false;     // or begun here: it may have been done
  };
  struct Taken {
    std::string from;
    std::uint64_t peer_incarnation = 0;
    std::uint64_t id = 0;  // the peer's
  };
  enum class Frame : std::uint8_t {
    request = 1,
    reply = 2,
    not_here = 3,  // who owns the shard instead, as far as the peer knows
    message = 4,
    command = 5,       // an operator's, to the controller
    command_done = 6,  // what became of it
    question = 7,      // to read models
    answer = 8,        // a part of it, or why there is none
    answer_taken = 9,  // how far it has come
    passenger = 16,
  };

  void deliver(std::vector<Reply>&& replies) override;
  /// REQUIRES: the lock. Requests for this node itself go to `home`, answers to `answers`.
  struct Out {
    std::vector<Request> home;
    std::vector<std::pair<std::uint16_t, Reply>> answers;
  };
  void route(std::uint64_t id, Routed& routed, std::int64_t now_ms, Out& out);
  void end(std::uint64_t id, ReplyCode code, Out& out);
  void wait(std::uint64_t id, Routed& routed, std::int64_t now_ms);
  void put_out(Out&& out);
  const std::string* node_of(ShardId shard) const;
  void owner_is(ShardId shard, std::uint64_t incarnation, std::uint64_t epoch);
  void take_request(const std::string& from, std::uint64_t id, std::string_view bytes);
  void take_reply(std::uint64_t id, std::string_view bytes);
  void take_refusal(std::uint64_t id, std::string_view bytes);
  std::string refusal(std::uint64_t id, ShardId shard) const;

  std::int64_t steady_ms() const { return steady_().value; }

  const std::uint64_t incarnation_;
  const std::function<SteadyMs()> steady_;
  Engine* engine_ = nullptr;
  Links* links_ = nullptr;
  Passenger* passenger_ = nullptr;  // none: nobody
  CommandRelay* relay_ = nullptr;
  QuestionRelay* questions_ = nullptr;
  std::uint16_t sink_ = 0;  // of this router at the engine
  std::vector<std::atomic<std::uint64_t>> owners_;
  std::vector<std::uint64_t> epochs_;  // under the mutex, with the owners as they are changed
  std::vector<std::atomic<std::uint64_t>> places_;
  std::vector<std::atomic<std::uint64_t>> owned_epochs_;
  std::atomic<std::uint64_t> reigns_{0};
  Counters counters_;

  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Routed> routed_;             // by this router's number
  std::map<std::uint32_t, std::vector<std::uint64_t>> waiting_;  // by shard
  std::unordered_map<std::uint64_t, Taken> taken_;               // by the ticket at the engine
  /// Until when those wait that were sent to this node's own engine, which may give them back.
  std::map<std::pair<std::uint16_t, std::uint64_t>, std::int64_t> home_;  // by sink and ticket
  std::map<std::string, std::size_t> at_peer_;
  std::map<std::uint64_t, std::string> nodes_;  // by the incarnation of a link that is up
  std::map<std::string, std::uint64_t> incarnations_;
  std::uint64_t numbers_ = 0;
  bool stopped_ = false;
};

}  // namespace souk::cluster

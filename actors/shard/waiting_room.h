#pragma once
/// Inputs that cannot be handled yet: their entity is being loaded, or a quote comes from another
/// shard, or a position is not committed yet.
///
/// Invariants: inputs for one target leave in the order of their arrival; while one waits, later
///   ones queue behind it; each that enters leaves once: handled, answered, or taken by take_parked().
/// Thread: its shard's.
#include <deque>
#include <unordered_map>
#include <vector>

#include "actors/shard/shard_io.h"

namespace souk {

class WaitingRoom {
 public:
  /// Whether `input` went into the queue of its target, because another waits there already.
  enum class Queued : std::uint8_t { no, yes };
  Queued queue_behind(ShardInput& input);
  /// `input` is the next of its target, when what it needs is there.
  void park(ShardInput&& input) { parked_[target_of(input)].push_front(std::move(input)); }
  bool waits(const EntityKey& target) const { return parked_.contains(target); }
  bool empty() const { return parked_.empty(); }
  /// Handles what waits for `target`, one after the other, until one is parked again. `handle` takes
  /// a ShardInput&&; `done` is called after each that was handled.
  template <class Handle, class Done>
  void drain(const EntityKey& target, const Handle& handle, const Done& done);
  /// The first that waits for `target`; nothing where none does.
  std::optional<ShardInput> take_first(const EntityKey& target);
  std::deque<ShardInput> take_queue(const EntityKey& target);

  // ---- loads ----
  /// `need` is being loaded; `target` goes on when it comes.
  void wait_for_load(const EntityKey& need, const EntityKey& target) {
    loads_[need].push_back(target);
  }
  bool loading(const EntityKey& need) const { return !loads_.empty() && loads_.contains(need); }
  /// REQUIRES: loading(need).
  const std::vector<EntityKey>& targets(const EntityKey& need) const { return loads_.at(need); }
  /// The load has ended; returns the targets that waited for it.
  std::vector<EntityKey> take_targets(const EntityKey& need);

  // ---- positions ----
  void wait_for_position(Request&& read, UnixMs until) {
    positions_.push_back({std::move(read), until});
  }
  std::vector<Request> take_reached(Seq committed);
  std::vector<Request> take_late(UnixMs now);

  /// Forgets all loads; returns all that waits, but for those that wait for a position.
  std::vector<ShardInput> take_parked();

 private:
  struct PositionWaiter {
    Request request;
    UnixMs until;
  };
  std::unordered_map<EntityKey, std::deque<ShardInput>> parked_;
  std::unordered_map<EntityKey, std::vector<EntityKey>> loads_;  // what comes -> targets
  std::vector<PositionWaiter> positions_;
  bool draining_ = false;
};

template <class Handle, class Done>
void WaitingRoom::drain(const EntityKey& target, const Handle& handle, const Done& done) {
  const bool outer = draining_;
  draining_ = true;
  for (;;) {
    auto queue = parked_.find(target);
    if (queue == parked_.end()) break;
    if (queue->second.empty()) {
      parked_.erase(queue);
      break;
    }
    ShardInput input = std::move(queue->second.front());
    queue->second.pop_front();
    const std::size_t left = queue->second.size();
    handle(std::move(input));
    queue = parked_.find(target);
    if (queue == parked_.end() || queue->second.size() > left) break;  // it waits again
    done();
  }
  draining_ = outer;
}

}  // namespace souk

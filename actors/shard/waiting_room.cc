#include "actors/shard/waiting_room.h"

namespace souk {

WaitingRoom::Queued WaitingRoom::queue_behind(ShardInput& input) {
  if (parked_.empty() || draining_) return Queued::no;
  auto queue = parked_.find(target_of(input));
  if (queue == parked_.end()) return Queued::no;
  queue->second.push_back(std::move(input));
  return Queued::yes;
}

std::optional<ShardInput> WaitingRoom::take_first(const EntityKey& target) {
  auto queue = parked_.find(target);
  if (queue == parked_.end() || queue->second.empty()) return std::nullopt;
  ShardInput first = std::move(queue->second.front());
  queue->second.pop_front();
  return first;
}

std::deque<ShardInput> WaitingRoom::take_queue(const EntityKey& target) {
  auto queue = parked_.extract(target);
  return queue.empty() ? std::deque<ShardInput>{} : std::move(queue.mapped());
}

std::vector<EntityKey> WaitingRoom::take_targets(const EntityKey& need) {
  auto targets = loads_.extract(need);
  return targets.empty() ? std::vector<EntityKey>{} : std::move(targets.mapped());
}

std::vector<Request> WaitingRoom::take_reached(Seq committed) {
  std::vector<Request> reached;
  std::erase_if(positions_, [&](PositionWaiter& w) {
    if (w.request.min_seq > committed) return false;
    reached.push_back(std::move(w.request));
    return true;
  });
  return reached;
}

std::vector<Request> WaitingRoom::take_late(UnixMs now) {
  std::vector<Request> late;
  std::erase_if(positions_, [&](PositionWaiter& w) {
    if (now < w.until) return false;
    late.push_back(std::move(w.request));
    return true;
  });
  return late;
}

std::vector<ShardInput> WaitingRoom::take_parked() {
  std::vector<ShardInput> all;
  for (auto& [target, inputs] : parked_)
    for (auto& input : inputs) all.push_back(std::move(input));
  parked_.clear();
  loads_.clear();
  return all;
}

}  // namespace souk

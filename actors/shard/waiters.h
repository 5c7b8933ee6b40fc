#pragma once
/// Those who wait for an entity to become something, by entity: what a doubt does with them.
/// A waiter has `request`, `own` (the last event that it rests on: its own, or what the first one
/// recorded whom it repeats) and `until`.
/// Thread: the shard's.
#include <algorithm>
#include <vector>

#include "actors/ports/request.h"

namespace souk {

/// Takes out who waits for nothing any more, after all records up to `landed` were found in the log.
/// `there(id)`: whether the entity is. Returns those whose command is to be handled again: its own
/// record is not in the log, or a key says whether it was done; `in_doubt(request)`: the others.
template <class Waiters, class There, class InDoubt>
std::vector<Request> take_not_landed(Waiters& waiters, Seq landed, const There& there,
                                     const InDoubt& in_doubt) {
  std::vector<Request> again;
  for (auto& [id, all] : waiters) {
    const bool stays = there(id);
    std::erase_if(all, [&](auto& w) {
      if (stays && w.own <= landed) return false;
      if (w.own > landed || w.request.key_hash != 0)
        again.push_back(std::move(w.request));
      else
        in_doubt(w.request);
      return true;
    });
  }
  std::erase_if(waiters, [](const auto& all) { return all.second.empty(); });
  return again;
}

/// The entities that somebody waits for, in their order.
template <class Waiters>
auto awaited(const Waiters& waiters) {
  std::vector<typename Waiters::key_type> ids;
  for (const auto& [id, all] : waiters) ids.push_back(id);
  std::ranges::sort(ids);
  return ids;
}

template <class Waiters>
std::vector<Request> take_requests(Waiters& waiters) {
  std::vector<Request> requests;
  for (auto& [id, all] : waiters)
    for (auto& w : all) requests.push_back(std::move(w.request));
  waiters.clear();
  return requests;
}

}  // namespace souk

#pragma once
/// When an entity of a shard wants to be looked at. A timer fires once; one that is not wanted any
/// more finds nothing to do.
#include <optional>
#include <queue>
#include <vector>

#include "events/ids.h"
#include "events/time.h"

namespace souk {

class Timers {
 public:
  void arm(UnixMs due, const EntityKey& entity) { heap_.push({due, entity}); }
  /// The entity whose timer is due, earliest first; nothing where none is.
  std::optional<EntityKey> take_due(UnixMs now) {
    if (heap_.empty() || heap_.top().due > now) return std::nullopt;
    EntityKey entity = heap_.top().entity;
    heap_.pop();
    return entity;
  }
  void clear() { heap_ = {}; }

 private:
  struct Timer {
    UnixMs due;
    EntityKey entity;
    bool operator>(const Timer& o) const { return due > o.due; }
  };
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> heap_;
};

}  // namespace souk

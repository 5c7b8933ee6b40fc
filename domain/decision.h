#pragma once
#include <utility>
#include <vector>

#include "events/event.h"
#include "events/refusal.h"
#include "events/result.h"

namespace souk {

/// A refusal by the business; `detail` is the status that forbids it (illegal_state), else 0.
struct Refused {
  Refusal reason = Refusal::none;
  std::uint8_t detail = 0;
  bool operator==(const Refused&) const = default;
};

/// What a command leads to: new facts about one entity, or a refusal. No facts: already true.
using Facts = std::vector<Payload>;
using Decision = Result<Facts, Refused>;

/// The facts `events`, in this order; moved, where an initialiser list would copy.
template <class... E>
Facts facts_of(E&&... events) {
  Facts facts;
  facts.reserve(sizeof...(events));
  (facts.emplace_back(std::forward<E>(events)), ...);
  return facts;
}

inline std::vector<Event> events_of(const EntityKey& entity, Facts&& facts) {
  std::vector<Event> events;
  events.reserve(facts.size());
  for (auto& fact : facts) events.push_back({entity, std::move(fact)});
  return events;
}

}  // namespace souk

#pragma once
/// The parts of an owner that all who decide work with: what is known, what is recorded, what
/// leaves; and the end that all decisions come to.
#include <vector>

#include "actors/shard/recorder.h"
#include "actors/shard/responder.h"
#include "actors/shard/undecided.h"

namespace souk {

struct Desk {
  ShardId id;
  const ShardContext& context;
  ShardClock& clock;
  Residency& entities;
  Recorder& recorder;
  CommitGate& gate;
  Responder& responder;
  Undecided& undecided;

  template <class State>
  Hosted<State>* find(const typename HostedTraits<State>::Id& id_of_entity) const {
    return entities.find<State>(id_of_entity);
  }
};

/// Whether a refusal is recorded, so that a repeat of its key gets the same one.
enum class Remember : std::uint8_t { no, yes };
void refuse(Desk& desk, const Request& request, const EntityKey& entity, Refused refused,
            Remember remember);

/// Records the facts of `decision` on `entity` and then `more`, with the answer that the key keeps
/// (`outcome`); a refusal is recorded and answered. Facts that were true already are noted for the
/// key's sake. A request that only asks whether it is admitted is told so, and counts as refused.
enum class Verdict : std::uint8_t { refused, recorded };
Verdict conclude(Desk& desk, const Request& request, const EntityKey& entity, Decision&& decision,
                 Outcome outcome, std::vector<Event>&& more = {});

}  // namespace souk

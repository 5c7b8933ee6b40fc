#include "actors/shard/desk.h"

namespace souk {

void refuse(Desk& desk, const Request& request, const EntityKey& entity, Refused refused,
            Remember remember) {
  if (request.key_hash != 0 && remember == Remember::yes)
    desk.recorder.record({.cause = request.cause,
                          .correlation = request.correlation,
                          .key_hash = request.key_hash,
                          .request_hash = request.request_hash,
                          .outcome = Outcome::refused},
                         {{entity, CommandRefused{refused.reason}}});
  const Entity* e = desk.entities.entity_of(entity);
  desk.responder.refused(request, refused, e ? e->seq : 0);
}

Verdict conclude(Desk& desk, const Request& request, const EntityKey& entity, Decision&& decision,
                 Outcome outcome, std::vector<Event>&& more) {
  if (!decision.ok()) {
    refuse(desk, request, entity, decision.error(), Remember::yes);
    return Verdict::refused;
  }
  std::vector<Event> events = events_of(entity, std::move(*decision));
  if (request.intent == Intent::ask && !events.empty()) {
    desk.responder.answer(request, ReplyCode::admitted, 0);
    return Verdict::refused;
  }
  if (events.empty() && request.key_hash != 0) events.push_back({entity, CommandNoted{}});
  for (auto& e : more) events.push_back(std::move(e));
  if (!events.empty())
    desk.recorder.record({.cause = request.cause,
                          .correlation = request.correlation,
                          .key_hash = request.key_hash,
                          .request_hash = request.request_hash,
                          .outcome = outcome},
                         std::move(events));
  return Verdict::recorded;
}

}  // namespace souk

#include "actors/shard/shared_names.h"

#include <algorithm>

#include "events/limits.h"

namespace souk {
namespace {

/// Bound to nothing, or so long ago that it does not count any more.
bool is_free(const Hosted<KeyState>* bound, UnixMs now) {
  return !bound || bound->state.key.target.kind() == Kind::none ||
         now.value - bound->state.key.at_ms > limits::answer_kept_ms;
}

}  // namespace

void email_step(Desk& desk, const Request& request) {
  const EntityKey entity = target_of(request.op);
  const EmailHash id = id_of<EmailState>(entity);
  auto* h = desk.find<EmailState>(id);
  const EmailOwner owner = h ? h->state.owner : EmailOwner{};
  const auto* claim = std::get_if<ClaimEmail>(&request.op);
  const auto* frees = std::get_if<FreeEmail>(&request.op);
  if (claim ? comes_too_late(owner, *claim) : comes_too_late(owner, *frees))
    return desk.responder.answer(request, ReplyCode::unavailable, 0);
  Decision decision = claim ? decide(owner, *claim) : decide(owner, *frees);
  if (decision.ok() && !decision->empty())
    desk.recorder.record({.cause = request.cause, .correlation = request.correlation},
                         events_of(entity, std::move(*decision)));
  h = desk.find<EmailState>(id);
  desk.responder.answer(request, decision.ok() ? ReplyCode::ok : ReplyCode::refused,
                        h ? h->seq : 0);
}

EntityKey guests_twin(const KeyHash& key, const EntityKey& target) {
  return target.kind() == Kind::cart ? EntityKey(CartId{key.raw}) : EntityKey(OrderId{key.raw});
}

void bind_key(Desk& desk, Request& request) {
  const KeyHash key = *request.bind;
  const EntityKey target = target_of(request.op);
  auto* bound = desk.find<KeyState>(key);
  const EntityKey twin = guests_twin(key, target);
  // Where the user's shard is the key's own, the twin is the creation itself.
  const Entity* other = twin == target ? nullptr : desk.entities.entity_of(twin);
  const bool free = is_free(bound, desk.clock.now());
  const bool same = bound && bound->state.key.target == target &&
                    bound->state.key.request_hash == request.request_hash;
  if (other || (!free && !same)) {
    const Seq seq = std::max(bound ? bound->seq : 0, other ? other->seq : 0);
    return desk.responder.answer(request, ReplyCode::idempotency_conflict, seq);
  }
  if (free)
    desk.recorder.record({.cause = request.cause, .correlation = request.correlation},
                         {{EntityKey(key), KeyBound{target, request.request_hash}}});
  bound = desk.find<KeyState>(key);
  desk.responder.answer(request, ReplyCode::bound, bound->seq);
}

std::optional<Seq> bound_at(Desk& desk, const Id128& raw) {
  auto* bound = desk.find<KeyState>(KeyHash{raw});
  if (is_free(bound, desk.clock.now())) return std::nullopt;
  return bound->seq;
}

}  // namespace souk

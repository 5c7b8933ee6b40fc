// Commands on users, their addresses, and keys that create.
#include "actors/shard/shard.h"

namespace souk {

void Shard::user_command(Request& request) {
  const EntityKey entity = target_of(request.op);
  const UserId id = id_of<UserState>(entity);
  static const UserState nothing;
  auto* h = find<UserState>(id);
  const Seq seq = h ? h->seq : 0;
  const UserState& state = h ? h->state : nothing;
  if (answered_before(request, state.answers, seq)) return;
  const bool registers = std::holds_alternative<RegisterUser>(request.op);
  if (registers &&
      state.user.status != UserStatus::none) {  // its key is older than what we remember
    const Awaits awaits =
        state.user.status == UserStatus::registering ? Awaits::address : Awaits::nothing;
    return wait_for_user(std::move(request), state.user.version, Replayed::yes, awaits);
  }
  if (!registers && state.user.status != UserStatus::active) return not_found(request);
  if (version_differs(request, state.user.version, seq)) return;
  const Decision decision =
      std::visit(Overloaded{
                     [&](const RegisterUser& c) { return decide(state.user, c); },
                     [&](const UpdateUser& c) { return decide(state.user, c); },
                     [&](const EraseUser& c) { return decide(state.user, c); },
                     [](const auto&) -> Decision { return Refused{}; },
                 },
                 request.op);
  if (!decided(request, entity, decision, registers ? Outcome::created : Outcome::ok)) return;
  const User& user = find<UserState>(id)->state.user;
  const auto* update = std::get_if<UpdateUser>(&request.op);
  const bool asks_for_address = registers || (update && update->email && user.pending);
  const Version version = user.version;
  user_effects(id);
  wait_for_user(std::move(request), version, Replayed::no,
                asks_for_address ? Awaits::address : Awaits::nothing);
}

void Shard::email_step(Request& request) {
  const EntityKey entity = target_of(request.op);
  const EmailHash id = id_of<EmailState>(entity);
  auto* h = find<EmailState>(id);
  const EmailOwner owner = h ? h->state.owner : EmailOwner{};
  const Decision decision = std::holds_alternative<ClaimEmail>(request.op)
                                ? decide(owner, std::get<ClaimEmail>(request.op))
                                : decide(owner, std::get<FreeEmail>(request.op));
  if (decision.ok() && !decision->empty())
    record({.cause = request.cause, .correlation = request.correlation},
           events_of(entity, *decision));
  h = find<EmailState>(id);
  answer(request, reply_to(request, decision.ok() ? ReplyCode::ok : ReplyCode::refused),
         h ? h->seq : 0);
}

/// First half of a creation with a key on a user's shard: the key belongs to that creation alone.
void Shard::bind_key(Request& request) {
  const KeyHash key = *request.bind;
  const EntityKey target = target_of(request.op);
  auto* bound = find<KeyState>(key);
  const EntityKey twin =
      target.kind() == Kind::cart ? EntityKey(CartId{key.raw}) : EntityKey(OrderId{key.raw});
  const bool is_twin = twin == target;  // the user's shard is the key's own
  const auto fresh = [&] {
    return !bound || bound->state.key.target.kind() == Kind::none ||
           now().value - bound->state.key.at_ms > limits::answer_kept_ms;
  };
  const bool same = bound && bound->state.key.target == target &&
                    bound->state.key.request_hash == request.request_hash;
  const Entity* other = is_twin ? nullptr : entity_of(twin);
  if (other || (!fresh() && !same)) {
    const Seq seq = std::max(bound ? bound->seq : 0, other ? other->seq : 0);
    return answer(request, reply_to(request, ReplyCode::idempotency_conflict), seq);
  }
  if (fresh())
    record({.cause = request.cause, .correlation = request.correlation},
           {{EntityKey(key), KeyBound{target, request.request_hash}}});
  bound = find<KeyState>(key);
  request.bind.reset();
  gate(bound->seq, {.what = ShardInput(std::move(request))});
}

/// A guest's creation with a key that a user's creation was bound to.
bool Shard::bound_elsewhere(Request& request, const Id128& raw, const std::optional<UserId>& user) {
  if (user || request.key_hash == 0) return false;
  auto* bound = find<KeyState>(KeyHash{raw});
  if (!bound || bound->state.key.target.kind() == Kind::none ||
      now().value - bound->state.key.at_ms > limits::answer_kept_ms)
    return false;
  answer(request, reply_to(request, ReplyCode::idempotency_conflict), bound->seq);
  return true;
}

bool Shard::unknown_user(Request& request, const std::optional<UserId>& user) {
  if (!user) return false;
  auto* h = find<UserState>(*user);
  if (h && h->state.user.status == UserStatus::active) return false;
  Reply reply = reply_to(request, ReplyCode::refused);
  reply.refusal = Refusal::unknown_user;
  answer(request, std::move(reply), h ? h->seq : 0);
  return true;
}

}  // namespace souk

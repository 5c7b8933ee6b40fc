// What all commands share, and which part of the shard takes each.
#include "actors/shard/shard.h"

namespace souk {

// ---- what all commands share ----

bool Shard::answered_before(Request& request, const Answers& answers, Seq seq) {
  if (request.key_hash == 0) return false;
  const Answer* before = answers.find(request.key_hash, now());
  if (!before) return false;
  if (before->request_hash != request.request_hash)
    answer(request, reply_to(request, ReplyCode::idempotency_conflict), seq);
  else
    replay(request, *before, seq);
  return true;
}

void Shard::replay(Request& request, const Answer& before, Seq seq) {
  if (before.outcome == Outcome::refused || before.refusal != Refusal::none) {
    Reply reply = reply_to(request, ReplyCode::refused);
    reply.refusal = before.refusal;
    reply.detail = before.detail;
    reply.replayed = true;
    return answer(request, std::move(reply), seq);
  }
  if (const auto* c = std::get_if<CheckOut>(&request.op))
    return wait_for_check_out(std::move(request), c->order, seq, Replayed::yes);
  if (const auto* c = std::get_if<PlaceOrder>(&request.op))
    return wait_for_check_out(std::move(request), c->order, seq, Replayed::yes);
  if (request.op.index() >= Op(RegisterUser{}).index() &&
      request.op.index() <= Op(EraseUser{}).index())
    return wait_for_user(
        std::move(request), before.version, Replayed::yes,
        before.detail == Answer::awaits_address ? Awaits::address : Awaits::nothing);
  respond(request, before.outcome == Outcome::created ? ReplyCode::created : ReplyCode::ok,
          before.version, seq, Replayed::yes);
}

bool Shard::version_differs(Request& request, Version version, Seq seq) {
  if (!request.if_match || *request.if_match == version) return false;
  answer(request, reply_to(request, ReplyCode::version_mismatch), seq);
  return true;
}

void Shard::refuse(Request& request, const EntityKey& entity, Refused refused, Remember remember) {
  if (request.key_hash != 0 && remember == Remember::yes)
    record({.cause = request.cause,
            .correlation = request.correlation,
            .key_hash = request.key_hash,
            .request_hash = request.request_hash,
            .outcome = Outcome::refused},
           {{entity, CommandRefused{refused.reason}}});
  Reply reply = reply_to(request, ReplyCode::refused);
  reply.refusal = refused.reason;
  reply.detail = refused.detail;
  const Entity* e = entity_of(entity);
  answer(request, std::move(reply), e ? e->seq : 0);
}

bool Shard::decided(Request& request, const EntityKey& entity, const Decision& decision,
                    Outcome outcome, std::vector<Event>&& more) {
  if (!decision.ok()) {
    refuse(request, entity, decision.error(), Remember::yes);
    return false;
  }
  std::vector<Event> events = events_of(entity, *decision);
  if (events.empty() && request.key_hash != 0) events.push_back({entity, CommandNoted{}});
  for (auto& e : more) events.push_back(std::move(e));
  if (!events.empty())
    record({.cause = request.cause,
            .correlation = request.correlation,
            .key_hash = request.key_hash,
            .request_hash = request.request_hash,
            .outcome = outcome},
           std::move(events));
  return true;
}

void Shard::respond(Request& request, ReplyCode code, Version version, Seq seq, Replayed replayed,
                    std::vector<ShardId> also_on) {
  Reply reply = reply_to(request, code);
  reply.also_on = std::move(also_on);
  reply.version = version;
  reply.replayed = replayed == Replayed::yes;
  if (const auto* get = std::get_if<GetOrder>(&request.op))
    reply.currency = find<OrderState>(get->order)->state.order.currency;
  if (const auto* get = std::get_if<GetProduct>(&request.op))
    reply.beside_version = find<SkuState>(get->sku)->state.inventory.version;
  if (request.wants == Wants::body || code == ReplyCode::created)
    render(request, version, reply.body);
  answer(request, std::move(reply), seq);
}

void Shard::not_found(Request& request) {
  const Entity* e = entity_of(target_of(request.op));  // there, but erased or without a definition
  answer(request, reply_to(request, ReplyCode::not_found), e ? e->seq : 0);
}

// ---- dispatch ----

void Shard::command(Request& request) {
  if (request.bind) return bind_key(request);
  switch (target_of(request.op).kind()) {
    case Kind::sku:
      return request.reply_to.who == ReplyTo::Who::process ? stock_step(request)
                                                           : sku_command(request);
    case Kind::user:
      return user_command(request);
    case Kind::email:
      return email_step(request);
    case Kind::cart:
      return cart_command(request);
    case Kind::order:
      return order_command(request);
    default:
      SOUK_ASSERT(false);
  }
}

}  // namespace souk

#include "actors/shard/admission.h"

#include "actors/shard/shared_names.h"

namespace souk {

Admission::Admitted Admission::admit(Request& request) {
  const EntityKey target = target_of(request.op);
  const Policy& policy = policy_of(request.op);
  const Subject subject = subject_of(target, policy);
  const auto answered = [&]() -> bool {
    if (repeats(request, subject)) return true;
    if (policy.key == Policy::Key::of_creator && bound_elsewhere(request)) return true;
    if (policy.creates == Policy::Creates::target && subject.known)
      return made_before(request, subject), true;
    if (policy.if_match != Policy::IfMatch::ignored && request.preconditions &&
        !request.preconditions->hold(subject.version, subject.there))
      return desk_.responder.answer(request, ReplyCode::version_mismatch, subject.seq), true;
    if (policy.missing == Policy::Missing::not_found && !subject.there)
      return desk_.responder.not_found(request), true;
    if (lacks_product(request, policy, subject)) return true;
    if (policy.places == Policy::Places::order && placed_before(request)) return true;
    return policy.person == Policy::Person::of_owner && unknown_user(request);
  };
  return answered() ? Admitted::no : Admitted::yes;
}

Admission::Subject Admission::subject_of(const EntityKey& target, const Policy& policy) {
  Subject s;
  switch (target.kind()) {
    case Kind::sku:
      if (auto* h = desk_.entities.find_key<SkuState>(target)) {
        const bool product = policy.if_match == Policy::IfMatch::product;
        s = {.seq = h->seq,
             .answers = &h->state.answers,
             .there = h->state.product.defined || (!product && h->state.inventory.known),
             .version = product ? h->state.product.version : h->state.inventory.version,
             .defined = h->state.product.defined};
      }
      break;
    case Kind::user:
      if (auto* h = desk_.find<UserState>(id_of<UserState>(target)))
        s = {.seq = h->seq,
             .answers = &h->state.answers,
             .known = h->state.user.status != UserStatus::none,
             .there = h->state.user.status == UserStatus::active,
             .version = h->state.user.version};
      break;
    case Kind::cart:
      if (auto* h = desk_.find<CartState>(id_of<CartState>(target))) {
        const bool there = h->state.cart.status != CartStatus::none;
        s = {.seq = h->seq,
             .answers = &h->state.answers,
             .known = there,
             .there = there,
             .version = h->state.cart.version};
      }
      break;
    case Kind::order:
      if (auto* h = desk_.find<OrderState>(id_of<OrderState>(target))) {
        const bool there = h->state.order.status != OrderStatus::none;
        s = {.seq = h->seq,
             .answers = &h->state.answers,
             .known = there,
             .there = there,
             .version = h->state.order.version};
      }
      break;
    default:
      SOUK_ASSERT(false);
  }
  return s;
}

// ---- repeats ----

bool Admission::repeats(Request& request, const Subject& subject) {
  if (request.key_hash == 0 || !subject.answers) return false;
  const Repeat repeat = find_repeat(target_of(request.op), *subject.answers, request.key_hash,
                                    desk_.entities, desk_.clock.now());
  if (!repeat.answer) return false;
  if (repeat.answer->request_hash != request.request_hash)
    desk_.responder.answer(request, ReplyCode::idempotency_conflict, subject.seq);
  else
    replay(request, repeat, subject.seq);
  return true;
}

void Admission::replay(Request& request, const Repeat& repeat, Seq seq) {
  const Answer& kept = *repeat.answer;
  if (kept.outcome == Outcome::refused || kept.refusal != Refusal::none) {
    Reply reply = desk_.responder.reply_to(request, ReplyCode::refused);
    reply.refusal = kept.refusal;
    reply.detail = kept.detail;
    reply.replayed = true;
    return desk_.responder.answer(request, std::move(reply), seq);
  }
  if (const auto* c = std::get_if<CheckOut>(&request.op))
    return orders_.wait_until_final(std::move(request), c->order, seq, Replayed::yes);
  if (const auto* c = std::get_if<PlaceOrder>(&request.op))
    return orders_.wait_until_final(std::move(request), c->order, seq, Replayed::yes);
  if (target_of(request.op).kind() == Kind::user && !repeat.past.left)
    return users_.wait(std::move(request), kept.version, Replayed::yes,
                       kept.detail == Answer::awaits_address ? Awaits::address : Awaits::nothing);
  // Whoever asks again hears no sooner than the first that the key is gone.
  if (const auto* c = std::get_if<EraseOrder>(&request.op);
      c && desk_.find<OrderState>(c->order)->state.order.key_to_destroy)
    return orders_.wait_until_done(std::move(request), c->order, kept.version, Replayed::yes);
  desk_.responder.respond(request,
                          kept.outcome == Outcome::created ? ReplyCode::created : ReplyCode::ok,
                          kept.version, seq, Replayed::yes, {}, repeat.past);
}

/// What the creation would make is there: its key is older than what is kept.
void Admission::made_before(Request& request, const Subject& subject) {
  if (const auto* c = std::get_if<PlaceOrder>(&request.op))
    return orders_.wait_until_final(std::move(request), c->order, subject.seq, Replayed::yes);
  if (const auto* c = std::get_if<RegisterUser>(&request.op)) {
    const bool registering =
        desk_.find<UserState>(c->user)->state.user.status == UserStatus::registering;
    return users_.wait(std::move(request), subject.version, Replayed::yes,
                       registering ? Awaits::address : Awaits::nothing);
  }
  const bool order = std::holds_alternative<AcceptReturn>(request.op);  // shown as it was made
  desk_.responder.respond(request, ReplyCode::created, order ? 1 : subject.version, subject.seq,
                          Replayed::yes);
}

bool Admission::placed_before(Request& request) {
  const OrderId order = std::get<CheckOut>(request.op).order;
  auto* placed = desk_.find<OrderState>(order);
  if (!placed || placed->state.order.status == OrderStatus::none) return false;
  orders_.wait_until_final(std::move(request), order, placed->seq, Replayed::yes);
  return true;
}

// ---- what else must be there ----

bool Admission::lacks_product(const Request& request, const Policy& policy,
                              const Subject& subject) {
  if (policy.product == Policy::Product::unneeded || subject.defined) return false;
  if (policy.product == Policy::Product::or_not_found)
    desk_.responder.not_found(request);
  else
    desk_.responder.refused(request, {Refusal::unknown_product}, subject.seq);
  return true;
}

std::optional<UserId> Admission::owner_of(const Op& op) {
  if (const auto* c = std::get_if<OpenCart>(&op)) return c->user;
  if (const auto* c = std::get_if<PlaceOrder>(&op)) return c->user;
  if (const auto* c = std::get_if<AcceptReturn>(&op)) return c->user;
  const auto* c = std::get_if<CheckOut>(&op);
  SOUK_ASSERT(c);
  return desk_.find<CartState>(c->cart)->state.cart.user;
}

/// A guest's creation with a key that a user's creation has.
bool Admission::bound_elsewhere(const Request& request) {
  if (owner_of(request.op) || request.key_hash == 0) return false;
  const auto bound = bound_at(desk_, *Id128::from_bytes(target_of(request.op).id()));
  if (!bound) return false;
  desk_.responder.answer(request, ReplyCode::idempotency_conflict, *bound);
  return true;
}

bool Admission::unknown_user(const Request& request) {
  const auto user = owner_of(request.op);
  if (!user) return false;
  auto* h = desk_.find<UserState>(*user);
  if (h && h->state.user.status == UserStatus::active) return false;
  desk_.responder.refused(request, {Refusal::unknown_user}, h ? h->seq : 0);
  return true;
}

}  // namespace souk

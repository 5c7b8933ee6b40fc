// What orders and users owe the world, and who waits for it.
#include <algorithm>

#include "actors/shard/shard.h"

namespace souk {
namespace {

/// Names the process's own commands: the order, the step, how often it came to that.
CommandId process_cause(const OrderId& order, std::size_t fact, Version version) {
  CommandId id = order.raw;
  id.bytes[12] = static_cast<std::uint8_t>(id.bytes[12] ^ (0x80 | fact));
  id.bytes[13] = static_cast<std::uint8_t>(id.bytes[13] ^ version);
  id.bytes[14] = static_cast<std::uint8_t>(id.bytes[14] ^ (version >> 8));
  return id;
}

constexpr std::int64_t user_retry_ms = 1'000;

}  // namespace

// ---- orders ----

void Shard::start_work(const OrderId& id, Checkout::Start start) {
  auto* h = find<OrderState>(id);
  if (!h || !owes_work(h->state.order)) return;
  auto [at, fresh] = works_.try_emplace(id);
  if (!fresh && at->second.order.stage != OrderWork::Stage::idle) return;
  follow(id, checkout_.begin(id, h->state.order, at->second.order, now(), start));
}

void Shard::follow(const OrderId& id, Advance&& advance) {
  auto& h = *find<OrderState>(id);
  if (!advance.facts.empty()) {
    std::vector<Event> events;
    for (auto& fact : advance.facts) {
      std::optional<Payload> cart_fact;
      if (h.state.order.cart) {
        if (std::holds_alternative<OrderConfirmed>(fact)) cart_fact = CartOrdered{id};
        if (std::holds_alternative<OrderRejected>(fact))
          cart_fact = CartReopened{id, std::move(advance.price_changes)};
      }
      events.push_back({id, std::move(fact)});
      if (cart_fact) events.push_back({*h.state.order.cart, std::move(*cart_fact)});
    }
    const CommandId cause =
        process_cause(id, events.front().payload.index(), h.state.order.version);
    record({.cause = cause, .correlation = id.raw}, std::move(events));
  }
  const Seq seq = advance.after_commit ? h.seq : 0;
  for (auto& op : advance.stock) {
    Request step{.op = std::move(op), .reply_to = {.who = ReplyTo::Who::process, .entity = id}};
    step.correlation = id.raw;
    if (seq > committed_)
      gate(seq, {.what = ShardInput(std::move(step))});
    else
      output_.inputs.emplace_back(std::move(step));
  }
  for (auto& call : advance.payments) {
    if (seq > committed_)
      gate(seq, {.what = std::move(call)});
    else
      output_.payments.push_back(std::move(call));
  }
  auto at = works_.find(id);
  if (at->second.order.stage == OrderWork::Stage::idle && !owes_work(h.state.order)) {
    works_.erase(at);
  } else {
    Work& work = at->second;
    if (work.armed.value == 0 || work.order.retry_at < work.armed) {
      work.armed = work.order.retry_at;
      timers_.push({work.armed, id});
    }
  }
  serve_order_waiters(id);
}

void Shard::process_answer(ProcessAnswer&& answer) {
  if (suspended_) return;  // asked for again after resume()
  if (answer.entity.kind() == Kind::user)
    return user_answer(id_of<UserState>(answer.entity), answer);
  const OrderId id = id_of<OrderState>(answer.entity);
  auto work = works_.find(id);
  auto* h = find<OrderState>(id);
  if (work == works_.end() || !h) return;
  if (const auto* stock = std::get_if<StockAnswer>(&answer.answer))
    follow(id, checkout_.on_stock(id, h->state.order, work->second.order, *stock, now()));
  else if (const auto* payment = std::get_if<PaymentAnswer>(&answer.answer))
    follow(id, checkout_.on_payment(id, h->state.order, work->second.order, *payment, now()));
}

void Shard::wait_for_check_out(Request&& request, const OrderId& id, Seq seq, Replayed replayed) {
  if (!request.wait_final) {
    Reply reply = reply_to(request, ReplyCode::accepted);
    reply.entity = id;
    reply.replayed = replayed == Replayed::yes;
    if (request.wants == Wants::body)
      context_.presenter.check_out(id, OrderStatus::pending, Refusal::none, reply.body);
    return answer(request, std::move(reply), seq);
  }
  const UnixMs until = now().plus_ms(context_.options.wait_final_ms);
  order_waiters_[id].push_back({std::move(request), 0, until, replayed});
  timers_.push({until, id});
  serve_order_waiters(id);
}

void Shard::wait_for_order(Request&& request, const OrderId& id, Version version,
                           Replayed replayed) {
  const UnixMs until = now().plus_ms(context_.options.wait_final_ms);
  auto& waiters = order_waiters_[id];
  waiters.push_back({std::move(request), version, until, replayed});
  if (works_.contains(id)) timers_.push({until, id});
  serve_order_waiters(id);
}

std::vector<ShardId> Shard::shards_of_products(const Order& order) const {
  std::vector<ShardId> shards;
  for (const auto& line : order.lines) {
    const ShardId shard = shard_of(EntityKey(line.item.sku()), context_.options.shards);
    if (shard != id_ && std::ranges::find(shards, shard) == shards.end()) shards.push_back(shard);
  }
  return shards;
}

void Shard::serve_order_waiters(const OrderId& id) {
  if (order_waiters_.empty()) return;
  auto at = order_waiters_.find(id);
  if (at == order_waiters_.end()) return;
  auto* h = find<OrderState>(id);
  SOUK_ASSERT(h);
  const Order& order = h->state.order;
  const UnixMs time = now();
  std::erase_if(at->second, [&](FinalWaiter& w) {
    const bool late = time >= w.until;
    const bool check_out = std::holds_alternative<CheckOut>(w.request.op) ||
                           std::holds_alternative<PlaceOrder>(w.request.op);
    if (!check_out) {
      if (works_.contains(id) && !late) return false;
      const bool creates = std::holds_alternative<AcceptReturn>(w.request.op);
      respond(w.request, creates ? ReplyCode::created : ReplyCode::ok, w.version, h->seq,
              w.replayed, shards_of_products(order));
      return true;
    }
    const bool final = order.status != OrderStatus::pending;
    if (!final && !late) return false;
    Reply reply = reply_to(w.request, final ? ReplyCode::ok : ReplyCode::accepted);
    reply.entity = id;
    reply.replayed = w.replayed == Replayed::yes;
    if (final) reply.also_on = shards_of_products(order);
    const OrderStatus outcome = !final                                  ? OrderStatus::pending
                                : order.status == OrderStatus::rejected ? OrderStatus::rejected
                                                                        : OrderStatus::confirmed;
    if (w.request.wants == Wants::body)
      context_.presenter.check_out(id, outcome, order.reason, reply.body);
    answer(w.request, std::move(reply), h->seq);
    return true;
  });
  if (at->second.empty()) order_waiters_.erase(at);
}

// ---- users ----

void Shard::user_effects(const UserId& id) {
  auto* h = find<UserState>(id);
  if (!h || !owes_work(h->state.user)) return;
  const User& user = h->state.user;
  const auto send = [&](Op&& op) {
    Request step{.op = std::move(op), .reply_to = {.who = ReplyTo::Who::process, .entity = id}};
    step.cause = id.raw;
    step.cause.bytes[15] = static_cast<std::uint8_t>(step.cause.bytes[15] ^ (step.op.index() + 1));
    step.correlation = id.raw;
    gate(h->seq, {.what = ShardInput(std::move(step))});
  };
  // An address that is being given back is asked for again only after that.
  const auto& to_free = user.to_free;
  if (user.pending &&
      std::find(to_free.begin(), to_free.end(), user.pending->hash) == to_free.end())
    send(ClaimEmail{user.pending->hash, id});
  for (const auto& email : user.to_free) send(FreeEmail{email, id});
  if (user.key_to_destroy) {
    std::vector<PersonId> persons{EntityKey(id)};  // and the addresses on this person's orders
    for (const auto& order : user.orders) persons.emplace_back(order);
    gate(h->seq, {.what = std::make_pair(EntityKey(id), std::move(persons))});
  }
  timers_.push({now().plus_ms(user_retry_ms), id});
}

void Shard::user_answer(const UserId& id, ProcessAnswer& answer) {
  auto* h = find<UserState>(id);
  if (!h) return;
  const User& user = h->state.user;
  Facts facts;
  if (const auto* email = std::get_if<EmailAnswer>(&answer.answer)) {
    if (email->op == Op(ClaimEmail{}).index()) {
      if (user.pending && user.pending->hash == email->email) {
        if (email->code == ReplyCode::ok) facts.emplace_back(EmailAssigned{});
        if (email->code == ReplyCode::refused) facts.emplace_back(EmailRefused{});
      }
    } else if (email->code == ReplyCode::ok && std::find(user.to_free.begin(), user.to_free.end(),
                                                         email->email) != user.to_free.end()) {
      facts.emplace_back(FormerEmailFreed{email->email});
    }
  } else if (std::holds_alternative<KeysDestroyed>(answer.answer) && user.key_to_destroy) {
    facts.emplace_back(PersonalKeyDestroyed{});
  }
  if (facts.empty()) return;
  CommandId cause = id.raw;
  cause.bytes[14] = static_cast<std::uint8_t>(cause.bytes[14] ^ facts[0].index());
  record({.cause = cause, .correlation = id.raw}, {{EntityKey(id), facts[0]}});
  h = find<UserState>(id);
  if (h->state.user.status == UserStatus::rejected)  // nobody's data: it needs no key
    gate(h->seq, {.what = std::make_pair(EntityKey(id), std::vector<PersonId>{EntityKey(id)})});
  user_effects(id);
  serve_user_waiters(id, std::holds_alternative<EmailAssigned>(facts[0])  ? Address::assigned
                         : std::holds_alternative<EmailRefused>(facts[0]) ? Address::refused
                                                                          : Address::as_it_was);
}

void Shard::wait_for_user(Request&& request, Version version, Replayed replayed, Awaits awaits) {
  const UserId id = id_of<UserState>(target_of(request.op));
  const UnixMs until = now().plus_ms(context_.options.wait_final_ms);
  user_waiters_[id].push_back({std::move(request), version, until, replayed, awaits});
  timers_.push({until, id});
  serve_user_waiters(id, Address::as_it_was);
}

/// `address`: what has just become of the one that was asked for.
void Shard::serve_user_waiters(const UserId& id, Address address) {
  auto at = user_waiters_.find(id);
  if (at == user_waiters_.end()) return;
  auto* h = find<UserState>(id);
  SOUK_ASSERT(h);
  const User& user = h->state.user;
  const UnixMs time = now();
  std::erase_if(at->second, [&](FinalWaiter& w) {
    const bool registers = std::holds_alternative<RegisterUser>(w.request.op);
    const bool erases = std::holds_alternative<EraseUser>(w.request.op);
    const bool awaits_address = w.awaits == Awaits::address;
    const bool waits =
        erases ? user.key_to_destroy : awaits_address && address == Address::as_it_was;
    if (waits) {
      if (time < w.until) return false;
      answer(w.request, reply_to(w.request, ReplyCode::unavailable), 0);
      return true;
    }
    if (awaits_address ? address == Address::refused
                       : registers && user.status == UserStatus::rejected) {
      Reply reply = reply_to(w.request, ReplyCode::refused);
      reply.refusal = Refusal::email_taken;
      reply.replayed = w.replayed == Replayed::yes;
      answer(w.request, std::move(reply), h->seq);
      return true;
    }
    const Version version =
        awaits_address ? user.version : w.version;  // it shows once it is assigned
    respond(w.request, registers ? ReplyCode::created : ReplyCode::ok, version, h->seq, w.replayed);
    return true;
  });
  if (at->second.empty()) user_waiters_.erase(at);
}

// ---- time ----

void Shard::arm_expiry(const Sku& sku, UnixMs due) {
  auto [at, fresh] = armed_skus_.try_emplace(sku, due);
  if (!fresh && at->second <= due) return;
  at->second = due;
  timers_.push({due, sku});
}

void Shard::tick() {
  const UnixMs time = now();
  while (!timers_.empty() && timers_.top().due <= time) {
    const EntityKey entity = timers_.top().entity;
    timers_.pop();
    fire(entity, time);
  }
  std::erase_if(position_waiters_, [&](PositionWaiter& w) {
    if (time < w.until) return false;
    answer(w.request, reply_to(w.request, ReplyCode::position_not_reached), 0);
    return true;
  });
  if (suspended_) return;
  if (!round_ && dirty_ > 0 &&
      (last_seq_ - checkpoint_seq_ >= context_.options.checkpoint_events ||
       time >= checkpoint_at_.plus_ms(context_.options.checkpoint_ms)))
    start_checkpoint();
  evict();
}

void Shard::fire(const EntityKey& entity, UnixMs time) {
  if (entity.kind() == Kind::sku)
    return suspended_ ? void() : expire(Sku::trusted(entity.id()), time);
  if (entity.kind() == Kind::user) {
    const UserId id = id_of<UserState>(entity);
    if (!suspended_) user_effects(id);
    return serve_user_waiters(id, Address::as_it_was);
  }
  const OrderId id = id_of<OrderState>(entity);
  auto at = works_.find(id);
  if (at != works_.end() && !suspended_) {
    Work& work = at->second;
    if (work.armed.value != 0 && time >= work.armed) {
      work.armed = {};
      if (time >= work.order.retry_at)
        follow(id, checkout_.on_timer(id, find<OrderState>(id)->state.order, work.order, time));
      else
        follow(id, {});
    }
  }
  serve_order_waiters(id);
}

void Shard::expire(const Sku& sku, UnixMs time) {
  armed_skus_.erase(sku);
  auto* h = find<SkuState>(sku);
  if (!h) return;
  const Facts facts = expire_holds(h->state.inventory, time);
  for (const auto& fact : facts) {
    const auto& expired = std::get<ReservationExpired>(fact);
    record(
        {.cause = process_cause(expired.order, fact.index(), 0), .correlation = expired.order.raw},
        {{EntityKey(sku), fact}});
  }
  if (auto next = next_expiry(h->state.inventory)) arm_expiry(sku, *next);
}

}  // namespace souk

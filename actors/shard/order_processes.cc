#include "actors/shard/order_processes.h"

#include <algorithm>

#include "actors/shard/waiters.h"

namespace souk {
namespace {
constexpr std::int64_t key_retry_ms = 1'000;
}  // namespace

CommandId process_cause(const OrderId& order, std::size_t fact, Version version) {
  CommandId id = order.raw;
  id.bytes[12] = static_cast<std::uint8_t>(id.bytes[12] ^ (0x80 | fact));
  id.bytes[13] = static_cast<std::uint8_t>(id.bytes[13] ^ version);
  id.bytes[14] = static_cast<std::uint8_t>(id.bytes[14] ^ (version >> 8));
  return id;
}

OrderProcesses::OrderProcesses(Desk& desk, Timers& timers)
    : desk_(desk),
      timers_(timers),
      checkout_({.hold_ms = desk.context.options.hold_ms,
                 .payment_retry_ms = desk.context.options.payment_retry_ms,
                 .payment_deadline_ms = desk.context.options.payment_deadline_ms}) {}

// ---- what is owed ----

void OrderProcesses::start(OrderId id, Checkout::Start start) {
  auto* h = desk_.find<OrderState>(id);
  if (!h) return;
  if (h->state.order.key_to_destroy) destroy_key(id);
  if (!owes_check_out(h->state.order)) return;
  auto [at, fresh] = works_.try_emplace(id);
  if (!fresh && at->second.order.stage != OrderWork::Stage::idle) return;
  follow(id, checkout_.begin(id, h->state.order, at->second.order, desk_.clock.now(), start));
}

void OrderProcesses::resume() {
  std::vector<OrderId> orders;
  desk_.entities.each<OrderState>([&](const Hosted<OrderState>& h) {
    if (owes_work(h.state.order)) orders.push_back(h.id);
  });
  std::ranges::sort(orders);
  for (const auto& id : orders) start(id, Checkout::Start::recovered);
}

void OrderProcesses::answered(OrderId id, const StockAnswer& answer) {
  auto work = works_.find(id);
  auto* h = desk_.find<OrderState>(id);
  if (work == works_.end() || !h) return;
  follow(id, checkout_.on_stock(id, h->state.order, work->second.order, answer, desk_.clock.now()));
}

void OrderProcesses::answered(OrderId id, const PaymentAnswer& answer) {
  auto work = works_.find(id);
  auto* h = desk_.find<OrderState>(id);
  if (work == works_.end() || !h) return;
  follow(id,
         checkout_.on_payment(id, h->state.order, work->second.order, answer, desk_.clock.now()));
}

/// Asks for what an erased order owes: the key of its address is to go.
void OrderProcesses::destroy_key(const OrderId& id) {
  auto* h = desk_.find<OrderState>(id);
  if (!h || !h->state.order.key_to_destroy) return;
  if (destroying_.insert(id).second)
    desk_.gate.leave_in_order(h->seq, KeysToDestroy(id, {EntityKey(id)}));
  timers_.arm(desk_.clock.now().plus_ms(key_retry_ms), id);
}

void OrderProcesses::answered(OrderId id, const KeysDestroyed& answer) {
  destroying_.erase(id);
  if (!answer.status.ok()) return;  // the timer asks again
  auto* h = desk_.find<OrderState>(id);
  if (!h || !h->state.order.key_to_destroy) return;
  std::vector<Event> events;
  events.push_back({id, PersonalKeyDestroyed{}});
  const CommandId cause = process_cause(id, events.front().payload.index(), h->state.order.version);
  desk_.recorder.record({.cause = cause, .correlation = id.raw}, std::move(events));
  serve(id);
}

void OrderProcesses::timer(OrderId id, UnixMs now, Effects effects) {
  auto at = works_.find(id);
  if (effects == Effects::sent) destroy_key(id);
  if (at != works_.end() && effects == Effects::sent) {
    Work& work = at->second;
    if (work.armed.value != 0 && now >= work.armed) {
      work.armed = {};
      if (now >= work.order.retry_at)
        follow(id,
               checkout_.on_timer(id, desk_.find<OrderState>(id)->state.order, work.order, now));
      else
        follow(id, {});
    }
  }
  serve(id);
}

void OrderProcesses::follow(const OrderId& id, Advance&& advance) {
  auto& h = *desk_.find<OrderState>(id);
  if (!advance.facts.empty()) record(id, h.state.order, advance);
  const Seq seq = advance.after_commit ? h.seq : 0;
  for (auto& op : advance.stock) {
    ShardInput input(std::in_place_type<Request>);
    Request& step = std::get<Request>(input);
    step.op = std::move(op);
    step.reply_to = {.who = ReplyTo::Who::process, .entity = id};
    step.correlation = id.raw;
    desk_.gate.leave(seq, std::move(input));
  }
  for (auto& call : advance.payments) desk_.gate.leave(seq, std::move(call));
  auto at = works_.find(id);
  if (at->second.order.stage == OrderWork::Stage::idle && !owes_check_out(h.state.order)) {
    works_.erase(at);
  } else {
    Work& work = at->second;
    if (work.armed.value == 0 || work.order.retry_at < work.armed) {
      work.armed = work.order.retry_at;
      timers_.arm(work.armed, id);
    }
  }
  // Who waits for a pending order waits on, or hears it by the timer.
  if (h.state.order.status != OrderStatus::pending) serve(id);
}

/// The order's facts, and what its cart learns with them.
void OrderProcesses::record(const OrderId& id, const Order& order, Advance& advance) {
  std::vector<Event> events;
  for (auto& fact : advance.facts) {
    std::optional<Payload> cart_fact;
    if (order.cart) {
      if (std::holds_alternative<OrderConfirmed>(fact)) cart_fact = CartOrdered{id};
      if (std::holds_alternative<OrderRejected>(fact))
        cart_fact = CartReopened{id, std::move(advance.price_changes)};
    }
    events.push_back({id, std::move(fact)});
    if (cart_fact) events.push_back({*order.cart, std::move(*cart_fact)});
  }
  const CommandId cause = process_cause(id, events.front().payload.index(), order.version);
  desk_.recorder.record({.cause = cause, .correlation = id.raw}, std::move(events));
}

// ---- who waits for it ----

void OrderProcesses::wait_until_final(Request&& request, OrderId id, Seq seq, Replayed replayed) {
  if (!request.wait_final) {
    Reply reply = desk_.responder.reply_to(request, ReplyCode::accepted);
    reply.entity = id;
    reply.replayed = replayed == Replayed::yes;
    if (request.wants == Wants::body)
      desk_.context.presenter.check_out(id, OrderStatus::pending, Refusal::none, reply.body);
    return desk_.responder.answer(request, std::move(reply), seq);
  }
  const UnixMs until = desk_.clock.now().plus_ms(desk_.context.options.wait_final_ms);
  waiters_[id].push_back(
      {std::exchange(request, Request{}), 0, until, replayed, own_of(id, replayed)});
  timers_.arm(until, id);
  if (!waits_on(*desk_.find<OrderState>(id), until)) serve(id);
}

void OrderProcesses::wait_until_done(Request&& request, OrderId id, Version version,
                                     Replayed replayed) {
  const UnixMs until = desk_.clock.now().plus_ms(desk_.context.options.wait_final_ms);
  waiters_[id].push_back(
      {std::exchange(request, Request{}), version, until, replayed, own_of(id, replayed)});
  if (works_.contains(id) || destroying_.contains(id)) timers_.arm(until, id);
  serve(id);
}

/// Whether who waits for it until then has nothing to hear yet.
bool OrderProcesses::waits_on(const Hosted<OrderState>& h, UnixMs until) const {
  return h.state.order.status == OrderStatus::pending && desk_.clock.now() < until;
}

void OrderProcesses::serve(const OrderId& id) {
  if (waiters_.empty()) return;
  auto at = waiters_.find(id);
  if (at == waiters_.end()) return;
  auto* h = desk_.find<OrderState>(id);
  SOUK_ASSERT(h);
  std::vector<Waiter> waiting;
  for (auto& w : at->second) {
    const bool check_out = std::holds_alternative<CheckOut>(w.request.op) ||
                           std::holds_alternative<PlaceOrder>(w.request.op);
    if (check_out ? serve_final(id, *h, w) : serve_done(id, *h, w))
      desk_.undecided.asked(std::move(w.request), w.own);
    else
      waiting.push_back(std::move(w));
  }
  at->second = std::move(waiting);
  if (at->second.empty()) waiters_.erase(at);
}

bool OrderProcesses::serve_done(const OrderId& id, const Hosted<OrderState>& h, const Waiter& w) {
  const bool erases = std::holds_alternative<EraseOrder>(w.request.op);
  const bool owed = erases ? h.state.order.key_to_destroy : works_.contains(id);
  if (owed && desk_.clock.now() < w.until) return false;
  if (owed && erases)
    return desk_.responder.unavailable(w.request), true;  // not done yet: ask again
  const bool creates = std::holds_alternative<AcceptReturn>(w.request.op);
  desk_.responder.respond(w.request, creates ? ReplyCode::created : ReplyCode::ok, w.version, h.seq,
                          w.replayed, shards_of_products(h.state.order));
  return true;
}

bool OrderProcesses::serve_final(const OrderId& id, const Hosted<OrderState>& h, const Waiter& w) {
  const Order& order = h.state.order;
  const bool final = order.status != OrderStatus::pending;
  if (!final && desk_.clock.now() < w.until) return false;
  Reply reply = desk_.responder.reply_to(w.request, final ? ReplyCode::ok : ReplyCode::accepted);
  reply.entity = id;
  reply.replayed = w.replayed == Replayed::yes;
  if (final) reply.also_on = shards_of_products(order);
  const OrderStatus outcome = !final                                  ? OrderStatus::pending
                              : order.status == OrderStatus::rejected ? OrderStatus::rejected
                                                                      : OrderStatus::confirmed;
  if (w.request.wants == Wants::body)
    desk_.context.presenter.check_out(id, outcome, order.reason, reply.body);
  desk_.responder.answer(w.request, std::move(reply), h.seq);
  return true;
}

std::vector<ShardId> OrderProcesses::shards_of_products(const Order& order) const {
  std::vector<ShardId> shards;
  for (const auto& line : order.lines) {
    const ShardId shard = shard_of(EntityKey(line.item.sku()), desk_.context.options.shards);
    if (shard != desk_.id && std::ranges::find(shards, shard) == shards.end())
      shards.push_back(shard);
  }
  return shards;
}

// ---- a commit is in doubt ----

std::vector<Request> OrderProcesses::take_not_landed(Seq landed) {
  return souk::take_not_landed(
      waiters_, landed, [&](const OrderId& id) { return desk_.find<OrderState>(id) != nullptr; },
      [&](const Request& request) { desk_.responder.unavailable(request); });
}

void OrderProcesses::serve_all() {
  for (const auto& id : awaited(waiters_)) {
    for (const auto& w : waiters_[id]) timers_.arm(w.until, id);
    serve(id);
  }
}

std::vector<Request> OrderProcesses::take_waiting() { return take_requests(waiters_); }

}  // namespace souk

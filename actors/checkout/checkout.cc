#include "actors/checkout/checkout.h"

#include <algorithm>
#include <map>

namespace souk {
namespace {

using Stage = OrderWork::Stage;

constexpr std::int64_t retry_first_ms = 50;
constexpr std::int64_t retry_longest_ms = 5'000;

/// The lines of one SKU are reserved together, in the order of their first line.
std::vector<OrderPart> parts_of(const Order& order) {
  std::vector<OrderPart> parts;
  parts.reserve(order.lines.size());
  std::map<std::string_view, std::size_t> index;  // only for long orders
  for (const auto& line : order.lines) {
    std::size_t at = parts.size();
    if (order.lines.size() > 8) {
      at = index.try_emplace(line.item.sku().text(), parts.size()).first->second;
    } else {
      for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].sku == line.item.sku()) at = i;
    }
    if (at == parts.size()) parts.push_back({.sku = line.item.sku()});
    parts[at].quantity += line.quantity;
    if (line.pricing == Pricing::catalogue)
      parts[at].expected_price = Money{line.unit_price, order.currency};
  }
  return parts;
}

std::vector<OrderPart> parts_of(const Order& order, const OrderReturn& returned) {
  std::vector<OrderPart> parts;
  std::map<std::string_view, std::size_t> index;
  for (const auto& r : returned.lines) {
    const Sku& sku = order.lines[r.line].item.sku();
    auto [at, fresh] = index.try_emplace(sku.text(), parts.size());
    if (fresh) parts.push_back({.sku = sku});
    parts[at->second].quantity += r.quantity;
  }
  return parts;
}

/// Up to here a walk is the quickest way to find a part.
constexpr std::size_t parts_walked_max = 8;

void set_parts(OrderWork& work, std::vector<OrderPart>&& parts) {
  work.parts = std::move(parts);
  work.by_sku.clear();
  if (work.parts.size() <= parts_walked_max) return;
  for (std::uint32_t i = 0; i < work.parts.size(); ++i) work.by_sku.push_back(i);
  std::ranges::sort(work.by_sku, {},
                    [&](std::uint32_t i) -> const Sku& { return work.parts[i].sku; });
}

/// Nothing where no part is of this SKU.
OrderPart* part_of(OrderWork& work, const Sku& sku) {
  if (work.by_sku.empty()) {
    const auto part = std::ranges::find(work.parts, sku, &OrderPart::sku);
    return part == work.parts.end() ? nullptr : &*part;
  }
  const auto at = std::ranges::lower_bound(
      work.by_sku, sku, {}, [&](std::uint32_t i) -> const Sku& { return work.parts[i].sku; });
  if (at == work.by_sku.end() || work.parts[*at].sku != sku) return nullptr;
  return &work.parts[*at];
}

void wait_for_all(OrderWork& work) {
  for (auto& part : work.parts) part.answered = false;
  work.unanswered = work.parts.size();
}

std::int64_t backoff_ms(std::uint32_t attempt) {
  return std::min(retry_longest_ms, retry_first_ms << std::min(attempt, 7u));
}

Op stock_op(OrderId id, const OrderWork& work, const OrderPart& part, std::int64_t hold_ms,
            UnixMs now) {
  switch (work.stage) {
    case Stage::reserving:
      return ReserveStock{part.sku, id, part.quantity, part.expected_price, hold_ms, now};
    case Stage::claiming:
      return ClaimStock{part.sku, id};
    case Stage::selling:
      return SellStock{part.sku, id};
    case Stage::restocking:
      return ReturnStock{part.sku, id, work.number, part.quantity};
    default:
      return ReleaseStock{part.sku, id, now};
  }
}

/// The answers that a stage waits for; all else is late.
bool expects(Stage stage, std::size_t op) {
  switch (stage) {
    case Stage::reserving:
      return op == Op(ReserveStock{}).index();
    case Stage::claiming:
      return op == Op(ClaimStock{}).index();
    case Stage::selling:
      return op == Op(SellStock{}).index();
    case Stage::unwinding:
      return op == Op(ReleaseStock{}).index();
    case Stage::restocking:
      return op == Op(ReturnStock{}).index();
    default:
      return false;
  }
}

}  // namespace

void Checkout::send_parts(OrderId id, OrderWork& work, UnixMs now, Advance& out) const {
  out.stock.reserve(work.unanswered);
  for (const auto& part : work.parts)
    if (!part.answered) out.stock.push_back(stock_op(id, work, part, times_.hold_ms, now));
  work.retry_at = now.plus_ms(times_.payment_retry_ms);
}

void Checkout::call_payment(OrderId id, const Order& order, OrderWork& work, UnixMs now,
                            Advance& out) const {
  PaymentCall call{.order = id, .currency = order.currency};
  switch (work.stage) {
    case Stage::authorising:
      call.op = PaymentCall::Op::authorise;
      call.amount = order.total;
      call.method = order.payment_method;
      call.token = order.payment_token;
      break;
    case Stage::capturing:
      call.op = PaymentCall::Op::capture;
      call.amount = order.total;
      break;
    case Stage::refunding:
      call.op = PaymentCall::Op::refund;
      call.number = work.number;
      for (const auto& due : order.payment.due)
        if (due.number == work.number) call.amount = due.amount;
      break;
    default:
      call.op = PaymentCall::Op::cancel;
  }
  work.payment_touched = true;
  work.payment_unanswered = true;
  work.retry_at = now.plus_ms(times_.payment_retry_ms);
  out.payments.push_back(std::move(call));
}

void Checkout::authorise(OrderId id, const Order& order, OrderWork& work, UnixMs now,
                         Advance& out) const {
  if (order.total.value == 0) return claim(id, work, now, out);
  work.stage = Stage::authorising;
  work.deadline = now.plus_ms(times_.payment_deadline_ms);
  work.attempt = 0;
  call_payment(id, order, work, now, out);
}

void Checkout::claim(OrderId id, OrderWork& work, UnixMs now, Advance& out) const {
  work.stage = Stage::claiming;
  wait_for_all(work);
  send_parts(id, work, now, out);
}

void Checkout::capture(OrderId id, const Order& order, OrderWork& work, UnixMs now,
                       Advance& out) const {
  if (order.total.value == 0) {
    out = confirm(id, order, work, now);
    return;
  }
  work.stage = Stage::capturing;
  work.deadline = now.plus_ms(times_.payment_deadline_ms);
  work.attempt = 0;
  call_payment(id, order, work, now, out);
}

Advance Checkout::begin(OrderId id, const Order& order, OrderWork& work, UnixMs now,
                        Start start) const {
  Advance out;
  if (start == Start::recovered) work.payment_touched = true;
  work.payment_unanswered = false;
  if (order.status == OrderStatus::pending) {
    work.stage = Stage::reserving;
    set_parts(work, parts_of(order));
    wait_for_all(work);
    send_parts(id, work, now, out);
  } else {
    settle(id, order, work, now, out);
  }
  return out;
}

/// From a final status to all that it entails. `order` is as the facts in `out` leave it, except
/// for them: callers pass the state before, so a settled check-out is told by the stage.
void Checkout::settle(OrderId id, const Order& order, OrderWork& work, UnixMs now,
                      Advance& out) const {
  if (order.settled) return follow_up(id, order, work, now, out, {});
  work.stage = order.status == OrderStatus::rejected ? Stage::unwinding : Stage::selling;
  set_parts(work, parts_of(order));
  wait_for_all(work);
  send_parts(id, work, now, out);
  if (work.stage == Stage::unwinding && work.payment_touched && order.total.value > 0) {
    work.attempt = 0;
    call_payment(id, order, work, now, out);
  }
}

void Checkout::follow_up(OrderId id, const Order& order, OrderWork& work, UnixMs now, Advance& out,
                         Done done) const {
  work.payment_unanswered = false;
  work.attempt = 0;
  for (const auto& due : order.payment.due) {
    if (due.number == done.refund) continue;
    work.stage = Stage::refunding;
    work.number = due.number;
    return call_payment(id, order, work, now, out);
  }
  for (const auto& returned : order.returns) {
    if (returned.restocked || returned.number == done.restocked) continue;
    work.stage = Stage::restocking;
    work.number = returned.number;
    set_parts(work, parts_of(order, returned));
    wait_for_all(work);
    return send_parts(id, work, now, out);
  }
  work.stage = Stage::idle;
}

Advance Checkout::confirm(OrderId id, const Order& order, OrderWork& work, UnixMs now) const {
  Advance out;
  if (order.total.value > 0) out.facts.emplace_back(PaymentCaptured{order.total});
  out.facts.emplace_back(OrderConfirmed{});
  work.stage = Stage::selling;
  work.payment_unanswered = false;
  wait_for_all(work);
  send_parts(id, work, now, out);
  return out;
}

Advance Checkout::reject(OrderId id, const Order& order, OrderWork& work, Refusal reason,
                         Refusal payment, UnixMs now) const {
  Advance out;
  if (payment == Refusal::payment_declined) out.facts.emplace_back(PaymentDeclined{});
  out.facts.emplace_back(OrderRejected{reason});
  for (auto& part : work.parts)
    if (part.price_change) out.price_changes.push_back(*part.price_change);
  work.stage = Stage::unwinding;
  work.payment_unanswered = false;
  wait_for_all(work);
  send_parts(id, work, now, out);
  if (work.payment_touched && order.total.value > 0) {
    work.attempt = 0;
    call_payment(id, order, work, now, out);
  }
  return out;
}

Advance Checkout::on_stock(OrderId id, const Order& order, OrderWork& work,
                           const StockAnswer& answer, UnixMs now) const {
  if (!expects(work.stage, answer.op) || answer.code == ReplyCode::unavailable) return {};
  if (work.stage == Stage::restocking && answer.number != work.number) return {};
  OrderPart* part = part_of(work, answer.sku);
  if (!part || part->answered) return {};
  part->answered = true;
  part->refusal = answer.code == ReplyCode::refused ? answer.refusal : Refusal::none;
  part->price_change = answer.price_change;
  if (--work.unanswered > 0) return {};

  Advance out;
  out.after_commit = false;
  switch (work.stage) {
    case Stage::reserving:
    case Stage::claiming:
      for (const auto& p : work.parts)
        if (p.refusal != Refusal::none)
          return reject(id, order, work, p.refusal, Refusal::none, now);
      if (work.stage == Stage::reserving)
        authorise(id, order, work, now, out);
      else
        capture(id, order, work, now, out);
      return out;
    case Stage::selling:
      out.after_commit = true;
      out.facts.emplace_back(OrderSettled{});
      follow_up(id, order, work, now, out, {});
      return out;
    case Stage::unwinding:
      if (work.payment_unanswered) return {};
      out.after_commit = true;
      if (order.payment.status == PaymentStatus::authorised)
        out.facts.emplace_back(PaymentVoided{});
      out.facts.emplace_back(OrderSettled{});
      work.stage = Stage::idle;
      return out;
    case Stage::restocking: {
      out.after_commit = true;
      const std::uint32_t number = work.number;
      out.facts.emplace_back(ReturnRestocked{number});
      follow_up(id, order, work, now, out, {.restocked = number});
      return out;
    }
    default:
      return {};
  }
}

Advance Checkout::on_payment(OrderId id, const Order& order, OrderWork& work,
                             const PaymentAnswer& answer, UnixMs now) const {
  using Answered = PaymentAnswer::Kind;
  PaymentCall::Op expected = work.stage == Stage::authorising ? PaymentCall::Op::authorise
                             : work.stage == Stage::capturing ? PaymentCall::Op::capture
                             : work.stage == Stage::refunding ? PaymentCall::Op::refund
                                                              : PaymentCall::Op::cancel;
  if (!work.payment_unanswered || answer.op != expected) return {};
  if (work.stage == Stage::refunding && answer.number != work.number) return {};
  if (answer.kind == Answered::failed) {
    work.retry_at = std::min(work.retry_at, now.plus_ms(backoff_ms(work.attempt++)));
    return {};
  }
  Advance out;
  out.after_commit = false;
  work.payment_unanswered = false;
  switch (work.stage) {
    case Stage::authorising:
      if (answer.kind == Answered::declined)
        return reject(id, order, work, Refusal::payment_declined, Refusal::payment_declined, now);
      out.facts.emplace_back(PaymentAuthorised{order.total});
      claim(id, work, now, out);
      return out;
    case Stage::capturing:
      if (answer.kind == Answered::declined)
        return reject(id, order, work, Refusal::payment_declined, Refusal::none, now);
      return confirm(id, order, work, now);
    case Stage::unwinding:
      if (work.unanswered > 0) return {};
      out.after_commit = true;
      if (order.payment.status == PaymentStatus::authorised)
        out.facts.emplace_back(PaymentVoided{});
      out.facts.emplace_back(OrderSettled{});
      work.stage = Stage::idle;
      return out;
    case Stage::refunding: {
      out.after_commit = true;
      // A provider that will not pay back more than it took: the books must say what is.
      PaymentRefunded refunded{.number = work.number, .amount = {}};
      for (const auto& due : order.payment.due) {
        if (due.number != work.number) continue;
        refunded.amount = due.amount;
        refunded.occurred_at = due.occurred_at;
      }
      if (answer.kind == Answered::declined) refunded.amount = Micros{0};
      out.facts.emplace_back(refunded);
      follow_up(id, order, work, now, out, {.refund = work.number});
      return out;
    }
    default:
      return {};
  }
}

Advance Checkout::on_timer(OrderId id, const Order& order, OrderWork& work, UnixMs now) const {
  Advance out;  // after the commit: on a slow disk not even the order itself may be durable yet
  if (work.stage == Stage::idle) return out;
  if ((work.stage == Stage::authorising || work.stage == Stage::capturing) && now >= work.deadline)
    return reject(id, order, work, Refusal::payment_unavailable, Refusal::none, now);
  if ((work.stage == Stage::reserving || work.stage == Stage::claiming) &&
      now >= order.placed_at.plus_ms(times_.hold_ms))
    return reject(id, order, work, Refusal::expired, Refusal::none, now);
  if (work.unanswered > 0) send_parts(id, work, now, out);
  if (work.payment_unanswered) {
    call_payment(id, order, work, now, out);
    work.retry_at = now.plus_ms(std::max(times_.payment_retry_ms, backoff_ms(work.attempt)));
  }
  return out;
}

}  // namespace souk

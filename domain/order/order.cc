#include "domain/order/order.h"

#include <algorithm>

#include "domain/decision.h"
#include "domain/order/totals.h"
#include "events/limits.h"

namespace souk {
namespace {

using What = OrderStep::What;

Refused illegal(const Order& order) {
  return Refused{.reason = Refusal::illegal_state,
                 .detail = static_cast<std::uint8_t>(order.status)};
}

// ---- returns ----

/// Adds `lines` to the pieces of each line that came back, or takes them away.
void move_returned(std::vector<std::int64_t>& returned, const std::vector<ReturnedLine>& lines,
                   std::int64_t sign) {
  for (const auto& line : lines) {
    if (line.line < returned.size()) returned[line.line] += sign * line.quantity;
  }
}

void add_return(Order& order, OrderReturn&& back) {
  order.returned.resize(order.lines.size());
  move_returned(order.returned, back.lines, 1);
  order.returns.push_back(std::move(back));
}

/// Pieces of each line that are still out.
std::vector<std::int64_t> still_out(const Order& order) {
  std::vector<std::int64_t> out;
  out.reserve(order.lines.size());
  for (const auto& line : order.lines) out.push_back(line.quantity);
  for (std::size_t i = 0; i < order.returned.size(); ++i) out[i] -= order.returned[i];
  return out;
}

/// The lines of an order that have one of the SKUs `wanted`; those of one SKU in the order in which
/// they stand, the cheapest first where a price was asked for.
class LinesBySku {
 public:
  LinesBySku(const Order& order, const std::vector<ReturnLine>& wanted) {
    for (const auto& want : wanted) skus_.push_back(&want.sku);
    std::ranges::sort(skus_, {}, value);
    const auto repeats = std::ranges::unique(skus_, {}, value);
    skus_.erase(repeats.begin(), repeats.end());
    for (std::uint32_t i = 0; i < order.lines.size(); ++i) {
      const Sku& sku = order.lines[i].item.sku();
      const std::size_t at = place_of(sku);
      if (at < skus_.size() && *skus_[at] == sku) lines_.push_back({at, i});
    }
    std::ranges::stable_sort(lines_, {}, &Line::sku);
    by_price_ = lines_;
    std::ranges::stable_sort(by_price_, [&](const Line& a, const Line& b) {
      return a.sku != b.sku ? a.sku < b.sku
                            : order.lines[a.line].unit_price < order.lines[b.line].unit_price;
    });
  }
  auto of(const ReturnLine& want) const {
    return std::ranges::equal_range(want.unit_price ? by_price_ : lines_, place_of(want.sku), {},
                                    &Line::sku);
  }

 private:
  struct Line {
    std::size_t sku = 0;  // place in skus_
    std::uint32_t line = 0;
  };
  static const Sku& value(const Sku* sku) { return *sku; }
  std::size_t place_of(const Sku& sku) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(skus_, sku, {}, value) -
                                    skus_.begin());
  }

  std::vector<const Sku*> skus_;  // sorted
  std::vector<Line> lines_;       // sorted by SKU, then by line
  std::vector<Line> by_price_;    // sorted by SKU, then by unit price, then by line
};

using LinesBack = Result<std::vector<ReturnedLine>, Refused>;

std::vector<ReturnedLine> everything_out(const Order& order) {
  const auto out = still_out(order);
  std::vector<ReturnedLine> lines;
  for (std::uint32_t i = 0; i < out.size(); ++i) {
    if (out[i] <= 0) continue;
    lines.push_back({.line = i, .quantity = out[i], .unit_price = order.lines[i].unit_price});
  }
  return lines;
}

/// The lines of the order that `wanted` means.
LinesBack lines_back(const Order& order, const std::vector<ReturnLine>& wanted) {
  if (wanted.empty()) return everything_out(order);
  std::vector<std::int64_t> out = still_out(order);
  const LinesBySku by_sku{order, wanted};
  std::vector<ReturnedLine> lines;
  for (const auto& want : wanted) {
    if (want.unit_price && want.unit_price->currency != order.currency) {
      return Refused{Refusal::currency_mismatch};
    }
    const auto candidates = by_sku.of(want);
    if (candidates.empty()) return Refused{Refusal::unknown_line};
    std::int64_t left = want.quantity, too_cheap = 0;
    for (const auto& [sku, i] : candidates) {
      const std::int64_t taken = std::min(left, out[i]);
      if (taken <= 0) continue;
      if (want.unit_price && want.unit_price->amount > order.lines[i].unit_price) {
        too_cheap += taken;
        continue;
      }
      const Micros price = want.unit_price ? want.unit_price->amount : order.lines[i].unit_price;
      lines.push_back({.line = i, .quantity = taken, .unit_price = price});
      out[i] -= taken;
      left -= taken;
    }
    if (left > too_cheap) return Refused{Refusal::return_too_large};
    if (left > 0) return Refused{Refusal::above_price_paid};
  }
  return lines;
}

/// Of lines of an order, or of a return: a sum that fitted when the order was placed.
template <class Line>
std::optional<Micros> value_of(const std::vector<Line>& lines) {
  std::optional<Micros> sum = Micros{0};
  for (const auto& line : lines) {
    const auto worth = multiply(line.unit_price, line.quantity);
    sum = worth ? add(*sum, *worth) : std::nullopt;
    if (!sum) return std::nullopt;
  }
  return sum;
}

Micros unpromised(const Payment& payment) {
  return {payment.captured.value - payment.refund_promised.value};
}

/// What a return of goods worth `value` pays back.
Micros due_for(const Order& order, Micros value) {
  std::optional<Micros> before = Micros{0};
  for (const auto& r : order.returns) before = before ? add(*before, r.value) : std::nullopt;
  const auto after = before ? add(*before, value) : std::nullopt;
  const auto goods = value_of(order.lines);
  if (!after || !goods) return {};  // an order of before these rules, with returns beyond its worth
  const Charged charged = order.occurred_at ? Charged::before : Charged::now;
  const auto all = [&](Micros back) {
    return paid_back_for(back, *goods, order.total, order.currency, charged).value;
  };
  return {std::clamp<std::int64_t>(all(*after) - all(*before), 0, unpromised(order.payment).value)};
}

UnixMs sold_at(const Order& order) { return order.occurred_at.value_or(order.placed_at); }

/// `facts` and the request to pay back `amount`, where that is anything.
Decision with_refund(Facts facts, const Order& order, Micros amount,
                     std::optional<UnixMs> occurred_at = std::nullopt) {
  if (amount.value <= 0) return facts;
  Decision refund = request_refund(order.payment, amount, occurred_at);
  if (!refund) return refund;
  for (auto& fact : *refund) facts.push_back(std::move(fact));
  return facts;
}

std::uint32_t next_return(const Order& order) {
  return static_cast<std::uint32_t>(order.returns.size() + 1);
}

// ---- evolving ----

void apply(Order& order, const OrderPlaced& e, UnixMs at) {
  order.status = OrderStatus::pending;
  order.cart = e.cart;
  order.user = e.user;
  order.currency = e.currency;
  order.lines = e.lines;
  order.total = e.total;
  order.adjustments = e.adjustments;
  order.payment_method = e.payment_method;
  order.payment_token = e.payment_token;
  order.sealed_address = e.sealed_address;
  order.occurred_at = e.occurred_at;
  order.placed_at = at;
}
void apply(Order& order, const OrderConfirmed&, UnixMs) { order.status = OrderStatus::confirmed; }
void apply(Order& order, const OrderRejected& e, UnixMs) {
  order.status = OrderStatus::rejected;
  order.reason = e.reason;
}
void apply(Order& order, const OrderSettled&, UnixMs) { order.settled = true; }
void apply(Order& order, const OrderCancelled&, UnixMs) { order.status = OrderStatus::cancelled; }
void apply(Order& order, const OrderShipped&, UnixMs) { order.status = OrderStatus::shipped; }
void apply(Order& order, const OrderDelivered&, UnixMs) { order.status = OrderStatus::delivered; }

void apply(Order& order, const OrderReturned& e, UnixMs) {
  add_return(order, {.number = e.number,
                     .version = static_cast<std::uint32_t>(order.version),
                     .restocked = e.goods == Goods::kept_off_sale,  // nothing is owed
                     .lines = e.lines,
                     .value = e.value});
  if (order.status != OrderStatus::shipped && order.status != OrderStatus::delivered) return;
  const auto out = still_out(order);
  if (std::ranges::all_of(out, [](std::int64_t pieces) { return pieces <= 0; })) {
    order.status = OrderStatus::returned;
  }
}

void apply(Order& order, const ReturnAccepted& e, UnixMs at) {
  order.status = OrderStatus::returned;
  order.settled = true;
  order.user = e.user;
  order.currency = e.currency;
  order.lines = e.lines;
  order.occurred_at = e.occurred_at;
  order.placed_at = at;
  OrderReturn back;
  back.number = 1;
  back.version = static_cast<std::uint32_t>(order.version);
  back.value = e.value;
  back.lines.reserve(e.lines.size());
  for (std::uint32_t i = 0; i < e.lines.size(); ++i) {
    const auto& line = e.lines[i];
    back.lines.push_back({.line = i, .quantity = line.quantity, .unit_price = line.unit_price});
  }
  add_return(order, std::move(back));
}

void apply(Order& order, const ReturnRestocked& e, UnixMs) {
  for (auto& r : order.returns) {
    if (r.number == e.number) r.restocked = true;
  }
}

void apply(Order& order, const OrderErased&, UnixMs) {
  order.erased = true;
  order.key_to_destroy = !order.sealed_address.bytes.empty();
  order.sealed_address = {};
}

template <class E>
void apply(Order&, const E&, UnixMs) {}  // the payment's, or another's

/// The step that `event` is in an order's life; nothing where it is no event of an order.
std::optional<What> step_of(const Payload& event) {
  using Step = std::optional<What>;
  return std::visit(Overloaded{
                        [](const OrderPlaced&) -> Step { return What::placed; },
                        [](const OrderConfirmed&) -> Step { return What::confirmed; },
                        [](const OrderRejected&) -> Step { return What::rejected; },
                        [](const OrderSettled&) -> Step { return What::settled; },
                        [](const OrderCancelled&) -> Step { return What::cancelled; },
                        [](const OrderShipped&) -> Step { return What::shipped; },
                        [](const OrderDelivered&) -> Step { return What::delivered; },
                        [](const OrderReturned&) -> Step { return What::returned; },
                        [](const ReturnAccepted&) -> Step { return What::return_accepted; },
                        [](const ReturnRestocked&) -> Step { return What::restocked; },
                        [](const PaymentAuthorised&) -> Step { return What::payment_authorised; },
                        [](const PaymentDeclined&) -> Step { return What::payment_declined; },
                        [](const PaymentCaptured&) -> Step { return What::payment_captured; },
                        [](const PaymentVoided&) -> Step { return What::payment_voided; },
                        [](const RefundRequested&) -> Step { return What::refund_requested; },
                        [](const PaymentRefunded&) -> Step { return What::refunded; },
                        [](const OrderErased&) -> Step { return What::erased; },
                        [](const auto&) -> Step { return std::nullopt; },
                    },
                    event);
}

}  // namespace

std::string_view order_step_text(What what) {
  switch (what) {
    case What::placed:
      return "placed";
    case What::payment_authorised:
      return "payment_authorised";
    case What::payment_declined:
      return "payment_declined";
    case What::confirmed:
      return "confirmed";
    case What::payment_captured:
      return "payment_captured";
    case What::rejected:
      return "rejected";
    case What::payment_voided:
      return "payment_voided";
    case What::settled:
      return "settled";
    case What::cancelled:
      return "cancelled";
    case What::shipped:
      return "shipped";
    case What::delivered:
      return "delivered";
    case What::returned:
      return "returned";
    case What::restocked:
      return "restocked";
    case What::refund_requested:
      return "refund_requested";
    case What::refunded:
      return "refunded";
    case What::return_accepted:
      return "return_accepted";
    case What::erased:
      return "erased";
  }
  return "placed";
}

Decision decide(const Order& order, const CancelOrder&) {
  if (order.status != OrderStatus::confirmed) return illegal(order);
  OrderReturned back;
  back.number = next_return(order);
  back.lines = everything_out(order);
  back.value = value_of(back.lines).value_or(order.total);
  return with_refund(facts_of(OrderCancelled{}, std::move(back)), order, unpromised(order.payment));
}

Decision decide(const Order& order, const ShipOrder&) {
  if (order.status != OrderStatus::confirmed) return illegal(order);
  if (order.payment.captured.value > 0 && unpromised(order.payment).value <= 0)
    return Refused{Refusal::paid_back};
  return facts_of(OrderShipped{});
}

Decision decide(const Order& order, const DeliverOrder&) {
  if (order.status != OrderStatus::shipped) return illegal(order);
  return facts_of(OrderDelivered{});
}

Decision decide(const Order& order, const ReturnOrder& command) {
  if (order.status != OrderStatus::shipped && order.status != OrderStatus::delivered) {
    return illegal(order);
  }
  if (order.returns.size() >= limits::returns_per_order_max) {
    return Refused{Refusal::too_many_steps};
  }
  if (command.occurred_at && *command.occurred_at < sold_at(order))
    return Refused{Refusal::before_sale};
  LinesBack lines = lines_back(order, command.lines);
  if (!lines) return lines.error();
  const auto value = value_of(*lines);
  if (!value) return Refused{Refusal::return_too_large};
  return with_refund(facts_of(OrderReturned{
                         .number = next_return(order),
                         .lines = std::move(*lines),
                         .value = *value,
                         .occurred_at = command.occurred_at,
                         .goods = command.lines.empty() ? Goods::kept_off_sale : Goods::restocked}),
                     order, due_for(order, *value), command.occurred_at);
}

Decision decide(const Order& order, const RefundOrder& command) {
  if (order.payment.captured.value <= 0) return illegal(order);
  if (command.amount && command.amount->currency != order.currency) {
    return Refused{Refusal::currency_mismatch};
  }
  return request_refund(order.payment,
                        command.amount ? command.amount->amount : unpromised(order.payment));
}

std::vector<std::int64_t> returned_by_line(const Order& order, Version version) {
  std::vector<std::int64_t> returned = order.returned;
  returned.resize(order.lines.size());
  for (auto r = order.returns.rbegin(); r != order.returns.rend() && r->version > version; ++r)
    move_returned(returned, r->lines, -1);
  return returned;
}

void count_returned(Order& order) {
  order.returned.clear();
  if (order.returns.empty()) return;
  order.returned.resize(order.lines.size());
  for (const auto& r : order.returns) move_returned(order.returned, r.lines, 1);
}

Decision decide(const Order& order, const EraseOrder&) {
  if (order.user) return Refused{Refusal::of_a_user};
  if (order.erased) return Facts{};
  return facts_of(OrderErased{});
}

bool owes_work(const Order& order) { return order.key_to_destroy || owes_check_out(order); }

bool owes_check_out(const Order& order) {
  if (order.status == OrderStatus::none) return false;
  return order.status == OrderStatus::pending || !order.settled || !order.payment.due.empty() ||
         std::ranges::any_of(order.returns, [](const OrderReturn& r) { return !r.restocked; });
}

void advance(Order& order, const Payload& event, UnixMs at) {
  if (std::holds_alternative<PersonalKeyDestroyed>(event)) order.key_to_destroy = false;
  const auto what = step_of(event);
  if (!what) return;
  ++order.version;
  advance(order.payment, event);
  std::visit([&](const auto& e) { apply(order, e, at); }, event);
  order.history.push_back({.what = *what,
                           .status = order.status,
                           .payment = order.payment.status,
                           .version = static_cast<std::uint32_t>(order.version),
                           .at_ms = at.value});
}

Order evolve(Order order, const Payload& event, UnixMs at) {
  advance(order, event, at);
  return order;
}

}  // namespace souk

#include "actors/shard/order_commands.h"

#include "domain/order/totals.h"

namespace souk {
namespace {

/// What becomes of a list of lines, once all their quotes are there.
struct Priced {
  bool complete = true;  // else some quotes are on their way
  Refusal refusal = Refusal::none;
};

/// Prices each line by `add`, which answers a refusal. Asks for all quotes that are missing at
/// once.
template <class Lines, class F>
Priced price(Quotes& quotes, const EntityKey& target, const Lines& lines, const F& add) {
  Priced result;
  for (const auto& line : lines) {
    const auto quote = quotes.quote(target, line.sku);
    if (!quote) result.complete = false;
    if (result.complete && result.refusal == Refusal::none) result.refusal = add(line, *quote);
  }
  if (result.complete) quotes.drop(target);
  return result;
}

/// `sum` and `quantity` times `unit_price` more.
std::optional<Micros> plus(Micros sum, Micros unit_price, std::int64_t quantity) {
  const auto value = multiply(unit_price, quantity);
  return value ? add(sum, *value) : std::nullopt;
}

/// Records the order's first fact, and with its user that it is theirs.
Verdict record_first(Desk& desk, Request& request, const OrderId& order,
                     const std::optional<UserId>& user, Payload&& fact, Outcome outcome) {
  std::vector<Event> more;
  if (user) more.push_back({*user, UserOrdered{order}});
  if (request.correlation.zero()) request.correlation = order.raw;
  Facts facts;
  facts.push_back(std::move(fact));
  return conclude(desk, request, order, Decision(std::move(facts)), outcome, std::move(more));
}

Handled place_order(Desk& desk, Quotes& quotes, OrderProcesses& orders, Request& request,
                    const PlaceOrder& command) {
  OrderPlaced placed{.user = command.user,
                     .payment_method = command.payment.method,
                     .payment_token = command.payment.token,
                     .sealed_address = command.sealed_address,
                     .occurred_at = command.occurred_at,
                     .country = country_of(desk, command.user, command.country)};
  placed.lines.reserve(command.lines.size());
  const OrderId order = command.order;
  const auto [complete, refusal] =
      price(quotes, order, command.lines, [&](const auto& line, const Quote& quote) {
        if (quote.standing == Quote::Standing::unknown) return Refusal::unknown_product;
        if (quote.standing == Quote::Standing::inactive) return Refusal::inactive_product;
        if (!placed.currency.none() && quote.price.currency != placed.currency)
          return Refusal::currency_mismatch;
        placed.currency = quote.price.currency;
        const auto total = plus(placed.total, quote.price.amount, line.quantity);
        if (!total) return Refusal::amount_too_large;
        placed.total = *total;
        placed.lines.push_back(
            {Item(line.sku, quote.name), line.quantity, quote.price.amount, Pricing::catalogue});
        return Refusal::none;
      });
  if (!complete) return Handled::waits;
  if (refusal != Refusal::none)
    return refuse(desk, request, order, {refusal}, Remember::yes), Handled::done;
  if (!charge(placed))
    return refuse(desk, request, order, {Refusal::amount_too_large}, Remember::yes), Handled::done;
  if (record_first(desk, request, order, command.user, std::move(placed), Outcome::ok) ==
      Verdict::refused)
    return Handled::done;
  orders.start(order, Checkout::Start::fresh);
  orders.wait_until_final(std::move(request), order, desk.recorder.last_seq(), Replayed::no);
  return Handled::done;
}

Handled accept_return(Desk& desk, Quotes& quotes, OrderProcesses& orders, Request& request,
                      const AcceptReturn& command) {
  ReturnAccepted accepted{
      .user = command.user, .reference = command.reference, .occurred_at = command.occurred_at};
  accepted.country = country_of(desk, command.user, {});
  const OrderId order = command.order;
  const auto [complete, refusal] =
      price(quotes, order, command.lines, [&](const auto& line, const Quote& quote) {
        if (quote.standing == Quote::Standing::unknown) return Refusal::unknown_product;
        accepted.currency = line.unit_price->currency;
        const auto value = plus(accepted.value, line.unit_price->amount, line.quantity);
        if (!value) return Refusal::amount_too_large;
        accepted.value = *value;
        accepted.lines.push_back(
            {Item(line.sku, quote.name), line.quantity, line.unit_price->amount, Pricing::fixed});
        return Refusal::none;
      });
  if (!complete) return Handled::waits;
  if (refusal != Refusal::none)
    return refuse(desk, request, order, {refusal}, Remember::yes), Handled::done;
  if (record_first(desk, request, order, command.user, std::move(accepted), Outcome::created) ==
      Verdict::refused)
    return Handled::done;
  const Version version = desk.find<OrderState>(order)->state.order.version;
  orders.start(order, Checkout::Start::fresh);
  orders.wait_until_done(std::move(request), order, version, Replayed::no);
  return Handled::done;
}

Decision decide_change(const Order& order, const Op& op) {
  return std::visit(Overloaded{
                        [&](const CancelOrder& c) { return decide(order, c); },
                        [&](const ShipOrder& c) { return decide(order, c); },
                        [&](const DeliverOrder& c) { return decide(order, c); },
                        [&](const ReturnOrder& c) { return decide(order, c); },
                        [&](const RefundOrder& c) { return decide(order, c); },
                        [&](const EraseOrder& c) { return decide(order, c); },
                        [](const auto&) -> Decision { return Refused{}; },
                    },
                    op);
}

void change(Desk& desk, OrderProcesses& orders, Request& request) {
  const EntityKey entity = target_of(request.op);
  const OrderId id = id_of<OrderState>(entity);
  const Order& order = desk.find<OrderState>(id)->state.order;
  Decision decision = decide_change(order, request.op);
  if (conclude(desk, request, entity, std::move(decision), Outcome::ok) == Verdict::refused) return;
  const Version version = order.version;
  orders.start(id, Checkout::Start::fresh);
  orders.wait_until_done(std::move(request), id, version, Replayed::no);
}

}  // namespace

std::string country_of(Desk& desk, const std::optional<UserId>& user, const std::string& country) {
  if (!country.empty() || !user) return country;
  return desk.find<UserState>(*user)->state.user.profile.country;
}

bool charge(OrderPlaced& placed) {
  auto total =
      total_of(placed.total, placed.currency, placed.occurred_at ? Charged::before : Charged::now);
  if (!total) return false;
  placed.total = total->total;
  placed.adjustments = std::move(total->adjustments);
  return true;
}

Handled order_command(Desk& desk, Quotes& quotes, OrderProcesses& orders, Request& request) {
  if (const auto* c = std::get_if<PlaceOrder>(&request.op))
    return place_order(desk, quotes, orders, request, *c);
  if (const auto* c = std::get_if<AcceptReturn>(&request.op))
    return accept_return(desk, quotes, orders, request, *c);
  change(desk, orders, request);
  return Handled::done;
}

}  // namespace souk

// Commands on carts and orders.
#include <algorithm>

#include "actors/shard/shard.h"

namespace souk {

// ---- carts ----

std::optional<Quote> Shard::quote_for(const EntityKey& target, const Sku& sku) {
  if (!quotes_.empty()) {
    auto at = quotes_.find(target);
    if (at != quotes_.end()) {
      auto quote = at->second.by_sku.find(sku);
      if (quote != at->second.by_sku.end()) return quote->second;
    }
  }
  if (auto quote = context_.quote_now(sku)) return quote;
  Quotes& asked = quotes_[target];
  asked.by_sku.emplace(sku, std::nullopt);
  ++asked.missing;
  output_.inputs.emplace_back(QuoteWanted{sku, target});
  return std::nullopt;
}

void Shard::cart_command(Request& request) {
  const EntityKey entity = target_of(request.op);
  const CartId id = id_of<CartState>(entity);
  static const CartState nothing;
  auto* h = find<CartState>(id);
  const Seq seq = h ? h->seq : 0;
  const CartState& state = h ? h->state : nothing;
  if (answered_before(request, state.answers, seq)) return;

  if (const auto* open = std::get_if<OpenCart>(&request.op)) {
    if (bound_elsewhere(request, open->cart.raw, open->user)) return;
    if (state.cart.status != CartStatus::none)  // its key is older than what we remember
      return respond(request, ReplyCode::created, state.cart.version, seq, Replayed::yes);
    if (unknown_user(request, open->user)) return;
    if (!decided(request, entity, decide(state.cart, *open), Outcome::created)) return;
    const auto& after = *find<CartState>(id);
    return respond(request, ReplyCode::created, after.state.cart.version, after.seq, Replayed::no);
  }
  if (state.cart.status == CartStatus::none) return not_found(request);
  if (version_differs(request, state.cart.version, seq)) return;
  if (const auto* c = std::get_if<CheckOut>(&request.op)) return check_out(request, *c);

  const Sku* sku = nullptr;
  if (const auto* c = std::get_if<AddItem>(&request.op)) sku = &c->sku;
  if (const auto* c = std::get_if<SetItem>(&request.op)) sku = c->quantity > 0 ? &c->sku : nullptr;
  std::optional<Quote> quote = sku ? quote_for(entity, *sku) : std::make_optional(Quote{});
  if (!quote) return park(std::move(request));
  const Decision decision =
      std::visit(Overloaded{
                     [&](const AddItem& c) { return decide(state.cart, c, *quote); },
                     [&](const SetItem& c) { return decide(state.cart, c, *quote); },
                     [&](const RemoveItem& c) { return decide(state.cart, c); },
                     [](const auto&) -> Decision { return Refused{}; },
                 },
                 request.op);
  if (!quotes_.empty()) quotes_.erase(entity);
  if (!decided(request, entity, decision, Outcome::ok)) return;
  respond(request, ReplyCode::ok, state.cart.version, find<CartState>(id)->seq, Replayed::no);
}

void Shard::check_out(Request& request, const CheckOut& command) {
  auto& h = *find<CartState>(command.cart);
  const Cart& cart = h.state.cart;
  if (auto* placed = find<OrderState>(command.order);
      placed && placed->state.order.status != OrderStatus::none)
    return wait_for_check_out(std::move(request), command.order, placed->seq, Replayed::yes);
  const Decision decision = start_check_out(cart, command.order);
  std::vector<Event> more;
  if (decision.ok()) {
    OrderPlaced placed{.cart = command.cart,
                       .user = cart.user,
                       .currency = cart.currency,
                       .total = cart.total,
                       .payment_method = command.payment.method,
                       .payment_token = command.payment.token,
                       .sealed_address = command.sealed_address,
                       .occurred_at = command.occurred_at,
                       .country = command.country};
    placed.lines.reserve(cart.lines.size());
    for (const auto& line : cart.lines)
      placed.lines.push_back({line.item, line.quantity, line.unit_price, line.pricing});
    more.push_back({command.order, std::move(placed)});
    if (cart.user) more.push_back({*cart.user, UserOrdered{command.order}});
  }
  const OrderId order = command.order;
  if (request.correlation.zero()) request.correlation = order.raw;
  if (!decided(request, command.cart, decision, Outcome::ok, std::move(more))) return;
  start_work(order, Checkout::Start::fresh);
  wait_for_check_out(std::move(request), order, last_seq_, Replayed::no);
}

// ---- orders ----

void Shard::place_order(Request& request, const PlaceOrder& command) {
  const EntityKey entity(command.order);
  auto* h = find<OrderState>(command.order);
  if (bound_elsewhere(request, command.order.raw, command.user)) return;
  if (h && h->state.order.status != OrderStatus::none)
    return wait_for_check_out(std::move(request), command.order, h->seq, Replayed::yes);
  if (unknown_user(request, command.user)) return;
  OrderPlaced placed{.user = command.user,
                     .payment_method = command.payment.method,
                     .payment_token = command.payment.token,
                     .sealed_address = command.sealed_address,
                     .occurred_at = command.occurred_at,
                     .country = command.country};
  placed.lines.reserve(command.lines.size());
  Refusal refusal = Refusal::none;
  bool complete = true;
  for (const auto& line : command.lines) {
    auto quote = quote_for(entity, line.sku);
    if (!quote) {
      complete = false;
      continue;  // ask for all that is missing at once
    }
    if (!complete || refusal != Refusal::none) continue;
    if (quote->standing == Quote::Standing::unknown)
      refusal = Refusal::unknown_product;
    else if (quote->standing == Quote::Standing::inactive)
      refusal = Refusal::inactive_product;
    else if (!placed.currency.none() && quote->price.currency != placed.currency)
      refusal = Refusal::currency_mismatch;
    if (refusal != Refusal::none) continue;
    placed.currency = quote->price.currency;
    auto total = multiply(quote->price.amount, line.quantity);
    if (total) total = add(placed.total, *total);
    if (!total) {
      refusal = Refusal::amount_too_large;
      continue;
    }
    placed.total = *total;
    placed.lines.push_back(
        {Item(line.sku, quote->name), line.quantity, quote->price.amount, Pricing::catalogue});
  }
  if (!complete) return park(std::move(request));
  if (!quotes_.empty()) quotes_.erase(entity);
  if (refusal != Refusal::none) return refuse(request, entity, {refusal}, Remember::yes);
  std::vector<Event> more;
  if (command.user) more.push_back({*command.user, UserOrdered{command.order}});
  const OrderId order = command.order;
  if (request.correlation.zero()) request.correlation = order.raw;
  Facts facts;
  facts.emplace_back(std::move(placed));
  if (!decided(request, entity, Decision(std::move(facts)), Outcome::ok, std::move(more))) return;
  start_work(order, Checkout::Start::fresh);
  wait_for_check_out(std::move(request), order, last_seq_, Replayed::no);
}

void Shard::accept_return(Request& request, const AcceptReturn& command) {
  const EntityKey entity(command.order);
  if (bound_elsewhere(request, command.order.raw, command.user)) return;
  auto* h = find<OrderState>(command.order);
  if (h && h->state.order.status != OrderStatus::none)
    return respond(request, ReplyCode::created, 1, h->seq, Replayed::yes);
  if (unknown_user(request, command.user)) return;
  ReturnAccepted accepted{
      .user = command.user, .reference = command.reference, .occurred_at = command.occurred_at};
  Refusal refusal = Refusal::none;
  bool complete = true;
  for (const auto& line : command.lines) {
    auto quote = quote_for(entity, line.sku);
    if (!quote) complete = false;
    if (!complete || refusal != Refusal::none) continue;
    if (quote->standing == Quote::Standing::unknown) refusal = Refusal::unknown_product;
    accepted.currency = line.unit_price->currency;
    auto value = multiply(line.unit_price->amount, line.quantity);
    if (value) value = add(accepted.value, *value);
    if (!value) refusal = Refusal::amount_too_large;
    if (refusal != Refusal::none) continue;
    accepted.value = *value;
    accepted.lines.push_back(
        {Item(line.sku, quote->name), line.quantity, line.unit_price->amount, Pricing::fixed});
  }
  if (!complete) return park(std::move(request));
  if (!quotes_.empty()) quotes_.erase(entity);
  if (refusal != Refusal::none) return refuse(request, entity, {refusal}, Remember::yes);
  const OrderId order = command.order;
  if (request.correlation.zero()) request.correlation = order.raw;
  Facts facts;
  facts.emplace_back(std::move(accepted));
  std::vector<Event> more;
  if (command.user) more.push_back({*command.user, UserOrdered{order}});
  if (!decided(request, entity, Decision(std::move(facts)), Outcome::created, std::move(more)))
    return;
  const Version version = find<OrderState>(order)->state.order.version;
  start_work(order, Checkout::Start::fresh);
  wait_for_order(std::move(request), order, version, Replayed::no);
}

void Shard::order_command(Request& request) {
  const EntityKey entity = target_of(request.op);
  const OrderId id = id_of<OrderState>(entity);
  static const OrderState nothing;
  auto* h = find<OrderState>(id);
  const Seq seq = h ? h->seq : 0;
  const OrderState& state = h ? h->state : nothing;
  if (answered_before(request, state.answers, seq)) return;
  if (const auto* c = std::get_if<PlaceOrder>(&request.op)) return place_order(request, *c);
  if (const auto* c = std::get_if<AcceptReturn>(&request.op)) return accept_return(request, *c);
  if (state.order.status == OrderStatus::none) return not_found(request);
  if (version_differs(request, state.order.version, seq)) return;
  const Decision decision =
      std::visit(Overloaded{
                     [&](const CancelOrder& c) { return decide(state.order, c); },
                     [&](const ShipOrder& c) { return decide(state.order, c); },
                     [&](const DeliverOrder& c) { return decide(state.order, c); },
                     [&](const ReturnOrder& c) { return decide(state.order, c); },
                     [&](const RefundOrder& c) { return decide(state.order, c); },
                     [](const auto&) -> Decision { return Refused{}; },
                 },
                 request.op);
  if (!decided(request, entity, decision, Outcome::ok)) return;
  const Version version = state.order.version;
  start_work(id, Checkout::Start::fresh);
  wait_for_order(std::move(request), id, version, Replayed::no);
}

std::optional<Quote> Shard::quote_if_ready(const Sku& sku) {
  if (!readable_) return std::nullopt;
  auto* h = find<SkuState>(sku);
  if (!h) {
    if (fetch_quietly(sku) == Presence::coming) return std::nullopt;
    h = find<SkuState>(sku);
    if (!h) return Quote{};
  }
  if (h->catalogue_seq > committed_) return std::nullopt;
  touch(*h);
  const Product& p = h->state.product;
  if (!p.defined) return Quote{};
  return Quote{.standing = p.active ? Quote::Standing::on_sale : Quote::Standing::inactive,
               .name = p.name,
               .price = p.price};
}

}  // namespace souk

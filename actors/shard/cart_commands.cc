#include "actors/shard/cart_commands.h"

#include "actors/shard/order_commands.h"

namespace souk {
namespace {

void open_cart(Desk& desk, const Request& request, const OpenCart& command) {
  static const CartState nothing;
  auto* h = desk.find<CartState>(command.cart);
  Decision decision = decide(h ? h->state.cart : nothing.cart, command);
  if (conclude(desk, request, command.cart, std::move(decision), Outcome::created) ==
      Verdict::refused)
    return;
  const auto& after = *desk.find<CartState>(command.cart);
  desk.responder.respond(request, ReplyCode::created, after.state.cart.version, after.seq,
                         Replayed::no);
}

OrderPlaced order_of(Desk& desk, const Cart& cart, const CheckOut& command) {
  OrderPlaced placed{.cart = command.cart,
                     .user = cart.user,
                     .currency = cart.currency,
                     .total = cart.total,
                     .payment_method = command.payment.method,
                     .payment_token = command.payment.token,
                     .sealed_address = command.sealed_address,
                     .occurred_at = command.occurred_at,
                     .country = country_of(desk, cart.user, command.country)};
  placed.lines.reserve(cart.lines.size());
  for (const auto& line : cart.lines)
    placed.lines.push_back({line.item, line.quantity, line.unit_price, line.pricing});
  return placed;
}

/// The cart closes and its order is placed in one transaction.
void check_out(Desk& desk, OrderProcesses& orders, Request& request, const CheckOut& command) {
  const Cart& cart = desk.find<CartState>(command.cart)->state.cart;
  const OrderId order = command.order;
  Decision decision = start_check_out(cart, order);
  std::vector<Event> more;
  if (decision.ok()) {
    OrderPlaced placed = order_of(desk, cart, command);
    if (charge(placed)) {
      more.push_back({order, std::move(placed)});
      if (cart.user) more.push_back({*cart.user, UserOrdered{order}});
    } else {
      decision = Refused{Refusal::amount_too_large};
    }
  }
  if (request.correlation.zero()) request.correlation = order.raw;
  if (conclude(desk, request, command.cart, std::move(decision), Outcome::ok, std::move(more)) ==
      Verdict::refused)
    return;
  orders.start(order, Checkout::Start::fresh);
  orders.wait_until_final(std::move(request), order, desk.recorder.last_seq(), Replayed::no);
}

Decision decide_edit(const Cart& cart, const Op& op, const Quote& quote) {
  return std::visit(Overloaded{
                        [&](const AddItem& c) { return decide(cart, c, quote); },
                        [&](const SetItem& c) { return decide(cart, c, quote); },
                        [&](const RemoveItem& c) { return decide(cart, c); },
                        [](const auto&) -> Decision { return Refused{}; },
                    },
                    op);
}

Handled edit(Desk& desk, Quotes& quotes, const Request& request) {
  const EntityKey entity = target_of(request.op);
  auto& h = *desk.find<CartState>(id_of<CartState>(entity));
  const Sku* sku = nullptr;
  if (const auto* c = std::get_if<AddItem>(&request.op)) sku = &c->sku;
  if (const auto* c = std::get_if<SetItem>(&request.op)) sku = c->quantity > 0 ? &c->sku : nullptr;
  const std::optional<Quote> quote = sku ? quotes.quote(entity, *sku) : Quote{};
  if (!quote) return Handled::waits;
  Decision decision = decide_edit(h.state.cart, request.op, *quote);
  quotes.drop(entity);
  if (conclude(desk, request, entity, std::move(decision), Outcome::ok) == Verdict::recorded)
    desk.responder.respond(request, ReplyCode::ok, h.state.cart.version, h.seq, Replayed::no);
  return Handled::done;
}

}  // namespace

Handled cart_command(Desk& desk, Quotes& quotes, OrderProcesses& orders, Request& request) {
  if (const auto* c = std::get_if<OpenCart>(&request.op))
    return open_cart(desk, request, *c), Handled::done;
  if (const auto* c = std::get_if<CheckOut>(&request.op))
    return check_out(desk, orders, request, *c), Handled::done;
  return edit(desk, quotes, request);
}

}  // namespace souk

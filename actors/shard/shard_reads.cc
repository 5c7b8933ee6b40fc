// Documents of entities as they were at a version, and reads by id.
#include <algorithm>

#include "actors/shard/shard.h"

namespace souk {
namespace {

StockFigures figures_of(const Inventory& i) {
  return {.on_hand = i.on_hand,
          .reserved = i.reserved,
          .version = static_cast<std::uint32_t>(i.version)};
}

}  // namespace

/// The document that answers `request`, as it was at `version`.
void Shard::render(const Request& request, Version version, Body& out) {
  const Presenter& p = context_.presenter;
  const auto sku = [&](const Sku& s) -> const SkuState& { return find<SkuState>(s)->state; };
  const auto cart = [&](const CartId& id) {
    const Cart& c = find<CartState>(id)->state.cart;
    if (c.version == version) return p.cart(id, c, out);
    p.cart(id, as_of(c, version), out);
  };
  const auto stock = [&](const Sku& s) {
    const SkuState& state = sku(s);
    for (const auto& f : state.figures)
      if (f.version == version) return p.stock(s, f, out);
    p.stock(s, figures_of(state.inventory), out);
  };
  const auto order = [&](const OrderId& id) {
    p.order(id, find<OrderState>(id)->state.order, version, out);
  };
  std::visit(Overloaded{
                 [&](const PutProduct& c) {
                   Product then = evolve(Product{}, Payload(c.definition));
                   then.version = version;
                   p.product(c.sku, then, stock_not_shown,
                             out);  // it is not a function of the version
                 },
                 [&](const DelistProduct& c) { p.delisted(c.sku, version, out); },
                 [&](const ReceiveStock& c) { stock(c.sku); },
                 [&](const AdjustStock& c) { stock(c.sku); },
                 [&](const GetProduct& c) {
                   p.product(c.sku, sku(c.sku).product, sku(c.sku).inventory.available(), out);
                 },
                 [&](const GetStock& c) { p.stock(c.sku, figures_of(sku(c.sku).inventory), out); },
                 [&](const RegisterUser& c) { p.user_created(c.user, out); },
                 [&](const UpdateUser& c) {
                   p.user(c.user, profile_at(find<UserState>(c.user)->state.user, version), out);
                 },
                 [&](const GetUser& c) {
                   p.user(c.user, find<UserState>(c.user)->state.user.profile, out);
                 },
                 [&](const OpenCart& c) {
                   p.cart_created(c.cart, as_of(find<CartState>(c.cart)->state.cart, version), out);
                 },
                 [&](const AddItem& c) { cart(c.cart); },
                 [&](const SetItem& c) { cart(c.cart); },
                 [&](const RemoveItem& c) { cart(c.cart); },
                 [&](const GetCart& c) { cart(c.cart); },
                 [&](const CancelOrder& c) { order(c.order); },
                 [&](const ShipOrder& c) { order(c.order); },
                 [&](const DeliverOrder& c) { order(c.order); },
                 [&](const ReturnOrder& c) { order(c.order); },
                 [&](const RefundOrder& c) { order(c.order); },
                 [&](const AcceptReturn& c) { order(c.order); },
                 [&](const GetOrder& c) { order(c.order); },
                 [](const auto&) {},
             },
             request.op);
}

void Shard::read(Request& request) {
  const auto found = [&](const Entity& e, Version version) {
    respond(request, ReplyCode::ok, version, e.seq, Replayed::no);
  };
  std::visit(Overloaded{
                 [&](const GetProduct& q) {
                   auto* h = find<SkuState>(q.sku);
                   if (!h || !h->state.product.defined) return not_found(request);
                   found(*h, h->state.product.version);
                 },
                 [&](const GetStock& q) {
                   auto* h = find<SkuState>(q.sku);
                   if (!h || !(h->state.product.defined || h->state.inventory.known))
                     return not_found(request);
                   found(*h, h->state.inventory.version);
                 },
                 [&](const GetUser& q) {
                   auto* h = find<UserState>(q.user);
                   if (!h || h->state.user.status != UserStatus::active) return not_found(request);
                   found(*h, h->state.user.version);
                 },
                 [&](const GetUserOrders& q) { user_orders(request, q); },
                 [&](const GetCart& q) {
                   auto* h = find<CartState>(q.cart);
                   if (!h || h->state.cart.status == CartStatus::none) return not_found(request);
                   found(*h, h->state.cart.version);
                 },
                 [&](const GetOrder& q) {
                   auto* h = find<OrderState>(q.order);
                   if (!h || h->state.order.status == OrderStatus::none) return not_found(request);
                   found(*h, h->state.order.version);
                 },
                 [](const auto&) { SOUK_ASSERT(false); },
             },
             request.op);
}

Shard::OrdersPage Shard::orders_page(const User& user, const GetUserOrders& query) {
  OrdersPage page;
  std::size_t end = user.orders.size();
  if (query.before) end = user.orders.place_of(*query.before).value_or(0);
  for (std::size_t i = end; i > 0 && page.ids.size() < query.limit; --i)
    page.ids.push_back(user.orders[i - 1]);
  page.more = end > page.ids.size();
  return page;
}

void Shard::user_orders(Request& request, const GetUserOrders& query) {
  auto* h = find<UserState>(query.user);
  const auto known = [](const User& u) {
    return u.status == UserStatus::active || u.status == UserStatus::erased;
  };
  if (!h || !known(h->state.user)) return not_found(request);
  const OrdersPage page = orders_page(h->state.user, query);
  std::vector<std::pair<OrderId, const Order*>> orders;
  Seq seq = h->seq;
  for (const auto& id : page.ids) {
    auto* order = find<OrderState>(id);
    if (!order) continue;
    orders.emplace_back(id, &order->state.order);
    seq = std::max(seq, order->seq);
  }
  Reply reply = reply_to(request, ReplyCode::ok);
  context_.presenter.user_orders(query.user, orders, page.more ? More::yes : More::no, reply.body);
  answer(request, std::move(reply), seq);
}

}  // namespace souk

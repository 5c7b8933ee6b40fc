#include "actors/shard/reads.h"

#include <algorithm>

namespace souk {

void Reads::read(const Request& request) {
  const auto found = [&](const Entity& e, Version version) {
    responder_.respond(request, ReplyCode::ok, version, e.seq, Replayed::no);
  };
  std::visit(Overloaded{
                 [&](const GetProduct& q) {
                   auto* h = entities_.find<SkuState>(q.sku);
                   if (!h || !h->state.product.defined) return responder_.not_found(request);
                   Reply reply = responder_.reply_to(request, ReplyCode::ok);
                   reply.beside_version = h->state.inventory.version;
                   responder_.show(request, std::move(reply), h->state.product.version, h->seq);
                 },
                 [&](const GetStock& q) {
                   auto* h = entities_.find<SkuState>(q.sku);
                   if (!h || !(h->state.product.defined || h->state.inventory.known))
                     return responder_.not_found(request);
                   found(*h, h->state.inventory.version);
                 },
                 [&](const GetUser& q) {
                   auto* h = entities_.find<UserState>(q.user);
                   if (!h || h->state.user.status != UserStatus::active)
                     return responder_.not_found(request);
                   found(*h, h->state.user.version);
                 },
                 [&](const GetUserOrders& q) { user_orders(request, q); },
                 [&](const GetCart& q) {
                   auto* h = entities_.find<CartState>(q.cart);
                   if (!h || h->state.cart.status == CartStatus::none)
                     return responder_.not_found(request);
                   found(*h, h->state.cart.version);
                 },
                 [&](const GetOrder& q) {
                   auto* h = entities_.find<OrderState>(q.order);
                   if (!h || h->state.order.status == OrderStatus::none)
                     return responder_.not_found(request);
                   Reply reply = responder_.reply_to(request, ReplyCode::ok);
                   reply.currency = h->state.order.currency;
                   responder_.show(request, std::move(reply), h->state.order.version, h->seq);
                 },
                 [](const auto&) { SOUK_ASSERT(false); },
             },
             request.op);
}

OrdersPage orders_page(const User& user, const GetUserOrders& query) {
  OrdersPage page;
  std::size_t end = user.orders.size();
  if (query.before) end = user.orders.place_of(*query.before).value_or(0);
  for (std::size_t i = end; i > 0 && page.ids.size() < query.limit; --i)
    page.ids.push_back(user.orders[i - 1]);
  page.more = end > page.ids.size();
  return page;
}

void Reads::user_orders(const Request& request, const GetUserOrders& query) {
  auto* h = entities_.find<UserState>(query.user);
  if (!h || h->state.user.status != UserStatus::active) return responder_.not_found(request);
  const OrdersPage page = orders_page(h->state.user, query);
  std::vector<std::pair<OrderId, const Order*>> orders;
  Seq seq = h->seq;
  for (const auto& id : page.ids) {
    auto* order = entities_.find<OrderState>(id);
    if (!order) continue;
    orders.emplace_back(id, &order->state.order);
    seq = std::max(seq, order->seq);
  }
  Reply reply = responder_.reply_to(request, ReplyCode::ok);
  presenter_.user_orders(query.user, orders, page.more ? More::yes : More::no, reply.body);
  responder_.answer(request, std::move(reply), seq);
}

}  // namespace souk

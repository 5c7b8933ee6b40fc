#include "actors/shard/documents.h"

namespace souk {
namespace {

StockFigures figures_of(const Inventory& i) {
  return {.on_hand = i.on_hand, .reserved = i.reserved, .version = i.version};
}

}  // namespace

void render(Residency& entities, const Presenter& p, const Op& op, Version version,
            const Past& past, Body& out) {
  const auto sku = [&](const Sku& s) -> const SkuState& {
    return entities.find<SkuState>(s)->state;
  };
  const auto base_of = [&](const CartId& id) -> const Cart& {
    return past.page ? *past.page : entities.find<CartState>(id)->state.cart;
  };
  const auto cart = [&](const CartId& id) {
    const Cart& c = base_of(id);
    if (c.version == version) return p.cart(id, c, out);
    p.cart(id, as_of(c, version), out);
  };
  const auto stock = [&](const Sku& s) {
    if (past.left && past.left->figures) return p.stock(s, *past.left->figures, out);
    const SkuState& state = sku(s);
    for (const auto& f : state.figures)
      if (f.version == version) return p.stock(s, f, out);
    p.stock(s, figures_of(state.inventory), out);
  };
  const auto order = [&](const OrderId& id) {
    p.order(id, entities.find<OrderState>(id)->state.order, version, out);
  };
  std::visit(
      Overloaded{
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
            if (past.left && past.left->profile) return p.user(c.user, *past.left->profile, out);
            p.user(c.user, profile_at(entities.find<UserState>(c.user)->state.user, version), out);
          },
          [&](const GetUser& c) {
            p.user(c.user, entities.find<UserState>(c.user)->state.user.profile, out);
          },
          [&](const OpenCart& c) { p.cart_created(c.cart, as_of(base_of(c.cart), version), out); },
          [&](const AddItem& c) { cart(c.cart); },
          [&](const SetItem& c) { cart(c.cart); },
          [&](const RemoveItem& c) { cart(c.cart); },
          [&](const GetCart& c) { cart(c.cart); },
          [&](const CancelOrder& c) { order(c.order); },
          [&](const ShipOrder& c) { order(c.order); },
          [&](const DeliverOrder& c) { order(c.order); },
          [&](const ReturnOrder& c) { order(c.order); },
          [&](const RefundOrder& c) { order(c.order); },
          [&](const EraseOrder& c) { order(c.order); },
          [&](const AcceptReturn& c) { order(c.order); },
          [&](const GetOrder& c) { order(c.order); },
          [](const auto&) {},
      },
      op);
}

}  // namespace souk

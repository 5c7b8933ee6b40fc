// Users, products, stock and carts. Orders are in fold_orders.cc.
#include "projections/analytics/fold.h"

#include <algorithm>

#include "projections/analytics/fold_support.h"

namespace souk::analytics {
namespace {

constexpr std::size_t cart_line_bytes_max = 64 * 1024;  // lines of a cart, far past its limit

std::int64_t day_of(std::int64_t at) { return bucket_of(Level::day, at); }

Poison unknown_cart() { return {"a cart that was never opened"}; }

}  // namespace

Fold::Folded Fold::apply(const EventAt& event) {
  const Context context{event.event().entity, clamped(event.at())};
  return std::visit([&](const auto& e) { return on(context, e); }, event.event().payload);
}

// ---- users ----

void Fold::relocate(const UserId& user, const std::string& country) {
  const std::int64_t to = store_.country(country);
  CustomerRow& row = store_.customer(user);
  if (row.country == to) return;
  if (row.has_orders) store_.move_country(row, row.country, to);
  row.country = to;
  store_.changed(user, row);
}

Fold::Folded Fold::on(const Context& c, const UserRegistered& e) {
  const auto user = id_of<UserId>(c.entity);
  relocate(user, e.country);
  CustomerRow& row = store_.customer(user);
  row.registered_at = c.at;
  store_.changed(user, row);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const UserProfileChanged& e) {
  if (e.country) relocate(id_of<UserId>(c.entity), *e.country);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const UserErased&) {
  const auto user = id_of<UserId>(c.entity);
  CustomerRow& row = store_.customer(user);
  row.erased = true;  // amounts and counts stay; nothing personal was ever here
  store_.changed(user, row);
  return Done{};
}

// ---- products and stock ----

Fold::Folded Fold::on(const Context& c, const ProductDefined& e) {
  const Sku sku = Sku::trusted(c.entity.id());
  ProductRow& row = store_.product(sku);
  row.defined_now = true;
  row.name = e.name;
  row.brand = e.brand;
  row.category.clear();
  for (const std::string& part : e.category) {
    if (!row.category.empty()) row.category += " > ";
    row.category += part;
  }
  row.price = e.price;
  row.active = e.active;
  store_.changed(sku, row);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const ProductTakenOffSale&) {
  const Sku sku = Sku::trusted(c.entity.id());
  ProductRow& row = store_.product(sku);
  row.active = false;
  store_.changed(sku, row);
  return Done{};
}

Fold::Folded Fold::move_stock(const Context& c, std::int64_t ProductRow::*count,
                              std::int64_t quantity, std::int64_t on_hand, std::int64_t reserved) {
  const Sku sku = Sku::trusted(c.entity.id());
  ProductRow& row = store_.product(sku);
  if (count) row.*count = wrapped_add(row.*count, quantity);
  row.reserved = wrapped_add(row.reserved, reserved);
  store_.changed(sku, row);
  if (on_hand == 0) return Done{};
  row.on_hand = wrapped_add(row.on_hand, on_hand);
  StockDay& day = store_.stock_day(row.no, day_of(c.at));
  day.on_hand = row.on_hand;
  if (count == &ProductRow::sold) day.sold = wrapped_add(day.sold, quantity);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const StockReceived& e) {
  return move_stock(c, &ProductRow::received, e.quantity, e.quantity, 0);
}
Fold::Folded Fold::on(const Context& c, const StockAdjusted& e) {
  return move_stock(c, &ProductRow::adjusted, e.delta, e.delta, 0);
}
Fold::Folded Fold::on(const Context& c, const StockReserved& e) {
  return move_stock(c, nullptr, 0, 0, e.quantity);
}
Fold::Folded Fold::on(const Context& c, const StockSold& e) {
  return move_stock(c, &ProductRow::sold, e.quantity, wrapped_add(0, -e.quantity),
                    wrapped_add(0, -e.quantity));
}
Fold::Folded Fold::on(const Context& c, const ReservationReleased& e) {
  return move_stock(c, nullptr, 0, 0, -e.quantity);
}
Fold::Folded Fold::on(const Context& c, const ReservationExpired& e) {
  return move_stock(c, &ProductRow::expired, e.quantity, 0, -e.quantity);
}
Fold::Folded Fold::on(const Context& c, const StockReturned& e) {
  return move_stock(c, &ProductRow::returned, e.quantity, e.quantity, 0);
}

// ---- carts: as domain/cart/cart.cc evolves them ----

Fold::Folded Fold::on(const Context& c, const CartOpened& e) {
  const auto id = id_of<CartId>(c.entity);
  if (store_.find_cart(id)) return Poison{"a cart opened twice"};
  CartRow& row = store_.new_cart(id);
  if (e.user) row.customer = store_.customer(*e.user).no;
  row.currency = e.currency;
  row.opened_at = row.touched_at = c.at;
  ++store_.funnel(day_of(c.at)).opened;
  return Done{};
}

void Fold::put_line(CartRow& cart, const CartId& id, const Item& item, std::int64_t quantity,
                    const Money& price, Pricing pricing, bool adds, std::int64_t at) {
  const std::int64_t product = store_.product(item.sku()).no;
  const std::int64_t fixed = pricing == Pricing::fixed ? 1 : 0;
  if (cart.currency.none()) cart.currency = price.currency;
  auto line = cart.lines.end();
  // An added fixed price always makes a line of its own; one that is set is the only one there is.
  if (fixed == 0 || !adds)
    line = std::ranges::find_if(
        cart.lines, [&](const LineRow& l) { return l.product == product && l.fixed == fixed; });
  if (line == cart.lines.end()) {
    if (cart.lines.size() < cart_line_bytes_max / sizeof(LineRow))
      cart.lines.push_back({product, quantity, price.amount.value, fixed});
  } else {
    line->quantity = adds ? wrapped_add(line->quantity, quantity) : quantity;
    line->price = price.amount.value;
  }
  if (!cart.filled_at) {
    cart.filled_at = at;
    FunnelRow& funnel = store_.funnel(day_of(cart.opened_at));
    ++funnel.filled;
    funnel.fill_ms += at - cart.opened_at;
  }
  cart.touched_at = at;
  store_.changed(id, cart);
}

Fold::Folded Fold::on(const Context& c, const ItemAdded& e) {
  const auto id = id_of<CartId>(c.entity);
  CartRow* cart = store_.find_cart(id);
  if (!cart) return unknown_cart();
  put_line(*cart, id, e.item, e.quantity, e.unit_price, e.pricing, true, c.at);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const ItemQuantitySet& e) {
  const auto id = id_of<CartId>(c.entity);
  CartRow* cart = store_.find_cart(id);
  if (!cart) return unknown_cart();
  put_line(*cart, id, e.item, e.quantity, e.unit_price, e.pricing, false, c.at);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const ItemRemoved& e) {
  const auto id = id_of<CartId>(c.entity);
  CartRow* cart = store_.find_cart(id);
  if (!cart) return unknown_cart();
  const std::int64_t product = store_.product(e.sku).no;
  std::erase_if(cart->lines, [&](const LineRow& line) { return line.product == product; });
  cart->touched_at = c.at;
  store_.changed(id, *cart);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const CheckOutStarted&) {
  const auto id = id_of<CartId>(c.entity);
  CartRow* cart = store_.find_cart(id);
  if (!cart) return unknown_cart();
  cart->status = CartStage::checking_out;
  cart->touched_at = c.at;
  if (!cart->checked_out_at) {
    cart->checked_out_at = c.at;
    FunnelRow& funnel = store_.funnel(day_of(cart->opened_at));
    ++funnel.checked_out;
    funnel.check_out_ms += c.at - cart->filled_at.value_or(cart->opened_at);
  }
  store_.changed(id, *cart);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const CartReopened& e) {
  const auto id = id_of<CartId>(c.entity);
  CartRow* cart = store_.find_cart(id);
  if (!cart) return unknown_cart();
  cart->status = CartStage::open;
  cart->touched_at = c.at;
  for (const PriceChange& change : e.price_changes) {
    if (change.unit_price.currency != cart->currency) continue;
    const std::int64_t product = store_.product(change.item.sku()).no;
    for (LineRow& line : cart->lines)
      if (line.product == product && line.fixed == 0) line.price = change.unit_price.amount.value;
  }
  store_.changed(id, *cart);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const CartOrdered&) {
  const auto id = id_of<CartId>(c.entity);
  CartRow* cart = store_.find_cart(id);
  if (!cart) return unknown_cart();
  cart->status = CartStage::ordered;
  cart->touched_at = c.at;
  if (!cart->paid_at) {
    cart->paid_at = c.at;
    FunnelRow& funnel = store_.funnel(day_of(cart->opened_at));
    ++funnel.paid;
    funnel.pay_ms += c.at - cart->checked_out_at.value_or(c.at);
  }
  store_.changed(id, *cart);
  return Done{};
}

}  // namespace souk::analytics

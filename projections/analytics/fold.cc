// Users, products, stock and carts. Orders are in fold_orders.cc.
#include "projections/analytics/fold.h"

#include <algorithm>

#include "domain/cart/lines.h"
#include "projections/analytics/fold_support.h"

namespace souk::analytics {
namespace {

constexpr std::size_t cart_line_bytes_max = 64 * 1024;  // lines of a cart, far past its limit

std::int64_t day_of(std::int64_t at) { return bucket_of(Level::day, at); }

Poison unknown_cart() { return {"a cart that was never opened"}; }

/// The lines of a cart's row as evolve_lines() changes them.
class RowLines {
 public:
  using Product = std::int64_t;
  RowLines(CartRow& cart, Store& store) : cart_(cart), store_(store) {}

  Product product_of(const Sku& sku) { return store_.product(sku).no; }
  Product product_at(std::size_t at) const { return cart_.lines[at].product; }
  std::size_t size() const { return cart_.lines.size(); }
  std::size_t find(const Item& item, Pricing pricing) {
    const auto found =
        std::ranges::find_if(cart_.lines, [product = product_of(item), &pricing](const LineRow& l) {
          return l.product == product && pricing_of(l) == pricing;
        });
    return static_cast<std::size_t>(found - cart_.lines.begin());
  }
  Pricing pricing(std::size_t at) const { return pricing_of(cart_.lines[at]); }
  Micros price(std::size_t at) const { return {cart_.lines[at].price}; }
  std::int64_t quantity(std::size_t at) const { return cart_.lines[at].quantity; }
  Currency currency() const { return cart_.currency; }
  /// Asked for once, of a cart that is open again.
  Micros total() const {
    Micros sum;
    for (const LineRow& line : cart_.lines)
      sum.value = wrapped_add(sum.value, wrapped_multiply(line.price, line.quantity));
    return sum;
  }

  void fix_currency(Currency currency) { cart_.currency = currency; }
  void drop_currency() { cart_.currency = Currency{}; }
  void append(const Item& item, Micros price, std::int64_t quantity, Pricing pricing) {
    if (size() < cart_line_bytes_max / sizeof(LineRow))
      cart_.lines.push_back(
          {product_of(item), quantity, price.value, pricing == Pricing::fixed ? 1 : 0});
  }
  void change(std::size_t at, const Item&, Micros price, std::int64_t quantity) {
    cart_.lines[at].quantity = quantity;
    cart_.lines[at].price = price.value;
  }
  void drop(Product product) {
    std::erase_if(cart_.lines, [&](const LineRow& line) { return line.product == product; });
  }

 private:
  static Pricing pricing_of(const LineRow& line) {
    return line.fixed == 1 ? Pricing::fixed : Pricing::catalogue;
  }
  /// One event asks twice.
  Product product_of(const Item& item) {
    if (looked_up_ != &item) product_ = product_of(item.sku());
    looked_up_ = &item;
    return product_;
  }

  CartRow& cart_;
  Store& store_;
  const Item* looked_up_ = nullptr;
  Product product_ = 0;
};

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

// ---- carts: the lines by the rule of the cart itself ----

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

template <class E>  // of lines
Fold::Folded Fold::change_lines(const Context& c, const E& e) {
  const auto id = id_of<CartId>(c.entity);
  CartRow* cart = store_.find_cart(id);
  if (!cart) return unknown_cart();
  RowLines lines(*cart, store_);
  evolve_lines(lines, e);
  cart->touched_at = c.at;
  if (!cart->filled_at && !std::is_same_v<E, ItemRemoved>) {
    cart->filled_at = c.at;
    FunnelRow& funnel = store_.funnel(day_of(cart->opened_at));
    ++funnel.filled;
    funnel.fill_ms += c.at - cart->opened_at;
  }
  store_.changed(id, *cart);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const ItemAdded& e) { return change_lines(c, e); }
Fold::Folded Fold::on(const Context& c, const ItemQuantitySet& e) { return change_lines(c, e); }
Fold::Folded Fold::on(const Context& c, const ItemRemoved& e) { return change_lines(c, e); }

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
  RowLines lines(*cart, store_);
  evolve_lines(lines, e);
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

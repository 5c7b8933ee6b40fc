// Orders: what was sold, lost and came back. An order counts when it is confirmed, at its business
// time. Cancelling one does not undo that: its OrderReturned of everything, which always comes with
// OrderCancelled, counts as returned.
#include <algorithm>

#include "events/limits.h"
#include "projections/analytics/fold.h"
#include "projections/analytics/fold_support.h"

namespace souk::analytics {
namespace {

/// What an order is worth; nothing where it cannot be counted.
struct Worth {
  std::int64_t quantity = 0;
  std::int64_t value = 0;
};

bool add_line(Worth& worth, std::int64_t quantity, Micros unit_price) {
  if (quantity < 0 || unit_price.value < 0) return false;
  const auto value = multiply(unit_price, quantity);
  const auto sum = value ? checked_add(worth.value, value->value) : std::nullopt;
  const auto pieces = checked_add(worth.quantity, quantity);
  if (!sum || !pieces || *pieces > limits::stock_max) return false;  // sums of pieces are 64 bits
  worth = {*pieces, *sum};
  return true;
}

std::optional<Worth> worth_of(const std::vector<OrderLine>& lines) {
  Worth worth;
  for (const OrderLine& line : lines)
    if (!add_line(worth, line.quantity, line.unit_price)) return std::nullopt;
  return worth;
}

Poison too_much() { return {"amounts or pieces that are negative, or too many"}; }

/// What an order costs beside its goods because only whole minor units can be paid.
std::optional<std::int64_t> rounding_of(const std::vector<Adjustment>& adjustments) {
  std::optional<std::int64_t> sum = 0;
  for (const Adjustment& one : adjustments)
    if (sum && one.kind == Adjustment::Kind::rounding) sum = checked_add(*sum, one.amount.value);
  return sum;
}

/// Sums by product; the lines of one SKU count as one order.
struct OfProduct {
  std::int64_t product = 0;
  Sums sums;
};
std::vector<OfProduct> by_product(const std::vector<LineRow>& lines) {
  std::vector<OfProduct> all;
  all.reserve(lines.size());
  for (const LineRow& line : lines)
    all.push_back(
        {line.product,
         {.lines = 1, .quantity = line.quantity, .revenue = Micros{line.price * line.quantity}}});
  std::ranges::stable_sort(all, {}, &OfProduct::product);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (kept > 0 && all[kept - 1].product == all[i].product) {
      all[kept - 1].sums += all[i].sums;
    } else {
      all[kept++] = all[i];
    }
  }
  all.resize(kept);
  for (OfProduct& one : all) one.sums.orders = 1;
  return all;
}

}  // namespace

std::int64_t Fold::country_of(const OrderRow& order) {
  if (order.own_country != 0 || !order.user) return order.own_country;
  return store_.customer(*order.user).country;
}

/// In every dimension but the product's.
void Fold::book(const OrderRow& order, std::int64_t at, const Sums& sums) {
  const std::int64_t currency = order.currency_no;
  add_at_levels(store_, Dimension::time, {Level::all, Level::month, Level::day, Level::hour},
                currency, at, 0, sums);
  add_at_levels(store_, Dimension::country, {Level::all, Level::month, Level::day}, currency, at,
                country_of(order), sums);
  add_at_levels(store_, Dimension::customer, {Level::all, Level::month, Level::day}, currency, at,
                order.customer, sums);
}

Fold::Folded Fold::on(const Context& c, const OrderPlaced& e) {
  const auto id = id_of<OrderId>(c.entity);
  const auto worth = worth_of(e.lines);
  const auto rounding = rounding_of(e.adjustments);
  if (!worth || !rounding) return too_much();
  if (store_.find_order(id)) return Poison{"an order placed twice"};
  OrderRow& row = store_.new_order(id);
  if (e.cart) row.cart = e.cart->text();
  row.user = e.user;
  if (e.user) {
    CustomerRow& customer = store_.customer(*e.user);
    customer.has_orders = true;
    row.customer = customer.no;
  }
  row.currency = e.currency;
  row.currency_no = store_.currency(e.currency);
  row.own_country = store_.country(e.country);
  row.at = e.occurred_at ? clamped(*e.occurred_at) : c.at;
  row.logged_at = c.at;
  row.line_count = static_cast<std::int64_t>(e.lines.size());
  row.quantity = worth->quantity;
  row.value = worth->value;
  row.rounding = *rounding;
  row.lines.reserve(e.lines.size());
  for (const OrderLine& line : e.lines)
    row.lines.push_back({.product = store_.product(line.item.sku()).no,
                         .quantity = line.quantity,
                         .price = line.unit_price.value,
                         .fixed = line.pricing == Pricing::fixed ? 1 : 0});
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const OrderConfirmed&) {
  const auto id = id_of<OrderId>(c.entity);
  OrderRow* order = store_.find_order(id);
  if (!order || order->status != OrderStage::pending)
    return Poison{"an order confirmed that is not pending"};
  order->status = OrderStage::confirmed;
  order->confirmed_at = c.at;
  store_.changed(id, *order);
  book(*order, order->at,
       {.orders = 1,
        .lines = order->line_count,
        .quantity = order->quantity,
        .revenue = Micros{order->value},
        .rounding = Micros{order->rounding}});
  std::vector<std::int64_t> basket;
  for (const OfProduct& one : by_product(store_.lines_of(*order))) {
    add_at_levels(store_, Dimension::product, {Level::all, Level::month, Level::day},
                  order->currency_no, order->at, one.product, one.sums);
    basket.push_back(one.product);
  }
  if (basket.size() > 1) store_.add_basket(basket);
  if (!order->user) return Done{};
  CustomerRow& customer = store_.customer(*order->user);
  ++customer.orders;
  customer.first_order_at = std::min(customer.first_order_at.value_or(order->at), order->at);
  customer.last_order_at = std::max(customer.last_order_at.value_or(order->at), order->at);
  store_.changed(*order->user, customer);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const OrderRejected& e) {
  const auto id = id_of<OrderId>(c.entity);
  OrderRow* order = store_.find_order(id);
  if (!order || order->status != OrderStage::pending)
    return Poison{"an order rejected that is not pending"};
  order->status = OrderStage::rejected;
  order->reason = static_cast<int>(e.reason);
  store_.changed(id, *order);
  add_at_levels(store_, Dimension::refused_reason, {Level::all, Level::month, Level::day},
                order->currency_no, order->at, order->reason,
                {.orders = 1,
                 .lines = order->line_count,
                 .quantity = order->quantity,
                 .revenue = Micros{order->value}});
  if (e.reason != Refusal::out_of_stock) return Done{};
  for (const OfProduct& one : by_product(store_.lines_of(*order)))
    add_at_levels(store_, Dimension::refused_product, {Level::all, Level::month, Level::day},
                  order->currency_no, order->at, one.product, one.sums);
  return Done{};
}

Fold::Folded Fold::move_status(const Context& c, OrderStage status) {
  const auto id = id_of<OrderId>(c.entity);
  OrderRow* order = store_.find_order(id);
  if (!order) return Poison{"an order that was never placed"};
  order->status = status;
  store_.changed(id, *order);
  return Done{};
}
Fold::Folded Fold::on(const Context& c, const OrderCancelled&) {
  return move_status(c, OrderStage::cancelled);
}
Fold::Folded Fold::on(const Context& c, const OrderShipped&) {
  return move_status(c, OrderStage::shipped);
}
Fold::Folded Fold::on(const Context& c, const OrderDelivered&) {
  return move_status(c, OrderStage::delivered);
}

Fold::Folded Fold::on(const Context& c, const OrderReturned& e) {
  const auto id = id_of<OrderId>(c.entity);
  OrderRow* order = store_.find_order(id);
  if (!order) return Poison{"goods came back of an order that was never placed"};
  const std::vector<LineRow>& lines = store_.lines_of(*order);
  Worth worth;
  for (const ReturnedLine& line : e.lines)
    if (line.line >= lines.size() || !add_line(worth, line.quantity, line.unit_price))
      return too_much();
  const auto returned = checked_add(order->returned, e.value.value);
  if (e.value.value < 0 || !returned) return too_much();
  order->returned = *returned;
  order->returned_quantity += worth.quantity;
  if ((order->status == OrderStage::shipped || order->status == OrderStage::delivered) &&
      order->returned_quantity >= order->quantity)
    order->status = OrderStage::returned;
  store_.changed(id, *order);
  ReturnRow row{.order_no = order->no,
                .number = e.number,
                .at = e.occurred_at ? clamped(*e.occurred_at) : c.at,
                .value = e.value.value,
                .restocked = e.goods == Goods::restocked,
                .lines = {}};
  book(*order, row.at, {.returned = e.value});
  for (const ReturnedLine& line : e.lines) {
    const std::int64_t product = lines[line.line].product;
    row.lines.push_back({product, line.quantity, line.unit_price.value, 0});
    add_at_levels(store_, Dimension::product, {Level::all, Level::month, Level::day},
                  order->currency_no, row.at, product,
                  {.returned = Micros{line.unit_price.value * line.quantity}});
  }
  store_.add_return(std::move(row));
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const PaymentRefunded& e) {
  const auto id = id_of<OrderId>(c.entity);
  OrderRow* order = store_.find_order(id);
  if (!order) return Poison{"money paid back for an order that was never placed"};
  const auto refunded = checked_add(order->refunded, e.amount.value);
  if (e.amount.value < 0 || !refunded) return too_much();
  order->refunded = *refunded;
  store_.changed(id, *order);
  const RefundRow row{.order_no = order->no,
                      .number = e.number,
                      .at = e.occurred_at ? clamped(*e.occurred_at) : c.at,
                      .amount = e.amount.value};
  book(*order, row.at, {.refunded = e.amount});
  store_.add_refund(row);
  return Done{};
}

Fold::Folded Fold::on(const Context& c, const ReturnAccepted& e) {
  const auto id = id_of<OrderId>(c.entity);
  const auto worth = worth_of(e.lines);
  if (!worth || e.value.value < 0) return too_much();
  if (store_.find_order(id)) return Poison{"a return accepted twice"};
  OrderRow& row = store_.new_order(id);
  row.status = OrderStage::loose_return;
  row.user = e.user;
  if (e.user) {
    CustomerRow& customer = store_.customer(*e.user);
    customer.has_orders = true;
    row.customer = customer.no;
  }
  row.currency = e.currency;
  row.currency_no = store_.currency(e.currency);
  row.own_country = store_.country(e.country);
  row.at = e.occurred_at ? clamped(*e.occurred_at) : c.at;
  row.logged_at = c.at;
  row.returned = e.value.value;
  row.returned_quantity = worth->quantity;
  book(row, row.at, {.returned = e.value});
  ReturnRow back{.order_no = row.no,
                 .number = 1,
                 .at = row.at,
                 .value = e.value.value,
                 .restocked = true,
                 .lines = {}};
  for (const OrderLine& line : e.lines) {
    const std::int64_t product = store_.product(line.item.sku()).no;
    back.lines.push_back({product, line.quantity, line.unit_price.value, 0});
    add_at_levels(store_, Dimension::product, {Level::all, Level::month, Level::day},
                  row.currency_no, row.at, product,
                  {.returned = Micros{line.unit_price.value * line.quantity}});
  }
  store_.add_return(std::move(back));
  return Done{};
}

}  // namespace souk::analytics

#include "oracle.h"

#include <algorithm>

namespace souk::test {
namespace {

std::string time_key(SalesGroup group, std::int64_t at) {
  const std::string text = to_rfc3339({at});
  if (group == SalesGroup::month) return text.substr(0, 7);
  if (group == SalesGroup::day) return text.substr(0, 10);
  return text.substr(0, 13) + ":00:00.000Z";
}

bool within(const SalesQuery& query, std::int64_t at) {
  return (!query.from || at >= query.from->value) && (!query.to || at < query.to->value);
}

std::vector<Oracle::Line> lines_of(const std::vector<OrderLine>& lines) {
  std::vector<Oracle::Line> all;
  for (const OrderLine& line : lines)
    all.push_back({line.item.sku().text(), line.quantity, line.unit_price.value});
  return all;
}

}  // namespace

Oracle::Oracle(const History& history) {
  for (const auto& shard : history.shards) {
    for (const Transaction& t : shard) {
      for (const Event& event : t.events) {
        if (event.entity.kind() == Kind::cart) {
          see_cart(event, t.at.value);
          continue;
        }
        const std::string id = event.entity.kind() == Kind::order
                                   ? OrderId{*Id128::from_bytes(event.entity.id())}.text()
                                   : std::string();
        const std::string user = event.entity.kind() == Kind::user
                                     ? UserId{*Id128::from_bytes(event.entity.id())}.text()
                                     : std::string();
        if (const auto* placed = std::get_if<OrderPlaced>(&event.payload)) {
          Order& order = orders[id];
          order.id = id;
          order.user = placed->user ? placed->user->text() : "";
          order.currency = placed->currency.text();
          order.country = placed->country;
          order.at = placed->occurred_at.value_or(t.at).value;
          order.lines = lines_of(placed->lines);
          for (const Adjustment& one : placed->adjustments) order.rounding += one.amount.value;
        } else if (std::holds_alternative<OrderConfirmed>(event.payload)) {
          orders[id].confirmed = true;
        } else if (const auto* rejected = std::get_if<OrderRejected>(&event.payload)) {
          orders[id].rejected = static_cast<int>(rejected->reason);
        } else if (const auto* back = std::get_if<OrderReturned>(&event.payload)) {
          const Order& order = orders[id];
          Return r{order.user,        order.currency,
                   order.country,     back->occurred_at.value_or(t.at).value,
                   back->value.value, {}};
          for (const ReturnedLine& line : back->lines)
            r.lines.push_back({order.lines[line.line].sku, line.quantity, line.unit_price.value});
          returns.push_back(r);
        } else if (const auto* paid = std::get_if<PaymentRefunded>(&event.payload)) {
          const Order& order = orders[id];
          refunds.push_back({order.user, order.currency, order.country,
                             paid->occurred_at.value_or(t.at).value, paid->amount.value});
        } else if (const auto* loose = std::get_if<ReturnAccepted>(&event.payload)) {
          returns.push_back({loose->user ? loose->user->text() : "",
                             std::string(loose->currency.text()), loose->country,
                             loose->occurred_at.value_or(t.at).value, loose->value.value,
                             lines_of(loose->lines)});
        } else if (const auto* registered = std::get_if<UserRegistered>(&event.payload)) {
          country[user] = registered->country;
        } else if (const auto* changed = std::get_if<UserProfileChanged>(&event.payload)) {
          if (changed->country) country[user] = *changed->country;
        }
      }
    }
  }
}

void Oracle::see_cart(const Event& event, std::int64_t at) {
  Cart& cart = carts[CartId{*Id128::from_bytes(event.entity.id())}.text()];
  cart.touched = at;
  if (const auto* opened = std::get_if<CartOpened>(&event.payload)) {
    cart.opened = at;
    cart.user = opened->user ? opened->user->text() : "";
    cart.currency = opened->currency.text();
  } else if (const auto* added = std::get_if<ItemAdded>(&event.payload)) {
    if (cart.filled < 0) cart.filled = at;
    if (cart.currency.empty()) cart.currency = added->unit_price.currency.text();
    const std::string sku = added->item.sku().text();
    const bool fixed = added->pricing == Pricing::fixed;
    for (Line& line : cart.lines) {
      if (fixed || line.fixed || line.sku != sku) continue;
      line.quantity += added->quantity;
      line.price = added->unit_price.amount.value;
      return;
    }
    cart.lines.push_back({sku, added->quantity, added->unit_price.amount.value, fixed});
  } else if (const auto* removed = std::get_if<ItemRemoved>(&event.payload)) {
    std::erase_if(cart.lines, [&](const Line& l) { return l.sku == removed->sku.text(); });
    if (cart.lines.empty()) cart.currency.clear();
  } else if (std::holds_alternative<CheckOutStarted>(event.payload)) {
    if (cart.checked_out < 0) cart.checked_out = at;
    cart.open = false;
  } else if (std::holds_alternative<CartReopened>(event.payload)) {
    cart.open = true;
  } else if (std::holds_alternative<CartOrdered>(event.payload)) {
    cart.paid = at;
    cart.open = false;
  }
}

std::string Oracle::main_currency() const {
  std::map<std::string, int> count;
  for (const auto& [id, order] : orders) count[order.currency] += order.confirmed ? 1 : 0;
  for (const Return& r : returns) count[r.currency] += 0;
  std::string best;
  int most = -1;
  for (const auto& [code, n] : count) {
    if (n <= most) continue;
    most = n;
    best = code;
  }
  return best;
}

std::vector<SalesRow> Oracle::sales(const SalesQuery& query) const {
  const std::string currency = query.currency.empty() ? main_currency() : query.currency;
  std::map<std::optional<std::string>, SalesFigures> all;
  const auto text = [](const std::string& s) -> std::optional<std::string> {
    if (s.empty()) return std::nullopt;
    return s;
  };
  const auto key = [&](std::int64_t at, const std::string& user,
                       const std::string& own) -> std::optional<std::string> {
    if (query.group_by == SalesGroup::country && !own.empty()) return own;
    if (query.group_by == SalesGroup::customer) return text(user);
    if (query.group_by == SalesGroup::country)
      return text(country.contains(user) ? country.at(user) : "");
    return time_key(query.group_by, at);
  };
  const bool products = query.group_by == SalesGroup::product;
  for (const auto& [id, order] : orders) {
    if (!order.confirmed || order.currency != currency || !within(query, order.at)) continue;
    std::set<std::optional<std::string>> counted;
    for (const Line& line : order.lines) {
      const auto at = products ? text(line.sku) : key(order.at, order.user, order.country);
      SalesFigures& f = all[at];
      if (counted.insert(at).second) ++f.orders;
      ++f.lines;
      f.quantity += line.quantity;
      f.revenue += Micros{line.quantity * line.price};
    }
    if (!products) all[key(order.at, order.user, order.country)].rounding += Micros{order.rounding};
  }
  for (const Return& r : returns) {
    if (r.currency != currency || !within(query, r.at)) continue;
    if (!products) all[key(r.at, r.user, r.country)].returned += Micros{r.value};
    for (const Line& line : r.lines)
      if (products) all[text(line.sku)].returned += Micros{line.quantity * line.price};
  }
  for (const Refund& r : refunds)
    if (r.currency == currency && within(query, r.at) && !products)
      all[key(r.at, r.user, r.country)].refunded += Micros{r.amount};
  std::vector<SalesRow> rows;
  for (const auto& [k, f] : all)
    if (f != SalesFigures{}) rows.push_back({k, f});
  return rows;
}

SalesFigures Oracle::total(const SalesQuery& query) const {
  SalesQuery by_month = query;
  by_month.group_by = SalesGroup::month;
  SalesFigures total;
  for (const SalesRow& row : sales(by_month)) {
    total.orders += row.figures.orders;
    total.lines += row.figures.lines;
    total.quantity += row.figures.quantity;
    total.revenue += row.figures.revenue;
    total.returned += row.figures.returned;
    total.refunded += row.figures.refunded;
    total.rounding += row.figures.rounding;
  }
  return total;
}

std::vector<BasketPair> Oracle::pairs(std::size_t limit) const {
  std::map<std::pair<std::string, std::string>, std::int64_t> count;
  for (const auto& [id, order] : orders) {
    if (!order.confirmed) continue;
    std::set<std::string> skus;
    for (const Line& line : order.lines) skus.insert(line.sku);
    for (const auto& a : skus)
      for (const auto& b : skus)
        if (a < b) ++count[{a, b}];
  }
  std::vector<BasketPair> rows;
  for (const auto& [pair, n] : count) rows.push_back({pair.first, pair.second, n});
  std::ranges::stable_sort(rows, std::greater{}, &BasketPair::orders);
  if (rows.size() > limit) rows.resize(limit);
  return rows;
}

}  // namespace souk::test

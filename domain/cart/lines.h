#pragma once
/// How events change the lines of a cart: one rule for the cart itself (cart.cc) and for read models
/// that keep its lines in another form.
///
/// `Lines` is a view of the lines with the cart's currency and total:
///   Product                               what names a product there; ordered
///   product_of(sku), product_at(line)     -> Product
///   size(); find(item, pricing)           the line of this product; size() where there is none
///   pricing(line), price(line), quantity(line)
///   currency(), total()                   none and 0 at first
///   fix_currency(currency)                REQUIRES: there is none
///   append(item, price, quantity, pricing)
///   change(line, item, price, quantity)   keeps its pricing
///   drop(product)                         all lines of it
///   drop_currency()                       REQUIRES: there is one, and no line
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "events/event.h"

namespace souk {

/// `total` once a line of `before` (nothing: a new one) is worth `after`; nothing where it overflows.
inline std::optional<Micros> total_with(Micros total, std::optional<Micros> before,
                                        std::optional<Micros> after) {
  if (!before || !after) return std::nullopt;
  const auto rest = subtract(total, *before);
  return rest ? add(*rest, *after) : std::nullopt;
}

template <class Lines>
void evolve_lines(Lines& lines, const ItemAdded& e) {
  if (lines.currency().none()) lines.fix_currency(e.unit_price.currency);
  // A fixed price that is added always makes a line of its own.
  const std::size_t at = e.pricing == Pricing::fixed ? lines.size() : lines.find(e.item, e.pricing);
  if (at == lines.size())
    lines.append(e.item, e.unit_price.amount, e.quantity, e.pricing);
  else
    lines.change(at, e.item, e.unit_price.amount,
                 static_cast<std::int64_t>(static_cast<std::uint64_t>(lines.quantity(at)) +
                                           static_cast<std::uint64_t>(e.quantity)));
}

template <class Lines>
void evolve_lines(Lines& lines, const ItemQuantitySet& e) {
  if (lines.currency().none()) lines.fix_currency(e.unit_price.currency);
  const std::size_t at = lines.find(e.item, e.pricing);
  if (at == lines.size())
    lines.append(e.item, e.unit_price.amount, e.quantity, e.pricing);
  else
    lines.change(at, e.item, e.unit_price.amount, e.quantity);
}

template <class Lines>
void evolve_lines(Lines& lines, const ItemRemoved& e) {
  lines.drop(lines.product_of(e.sku));
  // What comes next may be of another currency.
  if (lines.size() == 0 && !lines.currency().none()) lines.drop_currency();
}

/// Lines at catalogue prices have today's.
template <class Lines>
void evolve_lines(Lines& lines, const CartReopened& e) {
  using Change = std::pair<typename Lines::Product, const PriceChange*>;
  std::vector<Change> changes;
  changes.reserve(e.price_changes.size());
  for (const auto& change : e.price_changes)
    changes.emplace_back(lines.product_of(change.item.sku()), &change);
  std::ranges::stable_sort(changes, {}, &Change::first);
  for (std::size_t i = 0; i < lines.size() && !changes.empty(); ++i) {
    if (lines.pricing(i) != Pricing::catalogue) continue;
    const auto found = std::ranges::lower_bound(changes, lines.product_at(i), {}, &Change::first);
    if (found == changes.end() || found->first != lines.product_at(i)) continue;
    const auto& [item, price] = *found->second;
    // A line that cannot have today's price in this cart keeps the old one: then the next check-out
    // finds the price changed again, and the customer has to take the line out.
    if (price.currency != lines.currency()) continue;
    const std::int64_t quantity = lines.quantity(i);
    if (!total_with(lines.total(), multiply(lines.price(i), quantity),
                    multiply(price.amount, quantity)))
      continue;
    lines.change(i, item, price.amount, quantity);
  }
}

}  // namespace souk

#include "domain/order/totals.h"

#include <algorithm>

#include "events/currencies.h"

namespace souk {

std::optional<OrderTotal> total_of(Micros goods, Currency currency, Charged charged) {
  const auto total = charged == Charged::before ? goods : to_minor_units(goods, currency);
  if (!total) return std::nullopt;
  OrderTotal made{.total = *total, .adjustments = {}};
  if (*total != goods)
    made.adjustments.push_back({Adjustment::Kind::rounding, {total->value - goods.value}});
  return made;
}

Micros paid_back_for(Micros returned, Micros goods, Micros total, Currency currency,
                     Charged charged) {
  if (returned >= goods) return total;
  if (charged == Charged::before) return std::min(returned, total);
  return std::min(to_minor_units(returned, currency).value_or(total), total);
}

}  // namespace souk

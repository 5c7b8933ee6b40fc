#pragma once
/// What is paid for an order, and what a return pays back of it. Rules only.
#include <optional>
#include <vector>

#include "events/event.h"

namespace souk {

/// Whether amounts are charged now, or are history that was paid elsewhere: that stays as it was,
/// also where it is no whole number of minor units.
enum class Charged : std::uint8_t { now, before };

struct OrderTotal {
  Micros total;
  std::vector<Adjustment> adjustments;
};
/// Of goods worth `goods`: in whole minor units, half to even, rounded once; the difference is an
/// adjustment. Nothing where the total does not fit 64 bits.
std::optional<OrderTotal> total_of(Micros goods, Currency currency, Charged charged);

/// What all returns together pay back once goods worth `returned` came back, of goods worth `goods`
/// for which `total` was paid: whole minor units, all of `total` where all came back. Grows with
/// `returned`, so what one return pays is the difference that it makes.
Micros paid_back_for(Micros returned, Micros goods, Micros total, Currency currency,
                     Charged charged);

}  // namespace souk

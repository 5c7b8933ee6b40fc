#pragma once
/// Commands of clients on orders: those that make one, and those that change one.
#include "actors/shard/cart_commands.h"

namespace souk {

/// The country of an order: what its address says, else the one where its user is now.
/// REQUIRES: the user is resident.
std::string country_of(Desk& desk, const std::optional<UserId>& user, const std::string& country);
/// From the worth of the goods in `total` to what is paid for them (domain/order/totals.h); false
/// where that is too large.
bool charge(OrderPlaced& placed);

/// REQUIRES: admitted. `request` is moved from where it waits for its order.
Handled order_command(Desk& desk, Quotes& quotes, OrderProcesses& orders, Request& request);

}  // namespace souk

#pragma once
/// Commands of clients on orders: those that make one, and those that change one.
#include "actors/shard/cart_commands.h"

namespace souk {

/// REQUIRES: admitted. `request` is moved from where it waits for its order.
Handled order_command(Desk& desk, Quotes& quotes, OrderProcesses& orders, Request& request);

}  // namespace souk

#pragma once
/// Commands of clients on carts.
#include "actors/shard/order_processes.h"
#include "actors/shard/quotes.h"

namespace souk {

/// waits: for a quote; the same request is handled again when it has come.
enum class Handled : std::uint8_t { done, waits };

/// REQUIRES: admitted. `request` is moved from where it waits for its order.
Handled cart_command(Desk& desk, Quotes& quotes, OrderProcesses& orders, Request& request);

}  // namespace souk

#pragma once
/// Commands of clients on products and their stock.
#include "actors/shard/desk.h"

namespace souk {

/// REQUIRES: admitted.
void sku_command(Desk& desk, const Request& request);

}  // namespace souk

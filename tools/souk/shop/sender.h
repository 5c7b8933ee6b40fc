#pragma once
/// Plays a generated shop to a daemon.
#include "tools/souk/cli/progress.h"
#include "tools/souk/client/failure.h"
#include "tools/souk/client/url.h"
#include "tools/souk/shop/generator.h"

namespace souk::cli {

struct ShopSummary {
  std::uint64_t products = 0, users = 0, carts = 0, orders = 0, declined = 0, returned = 0,
                cancelled = 0, already_there = 0;
  double seconds = 0;
  std::string json() const;
  std::string text() const;
};

/// Every command has a key made of the seed and its place, so that the same shop again changes
/// nothing: visits whose cart is there are left alone.
Outcome<ShopSummary> send_shop(const Shop& shop, const Url& url, std::size_t connections,
                               Progress& progress);

}  // namespace souk::cli

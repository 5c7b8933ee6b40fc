// souk generate
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tools/souk/shop/sender.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

Outcome<ExitCode> write_shop(const Shop& shop, const std::string& name) {
  const std::string text = shop_lines(shop);
  std::FILE* file = name == "-" ? stdout : std::fopen(name.c_str(), "wb");
  if (!file) return Failure{ExitCode::refused, name + ": " + std::strerror(errno)};
  bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  good = (file == stdout ? std::fflush(file) : std::fclose(file)) == 0 && good;
  if (!good) return Failure{ExitCode::refused, name + ": " + std::strerror(errno)};
  return ExitCode::ok;
}

Outcome<ExitCode> generate(const Invocation& invocation) {
  auto products = integer_argument(invocation, "products", 1, 1'000'000);
  if (!products) return products.error();
  auto users = integer_argument(invocation, "users", 0, 1'000'000);
  if (!users) return users.error();
  auto orders = integer_argument(invocation, "orders", 0, 10'000'000);
  if (!orders) return orders.error();
  auto seed = integer_argument(invocation, "seed", 0, INT64_MAX);
  if (!seed) return seed.error();
  auto connections = integer_argument(invocation, "connections", 1, 64);
  if (!connections) return connections.error();
  const Shop shop = generate_shop({.products = static_cast<std::size_t>(*products),
                                   .users = static_cast<std::size_t>(*users),
                                   .orders = static_cast<std::size_t>(*orders),
                                   .seed = static_cast<std::uint64_t>(*seed)});
  if (invocation.has("out")) return write_shop(shop, invocation.get("out"));
  Progress progress("steps", shop.products.size() + shop.users.size() + shop.visits.size());
  auto summary = send_shop(shop, invocation.url, static_cast<std::size_t>(*connections), progress);
  progress.finish();
  if (!summary) return summary.error();
  std::fputs((invocation.json() ? summary->json() : summary->text()).c_str(), stdout);
  return ExitCode::ok;
}

}  // namespace

Verbs generate_verbs() {
  return {
      {.path = "generate",
       .summary = "Fill a shop with a realistic year",
       .examples = {"souk generate --products 200 --users 100 --orders 500 --seed 1",
                    "souk generate --orders 10000 --out shop.ndjson"},
       .arguments = {option("products", "How many products, 1 to 1,000,000", "200"),
                     option("users", "How many users", "100"),
                     option("orders", "How many orders that are paid", "500"),
                     option("seed", "The same seed gives the same shop", "1"),
                     option("out",
                            "Write the shop as JSON lines to this file (- for standard "
                            "output) instead of sending it"),
                     option("connections", "How many at a time, 1 to 64", "4")},
       .run = generate,
       .details =
           "Popular products and busy customers (Zipf), seasons, weekdays and hours, guests,\n"
           "abandoned carts, declined payments, cancellations, returns and deliveries of stock.\n"
           "The same shop again changes nothing: carts that are there are left alone."}};
}

}  // namespace souk::cli

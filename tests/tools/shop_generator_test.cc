#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "events/ids.h"
#include "tools/souk/shop/generator.h"

using namespace souk;
using namespace souk::cli;

TEST_CASE("generated shop: the same seed gives the same bytes, another seed others") {
  const ShopOptions options{.products = 50, .users = 20, .orders = 100, .seed = 7};
  const std::string text = shop_lines(generate_shop(options));
  CHECK(text == shop_lines(generate_shop(options)));
  ShopOptions other = options;
  other.seed = 8;
  CHECK(text != shop_lines(generate_shop(other)));
}

TEST_CASE("generated shop: the bytes of seed 7 stay what they were") {
  const std::string text =
      shop_lines(generate_shop({.products = 50, .users = 20, .orders = 100, .seed = 7}));
  CHECK(stable_hash(text) == 13531263529669900629ULL);
}

TEST_CASE("generated shop: it has what was asked for, and names the daemon takes") {
  const Shop shop = generate_shop({.products = 300, .users = 100, .orders = 1'000, .seed = 1});
  CHECK(shop.products.size() == 300);
  CHECK(shop.users.size() == 100);
  const auto paid = std::ranges::count_if(shop.visits, [](const ShopVisit& visit) {
    return visit.fate != Fate::abandoned && visit.fate != Fate::declined;
  });
  CHECK(paid == 1'000);
  std::set<std::string> skus, emails;
  for (const ShopProduct& product : shop.products) {
    CHECK(Sku::parse(product.sku).has_value());
    CHECK(product.price.value > 0);
    skus.insert(product.sku);
  }
  for (const ShopUser& user : shop.users) emails.insert(user.email);
  CHECK(skus.size() == 300);
  CHECK(emails.size() == 100);
}

TEST_CASE("generated shop: deliveries cover what is bought until the next ones") {
  const Shop shop = generate_shop({.products = 40, .users = 10, .orders = 800, .seed = 3});
  std::vector<std::int64_t> stock(shop.products.size(), 0);
  for (std::size_t part = 0; part < shop.deliveries.size(); ++part) {
    for (const ShopDelivery& delivery : shop.deliveries[part])
      stock[delivery.product] += delivery.quantity;
    for (std::size_t v = shop.part_begin(part); v < shop.part_begin(part + 1); ++v) {
      if (shop.visits[v].fate == Fate::abandoned) continue;
      for (const ShopLine& line : shop.visits[v].lines) stock[line.product] -= line.quantity;
    }
    CHECK(std::ranges::min(stock) >= 0);
  }
  CHECK(shop.part_begin(shop.deliveries.size()) == shop.visits.size());
}

TEST_CASE(
    "generated shop: it looks like one: favourites, seasons, hours, abandoned carts, guests") {
  const Shop shop = generate_shop({.products = 200, .users = 100, .orders = 4'000, .seed = 5});
  std::vector<std::int64_t> lines(200, 0);
  std::int64_t november = 0, february = 0, evening = 0, night = 0, abandoned = 0, guests = 0;
  for (const ShopVisit& visit : shop.visits) {
    const std::string at = to_rfc3339(visit.at);
    november += at.substr(5, 2) == "11" ? 1 : 0;
    february += at.substr(5, 2) == "02" ? 1 : 0;
    evening += at.substr(11, 2) == "20" ? 1 : 0;
    night += at.substr(11, 2) == "03" ? 1 : 0;
    abandoned += visit.fate == Fate::abandoned ? 1 : 0;
    guests += visit.user ? 0 : 1;
    for (const ShopLine& line : visit.lines) ++lines[line.product];
    CHECK(at.substr(0, 4) == "2025");
  }
  const auto visits = static_cast<std::int64_t>(shop.visits.size());
  CHECK(lines[0] > 20 * lines[150]);
  CHECK(november * 10 > february * 15);
  CHECK(evening > 5 * night);
  CHECK(abandoned * 10 > visits * 3);
  CHECK(guests * 10 > visits * 2);
  CHECK(std::ranges::is_sorted(shop.visits, {}, &ShopVisit::at));
}

TEST_CASE("generated shop: one product and nobody registered is a shop as well") {
  const Shop shop = generate_shop({.products = 1, .users = 0, .orders = 10, .seed = 1});
  for (const ShopVisit& visit : shop.visits) {
    CHECK(!visit.user.has_value());
    CHECK(visit.lines.size() == 1);
  }
}

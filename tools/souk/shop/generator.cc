#include "tools/souk/shop/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "events/result.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/shop/words.h"

namespace souk::cli {
namespace {

constexpr std::int64_t hour_ms = 3'600'000, day_ms = 24 * hour_ms;
constexpr std::int64_t first_day_ms = 1'735'689'600'000;  // 2025-01-01, a Wednesday
constexpr std::size_t days = 365;
constexpr std::size_t parts = 4;

// Of 1000 visits and of 1000 orders.
constexpr std::uint64_t abandoned_share = 400, declined_share = 15, guest_share = 250;
constexpr std::uint64_t cancelled_share = 20, returned_share = 70, ordered_share = 60,
                        shipped_share = 90;

constexpr std::array<std::uint64_t, 12> month_weights = {7, 6, 7, 7, 8, 8, 8, 8, 9, 10, 15, 14};
constexpr std::array<std::uint64_t, 7> weekday_weights = {13, 14, 14, 15,
                                                          16, 15, 18};  // from Monday
constexpr std::array<std::uint64_t, 24> hour_weights = {
    2, 1, 1, 1, 1, 2, 4, 6, 8, 10, 12, 13, 14, 13, 12, 12, 12, 13, 14, 16, 18, 17, 11, 5};
constexpr std::array<std::size_t, 12> month_ends = {31,  59,  90,  120, 151, 181,
                                                    212, 243, 273, 304, 334, 365};

template <class T, std::size_t n>
const T& any_of(const std::array<T, n>& list, Dice& dice) {
  return list[dice.below(n)];
}

Weighted day_chooser() {
  std::vector<std::uint64_t> weights;
  for (std::size_t day = 0; day < days; ++day) {
    const auto month =
        static_cast<std::size_t>(std::ranges::upper_bound(month_ends, day) - month_ends.begin());
    weights.push_back(month_weights[month] * weekday_weights[(day + 2) % 7]);
  }
  return Weighted(weights);
}

/// Shops like 4.99 and 25.00.
Micros rounded_price(std::uint64_t pence) {
  if (pence < 2'000) {
    pence = pence / 50 * 50 + 49;
  } else {
    pence = pence / 500 * 500;
  }
  return Micros{static_cast<std::int64_t>(pence) * 10'000};
}

ShopProduct make_product(std::size_t number, Dice& dice) {
  const words::Kind& kind = any_of(words::kinds, dice);
  const std::string_view look = any_of(words::looks, dice), noun = any_of(kind.nouns, dice);
  ShopProduct product;
  product.brand = any_of(words::brands, dice);
  product.material = any_of(words::materials, dice);
  product.department = kind.department;
  product.shelf = kind.shelf;
  product.sku = fmt::format("{}{}-{:05}", kind.department.front(), kind.shelf.front(), number + 1);
  product.name = fmt::format("{} {} {}", look, product.material, noun);
  product.description = fmt::format("{} by {}. {} from our {} range.", product.name, product.brand,
                                    product.material, kind.shelf);
  const auto low = static_cast<std::uint64_t>(kind.price_low) * 100;
  const auto high = static_cast<std::uint64_t>(kind.price_high) * 100;
  // The smaller of two: most things are cheap.
  const std::uint64_t a = dice.below(high - low), b = dice.below(high - low);
  product.price = rounded_price(low + std::min(a, b));
  return product;
}

ShopUser make_user(std::size_t number, std::uint64_t seed, const Weighted& country, Dice& dice) {
  ShopUser user;
  const std::string_view first = any_of(words::first_names, dice),
                         last = any_of(words::last_names, dice);
  user.name = fmt::format("{} {}", first, last);
  user.email = fmt::format("{}.{}.{}.{}@customers.example", first, last, seed, number + 1);
  std::ranges::transform(user.email, user.email.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  user.country = words::countries[country.pick(dice)].code;
  return user;
}

Fate fate_of_order(Dice& dice) {
  const std::uint64_t roll = dice.below(1'000);
  if (roll < cancelled_share) return Fate::cancelled;
  if (roll < cancelled_share + returned_share) return Fate::returned;
  if (roll < cancelled_share + returned_share + ordered_share) return Fate::ordered;
  if (roll < cancelled_share + returned_share + ordered_share + shipped_share) return Fate::shipped;
  return Fate::delivered;
}

std::vector<ShopLine> fill_cart(const Weighted& popularity, Dice& dice) {
  std::vector<ShopLine> lines;
  std::size_t wanted = 1;
  while (wanted < 12 && dice.in_1000(580)) ++wanted;
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto product = static_cast<std::uint32_t>(popularity.pick(dice));
    const std::int64_t quantity =
        dice.in_1000(800) ? 1 : 2 + static_cast<std::int64_t>(dice.below(4));
    const auto same = std::ranges::find(lines, product, &ShopLine::product);
    if (same == lines.end()) {
      lines.push_back({product, quantity});
    } else {
      same->quantity += quantity;
    }
  }
  return lines;
}

void plan_deliveries(Shop& shop) {
  shop.deliveries.resize(parts);
  Dice dice(shop.options.seed ^ 0x5eed'de11'7e57ULL);
  for (std::size_t part = 0; part < parts; ++part) {
    std::vector<std::int64_t> needed(shop.products.size(), 0);
    for (std::size_t v = shop.part_begin(part); v < shop.part_begin(part + 1); ++v)
      if (shop.visits[v].fate != Fate::abandoned)
        for (const ShopLine& line : shop.visits[v].lines) needed[line.product] += line.quantity;
    for (std::uint32_t p = 0; p < needed.size(); ++p) {
      // The first delivery fills the shelf; later ones bring what sells.
      const std::int64_t spare =
          part == 0 ? static_cast<std::int64_t>(dice.below(40)) : needed[p] / 20;
      if (needed[p] + spare > 0) shop.deliveries[part].push_back({p, needed[p] + spare});
    }
  }
}

}  // namespace

std::uint64_t Dice::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

Weighted::Weighted(const std::vector<std::uint64_t>& weights) {
  std::uint64_t sum = 0;
  for (const std::uint64_t weight : weights) sums_.push_back(sum += weight);
  SOUK_ASSERT(sum > 0);
}

Weighted Weighted::zipf(std::size_t n) {
  std::vector<std::uint64_t> weights;
  for (std::size_t i = 1; i <= n; ++i) weights.push_back(1'000'000'000'000ULL / i);
  return Weighted(weights);
}

std::size_t Weighted::pick(Dice& dice) const {
  const auto at = std::ranges::upper_bound(sums_, dice.below(sums_.back()));
  return static_cast<std::size_t>(at - sums_.begin());
}

std::string_view fate_text(Fate fate) {
  constexpr std::array<std::string_view, 7> words = {"abandoned", "declined", "ordered",  "shipped",
                                                     "delivered", "returned", "cancelled"};
  return words[static_cast<std::size_t>(fate)];
}

Shop generate_shop(const ShopOptions& options) {
  Shop shop{.options = options, .products = {}, .users = {}, .visits = {}, .deliveries = {}};
  Dice dice(options.seed);
  for (std::size_t i = 0; i < options.products; ++i) shop.products.push_back(make_product(i, dice));
  std::vector<std::uint64_t> country_weights;
  for (const auto& country : words::countries)
    country_weights.push_back(static_cast<std::uint64_t>(country.weight));
  const Weighted country(country_weights);
  for (std::size_t i = 0; i < options.users; ++i)
    shop.users.push_back(make_user(i, options.seed, country, dice));

  const Weighted day = day_chooser();
  const Weighted hour(std::vector<std::uint64_t>(hour_weights.begin(), hour_weights.end()));
  const Weighted popularity = Weighted::zipf(options.products);
  const Weighted activity = Weighted::zipf(std::max<std::size_t>(1, options.users));
  for (std::size_t orders = 0; orders < options.orders;) {
    ShopVisit visit;
    visit.at.value = first_day_ms + static_cast<std::int64_t>(day.pick(dice)) * day_ms +
                     static_cast<std::int64_t>(hour.pick(dice)) * hour_ms +
                     static_cast<std::int64_t>(dice.below(static_cast<std::uint64_t>(hour_ms)));
    if (options.users > 0 && !dice.in_1000(guest_share))
      visit.user = static_cast<std::uint32_t>(activity.pick(dice));
    visit.lines = fill_cart(popularity, dice);
    visit.fate = dice.in_1000(abandoned_share)  ? Fate::abandoned
                 : dice.in_1000(declined_share) ? Fate::declined
                                                : fate_of_order(dice);
    visit.returned_line = dice.below(visit.lines.size());
    orders += visit.fate == Fate::abandoned || visit.fate == Fate::declined ? 0 : 1;
    shop.visits.push_back(std::move(visit));
  }
  std::ranges::stable_sort(shop.visits, {}, &ShopVisit::at);
  plan_deliveries(shop);
  return shop;
}

std::string shop_lines(const Shop& shop) {
  std::string out;
  const auto line = [&](const char* what, const JsonObject& object) {
    out += JsonObject{}.raw(what, object.done()).done() + "\n";
  };
  for (const ShopProduct& product : shop.products)
    line("product", JsonObject{}
                        .text("sku", product.sku)
                        .text("name", product.name)
                        .text("description", product.description)
                        .text("brand", product.brand)
                        .raw("category", "[" + json_string(product.department) + "," +
                                             json_string(product.shelf) + "]")
                        .text("material", product.material)
                        .text("price", to_decimal(product.price)));
  for (const ShopUser& user : shop.users)
    line("user", JsonObject{}
                     .text("email", user.email)
                     .text("name", user.name)
                     .text("country", user.country));
  for (std::size_t part = 0; part < shop.deliveries.size(); ++part) {
    for (const ShopDelivery& delivery : shop.deliveries[part])
      line("delivery", JsonObject{}
                           .text("sku", shop.products[delivery.product].sku)
                           .raw("quantity", std::to_string(delivery.quantity)));
    for (std::size_t v = shop.part_begin(part); v < shop.part_begin(part + 1); ++v) {
      const ShopVisit& visit = shop.visits[v];
      std::string lines;
      for (const ShopLine& bought : visit.lines)
        lines += (lines.empty() ? "" : ",") + JsonObject{}
                                                  .text("sku", shop.products[bought.product].sku)
                                                  .raw("quantity", std::to_string(bought.quantity))
                                                  .done();
      JsonObject object;
      object.text("at", to_rfc3339(visit.at));
      if (visit.user) object.text("email", shop.users[*visit.user].email);
      line("visit", object.raw("lines", "[" + lines + "]").text("fate", fate_text(visit.fate)));
    }
  }
  return out;
}

}  // namespace souk::cli

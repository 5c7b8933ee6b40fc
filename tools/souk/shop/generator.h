#pragma once
/// A realistic shop from a seed: the same options give the same shop, byte for byte, on any
/// machine.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/money.h"
#include "events/time.h"

namespace souk::cli {

/// A stream of numbers that depends on its seed alone (SplitMix64).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// 0 to `sides` - 1. REQUIRES: sides > 0.
  std::uint64_t below(std::uint64_t sides) { return next() % sides; }
  /// True in `share` of 1000 cases.
  bool in_1000(std::uint64_t share) { return below(1'000) < share; }

 private:
  std::uint64_t state_;
};

/// Picks 0 to n - 1 by weights.
class Weighted {
 public:
  explicit Weighted(const std::vector<std::uint64_t>& weights);
  /// Weights 1/1, 1/2, ..., 1/n: the first is the favourite.
  static Weighted zipf(std::size_t n);
  std::size_t pick(Dice& dice) const;

 private:
  std::vector<std::uint64_t> sums_;
};

struct ShopOptions {
  std::size_t products = 200, users = 100, orders = 500;
  std::uint64_t seed = 1;
};

struct ShopProduct {
  std::string sku, name, description, brand, department, shelf, material;
  Micros price;
};
struct ShopUser {
  std::string email, name, country;
};
struct ShopLine {
  std::uint32_t product = 0;
  std::int64_t quantity = 0;
};

/// What becomes of a cart.
enum class Fate { abandoned, declined, ordered, shipped, delivered, returned, cancelled };
std::string_view fate_text(Fate fate);

struct ShopVisit {
  UnixMs at;
  std::optional<std::uint32_t> user;  // none: a guest
  std::vector<ShopLine> lines;
  Fate fate = Fate::ordered;
  std::size_t returned_line = 0;  // of fate returned
};

struct ShopDelivery {
  std::uint32_t product = 0;
  std::int64_t quantity = 0;
};

/// The visits are in the order of time and fall into `deliveries.size()` equal parts; before each
/// part its deliveries arrive, which cover all that is bought in it.
struct Shop {
  ShopOptions options;
  std::vector<ShopProduct> products;
  std::vector<ShopUser> users;
  std::vector<ShopVisit> visits;
  std::vector<std::vector<ShopDelivery>> deliveries;
  /// Of part `part`: the first visit; the number of visits for the part after the last.
  std::size_t part_begin(std::size_t part) const {
    return visits.size() * part / deliveries.size();
  }
};

Shop generate_shop(const ShopOptions& options);

/// The shop as JSON lines: {"product":..}, {"user":..}, {"delivery":..}, {"visit":..}.
std::string shop_lines(const Shop& shop);

}  // namespace souk::cli

#pragma once
/// What is asked of the shop under load, and what must hold afterwards.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/souk/client/failure.h"
#include "tools/souk/load/command.h"
#include "tools/souk/shop/generator.h"

namespace souk::cli {

enum class MixKind { add_to_cart, place_order, drop, read };
/// `add-to-cart`, `place-order`, `drop`, `read`.
std::optional<MixKind> mix_kind(std::string_view text);

struct MixOptions {
  MixKind kind = MixKind::add_to_cart;
  std::size_t skus = 100;
  std::size_t carts = 2'000;
  std::int64_t stock = 1'000'000;  // received of each SKU
  std::uint64_t seed = 1;
};

/// A promise and whether it held.
struct Promise {
  std::string what;
  bool held = false;
  std::string detail = {};  // where it did not
};

/// Thread: one at a time.
class Mix {
 public:
  /// Lifecycle: prepare, then next and took in turns, then check.
  Mix(const MixOptions& options, const Url& url);

  /// Makes products, stock and carts of this run's own.
  Outcome<Done> prepare();
  LoadCommand next();
  /// Every command is told once what became of it.
  void took(const LoadCommand& command, const LoadAnswer& answer);
  /// Settles what was pending or lost, then reads the shop and compares.
  Outcome<std::vector<Promise>> check(Wire wire, const std::vector<LoadCommand>& lost);

  const LoadNames& names() const { return names_; }
  std::uint64_t confirmed() const { return confirmed_; }
  std::uint64_t rejected() const { return rejected_; }

 private:
  Outcome<Done> settle(Wire wire, const std::vector<LoadCommand>& lost);
  Outcome<Promise> stock_adds_up();
  Outcome<Promise> carts_hold_what_was_added();
  void sold(const LoadCommand& command);

  MixOptions options_;
  Url url_;
  LoadNames names_;
  std::vector<std::string> carts_;
  std::unordered_map<std::string, std::size_t> cart_numbers_;
  std::vector<std::int64_t> sold_;   // by SKU
  std::vector<std::int64_t> added_;  // by cart
  std::vector<std::pair<std::string, LoadCommand>> pending_;
  std::uint64_t numbers_ = 0, confirmed_ = 0, rejected_ = 0;
  Dice dice_;
};

}  // namespace souk::cli

#pragma once
/// Histories of a shop, made by hand or at random, and their way into a model.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "projections/analytics/analytics.h"
#include "tests/support/temporary_directory.h"

namespace souk::test {

inline Currency gbp() { return *Currency::parse("GBP"); }
inline Currency eur() { return *Currency::parse("EUR"); }
inline Sku sku(const std::string& text) { return *Sku::parse(text); }
inline UnixMs time_of(const std::string& text) { return *parse_rfc3339(text); }

/// An id on this shard; another for each number.
template <class Id>
Id id_on(ShardId shard, std::uint64_t number) {
  Id id;
  id.raw.bytes[0] = static_cast<std::uint8_t>(shard.value >> 8);
  id.raw.bytes[1] = static_cast<std::uint8_t>(shard.value);
  const std::uint64_t mixed = number * 0x9E3779B97F4A7C15ULL + 1;
  for (std::size_t i = 0; i < 8; ++i) {
    id.raw.bytes[8 + i] = static_cast<std::uint8_t>(mixed >> (8 * i));
    id.raw.bytes[2 + i % 6] ^= static_cast<std::uint8_t>(number >> (8 * i));
  }
  return id;
}

/// Transactions by shard, in the order of each.
struct History {
  explicit History(std::size_t count) : shards(count) {}
  std::vector<std::vector<Transaction>> shards;

  void add(ShardId shard, UnixMs at, std::vector<Event> events) {
    Transaction t;
    t.at = at;
    t.cause.bytes[15] = 1;
    t.correlation.bytes[15] = 1;
    t.events = std::move(events);
    shards[shard.value].push_back(std::move(t));
  }
};

/// A shop's life: users, products, stock, carts, orders of all fates, returns, cancellations, late
/// events, guests, two currencies, countries that change.
History random_history(std::uint64_t seed, std::size_t orders);

/// How many transactions of each shard were applied, as a checkpoint.
using Position = std::vector<std::size_t>;
std::string text_of(const Position& position);
Position position_of(const std::string& checkpoint, std::size_t shards);

inline std::shared_ptr<AnalyticsModel> open_model(const fs::path& folder) {
  auto opened = AnalyticsModel::open(folder);
  if (!opened) FAIL(opened.error().what);
  return *opened;
}

/// Applies the next transaction of one shard.
void apply_next(AnalyticsModel& model, const History& history, Position& position,
                std::size_t shard);

/// All of it, in an interleaving that `seed` decides, with a commit now and then and at the end.
void feed(AnalyticsModel& model, const History& history, std::uint64_t seed);

}  // namespace souk::test

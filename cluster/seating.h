#pragma once
/// One kind of seat (owner or standby) of every shard, and how seats are given by rendezvous.h
/// within the nodes' shares. Part of placement.cc.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "cluster/placement.h"
#include "cluster/rendezvous.h"
#include "cluster/shares.h"

namespace souk::cluster {

/// Of a node in the order of their ids.
using Index = std::uint32_t;
inline constexpr Index no_node = std::numeric_limits<Index>::max();

/// What hashing needs of the nodes that are places, ascending.
struct Place {
  Index node;
  std::uint32_t weight;
  std::uint64_t seed;
  std::uint64_t inverse_weight;
};

struct Seating {
  Seating(std::size_t shards, std::size_t nodes)
      : at(shards, no_node),
        why(shards, Reason::stayed),
        bound(shards),
        load(nodes),
        had(nodes),
        share(nodes) {}

  std::vector<Index> at;            // by shard
  std::vector<Reason> why;          // by shard
  std::vector<bool> bound;          // by shard: is not moved for balance
  std::vector<std::uint32_t> load;  // by node
  std::vector<std::uint32_t> had;   // by node: `load` before anything moved
  std::vector<Share> share;         // by node; of places

  void seat(std::size_t shard, Index node, Reason reason) {
    if (at[shard] != no_node) --load[at[shard]];
    at[shard] = node;
    why[shard] = reason;
    ++load[node];
  }
  bool below_least(Index node) const { return load[node] < share[node].least; }
  bool below_most(Index node) const { return load[node] < share[node].most; }
  /// The bounds of W4, with a seat more or less than the share: what lies within is left alone.
  bool has_room(Index node) const { return load[node] <= share[node].most; }
  bool too_few(Index node) const {
    return load[node] + 1 < share[node].least || (load[node] == 0 && share[node].least > 0);
  }
  bool too_many(Index node) const { return load[node] > share[node].most + 1; }
};

/// Of the search for seats that can only be had through a third node. What it does not find in so
/// many is left out of balance: only small clusters need it at all.
inline constexpr std::uint64_t relay_steps_max = 10'000'000;

/// Gives seats. `Allowed` says whether (shard, node) may be, `Has` whether the node has data of it.
template <class Allowed, class Has>
class Usher {
 public:
  Usher(Seating& seats, const std::vector<Place>& places, const std::vector<std::uint64_t>& shards,
        Allowed allowed, Has has)
      : seats_(seats),
        places_(places),
        shards_(shards),
        allowed_(std::move(allowed)),
        has_(std::move(has)) {}

  /// The first choice among those with the most room: below their share, else within it, else the
  /// least beyond it (`Full::take`) or nobody.
  enum class Full : std::uint8_t { take, leave };
  Index choose(std::size_t shard, Full full) const {
    Index best = no_node;
    int best_level = full == Full::take ? 3 : 2;
    std::uint64_t best_cost = 0, best_load = 0, best_weight = 1;
    for (const Place& place : places_) {
      const int level = seats_.below_least(place.node) ? 0 : seats_.below_most(place.node) ? 1 : 2;
      if (level > best_level || (level == 2 && full == Full::leave)) continue;
      if (!allowed_(shard, place.node)) continue;
      if (level < 2 && level == best_level && best != no_node &&
          least_cost(place.seed, place.inverse_weight, shards_[shard]) >= best_cost)
        continue;
      const std::uint64_t load = level == 2 ? seats_.load[place.node] + 1ULL : 0;
      const std::uint64_t mine = load * best_weight, other = best_load * place.weight;
      const std::uint64_t price = cost(place.seed, place.inverse_weight, shards_[shard]);
      if (level == best_level && best != no_node &&
          (mine > other || (mine == other && price >= best_cost)))
        continue;
      best = place.node, best_level = level, best_cost = price;
      best_load = load, best_weight = level == 2 ? place.weight : 1;
    }
    return best;
  }

  /// Until everybody is within the bounds of W4, or nothing more may be moved. It ends: each move
  /// brings somebody nearer to the bounds, and nobody away from them.
  void balance() {
    for (bool moved = true; moved;) {
      moved = false;
      for (const Place& place : places_) {
        if (seats_.too_few(place.node)) moved |= fill(place) || relay_to(place);
      }
      for (const Place& place : places_) {
        if (seats_.too_many(place.node)) moved |= give(place) || relay_from(place.node);
      }
    }
  }

 private:
  /// By cost, and the shard, so that no two are equal.
  using Priced = std::pair<std::uint64_t, std::uint32_t>;

  Reason why(Index taker) const {
    return seats_.had[taker] == 0 ? Reason::node_joined : Reason::balance;
  }

  /// `place` takes up to its share, of those who have more than theirs: what it has data of, then
  /// what it is cheapest for.
  bool fill(const Place& place) {
    const Reason reason = why(place.node);
    std::vector<Priced> offers;
    for (std::size_t shard = 0; shard < seats_.at.size(); ++shard) {
      const Index from = seats_.at[shard];
      if (from == no_node || from == place.node || seats_.bound[shard]) continue;
      if (seats_.load[from] <= seats_.share[from].least || !allowed_(shard, place.node)) continue;
      const std::uint64_t price = cost(place.seed, place.inverse_weight, shards_[shard]);
      offers.emplace_back(has_(shard, place.node) ? 0 : price, shard);
    }
    std::sort(offers.begin(), offers.end());
    bool moved = false;
    // First of those who are beyond their bound and have to give anyway, then of who has most.
    for (const int beyond : {2, 1, 0}) {
      for (const auto& [price, shard] : offers) {
        if (!seats_.below_least(place.node)) return moved;
        const Index from = seats_.at[shard];
        const Share share = seats_.share[from];
        const std::uint32_t keeps = beyond == 2   ? share.most + 1
                                    : beyond == 1 ? share.most
                                                  : share.least;
        if (from == place.node || seats_.load[from] <= keeps) continue;
        seats_.seat(shard, place.node, reason);
        moved = true;
      }
    }
    return moved;
  }

  /// `place` gives down to its bound what it is dearest for, to those with room.
  bool give(const Place& place) {
    std::vector<Priced> offers;
    for (std::size_t shard = 0; shard < seats_.at.size(); ++shard) {
      if (seats_.at[shard] == place.node && !seats_.bound[shard])
        offers.emplace_back(cost(place.seed, place.inverse_weight, shards_[shard]), shard);
    }
    std::sort(offers.begin(), offers.end(), std::greater<>());
    bool moved = false;
    for (const auto& [price, shard] : offers) {
      if (!seats_.too_many(place.node)) break;
      const Index to = choose(shard, Full::leave);
      if (to == no_node) continue;
      seats_.seat(shard, to, why(to));
      moved = true;
    }
    return moved;
  }

  bool relay_to(const Place& place) {
    return relay(place,
                 [this](Index from) { return seats_.load[from] > seats_.share[from].least; });
  }
  bool relay_from(Index node) {
    for (const Place& place : places_) {
      if (seats_.below_most(place.node) && relay(place, [&](Index from) { return from == node; }))
        return true;
    }
    return false;
  }
  /// Where `to` may have nothing of those who have too much: of somebody else, who gets a seat of
  /// theirs instead.
  template <class From>
  bool relay(const Place& to, From from) {
    std::map<Index, std::size_t> between;  // by node: what `to` may have of it
    for (std::size_t shard = 0; shard < seats_.at.size() && steps_left_ > 0;
         ++shard, --steps_left_) {
      if (movable(shard) && seats_.at[shard] != to.node && allowed_(shard, to.node))
        between.emplace(seats_.at[shard], shard);
    }
    for (std::size_t shard = 0; shard < seats_.at.size(); ++shard) {
      const Index giver = seats_.at[shard];
      if (!movable(shard) || giver == to.node || !from(giver)) continue;
      for (const auto& [node, passed] : between) {
        if (steps_left_ == 0) return false;
        --steps_left_;
        if (node == giver || !allowed_(shard, node)) continue;
        seats_.seat(passed, to.node, why(to.node));
        seats_.seat(shard, node, Reason::balance);
        return true;
      }
    }
    return false;
  }
  bool movable(std::size_t shard) const {
    return seats_.at[shard] != no_node && !seats_.bound[shard];
  }

  Seating& seats_;
  const std::vector<Place>& places_;
  const std::vector<std::uint64_t>& shards_;
  Allowed allowed_;
  Has has_;
  std::uint64_t steps_left_ = relay_steps_max;
};

}  // namespace souk::cluster

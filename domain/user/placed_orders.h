#pragma once
/// The orders of a user in the order of placing, and the place of each.
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "events/ids.h"

namespace souk {

/// To find the place of an order costs the same however many there are: beyond a few of them, ids
/// are found by a table of places (4 bytes, at most half full) instead of a walk.
class PlacedOrders {
 public:
  PlacedOrders() = default;
  PlacedOrders(std::vector<OrderId> ids) : ids_(std::move(ids)) { index_all(); }

  void push_back(const OrderId& id) {
    ids_.push_back(id);
    if (2 * ids_.size() > places_.size()) return index_all();
    index(ids_.size() - 1);
  }
  /// Of the first that has this id.
  std::optional<std::size_t> place_of(const OrderId& id) const {
    if (places_.empty()) {
      for (std::size_t at = 0; at < ids_.size(); ++at)
        if (ids_[at] == id) return at;
      return std::nullopt;
    }
    for (std::size_t slot = slot_of(id); places_[slot] != none; slot = next(slot))
      if (ids_[places_[slot]] == id) return places_[slot];
    return std::nullopt;
  }

  bool empty() const { return ids_.empty(); }
  std::size_t size() const { return ids_.size(); }
  const OrderId& operator[](std::size_t at) const { return ids_[at]; }
  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }
  std::size_t heap_bytes() const {
    return ids_.capacity() * sizeof(OrderId) + places_.capacity() * sizeof(std::uint32_t);
  }
  bool operator==(const PlacedOrders& o) const { return ids_ == o.ids_; }

 private:
  static constexpr std::size_t few = 64;
  static constexpr std::uint32_t none = UINT32_MAX;

  std::size_t slot_of(const OrderId& id) const {
    const std::uint64_t spread = std::uint64_t{std::hash<OrderId>{}(id)} * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(spread >> 20) & (places_.size() - 1);
  }
  std::size_t next(std::size_t slot) const { return (slot + 1) & (places_.size() - 1); }
  void index(std::size_t at) {
    std::size_t slot = slot_of(ids_[at]);
    for (; places_[slot] != none; slot = next(slot))
      if (ids_[places_[slot]] == ids_[at]) return;
    places_[slot] = static_cast<std::uint32_t>(at);
  }
  void index_all() {
    if (ids_.size() <= few) return;
    std::size_t slots = 4 * few;
    while (slots < 3 * ids_.size()) slots *= 2;
    places_.assign(slots, none);
    for (std::size_t at = 0; at < ids_.size(); ++at) index(at);
  }

  std::vector<OrderId> ids_;
  std::vector<std::uint32_t> places_;  // slots, a power of two; empty: few
};

}  // namespace souk

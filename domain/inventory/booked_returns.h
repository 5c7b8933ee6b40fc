#pragma once
/// The returns that a SKU has booked in the last week: a repeat of one must not book again.
#include <cstdint>
#include <unordered_set>

#include "domain/fifo.h"
#include "events/event.h"

namespace souk {

struct BookedReturn {
  OrderId order;
  std::uint32_t number = 0;
  std::int64_t at_ms = 0;
  bool operator==(const BookedReturn&) const = default;
};
inline constexpr std::int64_t booked_return_kept_ms = 7LL * 24 * 60 * 60 * 1000;

/// Invariant: a function of the log alone (old ones are dropped by the time of newer ones).
/// Whatever their number, to find or to book one costs the same.
class BookedReturns {
 public:
  bool contains(const OrderId& order, std::uint32_t number) const {
    return known_.contains({order, number});
  }
  /// Drops those older than a week at its time: from the oldest booking to the first that is not.
  void book(const BookedReturn& booked) {
    while (!all_.empty() && booked.at_ms - all_.front().at_ms > booked_return_kept_ms) {
      // One that was booked twice stands here twice; it is known until the last of them goes.
      const auto one = known_.find({all_.front().order, all_.front().number});
      known_.erase(one);
      all_.pop_front();
    }
    restore(booked);
  }
  /// As it was stored: drops nothing.
  void restore(const BookedReturn& booked) {
    all_.push_back(booked);
    known_.insert({booked.order, booked.number});
  }

  bool empty() const { return all_.empty(); }
  std::size_t size() const { return all_.size(); }
  /// Oldest first; by order of booking.
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  std::size_t heap_bytes() const {
    constexpr std::size_t node = sizeof(Name) + 2 * sizeof(void*);
    return all_.heap_bytes() + known_.size() * node + known_.bucket_count() * sizeof(void*);
  }
  bool operator==(const BookedReturns& o) const { return all_ == o.all_; }

 private:
  struct Name {
    OrderId order;
    std::uint32_t number = 0;
    bool operator==(const Name&) const = default;
  };
  struct NameHash {
    std::size_t operator()(const Name& name) const {
      return std::hash<OrderId>{}(name.order) + name.number * 0x9E3779B97F4A7C15ULL;
    }
  };
  Fifo<BookedReturn> all_;
  std::unordered_multiset<Name, NameHash> known_;
};

}  // namespace souk

#pragma once
/// What the parts of the fold share.
#include <initializer_list>
#include <optional>

#include "events/event.h"
#include "projections/analytics/rows.h"
#include "projections/analytics/store.h"

namespace souk::analytics {

/// Wraps: counts that the rules keep within limits, and no event may be undefined behaviour.
inline std::int64_t wrapped_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

inline std::int64_t wrapped_multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

inline std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

template <class Id>
Id id_of(const EntityKey& entity) {
  return Id{Id128::from_bytes(entity.id()).value_or(Id128{})};
}

/// Adds to one dimension at each of these levels.
inline void add_at_levels(Store& store, Dimension dim, std::initializer_list<Level> levels,
                          std::int64_t currency, std::int64_t at, std::int64_t key,
                          const Sums& sums) {
  for (const Level level : levels)
    store.add({dim, level, currency, bucket_of(level, at), key}, sums);
}

}  // namespace souk::analytics

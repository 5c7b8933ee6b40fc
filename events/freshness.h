#pragma once
/// How new a copy of an entity must be. The shards write here whenever an entity changes, before
/// anybody is told; whoever keeps copies (documents in memory) looks here before using one.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "events/ids.h"

namespace souk {

/// For every entity a mark that is never older than its last change: a copy that was made of a
/// shard's state at position `seq` is current exactly where `*mark <= seq`. A change is marked when
/// it is decided, which is before it is durable and long before it is acknowledged; so whoever has
/// seen an acknowledgement finds no older copy. Entities of one kind and shard share marks by their
/// hash: that makes a copy look old sooner than it is, never later.
///
/// A change whose commit failed leaves its mark: copies look old until the shard has passed that
/// position again, and none is ever wrong.
/// Thread: `changed` the one that drives the shard; the rest any. Nobody waits.
class Freshness {
 public:
  using Mark = std::atomic<Seq>;

  explicit Freshness(std::uint32_t shards)
      : marks_each_(std::max(marks_each_min, std::bit_floor(marks_in_all / (shards * kinds)))),
        marks_(std::size_t{shards} * kinds * marks_each_) {}
  Freshness(const Freshness&) = delete;
  Freshness& operator=(const Freshness&) = delete;

  /// Event `seq` of `shard` changes `entity`.
  void changed(ShardId shard, const EntityKey& entity, Seq seq) {
    Mark& mark = marks_[index_of(shard, entity)];
    if (mark.load(std::memory_order_relaxed) < seq) mark.store(seq, std::memory_order_release);
  }
  /// Others may change the shard from now on: no copy of it is current. Thread: as `changed`.
  void left(ShardId shard) { set_all(shard, std::numeric_limits<Seq>::max()); }
  /// From now on all changes of the shard, from `seq` on, are marked here. Thread: as `changed`.
  void entered(ShardId shard, Seq seq) { set_all(shard, seq); }
  /// Lives as long as this.
  const Mark& mark_of(ShardId shard, const EntityKey& entity) const {
    return marks_[index_of(shard, entity)];
  }

 private:
  static constexpr std::uint32_t kinds = 4;  // users, SKUs, carts, orders: what has documents
  static constexpr std::uint32_t marks_in_all = 1 << 17;  // a mebibyte
  static constexpr std::uint32_t marks_each_min = 64;

  void set_all(ShardId shard, Seq seq) {
    const std::size_t first = std::size_t{shard.value} * kinds * marks_each_;
    for (std::size_t i = first; i < first + std::size_t{kinds} * marks_each_; ++i)
      marks_[i].store(seq, std::memory_order_release);
  }
  std::size_t index_of(ShardId shard, const EntityKey& entity) const {
    const auto kind = (static_cast<std::size_t>(entity.kind()) - 1) % kinds;
    const auto slot = static_cast<std::size_t>(stable_hash(entity.id())) & (marks_each_ - 1);
    return (shard.value * kinds + kind) * marks_each_ + slot;
  }

  const std::uint32_t marks_each_;  // a power of two
  std::vector<Mark> marks_;
};

}  // namespace souk

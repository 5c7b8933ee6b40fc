#pragma once
/// A journal in memory, made of a history.
#include <algorithm>
#include <random>

#include "events/journal/journal.h"
#include "tests/support/history.h"

namespace souk::test {

class MemoryJournal final : public Journal {
 public:
  MemoryJournal(const History& history, std::uint64_t seed) : shards_(history.shards.size()) {
    std::mt19937_64 random(seed);
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      const auto& all = history.shards[shard];
      BatchHeader header;
      header.first_seq = 1;
      for (std::size_t i = 0; i < all.size();) {
        const std::size_t end = std::min(all.size(), i + 1 + random() % 5);
        const std::vector<Transaction> some(all.begin() + static_cast<std::ptrdiff_t>(i),
                                            all.begin() + static_cast<std::ptrdiff_t>(end));
        header.at = some.back().at;
        shards_[shard].push_back({header.first_seq, encode_batch(header, some)});
        header.first_seq = header.last_seq() + 1;
        i = end;
      }
    }
  }
  /// Each record stands under its first event.
  Status read(ShardId shard, Offset from, const Visit& visit) override {
    ++scans;
    if (broken) return Fault{Fault::Kind::unavailable, "the disk is gone"};
    for (const auto& [first_seq, bytes] : shards_.at(shard.value)) {
      if (first_seq < from) continue;
      ++visited;
      if (!visit(first_seq, bytes)) break;
    }
    return Done{};
  }
  Status scan(ShardId shard, Seq from, const Visit& visit) override {
    ++scans;
    if (broken) return Fault{Fault::Kind::unavailable, "the disk is gone"};
    const auto& records = shards_.at(shard.value);
    auto at = std::ranges::upper_bound(records, from, {}, [](const auto& r) { return r.first; });
    if (at != records.begin()) --at;
    for (; at != records.end(); ++at) {
      const auto& [first_seq, bytes] = *at;
      if (decode_batch_header(bytes)->last_seq() < from) continue;
      ++visited;
      if (!visit(first_seq, bytes)) break;
    }
    return Done{};
  }

  bool broken = false;
  std::size_t scans = 0, visited = 0;

 private:
  std::vector<std::vector<std::pair<Seq, std::string>>> shards_;
};

}  // namespace souk::test

#include "tests/simulation/cluster/copy.h"

#include "tests/simulation/logs.h"

namespace souk::simulation {
namespace {

constexpr std::size_t unsynced_puts_max = 200;

Fault unavailable(const char* what) { return {Fault::Kind::unavailable, what}; }

}  // namespace

void SimCopy::apply(Content& content, const Put& put) {
  for (const auto& [key, bytes] : put.records) content.records[key] = bytes;
  for (const auto& [shard, place] : put.places) content.places[shard.value] = place;
}

Status SimCopy::keep(std::span<const Record> records, std::span<const Place> places) {
  if (!powered_ || failed_) return unavailable("the copy takes nothing");
  if (world_.chance(faults.keep_fails)) {
    failed_ = true;
    return unavailable("a record was not written");
  }
  Put put;
  for (const auto& one : records)
    put.records.emplace_back(std::pair(one.shard.value, one.offset), std::string(one.bytes));
  put.places.assign(places.begin(), places.end());
  apply(current_, put);
  unsynced_.push_back(std::move(put));
  if (unsynced_.size() <= unsynced_puts_max) return Done{};
  const auto count = static_cast<std::ptrdiff_t>(world_.below(unsynced_.size()));
  for (std::ptrdiff_t i = 0; i < count; ++i) apply(synced_, unsynced_[static_cast<std::size_t>(i)]);
  unsynced_.erase(unsynced_.begin(), unsynced_.begin() + count);
  return Done{};
}

Result<FoldState, Fault> SimCopy::place(ShardId shard) {
  const auto found = current_.places.find(shard.value);
  return found == current_.places.end() ? shared_log_begin() : found->second;
}

/// Where it has to be opened anew, it has lost the end of what it took.
Status SimCopy::settle() {
  if (!powered_ || world_.chance(faults.settle_fails)) return unavailable("the disk fails still");
  if (failed_ && world_.chance(50)) keep_prefix();
  failed_ = false;
  return Done{};
}

Status SimCopy::read(ShardId shard, Offset from, const Journal::Visit& visit) {
  const bool fails = world_.chance(faults.read_fails);
  std::size_t left = fails ? world_.below(4) : SIZE_MAX;
  for (auto at = current_.records.lower_bound({shard.value, from});
       at != current_.records.end() && at->first.first == shard.value; ++at) {
    if (left-- == 0) break;
    if (!visit(at->first.second, at->second)) return Done{};
  }
  if (fails) return unavailable("the disk cannot be read");
  return Done{};
}

Status SimCopy::scan(ShardId shard, Seq from, const Visit& visit) {
  Offset begin = 0;
  Counting counting;
  for (auto at = current_.records.lower_bound({shard.value, 0});
       at != current_.records.end() && at->first.first == shard.value; ++at) {
    if (!counting.counts(at->second)) continue;
    if (counting.seq >= from) break;
    begin = at->first.second + 1;
  }
  return read(shard, begin, visit);
}

void SimCopy::crash() {
  powered_ = failed_ = false;
  keep_prefix();
}

void SimCopy::keep_prefix() {
  const std::size_t kept = world_.below(unsynced_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) apply(synced_, unsynced_[i]);
  unsynced_.clear();
  current_ = synced_;
}

}  // namespace souk::simulation

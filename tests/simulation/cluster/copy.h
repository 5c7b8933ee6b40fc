#pragma once
/// A node's copy of the shards' logs on a simulated disk: a crash leaves a prefix of what was put.
#include <map>
#include <string>
#include <vector>

#include "events/journal/journal.h"
#include "events/shared_log/log_copy.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// In percent of the chances.
struct CopyFaults {
  int keep_fails = 0, settle_fails = 0, read_fails = 0;
};

class SimCopy final : public LogCopy, public Journal {
 public:
  explicit SimCopy(World& world) : world_(world) {}
  CopyFaults faults;

  void crash();
  /// An empty disk takes its place.
  void lose() { synced_ = current_ = {}; }
  void power_on() { powered_ = true; }

  Status keep(std::span<const Record> records, std::span<const Place> places) override;
  Result<FoldState, Fault> place(ShardId shard) override;
  Status settle() override;
  Status read(ShardId shard, Offset from, const Journal::Visit& visit) override;
  Status scan(ShardId shard, Seq from, const Visit& visit) override;

 private:
  struct Put {
    std::vector<std::pair<std::pair<std::uint16_t, Offset>, std::string>> records;
    std::vector<Place> places;
  };
  struct Content {
    std::map<std::pair<std::uint16_t, Offset>, std::string> records;
    std::map<std::uint16_t, FoldState> places;
  };
  static void apply(Content& content, const Put& put);
  void keep_prefix();

  World& world_;
  Content synced_, current_;
  std::vector<Put> unsynced_;
  bool powered_ = false;
  bool failed_ = false;
};

}  // namespace souk::simulation

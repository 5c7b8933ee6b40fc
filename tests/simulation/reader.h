#pragma once
/// The runner of a read model as the seed drives it: the real Follower and RecentLog, without their
/// thread. It is stepped, killed, opened again, rebuilt and mended at random, and judged all along.
#include <memory>

#include "projections/runner/follower.h"
#include "tests/simulation/read_model.h"

namespace souk::simulation {

struct ReaderCounts {
  std::uint64_t steps = 0, opened = 0, rebuilt = 0, stale = 0, mended = 0, compared = 0;
  ReaderCounts& operator+=(const ReaderCounts& other);
};

class SimReader {
 public:
  SimReader(World& world, Facts& facts, std::uint32_t shards, SimModelDisk::Commits commits);

  /// A node serves. Lifecycle: `source` lives until crash().
  void begin(LogSource source);
  void crash();
  /// One thing, or nothing.
  void turn();
  /// Nothing goes wrong any more; in half of the runs somebody mends the model as well.
  void calm_down();
  /// The copy that answers shows all that is durable, and no rebuild is under way.
  bool at_the_end();
  /// P5 at the end of a run. `told`: the newest positions that clients know.
  void judge(const std::map<std::uint16_t, Seq>& told);

  const ReaderCounts& counts() const { return counts_; }
  const SimModelDisk& disk() const { return disk_; }

 private:
  /// A copy of the model and who feeds it.
  struct Copy {
    int generation = 0;  // 0: there is none
    std::shared_ptr<Condemned> condemned = std::make_shared<Condemned>();
    std::unique_ptr<Follower> follower;  // null: to be opened
  };
  bool open(Copy& copy);
  /// Whether it is at the end.
  bool step(Copy& copy);
  void build();
  void finish_rebuild();
  void mend();
  /// P5: what is committed equals the fold of the journal at its checkpoint.
  void compare(const Copy& copy);
  void compare_stale(const Ledger& ledger);
  void wrong(const std::string& what) { world_.violated("P5", "a read model: " + what); }

  World& world_;
  Facts& facts_;
  const std::uint32_t shards_;
  Poisons poisons_;
  SimModelDisk disk_;
  ProjectionKind kind_;
  Pace pace_;
  const int eagerness_;  // percent of the turns
  bool calm_ = false;
  int generations_ = 0;  // made so far
  Copy live_, fresh_;
  std::optional<LogSource> source_;
  ReaderCounts counts_;
};

}  // namespace souk::simulation

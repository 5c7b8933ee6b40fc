#pragma once
/// A read model on a simulated disk: for each entity, how many events it had and a digest of them
/// in their order, so that an event that is skipped, repeated or out of order shows.
#include <deque>
#include <map>
#include <string>

#include "projections/projection.h"
#include "tests/simulation/disk.h"

namespace souk::simulation {

struct Page {
  std::uint64_t events = 0;
  std::uint64_t digest = 0;
  void add(std::uint64_t fact);
  bool operator==(const Page&) const = default;
};
using Pages = std::map<EntityKey, Page>;

/// What the read model makes of one event.
std::uint64_t fact_of(ShardId shard, Seq seq, const Event& event);

/// The journal, decoded once for the judge: independent of the runner.
class Facts {
 public:
  struct Fact {
    EntityKey entity;
    std::uint64_t fact = 0;
  };
  explicit Facts(const SimJournal& journal) : journal_(journal) {}
  /// All durable events of a shard; the first has sequence number 1.
  const std::vector<Fact>& of(ShardId shard);

 private:
  struct Read {
    std::vector<Fact> facts;
    Counting counting;
    Offset next = 0;
  };
  const SimJournal& journal_;
  std::map<std::uint16_t, Read> shards_;
};

/// Which events the model cannot take: a property of the event, so that the judge knows them too.
struct Poisons {
  std::uint64_t salt = 0;
  std::uint64_t per_mille = 0;  // 0: none
  bool cured = false;
  enum class Kind { none, poison, throws };
  Kind of(std::uint64_t fact) const;
};

/// Where the copies of one model stand. A commit is there at once for whoever opens the copy again;
/// a crash may take the newest ones back.
class SimModelDisk {
 public:
  enum class Commits {
    whole,
    torn,  // a defect to be found: after a crash the checkpoint is newer than the content
  };
  SimModelDisk(World& world, Commits commits) : world_(world), commits_(commits) {}

  struct Content {
    Pages pages;
    std::string checkpoint;
  };
  /// The newest; empty for a new copy.
  Content newest(const std::string& folder) const;
  /// May fail, and be there all the same.
  Status commit(const std::string& folder, Content&& content);
  void drop(const std::string& folder) { copies_.erase(folder); }
  void crash();
  /// Of all that is there.
  std::string fingerprint() const;

 private:
  World& world_;
  const Commits commits_;
  std::map<std::string, std::deque<Content>> copies_;  // oldest first; the first is synced
};

class SimModel final : public Projection {
 public:
  /// `disk` and `poisons` outlive this.
  SimModel(SimModelDisk& disk, const Poisons& poisons, std::string folder);
  Result<Done, Poison> apply(const EventAt& event) override;
  Status commit(std::string_view checkpoint) override;
  std::string checkpoint() const override { return content_.checkpoint; }
  Result<std::uint64_t, Fault> digest() override;

 private:
  SimModelDisk& disk_;
  const Poisons& poisons_;
  const std::string folder_;
  SimModelDisk::Content content_;
};

}  // namespace souk::simulation

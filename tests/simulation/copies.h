#pragma once
/// Keeps a copy of every document that leaves the engine, as the cache of documents does, and looks
/// whether one that counts as current says what the host says now.
#include <map>
#include <string>
#include <utility>

#include "actors/ports/request.h"
#include "events/freshness.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// Of one life of a node. Passes every answer on.
class Copies final : public ReplySink {
 public:
  Copies(World& world, const Freshness& freshness, ReplySink& behind)
      : world_(world), freshness_(freshness), behind_(behind) {}
  void deliver(std::vector<Reply>&& replies) override;

 private:
  struct Copy {
    std::string json;
    Version version = 0;
    Version beside_version = 0;
    Seq seq = 0;
  };
  void look_at(const Reply& reply);

  World& world_;
  const Freshness& freshness_;
  ReplySink& behind_;
  std::map<std::pair<std::uint8_t, EntityKey>, Copy> copies_;  // by question and entity
};

}  // namespace souk::simulation

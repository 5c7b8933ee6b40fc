#pragma once
/// What the documents of the cluster count and say, from a view of it.
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/node/operator_port.h"

namespace souk {

struct NodeFigures {
  const cluster::Node* node = nullptr;  // of the view
  std::string state;                    // in words: `serves`, `away for 12 s`
  std::size_t owns = 0;                 // shards, by the control log or the shard's own
  std::size_t stands_by = 0;
  std::size_t copies = 0;
  std::size_t moves = 0;      // under way, in which it gives or takes
  std::uint64_t lag = 0;      // of its standby that is the furthest behind. Units: records
  std::uint64_t records = 0;  // that the logs of its own shards have; it grows with each commit
  bool safe_to_stop = false;  // drained, and nothing of it is needed any more
};
/// By name.
std::vector<NodeFigures> figures_of(const cluster::ClusterView& view);

/// What is left to be moved and has not begun, as plan.h has it; without shards that are held.
std::vector<cluster::Move> moves_to_come(const cluster::ClusterView& view);

/// What keeps the cluster from being well, a sentence each. Empty: it is.
std::vector<std::string> troubles_of(const cluster::ClusterView& view);

/// What an operator should know before the command is done, beside its moves.
std::vector<std::string> notes_of(const cluster::ClusterView& view,
                                  const cluster::OperatorCommand& command,
                                  const std::vector<cluster::PreviewedMove>& moves);

}  // namespace souk

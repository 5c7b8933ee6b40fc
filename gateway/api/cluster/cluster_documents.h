#pragma once
/// How the cluster stands, as JSON. All that is told in words is told here and by cluster/.
/// REQUIRES: the view is of a cluster; a shard or a node that is named is one of it.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/node/operator_port.h"
#include "projections/integration/publisher.h"

namespace souk {

/// Its nodes and shards in numbers, who controls it, and what is wrong, in words. `integration`: how
/// far the node that is asked has published its shards; nothing: it does not publish.
std::string cluster_json(const cluster::ClusterView& view,
                         const std::optional<PublisherStatus>& integration = std::nullopt);
std::string nodes_json(const cluster::ClusterView& view);
/// Which shards: all of them, those that `node` has (empty: all), or one, with `explain`.
std::string shards_json(const cluster::ClusterView& view, std::string_view node);
std::string shard_json(const cluster::ClusterView& view, ShardId shard);
/// Under way, still to come, and the newest `history` lines of what happened.
std::string moves_json(const cluster::ClusterView& view, std::size_t history);
/// What would follow from the command.
/// REQUIRES: `moves` is what preview() says.
std::string plan_json(const cluster::ClusterView& view, const cluster::OperatorCommand& command,
                      const std::vector<cluster::PreviewedMove>& moves);

/// What was asked to be erased, and is not gone from everywhere yet.
struct ErasureUnderWay {
  std::string person;  // its id
  UnixMs asked_at;
  std::vector<std::string> waits_for;  // names of nodes that still have the key
};
std::string erasures_json(const std::vector<ErasureUnderWay>& erasures);

/// The shard's owner, by its log, lives and is the one that shall be.
bool served(const cluster::ClusterView& view, ShardId shard);
/// Why the shard is where it is, what it waits for, and what stands in its way; a sentence each.
std::vector<std::string> explain_lines(const cluster::ClusterView& view, ShardId shard);

}  // namespace souk

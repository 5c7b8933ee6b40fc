#pragma once
/// From what an operator said to a command of the cluster, and to what the cluster says of it.
#include <span>
#include <string>
#include <string_view>

#include "cluster/node/operator_port.h"
#include "gateway/api/commands/input.h"

namespace souk {

/// Errors: 422 for a member that is missing or not of this command; 404 for a node or a shard that
///         there is not, with the nearest name.
/// REQUIRES: `given` was read by operator_shape().
bool read_operator_command(const FieldSet& given, const cluster::ClusterView& view,
                           cluster::OperatorCommand& out, Problem& problem);

/// 404, where there is no such node or shard; true where there is.
bool node_exists(std::string_view name, const cluster::ClusterView& view, Problem& problem);
bool shard_exists(std::int64_t shard, const cluster::ClusterView& view, Problem& problem);

/// `drain b`, as `souk cluster` takes it.
std::string words_of(const cluster::OperatorCommand& command);

/// 409 illegal_state; 503 not_done; 503 unavailable, where it may have been done.
Problem problem_of(const cluster::Refused& refused);

/// The one of `words` that `given` may have been meant for; empty: none is near.
std::string_view nearest(std::string_view given, std::span<const std::string> words);

}  // namespace souk

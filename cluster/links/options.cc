#include "cluster/links/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cluster/links/hello.h"
#include "events/fault_log.h"
#include "events/shared_log/kafka_options.h"

namespace souk::cluster {

namespace {

Fault mismatch(std::string what) { return {Fault::Kind::mismatch, std::move(what)}; }

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

Status check_node_name(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= 63 && std::ranges::all_of(name, [](char c) {
    return letter_or_digit(c) || c == '_' || c == '-';
  });
  if (fits) return Done{};
  return mismatch(fmt::format("\"{}\": the name of a node has 1 to 63 letters, digits, '_' and '-'",
                              one_line(name)));
}

std::string certificate_name(const std::string& node, const std::string& cluster) {
  return node + "." + cluster + ".souk";
}

Status check_options(const LinkOptions& options) {
  if (Status named = check_cluster_name(options.cluster); !named) return named;
  if (Status named = check_node_name(options.node); !named) return named;
  if (options.build.size() > build_bytes_max)
    return mismatch(
        fmt::format("build: {} bytes; at most {}", options.build.size(), build_bytes_max));
  if (options.versions.oldest > options.versions.newest)
    return mismatch(fmt::format("versions {} to {}: no range", options.versions.oldest,
                                options.versions.newest));
  const LinkLimits& limits = options.limits;
  // A frame that could never be sent would be tried again for ever.
  if (limits.frame_bytes_max + 64 > limits.unsent_bytes_max || limits.frame_bytes_max > UINT32_MAX)
    return mismatch("the largest frame does not fit into what may be unsent");
  if (limits.heartbeat_ms == 0 || limits.silent_ms / 2 < limits.heartbeat_ms)
    return mismatch("two heartbeats do not fit into the silence after which a peer is lost");
  if (limits.redial_ms_min == 0 || limits.redial_ms_min > limits.redial_ms_max)
    return mismatch("the pauses between attempts are no range");
  return Done{};
}

Status check_peers(const std::vector<PeerAddress>& peers) {
  std::set<std::string> seen;
  for (const PeerAddress& peer : peers) {
    if (Status named = check_node_name(peer.node); !named) return named;
    if (!seen.insert(peer.node).second)
      return mismatch(fmt::format("node {} stands twice", peer.node));
    if (peer.host.empty() || peer.port == 0)
      return mismatch(fmt::format("node {}: \"{}:{}\" is no address", peer.node,
                                  one_line(peer.host), peer.port));
  }
  return Done{};
}

}  // namespace souk::cluster

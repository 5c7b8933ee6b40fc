#include "tools/souk/verbs/cluster_wait.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "tools/souk/cli/progress.h"
#include "tools/souk/verbs/cluster_client.h"

namespace souk::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look_again{250};
constexpr std::chrono::seconds silence_max{20};
/// The controller decides a moment after it has the command: once still is not enough.
constexpr int looks_that_are_still = 5;

/// How far it is. `left` 0: it is so.
struct Picture {
  std::uint64_t left = 0;
  std::string undone;  // in words; empty: it is still wanted
};

const Json* find_node(const Json& nodes, const std::string& name) {
  for (const Json& node : nodes["nodes"].items())
    if (node["name"].text() == name) return &node;
  return nullptr;
}

Outcome<Picture> drained(ApiClient& client, const ClusterWait& wait) {
  const auto nodes = cluster_document(client, "/v1/cluster/nodes");
  if (!nodes) return nodes.error();
  const Json* node = find_node(*nodes, wait.node);
  if (!node) return Picture{.undone = wait.node + " is not of the cluster any more"};
  if ((*node)["wish"].text() != "drained")
    return Picture{.undone =
                       wait.node + " is not to be drained any more: see souk cluster history"};
  Picture picture{.left = count_of((*node)["owns"]) + count_of((*node)["stands_by"]) +
                          count_of((*node)["copies"])};
  if (picture.left == 0 && !is_true((*node)["safe_to_stop"])) picture.left = 1;
  return picture;
}

Outcome<Picture> moved(ApiClient& client, const ClusterWait& wait) {
  const auto answer =
      cluster_document(client, fmt::format("/v1/cluster/shards?shard={}", wait.shard));
  if (!answer) return answer.error();
  const auto& shards = (*answer)["shards"].items();
  if (shards.empty()) return Picture{.undone = "the shard is gone"};
  const Json& shard = shards.front();
  if (is_true(shard["held"]))
    return Picture{.undone = "the move was cancelled: see souk cluster history"};
  const bool there =
      shard["owner"].text() == wait.node && is_true(shard["served"]) && shard["moves"].is_null();
  return Picture{.left = there ? 0U : 1U};
}

Outcome<Picture> still(ApiClient& client) {
  const auto cluster = cluster_document(client, "/v1/cluster");
  if (!cluster) return cluster.error();
  return Picture{.left = count_of((*cluster)["moves_under_way"]) +
                         count_of((*cluster)["moves_to_come"])};
}

Outcome<Picture> look(ApiClient& client, const ClusterWait& wait) {
  switch (wait.what) {
    case ClusterWait::For::drained:
      return drained(client, wait);
    case ClusterWait::For::moved:
      return moved(client, wait);
    case ClusterWait::For::still:
      return still(client);
    case ClusterWait::For::nothing:
      break;
  }
  return Picture{};
}

std::string words_of(const ClusterWait& wait) {
  switch (wait.what) {
    case ClusterWait::For::drained:
      return wait.node + " is safe to stop";
    case ClusterWait::For::moved:
      return fmt::format("{} owns shard {}", wait.node, wait.shard);
    case ClusterWait::For::still:
      return "nothing moves any more";
    case ClusterWait::For::nothing:
      break;
  }
  return "done";
}

/// What stands in the way, as the server says it: of the shard, or of the first that the node has.
std::string stuck_words(ApiClient& client, const ClusterWait& wait) {
  std::int64_t shard = wait.shard;
  if (wait.what == ClusterWait::For::drained) {
    const auto left = cluster_document(client, "/v1/cluster/shards?node=" + wait.node);
    if (!left || (*left)["shards"].items().empty()) return {};
    shard = (*left)["shards"].items().front()["shard"].integer();
  } else if (wait.what != ClusterWait::For::moved) {
    return {};
  }
  const auto answer = cluster_document(client, fmt::format("/v1/cluster/shards?shard={}", shard));
  if (!answer || (*answer)["shards"].items().empty()) return {};
  std::string text = fmt::format("\nShard {}:", shard);
  for (const Json& line : (*answer)["shards"].items().front()["explain"].items())
    text += "\n  " + line.text();
  return text;
}

}  // namespace

Outcome<std::string> wait_for_cluster(const Invocation& call, const ClusterWait& wait) {
  ApiClient client(call.url);
  const auto began = Clock::now();
  auto heard = began;
  std::optional<Progress> progress;
  std::uint64_t most = 0;
  for (int still_for = 0;;) {
    const auto picture = look(client, wait);
    const auto now = Clock::now();
    if (!picture) {
      if (now - heard > silence_max)
        return Failure{picture.error().code, picture.error().message + "; what was begun goes on"};
    } else {
      heard = now;
      if (!picture->undone.empty()) return Failure{ExitCode::refused, picture->undone};
      most = std::max(most, picture->left);
      if (!progress && most > 0) progress.emplace("moves", most);
      if (progress) progress->at(most - picture->left, most);
      still_for = picture->left == 0 ? still_for + 1 : 0;
      const bool surely = wait.what != ClusterWait::For::still || still_for >= looks_that_are_still;
      if (picture->left == 0 && surely) return words_of(wait);
    }
    if (now - began > std::chrono::seconds(wait.seconds_max)) {
      if (progress) progress->finish();
      return Failure{ExitCode::refused, fmt::format("not so after {} s; it goes on by itself{}",
                                                    wait.seconds_max, stuck_words(client, wait))};
    }
    std::this_thread::sleep_for(look_again);
  }
}

}  // namespace souk::cli

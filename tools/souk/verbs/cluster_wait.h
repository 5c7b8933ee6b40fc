#pragma once
/// Waiting for what a command began, with progress on the terminal.
#include <cstdint>
#include <optional>
#include <string>

#include "tools/souk/cli/verb.h"

namespace souk::cli {

/// What is waited for.
struct ClusterWait {
  enum class For {
    nothing,
    drained,  // `node` owns and holds nothing
    moved,    // `node` owns `shard`
    still,    // nothing moves, and nothing is to come
  };
  For what = For::nothing;
  std::string node = {};
  std::int64_t shard = 0;
  std::int64_t seconds_max = 0;
};

/// Returns when it is so: words for the operator. A node that cannot be reached for a moment is
/// asked again; what was begun goes on without whoever waits.
/// Errors: refused      somebody undid it, or it took too long: then with what `explain` says
///         unreachable  the node did not answer for 20 s
Outcome<std::string> wait_for_cluster(const Invocation& call, const ClusterWait& wait);

}  // namespace souk::cli

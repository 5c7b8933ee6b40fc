#pragma once
/// What the verbs of `souk cluster` share: a node's documents, and the tables made of them.
#include <string>

#include "tools/souk/cli/table.h"
#include "tools/souk/cli/verb.h"
#include "tools/souk/client/api_client.h"

namespace souk::cli {

/// The rows of cluster_verbs() that are not about making one.
Verbs cluster_show_verbs();
Verbs cluster_change_verbs();
Verbs cluster_watch_verbs();

/// The document at `target`. Errors: refused, unreachable.
Outcome<Json> cluster_document(ApiClient& client, const std::string& target);

/// `ann@desk`: who asks, for the history.
std::string who_asks();

inline bool is_true(const Json& value) { return value.text() == "true"; }
inline std::uint64_t count_of(const Json& value) {
  return static_cast<std::uint64_t>(value.integer());
}
/// A name, or `-` for null.
std::string name_or_dash(const Json& value);

std::string status_text(const Json& cluster);
std::string nodes_text(const Json& nodes);
/// Under way, and the first of those to come.
std::string moves_text(const Json& moves);
/// A plan as POST /v1/cluster/plans answers it.
std::string plan_text(const Json& plan);

}  // namespace souk::cli

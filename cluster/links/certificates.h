#pragma once
/// Certificates for a trial of a cluster, where there is no authority of one's own.
#include <string>
#include <vector>

#include "events/result.h"

namespace souk::cluster {

inline constexpr int trial_certificate_days = 825;

/// Writes authority.pem and authority.key, and NODE.pem and NODE.key for each node: P-256, valid
/// from an hour ago for 825 days, for the name NODE.CLUSTER.souk, which links.h asks for. Keys can
/// be read by their owner alone. Whoever has authority.key can make nodes: nodes need only
/// authority.pem and their own two. An authority that is there signs again, and what is there of a
/// node stays, so that nodes can be added.
/// Errors: mismatch     names that are none, or half of a pair of files is there
///         unavailable  a file cannot be read or written; those before it have been written
Status make_trial_certificates(const std::string& directory, const std::string& cluster,
                               const std::vector<std::string>& nodes);

}  // namespace souk::cluster

#pragma once
/// What is checked before anything is opened. Pure.
#include <vector>

#include "cluster/links/links.h"

namespace souk::cluster {

/// Errors: mismatch, in words.
Status check_options(const LinkOptions& options);
/// As Links::set_peers.
Status check_peers(const std::vector<PeerAddress>& peers);

}  // namespace souk::cluster

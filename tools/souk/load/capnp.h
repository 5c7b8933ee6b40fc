#pragma once
/// The binary batch; the one adapter of Cap'n Proto here.
#include "tools/souk/load/command.h"

namespace souk::cli {

/// A schema::Commands message. REQUIRES: no reads.
std::string capnp_batch(const LoadNames& names, std::span<const LoadCommand> commands);
std::optional<std::vector<LoadAnswer>> read_capnp_answers(std::string_view body);

}  // namespace souk::cli

#pragma once
/// Operators' commands, and what became of them, as bytes between nodes.
#include <string>
#include <string_view>

#include "cluster/control/command.h"

namespace souk::cluster {

std::string encode(const OperatorCommand& command);
/// Errors: corrupt      it is none, or a text in it is longer than command.h takes
///         unsupported  a newer build's
Result<OperatorCommand, Fault> decode_command(std::string_view bytes);

using CommandOutcome = Result<Done, Refused>;
std::string encode(const CommandOutcome& outcome);
/// Errors: as decode_command.
Result<CommandOutcome, Fault> decode_outcome(std::string_view bytes);

}  // namespace souk::cluster

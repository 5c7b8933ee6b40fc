#pragma once
/// From argc and argv to a verb; the one adapter of CLI11.
#include "tools/souk/cli/verb.h"

namespace souk::cli {

/// Runs what the command line asks for and returns the exit code of the process. Help, versions and
/// errors are printed here.
int run_command_line(int argc, const char* const* argv, const Verbs& verbs);

}  // namespace souk::cli

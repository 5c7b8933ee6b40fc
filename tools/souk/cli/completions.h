#pragma once
#include <string>

#include "tools/souk/cli/verb.h"

namespace souk::cli {

enum class Shell { bash, zsh, fish };

/// A script for the shell that completes every verb, option and choice of the table.
std::string completions(const Verbs& verbs, Shell shell);

}  // namespace souk::cli

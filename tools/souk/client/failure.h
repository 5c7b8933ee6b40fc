#pragma once
#include <string>

#include "events/result.h"

namespace souk::cli {

/// What the process answers to its caller; scripts rely on the numbers.
enum class ExitCode : int { ok = 0, refused = 1, usage = 2, unreachable = 3 };

/// Why a verb could not do its work, in words for the person at the terminal.
struct Failure {
  ExitCode code = ExitCode::refused;
  std::string message;
};

template <class T>
using Outcome = Result<T, Failure>;

}  // namespace souk::cli

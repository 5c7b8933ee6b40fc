#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "tools/souk/client/failure.h"

namespace souk::cli {

/// Reads a file from its beginning to its end and hands over its bytes in pieces. A name that ends
/// in `.zst` is decompressed (any number of zstd frames); `-` is the standard input, decompressed
/// where it begins like zstd. `take` returns false to stop early.
/// Errors: refused, with the name and what the system or zstd said.
Outcome<Done> read_input(const std::string& name,
                         const std::function<bool(std::string_view)>& take);

}  // namespace souk::cli

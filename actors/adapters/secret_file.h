#pragma once
/// The secret that turns idempotency keys and addresses into hashes and ids, as a file. It is no key of
/// a person: all nodes of a cluster have the same, so that a key is known wherever its shard goes.
///
///   96 hexadecimal digits (48 bytes: SipHash's 16, BLAKE2b's 32), and white space at the end.
#include <filesystem>
#include <string>

#include "events/result.h"

namespace souk {

inline constexpr std::size_t secret_bytes = 48;

/// The bytes. Errors: unavailable (no such file, not readable), corrupt (another form).
Result<std::string, Fault> read_secret_file(const std::filesystem::path& path);
/// A new random one, for its owner alone to read. Errors: unavailable: it is there already, or the
/// disk.
Status make_secret_file(const std::filesystem::path& path);
/// What a cluster's topics say of its secret, so that a node with another one is refused; it does not
/// tell the secret. Never 0. REQUIRES: of secret_bytes.
std::uint64_t secret_check(std::string_view secret);

}  // namespace souk

#pragma once
/// Content codings of answers: which one a client takes, and the bytes.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace souk {

enum class Encoding : std::uint8_t { identity, gzip, zstd };

/// What Accept-Encoding wants most of what we have; where several are wanted alike, zstd, then
/// gzip. Plain where the header is empty, malformed or refuses everything.
Encoding wanted_encoding(std::string_view accept_encoding);

/// `gzip`, `zstd`; empty for identity.
std::string_view encoding_name(Encoding encoding);

/// The whole of `plain`, compressed. Nothing where memory is short or it would not become smaller.
/// Costs: gzip 40 us and 7 us a KiB of JSON, zstd 5 us and 3 us a KiB.
std::optional<std::string> compress(Encoding encoding, std::string_view plain);

}  // namespace souk

#pragma once
/// The first frame in each direction: who speaks, and what they can speak. Pure.
#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/links/links.h"
#include "events/result.h"

namespace souk::cluster {

/// A hello's and a refusal's content. What a stranger can make us hold.
inline constexpr std::size_t hello_bytes_max = 4'096;
inline constexpr std::size_t build_bytes_max = 100;
inline constexpr std::string_view hello_magic = "SoukLnk1";

/// On the wire, integers in little endian, texts behind their length in 2 bytes:
///
///   hello_magic, 8 bytes | oldest, 2 | newest, 2 | incarnation, 8 | cluster | node | build
///
/// A later version may append; what follows is skipped. So a change of the range of versions finds
/// an older node able to read it.
struct Hello {
  ProtocolVersions versions;
  std::uint64_t incarnation = 0;
  std::string cluster;
  std::string node;
  std::string build;
  bool operator==(const Hello&) const = default;
};

std::string encode_hello(const Hello& hello);
/// Errors: corrupt: not a hello, or one with names that are none.
Result<Hello, Fault> decode_hello(std::string_view content);

/// The newest version that both speak. Errors: mismatch, in words that both sides can read: another
/// cluster, the own name, or no version in common.
Result<std::uint16_t, Fault> agree(const Hello& mine, const Hello& theirs);

}  // namespace souk::cluster

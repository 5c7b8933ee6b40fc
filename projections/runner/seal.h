#pragma once
/// What a copy of a read model contained when it last stood still: SQLite and Xapian have no
/// checksums of their own, so a changed bit would be served as truth. The next opening at the same
/// place compares.
///
///   NNNNNN.seal beside the copy's folder; text: place, digest, ms and crc32c, in hex.
///   Losing it loses the comparison, nothing else.
#include <cstdint>
#include <filesystem>
#include <optional>

#include "events/result.h"

namespace souk {

struct Seal {
  std::uint64_t place = 0;   // a hash of the runner's checkpoint and the code's version
  std::uint64_t digest = 0;  // Projection::digest there
  std::uint64_t took_ms = 0;
  bool operator==(const Seal&) const = default;
};

std::filesystem::path seal_file(const std::filesystem::path& folder, std::uint64_t generation);
/// Nothing where there is none, or it is damaged.
std::optional<Seal> read_seal(const std::filesystem::path& file);
/// Not synced. Errors: unavailable.
Status write_seal(const std::filesystem::path& file, const Seal& seal);

}  // namespace souk

#pragma once
#include <filesystem>
#include <vector>

#include "events/result.h"

namespace souk {

/// The RocksDB directories anywhere under `root`, sorted.
std::vector<std::filesystem::path> stores_under(const std::filesystem::path& root);

/// Holds every block of the tables of one of them against its checksum, and changes nothing.
/// Errors: corrupt, with file and place; unavailable. Thread: any; takes as long as the disk.
Status check_tables(const std::filesystem::path& store);

}  // namespace souk

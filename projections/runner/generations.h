#pragma once
/// The copies of a read model on disk: FOLDER/CURRENT names the live generation, a folder beside
/// it.
#include <cstdint>
#include <filesystem>

#include "events/result.h"

namespace souk {

/// 0: there is none, or the file cannot be read.
std::uint64_t current_generation(const std::filesystem::path& folder);
/// Atomic: a crash leaves the one or the other. Errors: unavailable.
Status make_current(const std::filesystem::path& folder, std::uint64_t generation);
/// Where that copy stands, or would.
std::filesystem::path generation_folder(const std::filesystem::path& folder,
                                        std::uint64_t generation);

}  // namespace souk

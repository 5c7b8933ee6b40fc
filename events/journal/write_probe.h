#pragma once
#include <filesystem>

#include "events/result.h"

namespace souk {

/// Whether the disk under `folder` takes a file now: makes one, writes and syncs some bytes, and
/// removes it. For a store whose write has failed: closing it to open it anew ends its reads, which
/// is worth it only where that can succeed.
/// Errors: full, unavailable. Thread: any; blocks for the disk.
Status probe_write(const std::filesystem::path& folder);

}  // namespace souk

#pragma once
/// How far a store's MANIFEST reached, in a file of its own beside it.
///
/// RocksDB takes a manifest that ends between two of its records for a whole one: it then knows
/// fewer tables, deletes those that it does not know, and says nothing. The note tells: a manifest
/// is only ever added to, and a later one has a higher number.
///
/// File `souk-manifest`, replaced in one step after each opening, flush and compaction, once those
/// bytes of the manifest are synced:  MANIFEST-000005 <bytes> <crc32c of what is before, hex>\n
/// One that is not there, or cannot be read, says nothing. Embedded on disk: do not change.
#include <filesystem>
#include <memory>
#include <string_view>

#include "events/result.h"

namespace rocksdb {
class EventListener;
}

namespace souk {

inline constexpr std::string_view manifest_note_name = "souk-manifest";

/// Whether the manifest that CURRENT names in `store` is as long as it was, or a later one.
/// Errors: corrupt, with what is missing.
Status check_manifest(const std::filesystem::path& store);

/// Notes how far it reaches now. What fails is logged: an older note is as true.
/// Thread: one at a time for each store; takes three syncs of small files.
void note_manifest(const std::filesystem::path& store);

/// Notes it after each flush and compaction, on RocksDB's own thread.
std::shared_ptr<rocksdb::EventListener> manifest_noter(const std::filesystem::path& store);

}  // namespace souk

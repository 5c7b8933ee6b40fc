#pragma once
/// What the stores of one directory know of each other, so that one that is older, shorter, foreign
/// or gone is noticed by the next.
///
/// Each counts its synced writes and keeps the count in the same write as what it counts. Beside
/// its own it keeps what it knew of the others: the journal that of the keys and of the provider,
/// these two that of the journal. A count is told to the others only after its write is durable, so
/// a store that ends before what another knows of it has lost something.
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/ids.h"

namespace souk {

/// The newest synced write of each store that is known to be durable. Thread: any.
struct StoreMarks {
  std::atomic<std::uint64_t> journal{0};
  std::atomic<std::uint64_t> keys{0};
  std::atomic<std::uint64_t> provider{0};
};

/// Stands in the journal, outside every shard, from the making (or upgrade) of a directory on: what
/// the manifest says stands here a second time.
///   16 bytes id, u32 LE shards, u32 LE crc32c of both. Embedded on disk: do not change.
struct JournalAnchor {
  Id128 directory;
  std::uint32_t shards = 0;
  bool operator==(const JournalAnchor&) const = default;
};
std::string encode(const JournalAnchor& anchor);
std::optional<JournalAnchor> decode_journal_anchor(std::string_view bytes);

/// Stands in the journal, written last in every append.
///   u64 LE each, u32 LE crc32c of the three, one byte B5. Embedded on disk: do not change.
struct JournalMarks {
  std::uint64_t writes = 0;    // of the journal itself
  std::uint64_t keys = 0;      // at least so many synced writes have the keys
  std::uint64_t provider = 0;  // and the provider
  bool operator==(const JournalMarks&) const = default;
};
std::string encode(const JournalMarks& marks);
std::optional<JournalMarks> decode_journal_marks(std::string_view bytes);

/// Stands in each other store of the directory, in `keys` and `provider` written with every synced
/// write of it.
///   16 bytes id, u32 LE shards, u64 LE writes, u64 LE journal, u32 LE crc32c, one byte B5: a
///   write that was finished does not end in zeros (wal_tail.h). Embedded on disk: do not change.
struct StoreAnchor {
  Id128 directory;
  std::uint32_t shards = 0;
  std::uint64_t writes = 0;   // of this store
  std::uint64_t journal = 0;  // at least so many writes has the journal
  bool operator==(const StoreAnchor&) const = default;
};
std::string encode(const StoreAnchor& anchor);
std::optional<StoreAnchor> decode_store_anchor(std::string_view bytes);

}  // namespace souk

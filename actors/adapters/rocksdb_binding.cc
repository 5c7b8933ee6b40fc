// How a RocksdbHandle is bound to its directory (store_binding.h).

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "actors/adapters/rocksdb_support.h"

namespace souk {
namespace {

constexpr std::string_view anchor_key = "directory";

std::string misfit(const StoreAnchor& found, const StoreBinding& binding) {
  if (found.directory != binding.directory) {
    return fmt::format("it belongs to the data directory {}, this one is {}",
                       id_text('d', found.directory), id_text('d', binding.directory));
  }
  if (found.shards != binding.shards) {
    return fmt::format("it was made for {} shards, the directory has {}", found.shards,
                       binding.shards);
  }
  if (found.writes < binding.writes_min) {
    return fmt::format(
        "it is older than the journal: it ends at its write {}, and the journal knows of its write "
        "{}",
        found.writes, binding.writes_min);
  }
  return {};
}

}  // namespace

Result<std::optional<StoreAnchor>, Fault> RocksdbHandle::stored_anchor() {
  const auto reader = read();
  std::string bytes;
  const auto status = reader.db->Get({}, rocksdb::Slice(anchor_key), &bytes);
  if (status.IsNotFound()) return std::optional<StoreAnchor>();
  if (!status.ok()) return fault(status, "read whose store it is");
  const auto found = decode_store_anchor(bytes);
  if (!found) {
    return Fault{Fault::Kind::corrupt,
                 fmt::format("{}: what binds it to its directory is damaged; {}", path_.string(),
                             if_corrupt_)};
  }
  return std::optional<StoreAnchor>(*found);
}

Result<bool, Fault> RocksdbHandle::empty() {
  const auto reader = read();
  const std::unique_ptr<rocksdb::Iterator> at(reader.db->NewIterator({}));
  at->SeekToFirst();
  if (!at->status().ok()) return fault(at->status(), "read");
  return !at->Valid();
}

Status RocksdbHandle::bind(const StoreBinding& binding) {
  const auto refused = [&](std::string_view why) {
    return Fault{Fault::Kind::mismatch,
                 fmt::format("{}: {}; {}", path_.string(), why, if_corrupt_)};
  };
  auto stored = stored_anchor();
  if (!stored) return stored.error();
  StoreAnchor anchor{binding.directory, binding.shards, 0, 0};
  if (*stored) {
    if (const auto why = misfit(**stored, binding); !why.empty()) return refused(why);
    if ((*stored)->journal > binding.journal) {
      return Fault{
          Fault::Kind::mismatch,
          fmt::format("{}: the journal is older than this folder: it ends at its append "
                      "{}, and this folder knows of its append {}. Events are missing: put "
                      "the newest journal back, or restore the whole directory from one "
                      "backup",
                      path_.string(), binding.journal, (*stored)->journal)};
    }
    anchor = **stored;
  } else if (binding.unbound != StoreBinding::Unbound::adopt) {
    const auto nothing_here = empty();
    if (!nothing_here) return nothing_here.error();
    if (!*nothing_here)
      return refused("it is not of this data directory, or from before it was upgraded");
    if (binding.unbound == StoreBinding::Unbound::refuse) {
      return refused("it is empty or was lost, and the journal has been written with it");
    }
  }
  if (access_ == Access::read_only) return Done{};
  binding_ = binding;
  anchor_ = anchor;
  if (binding.marks != nullptr) {
    binding.marks->*binding.own = anchor.writes;
  } else if (*stored) {
    return Done{};  // it says all there is to say
  }
  rocksdb::WriteBatch batch;
  if (binding.marks == nullptr) batch.Put(rocksdb::Slice(anchor_key), encode(anchor));
  return write(batch, Durability::synced);
}

void RocksdbHandle::count(rocksdb::WriteBatch& batch) {
  if (binding_.marks == nullptr) return;
  ++anchor_.writes;
  anchor_.journal = binding_.marks->journal;
  batch.Put(rocksdb::Slice(anchor_key), encode(anchor_));
}

void RocksdbHandle::counted() {
  if (binding_.marks != nullptr) binding_.marks->*binding_.own = anchor_.writes;
}

}  // namespace souk

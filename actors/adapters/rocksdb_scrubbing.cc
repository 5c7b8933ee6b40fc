// How a RocksdbHandle is read through in the background (events/journal/scrubber.h).

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/adapters/rocksdb_support.h"

namespace souk {

Result<bool, Fault> RocksdbHandle::scrub(std::size_t bytes) {
  const auto reader = read();
  if (!reader.db) return away();
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(reader.db->NewIterator(options));
  at->Seek(scrubbed_to_);
  for (std::size_t left = bytes; at->Valid(); at->Next()) {
    const std::size_t size = at->key().size() + at->value().size();
    if (size > left && left < bytes) {
      scrubbed_to_ = at->key().ToString();
      return false;
    }
    left -= std::min(left, size);
  }
  scrubbed_to_.clear();
  if (at->status().ok()) return true;
  auto found = fault(at->status(), "scrub");
  if (found.kind == Fault::Kind::corrupt)
    spdlog::error("a store is damaged what=\"{}\"", found.what);
  return found;
}

}  // namespace souk

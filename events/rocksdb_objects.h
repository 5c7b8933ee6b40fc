#pragma once
/// Objects of ours in RocksDB's cache, by the interface of RocksDB 7 (Debian 12) and of 8 and later
/// (Debian 13), which moved it to another header and gave it another deleter.
#include <rocksdb/cache.h>
#include <rocksdb/version.h>

#include <memory>

#include "events/result.h"
#if ROCKSDB_MAJOR >= 8
#include <rocksdb/advanced_cache.h>
#endif

namespace souk {

/// Puts `object` under `key`, in the place of what was there. `charge`: its bytes. With `handle` it
/// is pinned: Cache::Release(handle) later. REQUIRES: the cache has no strict limit, so that it
/// always takes it.
template <class Object>
void put_object(rocksdb::Cache& cache, const rocksdb::Slice& key, std::unique_ptr<Object> object,
                std::size_t charge, rocksdb::Cache::Handle** handle = nullptr) {
#if ROCKSDB_MAJOR >= 8
  static const rocksdb::Cache::CacheItemHelper helper(
      rocksdb::CacheEntryRole::kMisc,
      [](void* old, rocksdb::MemoryAllocator*) { delete static_cast<Object*>(old); });
  const auto kept = cache.Insert(key, object.get(), &helper, charge, handle);
#else
  const auto destroy = [](const rocksdb::Slice&, void* old) { delete static_cast<Object*>(old); };
  const auto kept = cache.Insert(key, object.get(), charge, destroy, handle);
#endif
  SOUK_ASSERT(kept.ok());
  (void)object.release();
}

}  // namespace souk

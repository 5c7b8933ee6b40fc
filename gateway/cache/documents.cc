#include "gateway/cache/documents.h"

#include "events/rocksdb_objects.h"

namespace souk {
namespace {

// For what was asked for more than once (RocksDB: the high priority pool).
constexpr double kept_ratio = 0.8;
// One lock: the I/O threads are few, and the bound is exact.
constexpr int shard_bits = 0;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

std::size_t bytes_of(const Document& document) {
  return sizeof(Document) + document.fields.capacity() + document.not_modified.capacity() +
         document.body.capacity();
}

}  // namespace

struct DocumentCache::Impl {
  std::shared_ptr<rocksdb::Cache> cache;
};

DocumentCache::DocumentCache(std::size_t bytes_max) : impl_(std::make_unique<Impl>()) {
  impl_->cache =
      rocksdb::NewLRUCache(bytes_max, shard_bits, /*strict_capacity_limit=*/false, kept_ratio);
}
DocumentCache::~DocumentCache() = default;

DocumentCache::Pin DocumentCache::find(std::string_view key) {
  return {*this, impl_->cache->Lookup(slice(key))};
}

DocumentCache::Pin DocumentCache::put(std::string_view key, Document&& document) {
  auto owned = std::make_unique<Document>(std::move(document));
  rocksdb::Cache::Handle* handle = nullptr;
  const std::size_t bytes = bytes_of(*owned);
  // It takes everything, and drops it with the handle where it does not fit.
  put_object(*impl_->cache, slice(key), std::move(owned), bytes, &handle);
  SOUK_ASSERT(handle != nullptr);
  return {*this, handle};
}

std::size_t DocumentCache::bytes() const { return impl_->cache->GetUsage(); }

DocumentCache::Pin::~Pin() {
  if (handle_ != nullptr)
    cache_->impl_->cache->Release(static_cast<rocksdb::Cache::Handle*>(handle_));
}

const Document& DocumentCache::Pin::operator*() const {
  return *static_cast<const Document*>(
      cache_->impl_->cache->Value(static_cast<rocksdb::Cache::Handle*>(handle_)));
}

}  // namespace souk

#include "projections/search/kept_postings.h"

#include "events/rocksdb_objects.h"

namespace souk::search {
namespace {

/// With 64 KiB, where no list of a common word is kept, a search takes as long as when Xapian
/// ranked.
constexpr std::size_t bytes_max = 64 * 1024 * 1024;
constexpr int shard_bits = 0;  // one lock: the bound is exact

}  // namespace

KeptPostings::KeptPostings() : cache_(rocksdb::NewLRUCache(bytes_max, shard_bits)) {}

KeptPostings::Ptr KeptPostings::find(const std::string& term) const {
  auto* handle = cache_->Lookup(term);
  if (handle == nullptr) return nullptr;
  Ptr found = *static_cast<Ptr*>(cache_->Value(handle));
  cache_->Release(handle);
  return found;
}

void KeptPostings::put(const std::string& term, const Ptr& postings) {
  put_object(*cache_, term, std::make_unique<Ptr>(postings), postings->memory_bytes());
}

void KeptPostings::drop(const std::string& term) { cache_->Erase(term); }

}  // namespace souk::search

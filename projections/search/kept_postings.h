#pragma once
/// A cache of postings by term: RocksDB's LRU cache.
#include <memory>
#include <string>

#include "projections/search/postings.h"

namespace rocksdb {
class Cache;
}

namespace souk::search {

/// Keeps those that were last used, 64 MiB of them. Thread: any.
class KeptPostings {
 public:
  using Ptr = std::shared_ptr<const Postings>;
  KeptPostings();
  Ptr find(const std::string& term) const;  // null: it is not kept
  void put(const std::string& term, const Ptr& postings);
  void drop(const std::string& term);

 private:
  std::shared_ptr<rocksdb::Cache> cache_;
};

}  // namespace souk::search

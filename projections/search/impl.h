#pragma once
/// What the files of the search model share.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "projections/search/catalogue.h"
#include "projections/search/product_store.h"
#include "projections/search/search.h"
#include "projections/search/synonyms.h"
#include "projections/search/text_index.h"

namespace souk {

/// Readers hold `lock` to read, for as long as they use bitmaps and columns, but not while they
/// rank. The writer waits at `turnstile` with the readers that come after it behind it, so that an
/// endless stream of queries cannot keep it out.
struct SearchModel::Impl {
  SearchOptions options;
  search::Synonyms synonyms;

  std::unique_ptr<search::ProductStore> store;
  std::unique_ptr<search::TextIndex> index;
  search::Catalogue catalogue;
  mutable std::mutex turnstile;
  mutable std::shared_mutex lock;

  // The writer's own.
  std::unordered_map<std::string, search::DocId> docs;  // by SKU
  search::StoreChange pending;

  std::shared_lock<std::shared_mutex> reading() const {
    const std::scoped_lock wait(turnstile);
    return std::shared_lock(lock);
  }
  void writing(const std::function<void()>& change) {
    const std::scoped_lock wait(turnstile);
    const std::unique_lock exclusive(lock);
    change();
  }
};

}  // namespace souk

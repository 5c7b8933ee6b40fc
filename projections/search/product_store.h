#pragma once
/// Where the products stand, and the index of their texts beside them: the adapter of RocksDB.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "events/result.h"
#include "projections/search/doc_set.h"
#include "projections/search/product.h"

namespace rocksdb {
class DB;
class WriteBatch;
}  // namespace rocksdb

namespace souk::search {

/// What one commit writes.
struct StoreChange {
  std::map<DocId, ProductColumns> columns;
  std::map<DocId, ProductText> texts;
};

/// Thread: one writer; `text` from any.
class ProductStore {
 public:
  static Result<std::unique_ptr<ProductStore>, Fault> open(const std::filesystem::path& folder);
  ~ProductStore();

  const std::string& checkpoint() const { return checkpoint_; }
  /// All of `change`, `checkpoint` and what stands in `batch`, or nothing.
  Status write(const StoreChange& change, const std::string& checkpoint,
               rocksdb::WriteBatch& batch);
  /// For the index.
  rocksdb::DB& database() const;

  Status each_columns(const std::function<void(DocId, ProductColumns)>& visit);
  Status each_text(const std::function<Status(DocId, const ProductText&)>& visit);
  /// A product that was never defined has none.
  Result<std::optional<ProductText>, Fault> text(DocId doc);

 private:
  struct Impl;
  explicit ProductStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  std::string checkpoint_;
};

}  // namespace souk::search

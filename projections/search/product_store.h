#pragma once
/// Where the products stand for good: the adapter of RocksDB. It rules; the text index is derived
/// from it and may be thrown away.
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

namespace souk::search {

/// What is true of the whole store.
struct StoreState {
  std::string checkpoint;
  std::uint64_t epoch = 0;         // drawn when the store was made; the text index carries it too
  std::uint64_t text_version = 0;  // counts the commits that changed texts
  bool operator==(const StoreState&) const = default;
};

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

  const StoreState& state() const { return state_; }
  /// All of `change` and `state`, or nothing.
  Status write(const StoreChange& change, const StoreState& state);

  Status each_columns(const std::function<void(DocId, ProductColumns)>& visit);
  /// The texts of commits after `text_version`.
  Status each_text_since(std::uint64_t text_version,
                         const std::function<Status(DocId, const ProductText&)>& visit);
  /// A product that was never defined has none.
  Result<std::optional<ProductText>, Fault> text(DocId doc);

 private:
  struct Impl;
  explicit ProductStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  StoreState state_;
};

}  // namespace souk::search

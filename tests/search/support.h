#pragma once
/// What the tests of search share: a shop that makes events of products.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "projections/search/search.h"
#include "tests/support/temporary_directory.h"

namespace souk::testing {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

inline Money usd(std::int64_t cents) { return {{cents * 10'000}, *Currency::parse("USD")}; }

inline ProductDefined product(std::string name, std::int64_t cents = 1'000) {
  ProductDefined defined;
  defined.name = std::move(name);
  defined.price = usd(cents);
  return defined;
}

/// A model that is given events by hand.
class Shop {
 public:
  explicit Shop(SearchOptions options) : options_(std::move(options)) { open(); }
  /// In a shop as small as those of the tests there is never enough.
  Shop() : Shop(strict()) {}
  static SearchOptions strict() {
    SearchOptions options;
    options.tuning.products_enough = 1;
    return options;
  }

  void open() {
    model_.reset();
    auto opened = SearchModel::open(folder_.path(), options_);
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().what));
    model_ = std::move(*opened);
  }
  Shop& tell(std::string_view sku, Payload payload) {
    const auto applied = apply(*model_, sku, std::move(payload), ++now_);
    REQUIRE(applied.ok());
    return *this;
  }
  static Result<Done, Poison> apply(SearchModel& model, std::string_view sku, Payload payload,
                                    std::int64_t at_ms) {
    Transaction transaction;
    transaction.at = {at_ms};
    transaction.events.push_back({EntityKey(Sku::trusted(sku)), std::move(payload)});
    return model.apply({.shard = {0}, .seq = 1, .transaction = transaction, .index = 0});
  }
  Shop& define(std::string_view sku, std::string name) {
    return tell(sku, product(std::move(name)));
  }
  Shop& commit() {
    const auto committed = model_->commit("at " + std::to_string(now_));
    REQUIRE_MESSAGE(committed.ok(), (committed.ok() ? "" : committed.error().what));
    return *this;
  }
  SearchResult search(SearchQuery query) const {
    auto result = model_->search(query);
    REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().why));
    return std::move(*result);
  }
  SearchResult search(std::string q) const {
    SearchQuery query;
    query.q = std::move(q);
    return search(query);
  }
  /// The SKUs found, joined by blanks.
  std::string found(const SearchQuery& query) const { return skus(search(query)); }
  std::string found(std::string q) const { return skus(search(std::move(q))); }
  static std::string skus(const SearchResult& result) {
    std::string skus;
    for (const auto& hit : result.hits) skus += (skus.empty() ? "" : " ") + hit.sku.text();
    return skus;
  }
  SearchModel& model() { return *model_; }
  void close() { model_.reset(); }
  const fs::path& folder() const { return folder_.path(); }

 private:
  SearchOptions options_;
  TemporaryDirectory folder_;
  std::shared_ptr<SearchModel> model_;
  std::int64_t now_ = 1'000;
};

}  // namespace souk::testing

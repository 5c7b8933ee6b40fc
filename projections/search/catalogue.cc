#include "projections/search/catalogue.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "events/ids.h"
#include "projections/search/words.h"

namespace souk::search {
namespace {

std::string without_case(const std::string& name) {
  std::string out;
  for (const auto& word : words_of(name)) {
    if (!out.empty()) out.push_back(' ');
    out += word.text;
  }
  return out;
}

}  // namespace

void Catalogue::grow(DocId doc) {
  if (doc < rows_.size()) return;
  const std::size_t size = doc + 1;
  rows_.resize(size);
  price_.resize(size);
  brand_.resize(size);
  category_.resize(size);
  group_.resize(size);
}

std::uint32_t Catalogue::brand_number(const std::string& brand) {
  if (brand.empty()) return 0;
  const auto [at, added] =
      brand_numbers_.try_emplace(brand, static_cast<std::uint32_t>(brands_.size()));
  if (added) {
    brands_.push_back(brand);
    docs_of_brand_.emplace_back();
  }
  return at->second;
}

std::uint32_t Catalogue::group_number(const std::string& group) {
  if (group.empty()) return 0;
  const auto [at, added] =
      group_numbers_.try_emplace(group, static_cast<std::uint32_t>(groups_.size()));
  if (added) groups_.push_back(group);
  return at->second;
}

std::uint32_t Catalogue::node_of(const std::vector<std::string>& path) {
  std::uint32_t node = 0;
  for (const auto& level : path) {
    const auto next = static_cast<std::uint32_t>(nodes_.size());
    const auto [at, added] = nodes_[node].children.try_emplace(level, next);
    const std::uint32_t child = at->second;
    if (added) {
      const std::string above = nodes_[node].path;
      auto path_text = above.empty() ? level : above + " > " + level;
      const auto hash = static_cast<std::uint32_t>(stable_hash(path_text));
      nodes_.push_back({node, hash, std::move(path_text), level, {}});
      docs_of_node_.emplace_back();
    }
    node = child;
  }
  return node;
}

void Catalogue::set_text(DocId doc, const ProductText& text) {
  grow(doc);
  rows_[doc].name = text.name;
  rows_[doc].sort_name = without_case(text.name);
  docs_of_brand_[brand_[doc]].remove(doc);
  brand_[doc] = brand_number(text.brand);
  docs_of_brand_[brand_[doc]].add(doc);
  for (auto node = category_[doc]; node != 0; node = nodes_[node].parent) {
    docs_of_node_[node].remove(doc);
  }
  category_[doc] = node_of(text.category);
  for (auto node = category_[doc]; node != 0; node = nodes_[node].parent) {
    docs_of_node_[node].add(doc);
  }
}

void Catalogue::set_columns(DocId doc, const ProductColumns& columns) {
  grow(doc);
  auto& row = rows_[doc];
  if (row.sku.empty()) row.sku = columns.sku;
  if (row.currency != columns.price.currency) {
    docs_of_currency_[row.currency].remove(doc);
    row.currency = columns.price.currency;
  }
  docs_of_currency_[row.currency].add(doc);
  row.defined_at = columns.defined_at;
  row.available = columns.available;
  row.text_hash = columns.text_hash;
  row.defined = columns.defined;
  price_[doc] = columns.price.amount.value;
  group_[doc] = group_number(columns.group);
  grouped_.put(doc, group_[doc] != 0);
  on_sale_.put(doc, columns.on_sale);
  in_stock_.put(doc, columns.available > 0);
}

ProductColumns Catalogue::columns(DocId doc) const {
  const auto& row = rows_[doc];
  return {.sku = row.sku,
          .available = row.available,
          .price = {{price_[doc]}, row.currency},
          .defined = row.defined,
          .on_sale = on_sale_.contains(doc),
          .defined_at = row.defined_at,
          .text_hash = row.text_hash,
          .group = groups_[group_[doc]]};
}

Currency Catalogue::currency_for(const SearchQuery& query) const {
  if (query.currency) return *query.currency;
  Currency most;
  std::size_t most_products = 0;
  for (const auto& [currency, docs] : docs_of_currency_) {
    if (currency.none()) continue;
    const std::size_t products = (docs & on_sale_).size();
    if (products > 0 && currency == query.otherwise) return currency;
    if (products > most_products || most.none()) {
      most = currency;
      most_products = products;
    }
  }
  return most_products > 0 || query.otherwise.none() ? most : query.otherwise;
}

DocSet Catalogue::filtered(const DocSet& among, const SearchQuery& query) const {
  DocSet docs = among;
  if (query.brand) {
    const auto at = brand_numbers_.find(*query.brand);
    if (at == brand_numbers_.end()) return {};
    docs &= docs_of_brand_[at->second];
  }
  if (query.group) {
    const auto at = group_numbers_.find(*query.group);
    if (at == group_numbers_.end()) return {};
    auto list = (docs & grouped_).list();
    std::erase_if(list, [&](DocId doc) { return group_[doc] != at->second; });
    docs = DocSet::of(list);
  }
  if (!query.category.empty()) {
    std::uint32_t node = 0;
    for (const auto& level : query.category) {
      const auto at = nodes_[node].children.find(level);
      if (at == nodes_[node].children.end()) return {};
      node = at->second;
    }
    docs &= docs_of_node_[node];
  }
  if (query.in_stock) *query.in_stock ? docs &= in_stock_ : docs -= in_stock_;
  if (query.currency) {
    const auto priced = docs_of_currency_.find(*query.currency);
    if (priced == docs_of_currency_.end()) return {};
    docs &= priced->second;
  }
  if (query.price_min || query.price_max) {
    auto list = docs.list();
    std::erase_if(list, [&](DocId doc) {
      return (query.price_min && price_[doc] < query.price_min->value) ||
             (query.price_max && price_[doc] > query.price_max->value);
    });
    docs = DocSet::of(list);
  }
  return docs;
}

SearchHit Catalogue::hit(DocId doc, double score) const {
  const auto& row = rows_[doc];
  return {.sku = Sku::trusted(row.sku),
          .name = row.name,
          .brand = brands_[brand_[doc]],
          .price = {{price_[doc]}, row.currency},
          .available = row.available,
          .score = score,
          .group = groups_[group_[doc]]};
}

std::optional<std::pair<Money, Money>> Catalogue::price_range(std::span<const DocId> docs,
                                                              Currency currency) const {
  std::optional<std::pair<Money, Money>> range;
  for (const DocId doc : docs) {
    if (rows_[doc].currency != currency) continue;
    const Micros price{price_[doc]};
    if (!range) range = {{price, currency}, {price, currency}};
    range->first.amount = std::min(range->first.amount, price);
    range->second.amount = std::max(range->second.amount, price);
  }
  return range;
}

bool Catalogue::before(DocId a, DocId b, SearchSort sort) const {
  const auto &x = rows_[a], &y = rows_[b];
  switch (sort) {
    case SearchSort::price_up:
      return std::tie(price_[a], x.sku) < std::tie(price_[b], y.sku);
    case SearchSort::price_down:
      return std::tie(price_[b], x.sku) < std::tie(price_[a], y.sku);
    case SearchSort::name:
      return std::tie(x.sort_name, x.sku) < std::tie(y.sort_name, y.sku);
    case SearchSort::newest:
    case SearchSort::relevance:
      return std::tie(y.defined_at, x.sku) < std::tie(x.defined_at, y.sku);
  }
  SOUK_ASSERT(false);
}

std::vector<DocId> Catalogue::sorted(std::vector<DocId> docs, SearchSort sort,
                                     std::size_t first) const {
  const auto order = [&](DocId a, DocId b) { return before(a, b, sort); };
  first = std::min(first, docs.size());
  const auto end = docs.begin() + static_cast<std::ptrdiff_t>(first);
  if (first < docs.size() && first > 0) {
    // A heap of `first`: most products are only compared with its top.
    std::partial_sort(docs.begin(), end, docs.end(), order);
  } else {
    std::sort(docs.begin(), docs.end(), order);
  }
  docs.resize(first);
  return docs;
}

Catalogue::Place Catalogue::place(DocId doc) const {
  const auto& row = rows_[doc];
  return {{price_[doc]}, row.sort_name, row.defined_at, row.sku};
}

bool Catalogue::behind(DocId doc, const Place& place, SearchSort sort) const {
  const auto& row = rows_[doc];
  switch (sort) {
    case SearchSort::price_up:
      return std::tie(place.price.value, place.sku) < std::tie(price_[doc], row.sku);
    case SearchSort::price_down:
      return std::tie(price_[doc], place.sku) < std::tie(place.price.value, row.sku);
    case SearchSort::name:
      return std::tie(place.name, place.sku) < std::tie(row.sort_name, row.sku);
    case SearchSort::newest:
    case SearchSort::relevance:
      return std::tie(row.defined_at, place.sku) < std::tie(place.defined_at, row.sku);
  }
  SOUK_ASSERT(false);
}

}  // namespace souk::search

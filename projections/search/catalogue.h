#pragma once
/// The columns of every product in memory, and what is counted over them.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "projections/search/doc_set.h"
#include "projections/search/product.h"
#include "projections/search/search.h"

namespace souk::search {

class Groups;

/// Thread: const functions from any at the same time.
class Catalogue {
 public:
  void set_text(DocId doc, const ProductText& text);
  void set_columns(DocId doc, const ProductColumns& columns);

  ProductColumns columns(DocId doc) const;

  const DocSet& on_sale() const { return on_sale_; }
  bool knows(Currency currency) const { return docs_of_currency_.contains(currency); }
  /// What prices are looked at in (SearchQuery::currency).
  Currency currency_for(const SearchQuery& query) const;
  /// Those of `among` that pass the filters of `query`. REQUIRES: `query.currency` is what
  /// `currency_for` says where limits or sorting of prices are asked for.
  DocSet filtered(const DocSet& among, const SearchQuery& query) const;
  /// A value counts once for each product without a group and once for each of `groups`. Bands of
  /// prices: in `result.currency`. REQUIRES: `docs` is sorted, and `groups` are groups of it.
  void count_facets(const std::vector<DocId>& docs, const Groups& groups, const SearchQuery& query,
                    SearchResult& result) const;
  SearchHit hit(DocId doc, double score) const;
  const std::string& name(DocId doc) const { return rows_[doc].name; }
  const std::string& sort_name(DocId doc) const { return rows_[doc].sort_name; }
  const std::string& sku(DocId doc) const { return rows_[doc].sku; }
  /// Hashes of its categories, from the last level to the first: the same in every copy.
  std::vector<std::uint32_t> path(DocId doc) const {
    std::vector<std::uint32_t> nodes;
    for (auto node = category_[doc]; node != 0; node = nodes_[node].parent)
      nodes.push_back(nodes_[node].hash);
    return nodes;
  }
  bool available(DocId doc) const { return in_stock_.contains(doc); }
  /// Groups have numbers from 1; 0: it is in none.
  std::uint32_t group(DocId doc) const { return group_[doc]; }
  std::size_t group_numbers() const { return groups_.size(); }
  const DocSet& grouped() const { return grouped_; }
  /// The lowest and the highest price of `docs` in `currency`; nothing: none has one in it.
  std::optional<std::pair<Money, Money>> price_range(std::span<const DocId> docs,
                                                     Currency currency) const;

  /// Whether `a` comes before `b`; a total order, equal for every copy of the catalogue.
  bool before(DocId a, DocId b, SearchSort sort) const;
  /// The `first` of `docs` in that order.
  std::vector<DocId> sorted(std::vector<DocId> docs, SearchSort sort, std::size_t first) const;
  /// The same from behind a product that may be gone.
  struct Place {
    Micros price;
    std::string name;
    UnixMs defined_at;
    std::string sku;
  };
  Place place(DocId doc) const;
  bool behind(DocId doc, const Place& place, SearchSort sort) const;

 private:
  struct Row {
    std::string sku, name;
    std::string sort_name;  // without case
    Currency currency;
    UnixMs defined_at;
    std::int64_t available = 0;
    std::uint64_t text_hash = 0;
    bool defined = false;
  };
  struct Node {  // of the tree of categories
    std::uint32_t parent = 0;
    std::uint32_t hash = 0;  // of the path: the same in every copy
    std::string path;        // levels joined by " > "
    std::string level;
    std::unordered_map<std::string, std::uint32_t> children;
  };
  void grow(DocId doc);
  std::uint32_t brand_number(const std::string& brand);
  std::uint32_t group_number(const std::string& group);
  std::uint32_t node_of(const std::vector<std::string>& path);

  std::vector<Row> rows_;  // by DocId; 0 is unused, as in the columns below
  std::vector<std::int64_t> price_;
  std::vector<std::uint32_t> brand_;     // into brands_; 0: none
  std::vector<std::uint32_t> category_;  // into nodes_; 0: the root
  std::vector<std::uint32_t> group_;     // into groups_; 0: none
  DocSet on_sale_, in_stock_, grouped_;
  std::map<Currency, DocSet> docs_of_currency_;
  std::vector<std::string> brands_{""};
  std::unordered_map<std::string, std::uint32_t> brand_numbers_;
  std::vector<DocSet> docs_of_brand_{1};
  std::vector<std::string> groups_{""};
  std::unordered_map<std::string, std::uint32_t> group_numbers_;
  std::vector<Node> nodes_{1};
  std::vector<DocSet> docs_of_node_{1};  // of the node itself and those below
};

}  // namespace souk::search

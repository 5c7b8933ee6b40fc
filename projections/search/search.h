#pragma once
/// The search read model: products by words, filters and facets.
///
/// Matches, filters, counts and facets are bitmaps and columns in memory, so that a change of stock
/// or price touches no text. Products, the index of their texts and the checkpoint stand in one
/// store (RocksDB) and are written together.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "events/ids.h"
#include "events/money.h"
#include "projections/projection.h"
#include "projections/search/tuning.h"

namespace souk {
struct SearchOptions {
  /// One group a line: `sofa, couch, settee`. None: a few built in.
  std::optional<std::filesystem::path> synonyms;
  SearchTuning tuning;
};

/// Of what SearchResult::cursor may be.
inline constexpr std::size_t cursor_bytes_max = 8 * 1024;

enum class SearchSort : std::uint8_t { relevance, price_up, price_down, name, newest };
/// relevance, price, -price, name, newest.
std::optional<SearchSort> parse_search_sort(std::string_view text);

struct SearchQuery {
  std::string q;  // any bytes; the first 1,024 and 32 words count. Empty: everything
  std::optional<std::string> brand;
  std::optional<std::string> group;            // exactly this one
  std::vector<std::string> category;           // this one and what is below it
  std::optional<Micros> price_min, price_max;  // both included
  /// Only what is priced in it. Where it is not given, limits, sorting and bands of prices look at
  /// `otherwise` where anything on sale has it, else at the currency of most that is on sale.
  std::optional<Currency> currency;
  Currency otherwise;
  std::optional<bool> in_stock;
  SearchSort sort = SearchSort::relevance;  // without q: newest
  std::size_t limit = 10;                   // 1 to 100
  std::size_t offset = 0;                   // up to 10,000
  std::string cursor;                       // of the page before; instead of an offset
  /// Of the variants of a group that are found, only the first in the order is a hit. Totals and
  /// facets count hits.
  bool collapse = true;
  bool brand_facet = false, category_facet = false, price_facet = false, stock_facet = false;
  std::size_t facet_values_max = 100;  // per facet, the most frequent
};

struct SearchHit {
  Sku sku;
  std::string name;
  std::string brand;
  Money price;
  std::int64_t available = 0;
  double score = 0;   // 0 where nothing was ranked
  std::string group;  // whose variant it is; empty: none
  /// Where it stands for its group: how many variants were found, and their lowest and highest
  /// price in SearchResult::currency; where none has one in it, in that of this hit.
  std::uint64_t variants = 0;
  Money price_min, price_max;
  bool operator==(const SearchHit&) const = default;
};
/// Counts are exact and of everything found, with all filters. A group counts once for each value
/// that one of its variants has: as often as a search for that value shows it. Category: every level
/// of the path, joined with " > ". Price: of the products in the currency that is looked at, in bands of its
/// units, `10-25` is from 10 to below 25, the
/// last `1000-`. In stock: `true`, `false`.
struct FacetValue {
  std::string value;
  std::uint64_t count = 0;
  bool operator==(const FacetValue&) const = default;
};
struct SearchResult {
  std::vector<SearchHit> hits;
  std::uint64_t total = 0;  // exact; of hits
  Currency currency;        // that prices were looked at in; none: nothing was ever priced
  /// brand, category, price, in_stock, as asked. By count, then by value; price bands upwards.
  std::map<std::string, std::vector<FacetValue>> facets;
  std::optional<std::string> suggestion;  // the query as it was understood, where that differs
  std::vector<std::string> relaxed;       // what was not insisted on, in words
  std::string cursor;                     // of the next page; empty: there is none
};
struct BadQuery {
  enum class Kind { invalid, unavailable };
  Kind kind = Kind::invalid;
  std::string parameter;  // which one; none where the index cannot be read
  std::string why;
};
struct Suggestion {
  std::string text;
  enum class Kind { words, product } kind = Kind::words;
  std::uint64_t products = 1;  // how many there are
  bool operator==(const Suggestion&) const = default;
};

/// Invariant: the index says what the texts of the store say.
class SearchModel final : public Projection {
 public:
  static Result<std::shared_ptr<SearchModel>, Fault> open(const std::filesystem::path& folder,
                                                          const SearchOptions& options);
  ~SearchModel() override;

  Result<Done, Poison> apply(const EventAt& event) override;
  bool wants_commit() const override;
  Status commit(std::string_view checkpoint) override;
  std::string checkpoint() const override;
  Result<std::uint64_t, Fault> digest() override;

  /// Thread: any, as the two below.
  Result<SearchResult, BadQuery> search(const SearchQuery& query) const;
  /// What `q` may become: words and names of products, likeliest first. Limits: 1 to 20.
  Result<std::vector<Suggestion>, BadQuery> suggest(const std::string& q, std::size_t limit) const;
  /// How many products are on sale.
  std::uint64_t size() const;

 private:
  struct Impl;
  explicit SearchModel(std::unique_ptr<Impl> impl);
  BadQuery unreadable(const Fault& fault) const;
  std::unique_ptr<Impl> impl_;
};

ProjectionKind search_kind(const SearchOptions& options);

}  // namespace souk

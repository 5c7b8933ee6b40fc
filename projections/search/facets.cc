// What was found, counted by its values.
#include <algorithm>
#include <array>

#include "projections/search/catalogue.h"
#include "projections/search/groups.h"

namespace souk::search {
namespace {

struct Band {
  std::int64_t from;  // in micros
  const char* name;
};
constexpr std::int64_t unit = 1'000'000;
constexpr std::array<Band, 9> bands = {{{0, "0-5"},
                                        {5 * unit, "5-10"},
                                        {10 * unit, "10-25"},
                                        {25 * unit, "25-50"},
                                        {50 * unit, "50-100"},
                                        {100 * unit, "100-250"},
                                        {250 * unit, "250-500"},
                                        {500 * unit, "500-1000"},
                                        {1'000 * unit, "1000-"}}};

/// The most frequent of what was counted, then by value; `text` names the numbers.
template <class Text>
std::vector<FacetValue> most_frequent(const std::vector<std::uint32_t>& counts, std::size_t max,
                                      const Text& text) {
  std::vector<std::uint32_t> seen;  // 0 is none
  for (std::uint32_t i = 1; i < counts.size(); ++i) {
    if (counts[i] > 0) seen.push_back(i);
  }
  max = std::min(max, seen.size());
  const auto end = seen.begin() + static_cast<std::ptrdiff_t>(max);
  std::partial_sort(seen.begin(), end, seen.end(), [&](std::uint32_t a, std::uint32_t b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : text(a) < text(b);
  });
  std::vector<FacetValue> values;
  values.reserve(max);
  for (auto at = seen.begin(); at != end; ++at) values.push_back({text(*at), counts[*at]});
  return values;
}

/// How many hits have each value: products on their own, and groups of which a variant has it.
class Tally {
 public:
  explicit Tally(std::size_t values) : counts_(values), last_(values) {}
  void add(std::size_t value) { ++counts_[value]; }
  /// REQUIRES: all of one group are added one behind the other. `group`: from 0.
  void add(std::size_t value, std::size_t group) {
    const auto mark = static_cast<std::uint32_t>(group + 1);
    if (std::exchange(last_[value], mark) != mark) ++counts_[value];
  }
  std::vector<std::uint32_t>& counts() { return counts_; }

 private:
  std::vector<std::uint32_t> counts_, last_;
};

std::size_t band_of(std::int64_t price) {
  std::size_t band = bands.size() - 1;
  while (band > 0 && price < bands[band].from) --band;
  return band;
}

/// Adds `value_of` each product to `tally`; nothing where that is none.
template <class ValueOf>
void tell(const std::vector<DocId>& alone, const Groups& groups, Tally& tally,
          const ValueOf& value_of) {
  for (const DocId doc : alone)
    if (const auto value = value_of(doc)) tally.add(*value);
  for (std::size_t group = 0; group < groups.size(); ++group)
    for (const DocId doc : groups.members(group))
      if (const auto value = value_of(doc)) tally.add(*value, group);
}

}  // namespace

void Catalogue::count_facets(const std::vector<DocId>& docs, const Groups& groups,
                             const SearchQuery& query, SearchResult& result) const {
  using Value = std::optional<std::size_t>;
  std::vector<DocId> others;
  if (!groups.empty()) others = groups.without(docs);
  const auto& alone = groups.empty() ? docs : others;
  if (query.brand_facet) {
    Tally tally(brands_.size());
    tell(alone, groups, tally, [&](DocId doc) { return Value(brand_[doc]); });
    result.facets["brand"] =
        most_frequent(tally.counts(), query.facet_values_max,
                      [&](std::uint32_t i) -> const std::string& { return brands_[i]; });
  }
  if (query.category_facet) {
    Tally tally(nodes_.size());
    auto& counts = tally.counts();
    for (const DocId doc : alone) tally.add(category_[doc]);
    // A node comes after its parent.
    for (std::size_t i = counts.size(); i-- > 1;) counts[nodes_[i].parent] += counts[i];
    for (std::size_t group = 0; group < groups.size(); ++group)
      for (const DocId doc : groups.members(group))
        for (auto node = category_[doc]; node != 0; node = nodes_[node].parent)
          tally.add(node, group);
    result.facets["category"] =
        most_frequent(counts, query.facet_values_max,
                      [&](std::uint32_t i) -> const std::string& { return nodes_[i].path; });
  }
  if (query.price_facet) {
    Tally tally(bands.size());
    tell(alone, groups, tally, [&](DocId doc) {
      const bool counts = rows_[doc].currency == result.currency;
      return counts ? Value(band_of(price_[doc])) : std::nullopt;
    });
    auto& values = result.facets["price"];
    for (std::size_t i = 0; i < bands.size(); ++i)
      if (const auto count = tally.counts()[i]; count > 0) values.push_back({bands[i].name, count});
  }
  if (query.stock_facet) {
    Tally tally(2);
    tell(alone, groups, tally, [&](DocId doc) { return Value(available(doc) ? 1 : 0); });
    auto& values = result.facets["in_stock"];
    const std::uint64_t with = tally.counts()[1], without = tally.counts()[0];
    if (with > 0) values.push_back({"true", with});
    if (without > 0) values.push_back({"false", without});
    if (values.size() == 2 && with <= without) std::swap(values[0], values[1]);
  }
}

}  // namespace souk::search

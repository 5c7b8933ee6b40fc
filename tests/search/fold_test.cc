/// The model is the fold of the log, whatever happens to it on the way.
#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "projections/search/product_store.h"
#include "projections/search/text_index.h"
#include "tests/search/support.h"

using namespace souk;
using souk::testing::product;
using souk::testing::Shop;
using souk::testing::TemporaryDirectory;

namespace {

namespace fs = std::filesystem;

struct Told {
  std::string sku;
  Payload payload;
};

constexpr std::array<const char*, 8> words = {"red",  "green", "lamp", "table",
                                              "wool", "glass", "cup",  "hat"};
constexpr std::array<const char*, 3> brands = {"", "Acme", "Zeta"};
constexpr std::array<const char*, 3> groups = {"", "tee", "cap"};

rc::Gen<Told> any_event() {
  return rc::gen::exec([] {
    Told told;
    told.sku = "S" + std::to_string(*rc::gen::inRange(0, 12));
    const auto quantity = static_cast<std::int64_t>(*rc::gen::inRange(1, 4));
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
      case 1:
      case 2: {
        ProductDefined p;
        const auto count = *rc::gen::inRange(1, 4);
        for (int i = 0; i < count; ++i) {
          p.name += std::string(*rc::gen::elementOf(words)) + " ";
        }
        p.brand = *rc::gen::elementOf(brands);
        p.category = {*rc::gen::inRange(0, 2) == 0 ? "Home" : "Wear"};
        if (*rc::gen::inRange(0, 2) == 0) p.category.push_back("Sale");
        p.price = souk::testing::usd(*rc::gen::inRange(100, 5'000));
        p.active = *rc::gen::inRange(0, 5) != 0;
        p.group = *rc::gen::elementOf(groups);
        told.payload = p;
        break;
      }
      case 3:
        told.payload = ProductTakenOffSale{};
        break;
      case 4:
        told.payload = StockReceived{quantity, ""};
        break;
      case 5:
        told.payload = StockReserved{{}, quantity, {}};
        break;
      case 6:
        told.payload = ReservationReleased{{}, quantity};
        break;
      default:
        told.payload = StockAdjusted{-quantity, ""};
    }
    return told;
  });
}

/// What the model should be, as plainly as can be.
struct Plain {
  struct Product {
    std::optional<ProductDefined> defined;
    bool on_sale = false;
    std::int64_t available = 0;
  };
  std::map<std::string, Product> products;

  void tell(const Told& told) {
    auto& p = products[told.sku];
    if (const auto* d = std::get_if<ProductDefined>(&told.payload)) {
      p.defined = *d;
      p.on_sale = d->active;
    }
    if (std::holds_alternative<ProductTakenOffSale>(told.payload)) p.on_sale = false;
    if (const auto* e = std::get_if<StockReceived>(&told.payload)) p.available += e->quantity;
    if (const auto* e = std::get_if<StockReserved>(&told.payload)) p.available -= e->quantity;
    if (const auto* e = std::get_if<ReservationReleased>(&told.payload)) p.available += e->quantity;
    if (const auto* e = std::get_if<StockAdjusted>(&told.payload)) p.available += e->delta;
  }
  /// Who has at least `needed` of `asked`, and passes the filters.
  std::set<std::string> found(const std::vector<std::string>& asked, std::size_t needed,
                              const SearchQuery& query) const {
    std::set<std::string> skus;
    for (const auto& [sku, p] : products) {
      if (!p.on_sale) continue;
      const auto& d = *p.defined;
      const auto hits = std::count_if(asked.begin(), asked.end(), [&](const auto& word) {
        return (d.name + " " + d.brand).find(word) != std::string::npos;
      });
      if (static_cast<std::size_t>(hits) < needed) continue;
      if (query.brand && d.brand != *query.brand) continue;
      if (!query.category.empty() &&
          (d.category.size() < query.category.size() ||
           !std::equal(query.category.begin(), query.category.end(), d.category.begin()))) {
        continue;
      }
      if (query.in_stock && (p.available > 0) != *query.in_stock) continue;
      if (query.price_min && d.price.amount < *query.price_min) continue;
      if (query.price_max && d.price.amount > *query.price_max) continue;
      skus.insert(sku);
    }
    return skus;
  }
};

/// Tells the model all of `events` behind its checkpoint, committing at `commits`.
void fold(SearchModel& model, const std::vector<Told>& events, std::size_t end,
          const std::set<std::size_t>& commits) {
  const auto at = model.checkpoint();
  for (std::size_t i = at.empty() ? 0 : std::stoul(at); i < end; ++i) {
    RC_ASSERT(
        Shop::apply(model, events[i].sku, events[i].payload, static_cast<std::int64_t>(i)).ok());
    if (commits.contains(i)) RC_ASSERT(model.commit(std::to_string(i + 1)).ok());
  }
}
std::shared_ptr<SearchModel> opened(const fs::path& folder) {
  auto model = SearchModel::open(folder, {});
  if (!model) RC_FAIL(model.error().what);
  return std::move(*model);
}

void same_counts(SearchModel& model, const Plain& plain) {
  SearchQuery query;
  query.limit = 100;
  query.brand_facet = query.category_facet = query.stock_facet = query.price_facet = true;
  if (*rc::gen::inRange(0, 3) == 0) query.brand = *rc::gen::elementOf(brands);
  if (query.brand == "") query.brand.reset();
  if (*rc::gen::inRange(0, 3) == 0) query.category = {"Home"};
  if (*rc::gen::inRange(0, 3) == 0) query.in_stock = *rc::gen::inRange(0, 2) == 0;
  if (*rc::gen::inRange(0, 3) == 0) {
    query.price_min = Micros{*rc::gen::inRange(1, 20) * 1'000'000};
    query.price_max = Micros{*rc::gen::inRange(20, 40) * 1'000'000};
  }
  const auto asked = *rc::gen::inRange(0, 2) == 0
                         ? std::vector<std::string>{}
                         : std::vector<std::string>{*rc::gen::elementOf(words)};
  for (const auto& word : asked) query.q += word + " ";
  query.collapse = *rc::gen::arbitrary<bool>();
  const auto expected = plain.found(asked, asked.size(), query);
  const auto result = model.search(query);
  RC_ASSERT(result.ok());
  // What each value is counted for: products on their own, and groups.
  std::map<std::string, std::set<std::string>> hits, brands_of, categories_of, stock_of;
  for (const auto& sku : expected) {
    const auto& p = plain.products.at(sku);
    const auto& group = p.defined->group;
    const auto hit = query.collapse && !group.empty() ? "group " + group : sku;
    hits[hit].insert(sku);
    if (!p.defined->brand.empty()) brands_of[p.defined->brand].insert(hit);
    std::string path;
    for (const auto& level : p.defined->category) {
      path += (path.empty() ? "" : " > ") + level;
      categories_of[path].insert(hit);
    }
    stock_of[p.available > 0 ? "true" : "false"].insert(hit);
  }
  RC_ASSERT(result->total == hits.size());
  RC_ASSERT(result->hits.size() == hits.size());
  for (const auto& hit : result->hits) {
    const auto& p = plain.products.at(hit.sku.text());
    RC_ASSERT(hit.available == p.available);
    RC_ASSERT(hit.price == p.defined->price);
    RC_ASSERT(hit.name == p.defined->name);
    RC_ASSERT(hit.group == p.defined->group);
    const bool collapsed = query.collapse && !hit.group.empty();
    const auto of = hits.find(collapsed ? "group " + hit.group : hit.sku.text());
    RC_ASSERT(of != hits.end());
    RC_ASSERT(of->second.contains(hit.sku.text()));
    RC_ASSERT(hit.variants == (collapsed ? of->second.size() : 0));
    if (collapsed) {
      std::set<Micros> prices;
      for (const auto& sku : of->second)
        prices.insert(plain.products.at(sku).defined->price.amount);
      RC_ASSERT(hit.price_min.amount == *prices.begin());
      RC_ASSERT(hit.price_max.amount == *prices.rbegin());
    }
    hits.erase(of);
  }
  const auto sizes = [](const auto& sets) {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [value, set] : sets) counts[value] = set.size();
    return counts;
  };
  const auto counts = [&](const char* facet) {
    std::map<std::string, std::uint64_t> values;
    for (const auto& [value, count] : result->facets.at(facet)) values[value] = count;
    return values;
  };
  RC_ASSERT(counts("brand") == sizes(brands_of));
  RC_ASSERT(counts("category") == sizes(categories_of));
  RC_ASSERT(counts("in_stock") == sizes(stock_of));
  std::uint64_t priced = 0;
  for (const auto& [band, count] : counts("price")) priced += count;
  RC_ASSERT(priced >= result->total);
  if (!query.collapse) RC_ASSERT(priced == result->total);
}

}  // namespace

TEST_CASE("fold: kills, copies and commits at any moment end in the same model") {
  CHECK(rc::check([] {
    const auto events = *rc::gen::container<std::vector<Told>>(any_event());
    const auto all = events.size();
    std::set<std::size_t> commits;
    for (std::size_t i = 0; i < all; ++i) {
      if (*rc::gen::inRange(0, 4) == 0) commits.insert(i);
    }
    const TemporaryDirectory folder;
    const auto cut = *rc::gen::inRange<std::size_t>(0, all + 1);
    {
      const auto model = opened(folder / "killed");
      fold(*model, events, cut, commits);
      // As a kill leaves it: without closing, and without what was not committed.
      fs::copy(folder / "killed", folder / "copy", fs::copy_options::recursive);
      fs::remove(folder / "copy" / "products" / "LOCK");
    }
    Plain plain;
    for (const auto& told : events) plain.tell(told);
    auto copy = opened(folder / "copy");
    fold(*copy, events, all, commits);
    RC_ASSERT(copy->commit("end").ok());
    const auto whole = opened(folder / "whole");
    fold(*whole, events, all, {});
    RC_ASSERT(*copy->digest() == *whole->digest());
    RC_ASSERT(whole->commit("end").ok());
    RC_ASSERT(*copy->digest() == *whole->digest());
    same_counts(*copy, plain);
    same_counts(*whole, plain);
    copy.reset();
    copy = opened(folder / "copy");
    RC_ASSERT(copy->checkpoint() == "end");
    RC_ASSERT(*copy->digest() == *whole->digest());
    same_counts(*copy, plain);
  }));
}

TEST_CASE("fold: an index of another tuning is made anew") {
  const TemporaryDirectory folder;
  std::uint64_t right = 0;
  {
    const auto model = opened(folder / "a");
    REQUIRE(Shop::apply(*model, "A", product("Old lamp"), 1).ok());
    REQUIRE(model->commit("1").ok());
    right = *model->digest();
  }
  SearchOptions options;
  options.tuning.name_weight = 7;
  {
    const auto model = SearchModel::open(folder / "a", options);
    REQUIRE(model.ok());
    CHECK(*(*model)->digest() != right);
    SearchQuery query;
    query.q = "lamp";
    CHECK((*model)->search(query)->total == 1);
  }
  CHECK(*opened(folder / "a")->digest() == right);
}

TEST_CASE("fold: the digest tells of an index that says other things than the products") {
  const TemporaryDirectory folder;
  std::uint64_t right = 0;
  {
    const auto model = opened(folder / "a");
    REQUIRE(Shop::apply(*model, "A", product("Old lamp"), 1).ok());
    right = *model->digest();  // not committed yet: of what will be indexed
    REQUIRE(model->commit("1").ok());
    CHECK(*model->digest() == right);
  }
  search::ProductText last;
  last.name = "Old lamp";
  last.codes = {"A"};
  // The index alone.
  const auto put_name = [&](const std::string& name) {
    const auto store = search::ProductStore::open(folder / "a" / "products");
    REQUIRE(store.ok());
    const auto index = search::TextIndex::open((*store)->database(), {},
                                               [](const auto&) { return Status(Done{}); });
    REQUIRE(index.ok());
    search::ProductText text;
    text.name = name;
    text.codes = {"A"};
    rocksdb::WriteBatch batch;
    const auto former = [&](search::DocId) { return std::optional(last); };
    REQUIRE((*index)->put({{1, text}}, former, batch).ok());
    REQUIRE((*store)->database().Write({}, &batch).ok());
    last = text;
  };
  put_name("Old");
  CHECK(*opened(folder / "a")->digest() != right);
  put_name("Old lamp lamp");
  const auto twice = *opened(folder / "a")->digest();
  put_name("Old lamp lamp lamp");  // the same terms, in another number
  CHECK(*opened(folder / "a")->digest() != twice);
  put_name("lamp Old");  // the same words at other places
  CHECK(*opened(folder / "a")->digest() != right);
  put_name("Old lamp");
  CHECK(*opened(folder / "a")->digest() == right);
}

TEST_CASE("fold: an event that does not fit is poison and changes nothing") {
  const TemporaryDirectory folder;
  const auto model = opened(folder / "a");
  const auto most = std::numeric_limits<std::int64_t>::max();
  REQUIRE(Shop::apply(*model, "A", StockReceived{most, ""}, 1).ok());
  const auto before = *model->digest();
  CHECK_FALSE(Shop::apply(*model, "A", StockReceived{1, ""}, 2).ok());
  CHECK(*model->digest() == before);
}

/// The variants of one thing are one hit.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "projections/search/product.h"
#include "tests/search/support.h"

using namespace souk;
using souk::testing::product;
using souk::testing::Shop;
using souk::testing::usd;

namespace {

Money gbp(std::int64_t cents) { return {{cents * 10'000}, *Currency::parse("GBP")}; }

ProductDefined variant(const std::string& group, const std::string& size, std::int64_t cents,
                       const std::string& name = "Shirt") {
  auto made = product(name, cents);
  made.group = group;
  if (!group.empty()) made.options = {{"Size", size}};
  return made;
}

SearchQuery asking(const std::string& q, SearchSort sort = SearchSort::relevance) {
  SearchQuery query;
  query.q = q;
  query.sort = sort;
  return query;
}

std::uint64_t count_of(const SearchResult& result, const char* facet, const std::string& value) {
  for (const auto& one : result.facets.at(facet))
    if (one.value == value) return one.count;
  return 0;
}

/// The hits of all pages: for a group its name, for others the SKU.
std::vector<std::string> all_pages(const Shop& shop, SearchQuery query) {
  std::vector<std::string> names;
  for (int page = 0; page < 200; ++page) {
    const auto result = shop.search(query);
    for (const auto& hit : result.hits)
      names.push_back(hit.variants > 0 ? "group " + hit.group : hit.sku.text());
    if (result.cursor.empty()) return names;
    query.cursor = result.cursor;
  }
  FAIL("the pages have no end");
  return names;
}

}  // namespace

TEST_CASE("groups: the first variant in the order stands for those found, with their prices") {
  Shop shop;
  shop.tell("B-M", variant("tee", "M", 1'500))
      .tell("A-L", variant("tee", "L", 1'900, "Shirt shirt shirt"))
      .tell("C-S", variant("tee", "S", 1'100, "Polo shirt"))
      .tell("MUG", product("Mug", 700))
      .commit();
  const auto first = [&](const SearchQuery& query) {
    const auto result = shop.search(query);
    REQUIRE(result.hits.size() == 1);
    CHECK(result.total == 1);
    const auto& hit = result.hits[0];
    CHECK(hit.group == "tee");
    CHECK(hit.variants == 3);
    CHECK(hit.price_min == usd(1'100));
    CHECK(hit.price_max == usd(1'900));
    return hit.sku.text();
  };
  CHECK(first(asking("shirt", SearchSort::price_up)) == "C-S");
  CHECK(first(asking("shirt", SearchSort::price_down)) == "A-L");
  CHECK(first(asking("shirt", SearchSort::name)) == "C-S");
  CHECK(first(asking("shirt", SearchSort::newest)) == "C-S");
  auto each = asking("shirt");
  each.collapse = false;
  CHECK(first(asking("shirt")) == shop.search(each).hits.at(0).sku.text());

  const auto everything = shop.search("");
  CHECK(Shop::skus(everything) == "MUG C-S");
  CHECK(everything.hits[0].group.empty());
  CHECK(everything.hits[0].variants == 0);
}

TEST_CASE("groups: only the variants that words and filters find count") {
  Shop shop;
  shop.tell("R", variant("tee", "M", 1'500, "Red shirt"))
      .tell("G", variant("tee", "L", 2'500, "Green shirt"))
      .tell("B", variant("tee", "S", 3'500, "Blue shirt"))
      .tell("G", StockReceived{1, ""})
      .commit();
  auto query = asking("red");
  CHECK(shop.search(query).hits.at(0).variants == 1);
  CHECK(shop.search(query).hits.at(0).price_max == usd(1'500));
  query.q = "shirt";
  query.price_min = usd(2'000).amount;
  CHECK(shop.search(query).hits.at(0).variants == 2);
  CHECK(shop.search(query).hits.at(0).price_min == usd(2'500));
  query.in_stock = true;
  CHECK(shop.found(query) == "G");
  CHECK(shop.search(query).hits.at(0).variants == 1);
}

TEST_CASE("groups: variants can be listed, all and of one group") {
  Shop shop;
  shop.tell("A", variant("tee", "M", 1'500)).tell("B", variant("tee", "L", 1'600));
  shop.tell("C", variant("cap", "", 900, "Cap")).define("D", "Mug").commit();
  auto query = asking("");
  CHECK(shop.found(query) == "D C B");
  CHECK(shop.search(query).total == 3);
  query.collapse = false;
  const auto each = shop.search(query);
  CHECK(Shop::skus(each) == "D C B A");
  CHECK(each.total == 4);
  CHECK(each.hits[3].group == "tee");
  CHECK(each.hits[3].variants == 0);
  query.group = "tee";
  CHECK(shop.found(query) == "B A");
  query.group = "te";
  CHECK(shop.search(query).total == 0);
  query.group = "";
  CHECK(shop.search(query).total == 0);
}

TEST_CASE("groups: facets count a group once for each value, as a search for the value does") {
  Shop shop;
  const auto tell = [&](const char* sku, const char* group, const char* brand,
                        std::vector<std::string> category, std::int64_t cents, int stock) {
    auto made = variant(group, sku, cents);
    made.brand = brand;
    made.category = std::move(category);
    shop.tell(sku, made);
    if (stock > 0) shop.tell(sku, StockReceived{stock, ""});
  };
  tell("A", "tee", "Acme", {"Wear", "Tops"}, 400, 1);
  tell("B", "tee", "Acme", {"Wear", "Sale"}, 450, 0);
  tell("C", "tee", "Zeta", {"Home"}, 1'200, 0);
  tell("D", "", "Acme", {"Wear", "Tops"}, 400, 0);
  tell("E", "cap", "Acme", {"Wear"}, 420, 2);
  shop.commit();
  auto query = asking("shirt");
  query.brand_facet = query.category_facet = query.price_facet = query.stock_facet = true;
  const auto all = shop.search(query);
  CHECK(all.total == 3);
  CHECK(count_of(all, "brand", "Acme") == 3);
  CHECK(count_of(all, "brand", "Zeta") == 1);
  CHECK(count_of(all, "category", "Wear") == 3);
  CHECK(count_of(all, "category", "Wear > Tops") == 2);
  CHECK(count_of(all, "category", "Wear > Sale") == 1);
  CHECK(count_of(all, "category", "Home") == 1);
  CHECK(count_of(all, "price", "0-5") == 3);
  CHECK(count_of(all, "price", "10-25") == 1);
  CHECK(count_of(all, "in_stock", "true") == 2);
  CHECK(count_of(all, "in_stock", "false") == 2);
  for (const auto& brand : {"Acme", "Zeta"}) {
    auto only = query;
    only.brand = brand;
    CHECK(shop.search(only).total == count_of(all, "brand", brand));
  }
}

TEST_CASE("groups: prices are of the currency that is looked at, else of the hit's own") {
  Shop shop;
  const auto tell = [&](const char* sku, const char* group, Money price) {
    auto made = variant(group, sku, 0);
    made.price = price;
    shop.tell(sku, made);
  };
  tell("A", "tee", gbp(900));
  tell("B", "tee", usd(1'000));
  tell("C", "tee", usd(1'300));
  tell("D", "cap", gbp(500));
  tell("E", "", usd(100));
  shop.commit();
  auto query = asking("", SearchSort::newest);
  query.otherwise = *Currency::parse("USD");
  const auto all = shop.search(query);
  REQUIRE(Shop::skus(all) == "E D C");
  CHECK(all.hits[1].price_min == gbp(500));
  CHECK(all.hits[1].price_max == gbp(500));
  CHECK(all.hits[2].variants == 3);
  CHECK(all.hits[2].price_min == usd(1'000));
  CHECK(all.hits[2].price_max == usd(1'300));
  query.currency = *Currency::parse("GBP");
  const auto pounds = shop.search(query);
  REQUIRE(Shop::skus(pounds) == "D A");
  CHECK(pounds.hits[1].variants == 1);
  CHECK(pounds.hits[1].price_max == gbp(900));
}

TEST_CASE("groups: a variant that goes off sale, comes back or changes its group is followed") {
  Shop shop;
  shop.tell("A", variant("tee", "M", 1'500)).tell("B", variant("tee", "L", 1'600));
  shop.tell("C", variant("cap", "", 900)).commit();
  const auto groups = [&] {
    std::map<std::string, std::uint64_t> variants;
    const auto result = shop.search("shirt");
    CHECK(result.total == result.hits.size());
    for (const auto& hit : result.hits) variants[hit.group] += hit.variants;
    return variants;
  };
  using Variants = std::map<std::string, std::uint64_t>;
  CHECK(groups() == Variants{{"tee", 2}, {"cap", 1}});
  shop.tell("A", ProductTakenOffSale{}).commit();
  CHECK(groups() == Variants{{"tee", 1}, {"cap", 1}});
  shop.tell("A", variant("cap", "M", 1'500)).commit();  // the same text, another group
  CHECK(groups() == Variants{{"tee", 1}, {"cap", 2}});
  shop.tell("B", StockReceived{3, ""}).commit();  // keeps its group
  CHECK(groups() == Variants{{"tee", 1}, {"cap", 2}});
  const auto digest = *shop.model().digest();
  shop.open();  // from the store
  CHECK(groups() == Variants{{"tee", 1}, {"cap", 2}});
  shop.tell("B", product("Shirt")).commit();
  CHECK(groups() == Variants{{"", 0}, {"cap", 2}});
  CHECK(*shop.model().digest() != digest);
}

TEST_CASE("groups: the pages show each group and each other product once, as one long page does") {
  std::mt19937_64 dice(3);
  const std::vector<std::string> words{"glass", "oak", "red", "blue"};
  std::vector<std::pair<std::string, ProductDefined>> told;
  for (int i = 0; i < 240; ++i) {
    std::string name = "lamp";
    for (std::size_t n = dice() % 4; n > 0; --n) name += " " + words[dice() % words.size()];
    const auto group = i % 4 == 0 ? "" : "g" + std::to_string(dice() % (i % 4 == 1 ? 3 : 40));
    auto made = variant(group, std::to_string(i), 100 + 50 * static_cast<int>(dice() % 9), name);
    made.category = {"Home", "C" + std::to_string(dice() % 5)};
    told.emplace_back("S" + std::to_string(i), made);
  }
  Shop one, other;
  for (const auto& [sku, what] : told) one.tell(sku, what);
  one.commit();
  for (std::size_t i = told.size(); i-- > 0;)
    REQUIRE(Shop::apply(other.model(), told[i].first, told[i].second,
                        1'001 + static_cast<std::int64_t>(i))
                .ok());
  other.commit();
  for (const char* q : {"", "lamp", "red glass lamp", "lamp without oak", "blue chair"}) {
    for (const char* sort : {"relevance", "price", "-price", "name", "newest"}) {
      CAPTURE(q);
      CAPTURE(sort);
      auto query = asking(q, *parse_search_sort(sort));
      query.limit = 100;
      const auto whole = all_pages(one, query);
      CHECK(std::set(whole.begin(), whole.end()).size() == whole.size());
      CHECK(one.search(query).total == whole.size());
      query.limit = 7;
      CHECK(all_pages(one, query) == whole);
      CHECK(all_pages(other, query) == whole);
      std::vector<std::string> in_turns;
      for (int page = 0; page < 200; ++page) {
        const auto result = (page % 2 == 0 ? one : other).search(query);
        for (const auto& hit : result.hits)
          in_turns.push_back(hit.variants > 0 ? "group " + hit.group : hit.sku.text());
        query.cursor = result.cursor;
        if (query.cursor.empty()) break;
      }
      CHECK(in_turns == whole);
      query.cursor.clear();
      for (query.offset = 0; query.offset < whole.size(); query.offset += 11) {
        const auto result = one.search(query);
        const auto& hit = result.hits.at(0);
        const auto name = hit.variants > 0 ? "group " + hit.group : hit.sku.text();
        CHECK(name == whole[query.offset]);
      }
    }
  }
}

TEST_CASE("groups: what is written meanwhile to others moves no group") {
  Shop shop;
  for (int i = 0; i < 90; ++i)
    shop.tell("S" + std::to_string(i), variant("g" + std::to_string(i % 30), std::to_string(i), 100,
                                               i % 7 == 0 ? "red lamp" : "lamp shade"));
  shop.commit();
  auto query = asking("red lamp shade");  // two of three are enough
  query.limit = 4;
  std::multiset<std::string> seen;
  for (int page = 0; page < 200; ++page) {
    const auto result = shop.search(query);
    for (const auto& hit : result.hits) seen.insert(hit.group);
    if (result.cursor.empty()) break;
    query.cursor = result.cursor;
    for (int i = 0; i < 5; ++i)
      shop.tell("N" + std::to_string(100 * page + i),
                variant("n" + std::to_string(page), std::to_string(i), 100, "red red lamp"));
    shop.commit();
  }
  for (int i = 0; i < 30; ++i) CHECK(seen.count("g" + std::to_string(i)) == 1);
  for (const auto& group : seen) CHECK(seen.count(group) == 1);
}

TEST_CASE("groups: columns that were stored before there were groups are read") {
  search::ProductColumns columns;
  columns.sku = "A";
  columns.available = 3;
  columns.price = usd(150);
  columns.defined = true;
  std::string bytes = search::encode(columns);
  CHECK(search::decode_columns(bytes) == columns);
  bytes[0] = 1;
  CHECK_FALSE(search::decode_columns(bytes));
  bytes.resize(bytes.size() - 4);  // the length of its group
  CHECK(search::decode_columns(bytes) == columns);
  columns.group = "tee";
  CHECK(search::decode_columns(search::encode(columns)) == columns);
}

TEST_CASE("groups: a cursor is of hits or of variants, not of both") {
  Shop shop;
  for (int i = 0; i < 30; ++i)
    shop.tell("S" + std::to_string(i), variant("g" + std::to_string(i / 2), std::to_string(i), 9));
  shop.commit();
  auto query = asking("shirt");
  query.cursor = shop.search(query).cursor;
  REQUIRE(shop.model().search(query));
  auto each = query;
  each.collapse = false;
  REQUIRE_FALSE(shop.model().search(each));
  CHECK(shop.model().search(each).error().parameter == "cursor");
  auto other = query;
  other.group = "g1";
  CHECK_FALSE(shop.model().search(other));
}

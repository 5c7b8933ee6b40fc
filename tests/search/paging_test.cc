#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/search/support.h"

using namespace souk;
using souk::testing::product;
using souk::testing::Shop;

namespace {

/// Every SKU once, page by page.
std::vector<std::string> all_pages(const Shop& shop, SearchQuery query) {
  std::vector<std::string> skus;
  for (int page = 0; page < 100; ++page) {
    const auto result = shop.search(query);
    for (const auto& hit : result.hits) skus.push_back(hit.sku.text());
    if (result.cursor.empty()) return skus;
    query.cursor = result.cursor;
  }
  FAIL("the pages have no end");
  return skus;
}

void fill(Shop& shop) {
  // Many equal scores, prices, names and times.
  for (int i = 0; i < 57; ++i) {
    auto p = product(i % 3 == 0 ? "Glass lamp" : "Lamp", 100 * (i % 4));
    shop.tell("S" + std::to_string(i), p);
  }
  shop.commit();
}

}  // namespace

TEST_CASE("paging: the pages of every sort give each product once, as one long page does") {
  Shop shop;
  fill(shop);
  for (const char* q : {"", "lamp", "glass lamp"}) {
    for (const char* sort : {"relevance", "price", "-price", "name", "newest"}) {
      CAPTURE(q);
      CAPTURE(sort);
      SearchQuery query;
      query.q = q;
      query.sort = *parse_search_sort(sort);
      query.limit = 100;
      std::vector<std::string> whole;
      for (const auto& hit : shop.search(query).hits) whole.push_back(hit.sku.text());
      query.limit = 7;
      CHECK(all_pages(shop, query) == whole);
      query.offset = 10;
      CHECK(shop.search(query).hits.at(0).sku.text() == whole.at(10));
    }
  }
}

TEST_CASE("paging: a copy built in another order shows the same on each page") {
  // As a rebuild does, which hears of the shards' products in another order.
  std::vector<int> order(200);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  const auto fill_in_order = [&](Shop& shop) {
    for (const int i : order) {
      auto p = product(i % 3 == 0   ? "Glass lamp"
                       : i % 3 == 1 ? "Lamp"
                                    : "Lamp shade",
                       100 * (i % 4));
      p.category = {i % 2 == 0 ? "Lights" : "Rooms"};
      const auto sku = "S" + std::to_string(i % 2 == 0 ? i : 1000 - i);
      REQUIRE(Shop::apply(shop.model(), sku, std::move(p), i / 20).ok());
    }
    shop.commit();
  };
  Shop one, other;
  fill_in_order(one);
  std::mt19937_64 random(11);
  std::shuffle(order.begin(), order.end(), random);
  fill_in_order(other);
  for (const char* q :
       {"", "lamp", "glass lamp", "lamp without glass", "lamp chair", "\"glass lamp\""}) {
    for (const char* sort : {"relevance", "price", "-price", "name", "newest"}) {
      CAPTURE(q);
      CAPTURE(sort);
      SearchQuery query;
      query.q = q;
      query.sort = *parse_search_sort(sort);
      query.limit = 9;
      CHECK(all_pages(one, query) == all_pages(other, query));
      // A client that pages while the copies are switched.
      std::vector<std::string> in_turns;
      for (int page = 0; page < 100; ++page) {
        const auto result = (page % 2 == 0 ? one : other).search(query);
        for (const auto& hit : result.hits) in_turns.push_back(hit.sku.text());
        query.cursor = result.cursor;
        if (query.cursor.empty()) break;
      }
      query.cursor.clear();
      CHECK(in_turns == all_pages(one, query));
      for (query.offset = 0; query.offset < 40; query.offset += 13)
        CHECK(one.found(query) == other.found(query));
    }
  }
}

TEST_CASE("paging: equal scores are in the order of their SKUs' bytes") {
  Shop shop;
  for (const char* sku : {"b", "a", "B", "\xc3\xa4", "a1", "10", "9"}) shop.define(sku, "Lamp");
  shop.commit();
  CHECK(shop.found("lamp") == "10 9 B a a1 b \xc3\xa4");
}

TEST_CASE("paging: products that come and go before the cursor move no page") {
  Shop shop;
  fill(shop);
  SearchQuery query;
  query.sort = SearchSort::price_up;
  query.limit = 10;
  const auto first = shop.search(query);
  for (const auto& hit : first.hits) shop.tell(hit.sku.text(), ProductTakenOffSale{});
  shop.tell("A", product("Lamp", 0)).commit();
  std::set<std::string> seen;
  for (const auto& hit : first.hits) seen.insert(hit.sku.text());
  query.cursor = first.cursor;
  for (const auto& sku : all_pages(shop, query)) CHECK(seen.insert(sku).second);
  CHECK(seen.size() == 57);
}

TEST_CASE(
    "paging: relevance loses and repeats nothing while products are written and copies change") {
  std::mt19937_64 dice(5);
  const std::vector<std::string> words{"glass", "lamp", "oak", "red", "blue", "table", "shade"};
  const auto some_product = [&](int category) {
    std::string name = "lamp";
    for (std::size_t n = dice() % 5; n > 0; --n) name += " " + words[dice() % words.size()];
    auto made = product(name);
    made.category = {"Home", "C" + std::to_string(category % 5)};
    return made;
  };
  for (const char* q : {"lamp", "red glass lamp", "blue table shade", "\"glass lamp\""}) {
    CAPTURE(q);
    std::vector<std::pair<std::string, ProductDefined>> told;
    const auto tell = [&](Shop& shop, const std::string& sku, const ProductDefined& what) {
      shop.tell(sku, what);
      told.emplace_back(sku, what);
    };
    auto shop = std::make_unique<Shop>(SearchOptions{});
    for (int i = 0; i < 150; ++i) tell(*shop, "S" + std::to_string(i), some_product(i));
    shop->commit();
    SearchQuery query;
    query.q = q;
    query.limit = 100;
    std::set<std::string> before;
    for (SearchQuery all = query;;) {
      const auto result = shop->search(all);
      for (const auto& hit : result.hits) before.insert(hit.sku.text());
      if (result.cursor.empty()) break;
      all.cursor = result.cursor;
    }
    query.limit = 7;
    std::multiset<std::string> seen;
    for (int page = 0, next = 0; page < 200; ++page) {
      const auto result = shop->search(query);
      for (const auto& hit : result.hits) seen.insert(hit.sku.text());
      if (result.cursor.empty()) break;
      query.cursor = result.cursor;
      for (int i = 0; i < 9; ++i, ++next)
        tell(*shop, "N" + std::to_string(next), some_product(next));
      shop->commit();
      if (page % 3 != 2) continue;
      auto anew = std::make_unique<Shop>(SearchOptions{});  // another copy, in another order
      for (std::size_t i = told.size(); i-- > 0;) anew->tell(told[i].first, told[i].second);
      shop = std::move(anew);
      shop->commit();
    }
    for (const auto& sku : before) {
      CAPTURE(sku);
      CHECK(seen.count(sku) == 1);
    }
    for (const auto& sku : seen) CHECK(seen.count(sku) == 1);
  }
}

TEST_CASE("paging: a cursor is refused with another query, an offset, or when it is not ours") {
  Shop shop;
  fill(shop);
  SearchQuery query;
  query.q = "lamp";
  query.limit = 5;
  query.cursor = shop.search(query).cursor;
  REQUIRE_FALSE(query.cursor.empty());
  auto other = query;
  other.q = "glass";
  REQUIRE_FALSE(shop.model().search(other));
  CHECK(shop.model().search(other).error().parameter == "cursor");
  other = query;
  other.offset = 3;
  CHECK_FALSE(shop.model().search(other));
  other = query;
  other.cursor[4] = other.cursor[4] == '0' ? '1' : '0';
  CHECK_FALSE(shop.model().search(other));
  for (const char* rubbish : {"x", "00", "zz", "0123456789abcdef", "\xF0\x9F\x98\x80"}) {
    other.cursor = rubbish;
    CHECK_FALSE(shop.model().search(other));
  }
  other.cursor = std::string(100'000, 'a');
  CHECK_FALSE(shop.model().search(other));
}

TEST_CASE("paging: limits and offsets are bounded") {
  Shop shop;
  fill(shop);
  SearchQuery query;
  for (const std::size_t limit : {0UL, 101UL, ~0UL}) {
    query.limit = limit;
    CHECK_FALSE(shop.model().search(query));
  }
  query.limit = 100;
  query.offset = 10'000;
  CHECK(shop.search(query).hits.empty());
  query.q = "lamp";
  CHECK(shop.search(query).hits.empty());
  CHECK(shop.search(query).total == 57);
  query.offset = 10'001;
  CHECK_FALSE(shop.model().search(query));
}

TEST_CASE("rubbish: any bytes are a query") {
  Shop shop;
  fill(shop);
  std::vector<std::string> queries = {"\"",
                                      "\"\"",
                                      "\"lamp",
                                      "-",
                                      "--",
                                      "- -",
                                      "-lamp",
                                      "\xF0\x9F\x98\x80 lamp",
                                      "\xFF\xFE",
                                      "w/",
                                      "w/o",
                                      "not",
                                      "without",
                                      "not not not",
                                      "'",
                                      "lamp'",
                                      "1/",
                                      "1.",
                                      "-\"lamp\"",
                                      "\"-\"",
                                      "*",
                                      "lamp*",
                                      std::string(5'000, 'a'),
                                      std::string(5'000, '"'),
                                      std::string("\0lamp\0", 6)};
  std::string many;
  for (int i = 0; i < 300; ++i) many += "w" + std::to_string(i) + " ";
  queries.push_back(many + "lamp");
  queries.push_back("lamp glass " + many);
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    std::string& q = queries.emplace_back();
    for (int n = i % 40; n-- > 0;) q.push_back(static_cast<char>(random()));
  }
  for (const auto& q : queries) {
    SearchQuery query;
    query.q = q;
    query.brand_facet = query.category_facet = query.price_facet = query.stock_facet = true;
    const auto result = shop.model().search(query);
    REQUIRE(result.ok());
    CHECK(result->hits.size() == std::min<std::uint64_t>(result->total, 10));
    CHECK(shop.model().suggest(q, 10).ok());
  }
  CHECK(shop.search("\xF0\x9F\x98\x80 lamp").total == 57);
  CHECK(shop.search("\"lamp").total == 57);
}

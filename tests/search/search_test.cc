#include "projections/search/search.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/search/support.h"

using namespace souk;
using souk::testing::product;
using souk::testing::Shop;
using souk::testing::usd;

TEST_CASE("search: a committed product is found by a word of its name, whatever its form") {
  Shop shop;
  shop.define("A", "Running shoes for women").define("B", "Leather belt").commit();
  CHECK(shop.found("shoe") == "A");
  CHECK(shop.found("RUNS") == "A");
  CHECK(shop.found("women's") == "A");
  CHECK(shop.found("") == "B A");
  CHECK(shop.search("").total == 2);
}

TEST_CASE(
    "search: brand, category, description and attributes are searched, the name weighs most") {
  Shop shop;
  auto described = product("Kettle");
  described.description = "Boils water for lemon tea";
  described.brand = "Acme";
  described.category = {"Home", "Kitchen"};
  described.attributes = {{"color", "crimson"}};
  shop.tell("K", described).define("T", "Lemon tea").commit();
  CHECK(shop.found("acme") == "K");
  CHECK(shop.found("kitchen") == "K");
  CHECK(shop.found("crimson") == "K");
  CHECK(shop.found("lemon tea") == "T K");
}

TEST_CASE("search: what is off sale, inactive or only in stock is not found") {
  Shop shop;
  auto inactive = product("Hidden lamp");
  inactive.active = false;
  shop.define("A", "Desk lamp").define("B", "Wall lamp").tell("C", inactive);
  shop.tell("D", StockReceived{5, ""}).tell("B", ProductTakenOffSale{}).commit();
  CHECK(shop.found("lamp") == "A");
  CHECK(shop.search("").total == 1);
  CHECK(shop.model().size() == 1);
  shop.define("B", "Wall lamp").define("D", "Floor lamp").commit();
  CHECK(shop.search("lamp").total == 3);
  CHECK(shop.search("floor lamp").hits.at(0).available == 5);
}

TEST_CASE("search: what is available follows reservations, sales and returns") {
  Shop shop;
  const auto available = [&] { return shop.commit().search("").hits.at(0).available; };
  shop.define("A", "Lamp").tell("A", StockReceived{10, ""});
  CHECK(available() == 10);
  shop.tell("A", StockReserved{{}, 4, {}});
  CHECK(available() == 6);
  shop.tell("A", StockClaimed{}).tell("A", StockSold{{}, 4});
  CHECK(available() == 6);
  shop.tell("A", StockReturned{{}, 1, 2}).tell("A", StockAdjusted{-3, ""});
  CHECK(available() == 5);
  shop.tell("A", StockReserved{{}, 5, {}});
  CHECK(available() == 0);
  shop.tell("A", ReservationReleased{{}, 2}).tell("A", ReservationExpired{{}, 3});
  CHECK(available() == 5);
}

TEST_CASE("search: a new text replaces the former one, a new price does not touch it") {
  Shop shop;
  shop.tell("A", product("Green lamp", 500)).commit();
  shop.tell("A", product("Green lamp", 700)).commit();
  CHECK(shop.search("green").hits.at(0).price == usd(700));
  shop.tell("A", product("Red lamp", 700)).commit();
  CHECK(shop.found("green") == "");
  CHECK(shop.found("red") == "A");
}

TEST_CASE("search: a large catalogue is committed in parts, stock and prices are not") {
  Shop shop;
  int texts = 0;
  for (; texts < 2'000 && !shop.model().wants_commit(); ++texts)
    shop.define("s" + std::to_string(texts), "paper straw");
  CHECK(texts >= 100);
  CHECK(texts <= 1'000);
  shop.commit();
  CHECK_FALSE(shop.model().wants_commit());
  for (int i = 0; i < texts; ++i)
    shop.tell("s" + std::to_string(i), StockReceived{1, "r"})
        .tell("s" + std::to_string(i), product("paper straw", 7));
  CHECK_FALSE(shop.model().wants_commit());
}

TEST_CASE("search: words of which two thirds are there are enough") {
  Shop shop;
  shop.define("A", "Blue wool socks").define("B", "Blue wool hat").define("C", "Blue cup").commit();
  CHECK(shop.found("blue wool socks") == "A B");
  CHECK(shop.found("wool cup") != "");
}

TEST_CASE("search: where nothing matches, it says what was relaxed") {
  Shop shop;
  shop.define("A", "Blue wool socks").define("B", "Glass vase").commit();
  const auto fewer = shop.search("wool vase");
  CHECK(fewer.total == 2);
  REQUIRE(fewer.relaxed.size() == 1);
  CHECK(fewer.relaxed[0] == "1 of 2 words are enough, instead of 2");
  const auto unknown = shop.search("zzzyx socks");
  CHECK(Shop::skus(unknown) == "A");
  REQUIRE(unknown.relaxed.size() == 1);
  CHECK(unknown.relaxed[0] == "no product knows \"zzzyx\"");
  const auto apart = shop.search("\"socks blue\"");
  CHECK(Shop::skus(apart) == "A");
  REQUIRE(apart.relaxed.size() == 1);
  CHECK(apart.relaxed[0] == "the words in quotes need not stand together");
  const auto nothing = shop.search("zzzyx");
  CHECK(nothing.total == 0);
  CHECK(nothing.hits.empty());
}

TEST_CASE("search: by relevance, a few good hits are filled up with others, and it says so") {
  Shop shop(SearchOptions{});
  shop.define("A", "Blue cup").define("B", "Blue wool socks").define("C", "Glass vase").commit();
  const auto filled = shop.search("wool socks blue vase");
  CHECK(Shop::skus(filled).starts_with("B"));
  CHECK(filled.total == 3);
  REQUIRE(filled.relaxed.size() == 1);
  CHECK(filled.relaxed[0] == "1 of 4 words are enough, instead of 3");
  SearchQuery by_price;
  by_price.q = "wool socks blue vase";
  by_price.sort = SearchSort::price_up;
  CHECK(shop.found(by_price) == "B");
}

TEST_CASE("search: what a thing is comes before what it goes with") {
  Shop shop;
  shop.define("A", "Case for phone").define("B", "Best phone ever").commit();
  CHECK(shop.found("phone") == "B A");
}

TEST_CASE("search: hits of the category that most good hits are in come first") {
  Shop shop;
  auto hat = product("Sun hat");
  hat.category = {"Wear", "Hats"};
  auto band = hat;
  band.category = {"Sports", "Bands"};
  shop.tell("A", band).tell("B", hat).tell("C", hat).commit();
  CHECK(shop.found("sun hat") == "B C A");
}

TEST_CASE("search: filters are never relaxed") {
  Shop shop;
  shop.define("A", "Blue socks").commit();
  SearchQuery query;
  query.q = "blue socks";
  query.brand = "Nobody";
  CHECK(shop.search(query).total == 0);
}

TEST_CASE("search: a phrase must stand together, in this order") {
  Shop shop;
  shop.define("A", "Red wine glass").define("B", "Wine, red").define("C", "Glass of wine").commit();
  CHECK(shop.found("\"red wine\"") == "A");
  CHECK(shop.found("\xE2\x80\x9Cred wine\xE2\x80\x9D glass") == "A");
  CHECK(shop.search("red wine").total == 2);
}

TEST_CASE("search: without and not exclude what a name says is there, and prefer who denies it") {
  Shop shop;
  shop.define("A", "Water bottle with straw").define("B", "Water bottle");
  shop.define("C", "Water bottle, no straw").commit();
  CHECK(shop.found("water bottle without straw") == "C B");
  CHECK(shop.found("water bottle w/o straw") == "C B");
  CHECK(shop.found("water bottle not straw") == "C B");
  CHECK(shop.search("water bottle straw").total == 3);
  CHECK(shop.found("bottle -straw") == "B");
  CHECK(shop.found("without straw") == "C B");
}

TEST_CASE("search: a negation takes one word, or words that are one thing") {
  Shop shop;
  shop.define("A", "Blanket with glass beads").define("B", "Glass blanket green");
  shop.define("C", "Green blanket").commit();
  CHECK(shop.found("blanket without glass beads").find('A') == std::string::npos);
  CHECK(shop.search("blanket without glass beads").total == 2);
  CHECK(shop.search("blanket without beads green").total == 2);
}

TEST_CASE("search: a word that the catalogue does not know is corrected, a known one never") {
  Shop shop;
  shop.define("A", "Leather wallet").define("B", "Leather walnut").define("C", "Weather vane");
  shop.commit();
  const auto wrong = shop.search("lether walet");
  CHECK(Shop::skus(wrong).starts_with("A"));
  CHECK(wrong.suggestion == "leather wallet");
  const auto known = shop.search("weather");
  CHECK(Shop::skus(known) == "C");
  CHECK_FALSE(known.suggestion);
}

TEST_CASE("search: a word that is two, and two that are one") {
  Shop shop;
  shop.define("A", "Faucet with hand shower").define("B", "Tabletop saw").commit();
  CHECK(shop.found("handshower faucet") == "A");
  CHECK(shop.found("table top saw") == "B");
}

TEST_CASE("search: the last word may be unfinished, unless something follows it") {
  Shop shop;
  shop.define("A", "Dark chocolate").define("B", "Chocolate cake").define("C", "Tea").commit();
  CHECK(shop.search("choc").total == 2);
  CHECK(shop.found("dark choc") == "A");
  CHECK(shop.search("choc ").total == 0);
}

TEST_CASE("search: synonyms find each other, below the word itself") {
  Shop shop;
  shop.define("A", "Couch").define("B", "Sofa").define("C", "Cell phone").commit();
  CHECK(shop.found("sofa") == "B A");
  CHECK(shop.found("cellphone") == "C");
  CHECK(shop.found("settee") == "A B");  // which no product says
}

TEST_CASE("search: price, brand, category and stock filter exactly, and facets count exactly") {
  Shop shop;
  for (int i = 1; i <= 6; ++i) {
    auto p = product("Lamp " + std::to_string(i), i * 400);
    p.brand = i % 2 == 0 ? "Even" : "Odd";
    p.category = i <= 4 ? std::vector<std::string>{"Home", "Light"}
                        : std::vector<std::string>{"Home", "Garden"};
    shop.tell("S" + std::to_string(i), p);
    if (i > 3) shop.tell("S" + std::to_string(i), StockReceived{i, ""});
  }
  shop.commit();
  SearchQuery query;
  query.q = "lamp";
  query.brand_facet = query.category_facet = query.price_facet = query.stock_facet = true;
  using Values = std::vector<FacetValue>;
  auto all = shop.search(query);
  CHECK(all.total == 6);
  CHECK(all.facets["brand"] == Values{{"Even", 3}, {"Odd", 3}});
  CHECK(all.facets["category"] == Values{{"Home", 6}, {"Home > Light", 4}, {"Home > Garden", 2}});
  CHECK(all.facets["price"] == Values{{"0-5", 1}, {"5-10", 1}, {"10-25", 4}});
  CHECK(all.facets["in_stock"] == Values{{"false", 3}, {"true", 3}});
  query.category = {"Home", "Light"};
  query.in_stock = false;
  query.price_min = Micros{8'000'000};
  query.price_max = Micros{12'000'000};
  all = shop.search(query);
  CHECK(all.total == 2);
  CHECK(all.facets["brand"] == Values{{"Even", 1}, {"Odd", 1}});
  query.brand = "Odd";
  CHECK(shop.found(query) == "S3");
  query.brand.reset();
  query.in_stock = true;
  CHECK(shop.search(query).total == 0);
}

TEST_CASE("search: sorts by price, name and age, equal ones by SKU") {
  Shop shop;
  shop.tell("A", product("pear", 300)).tell("C", product("Apple", 100));
  shop.tell("B", product("apple", 100)).commit();
  const auto by = [&](const char* sort) {
    SearchQuery query;
    query.sort = *parse_search_sort(sort);
    return shop.found(query);
  };
  CHECK(by("price") == "B C A");
  CHECK(by("-price") == "A B C");
  CHECK(by("name") == "B C A");
  CHECK(by("newest") == "B C A");
  CHECK_FALSE(parse_search_sort("rubbish"));
}

TEST_CASE("search: suggestions complete the last word, and name products") {
  Shop shop;
  shop.define("A", "Dark chocolate").define("B", "Chocolate cake").define("C", "Chain").commit();
  const auto suggested = shop.model().suggest("choc", 5);
  REQUIRE(suggested.ok());
  REQUIRE(suggested->size() == 3);
  CHECK((*suggested)[0] == Suggestion{"chocolate", Suggestion::Kind::words, 2});
  CHECK((*suggested)[1].text == "Chocolate cake");
  CHECK((*suggested)[2].text == "Dark chocolate");
  const auto second = shop.model().suggest("dark ch", 5);
  REQUIRE(second.ok());
  REQUIRE_FALSE(second->empty());
  CHECK((*second)[0].text == "dark chocolate");
  const auto typo = shop.model().suggest("chocolte", 5);
  REQUIRE(typo.ok());
  REQUIRE_FALSE(typo->empty());
  CHECK((*typo)[0].text == "chocolate");
  CHECK(shop.model().suggest("", 5)->empty());
  CHECK_FALSE(shop.model().suggest("a", 0));
  CHECK_FALSE(shop.model().suggest("a", 21));
}

TEST_CASE("search: SKUs, barcodes and parts of codes are found, the exact one first") {
  Shop shop;
  auto lamp = product("Desk lamp");
  lamp.barcode = "4006381333931";
  shop.tell("WH-1000XM4/B", lamp);
  shop.tell("85123A", product("Heart holder"));
  shop.tell("85123", product("Holder for 85123A"));
  shop.tell("BANK CHARGES", product("Fee"));
  shop.tell("AB-12-XL", product("Shirt"));
  shop.commit();
  CHECK(shop.found("85123a") == "85123A 85123");
  CHECK(shop.found("85123") == "85123");
  CHECK(shop.found("4006381333931") == "WH-1000XM4/B");
  CHECK(shop.found("wh-1000xm4/b") == "WH-1000XM4/B");
  CHECK(shop.found("1000XM4") == "WH-1000XM4/B");
  CHECK(shop.found("wh1000xm4") == "WH-1000XM4/B");
  CHECK(shop.found("ab12xl") == "AB-12-XL");
  CHECK(shop.found("bank charges") == "BANK CHARGES");
}

TEST_CASE("search: a query of signs alone finds nothing and says so") {
  Shop shop;
  shop.define("a", "Lamp").define("++", "Plus").commit();
  for (const char* q : {"!!!", "\"\"", "---", "& / ()", "\xE2\x80\xA6"}) {
    CAPTURE(q);
    const auto result = shop.search(std::string(q));
    CHECK(result.total == 0);
    REQUIRE(result.relaxed.size() == 1);
    CHECK(result.relaxed[0] == "there is no letter and no digit to look for");
  }
  CHECK(shop.search(std::string("  ")).total == 2);
  CHECK(shop.found("++") == "++");  // a SKU
}

TEST_CASE("search: Chinese, Japanese, Korean and Thai are found inside words") {
  Shop shop;
  shop.define("tower", "東京タワー模型").define("tea", "有機緑茶ティーバッグ");
  shop.define("laptop", "게이밍노트북").define("coffee", "กาแฟสด").commit();
  CHECK(shop.found("東京") == "tower");
  CHECK(shop.found("タワー") == "tower");
  CHECK(shop.found("緑茶") == "tea");
  CHECK(shop.found("茶") == "tea");
  CHECK(shop.found("노트북") == "laptop");
  CHECK(shop.found("กาแฟ") == "coffee");
  CHECK(shop.found("\"京タワ\"") == "tower");
  CHECK(shop.found("大阪") == "");
}

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/search/support.h"

using namespace souk;
using souk::testing::product;
using souk::testing::Shop;

TEST_CASE("concurrency: queries are whole while products, prices and stock change") {
  Shop shop;
  for (int i = 0; i < 200; ++i) shop.define("S" + std::to_string(i), "Glass lamp");
  shop.commit();
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, asked{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      while (!stop) {
        SearchQuery query;
        query.q = r == 0 ? "lamp" : r == 1 ? "lamp -green" : "\"glass lamp\"";
        query.brand_facet = query.stock_facet = true;
        query.limit = 100;
        const auto result = shop.model().search(query);
        ++asked;
        if (!result) {
          ++wrong;
          continue;
        }
        std::uint64_t counted = 0;
        for (const auto& value : result->facets.at("in_stock")) counted += value.count;
        if (counted != result->total) ++wrong;
        // Half of the products turn green one by one.
        if (result->total < (r == 1 ? 100 : 200)) ++wrong;
        if (result->hits.size() != 100) ++wrong;
        if (!shop.model().suggest("gla", 5)) ++wrong;
      }
    });
  }
  for (int i = 0; i < 150; ++i) {
    const auto sku = "S" + std::to_string(i);
    shop.tell(sku, product(i % 2 == 0 ? "Glass lamp green" : "Glass lamp", 100 + i));
    shop.tell(sku, StockReceived{1, ""});
    if (i % 10 == 0) shop.define("N" + std::to_string(i), "Glass lamp");
    shop.commit();
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(asked > 3);
}

TEST_CASE("concurrency: what is committed is visible when commit returns") {
  Shop shop;
  for (int i = 0; i < 20; ++i) {
    shop.define("S" + std::to_string(i), "Lamp").commit();
    CHECK(shop.search("lamp").total == static_cast<std::uint64_t>(i) + 1);
    shop.tell("S" + std::to_string(i), StockReceived{i + 1, ""}).commit();
    SearchQuery newest;
    CHECK(shop.search(newest).hits.at(0).available == i + 1);
  }
}

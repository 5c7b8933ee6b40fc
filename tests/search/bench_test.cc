/// How fast it is. Only with SOUK_SEARCH_BENCH=1: 100,000 synthetic products
/// (SOUK_SEARCH_PRODUCTS), two-word queries with two facets and a filter, alone and under 500 stock
/// writes a second.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

#include "tests/search/support.h"

using namespace souk;
using souk::testing::product;
using souk::testing::Shop;

namespace {

using Stopwatch = std::chrono::steady_clock;
double ms_since(Stopwatch::time_point start) {
  return std::chrono::duration<double, std::milli>(Stopwatch::now() - start).count();
}

/// Words as a shop has them: few are in many names, many in few.
class Language {
 public:
  explicit Language(std::uint64_t seed) : random_(seed) {
    static constexpr const char* syllables[] = {"ba",  "co", "di",  "fel", "gor", "hun",
                                                "ja",  "ki", "lam", "mo",  "nes", "pi",
                                                "qua", "ro", "sta", "tur"};
    for (std::size_t i = 0; i < words_max; ++i) {
      std::string word;
      for (std::size_t rest = i + 16 * 3; rest > 0; rest /= 16) word += syllables[rest % 16];
      words_.push_back(word);
    }
  }
  const std::string& word() {
    const double u = std::uniform_real_distribution<>(0, 1)(random_);
    return words_[static_cast<std::size_t>(std::pow(static_cast<double>(words_max), u)) - 1];
  }
  std::string text(std::size_t words) {
    std::string out;
    while (words-- > 0) out += word() + ' ';
    return out;
  }
  std::size_t number(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }

 private:
  static constexpr std::size_t words_max = 20'000;
  std::mt19937_64 random_;
  std::vector<std::string> words_;
};

SearchQuery two_words(Language& language) {
  SearchQuery query;
  query.q = language.word() + " " + language.word();
  query.brand_facet = query.category_facet = true;
  switch (language.number(3)) {
    case 0:
      query.in_stock = true;
      break;
    case 1:
      query.price_min = Micros{10'000'000};
      query.price_max = Micros{100'000'000};
      break;
    default:
      query.category = {"Root " + std::to_string(language.number(8))};
  }
  return query;
}

void report(const char* what, std::vector<double> ms, double seconds) {
  std::sort(ms.begin(), ms.end());
  const auto at = [&](double share) {
    return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
  };
  fmt::print("{}: {:.0f} a second, p50 {:.2f} ms, p99 {:.2f} ms, p99.9 {:.2f} ms, most {:.2f} ms\n",
             what, static_cast<double>(ms.size()) / seconds, at(0.5), at(0.99), at(0.999), at(1));
  std::fflush(stdout);
}

}  // namespace

TEST_SUITE("bench" * doctest::skip(std::getenv("SOUK_SEARCH_BENCH") == nullptr)) {
  TEST_CASE("bench: queries alone and under stock writes") {
    const char* wanted = std::getenv("SOUK_SEARCH_PRODUCTS");
    const std::size_t products = wanted == nullptr ? 100'000 : std::strtoul(wanted, nullptr, 10);
    Shop shop;
    Language language(1);
    const auto sku = [](std::size_t i) { return "S" + std::to_string(i); };
    auto start = Stopwatch::now();
    for (std::size_t i = 0; i < products; ++i) {
      auto p = product(language.text(8), static_cast<std::int64_t>(100 + language.number(50'000)));
      p.description = language.text(40);
      p.brand = "Brand " + std::to_string(language.number(500));
      const auto root = language.number(8);
      p.category = {"Root " + std::to_string(root), "Leaf " + std::to_string(language.number(25))};
      shop.tell(sku(i), p);
      if (i % 3 != 0) shop.tell(sku(i), StockReceived{1'000, ""});
      if (i % 2'000 == 1'999) shop.commit();
    }
    shop.commit();
    fmt::print("built: {} products in {:.1f} s\n", products, ms_since(start) / 1e3);
    start = Stopwatch::now();
    shop.open();
    fmt::print("opened again in {:.2f} s\n", ms_since(start) / 1e3);

    const auto ask = [&](Language& words, double seconds, std::vector<double>& ms) {
      const auto begin = Stopwatch::now();
      while (ms_since(begin) < seconds * 1e3) {
        const auto query = two_words(words);
        const auto one = Stopwatch::now();
        const auto result = shop.search(query);
        ms.push_back(ms_since(one));
      }
    };
    std::vector<double> cold, alone, busy;
    Language asked(2);
    ask(asked, 2, cold);
    report("first 2 s", cold, 2);
    ask(asked, 5, alone);
    report("alone", alone, 5);

    std::atomic<bool> stop{false};
    std::vector<double> commits, visible;
    std::thread writer([&] {
      Language chosen(3);
      auto next = Stopwatch::now();
      for (std::size_t n = 0; !stop; ++n) {
        // 500 a second, five to a commit; every tenth commit also brings a new product.
        next += std::chrono::milliseconds(10);
        std::this_thread::sleep_until(next);
        const auto begin = Stopwatch::now();
        for (int i = 0; i < 5; ++i) {
          shop.tell(sku(chosen.number(products)), StockAdjusted{i % 2 == 0 ? 1 : -1, ""});
        }
        if (n % 10 == 0) shop.define("N" + std::to_string(n), chosen.text(8));
        shop.commit();
        commits.push_back(ms_since(begin));
      }
    });
    ask(asked, 5, busy);
    stop = true;
    writer.join();
    report("under 500 stock writes a second", busy, 5);
    report("commits", commits, 5);
  }
}

/// Relevance on judged queries. Only with SOUK_ESCI=<folder of the ESCI cut>, e.g.
///   SOUK_ESCI=.../esci-search build/release/search_test -ts=esci
/// prints NDCG@10 over the odd queries; SOUK_ESCI_TUNE=1 tries other weights, with
/// cross-validation, SOUK_ESCI_WORST=1 shows each query.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "tests/search/support.h"

using namespace souk;
using souk::testing::Shop;

namespace {

using Row = std::map<std::string, std::string>;

std::string read_zst(const std::string& path) {
  std::string bytes;
  FILE* pipe = ::popen(("zstdcat '" + path + "'").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 65536> part;
  for (std::size_t n; (n = std::fread(part.data(), 1, part.size(), pipe)) > 0;) {
    bytes.append(part.data(), n);
  }
  REQUIRE(::pclose(pipe) == 0);
  return bytes;
}

std::vector<Row> table(const std::string& path) {
  const std::string bytes = read_zst(path);
  std::vector<std::vector<std::string>> lines{{""}};
  bool quoted = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto& field = lines.back().back();
    if (bytes[i] == '"') {
      if (quoted && i + 1 < bytes.size() && bytes[i + 1] == '"') {
        field.push_back(bytes[++i]);
      } else {
        quoted = !quoted;
      }
    } else if (!quoted && bytes[i] == ',') {
      lines.back().emplace_back();
    } else if (!quoted && bytes[i] == '\n') {
      lines.push_back({""});
    } else {
      field.push_back(bytes[i]);
    }
  }
  lines.pop_back();
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    Row& row = rows.emplace_back();
    for (std::size_t c = 0; c < lines[0].size(); ++c) row[lines[0][c]] = lines[i][c];
  }
  return rows;
}

std::string cut(std::string text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

struct Judged {
  std::vector<std::pair<std::string, ProductDefined>> products;
  std::vector<std::pair<int, std::string>> queries;  // the odd ones
  std::map<int, std::map<std::string, double>> gains;
};

Judged load(const std::string& folder) {
  Judged judged;
  for (const auto& row : table(folder + "/products.csv.zst")) {
    ProductDefined p;
    p.name = cut(row.at("title"), 512);
    if (p.name.empty()) p.name = row.at("product_id");
    std::string text = row.at("description");
    if (!text.empty() && !row.at("bullet_points").empty()) text += "\n";
    p.description = cut(text + row.at("bullet_points"), 16384);
    p.brand = cut(row.at("brand"), 256);
    std::string path = row.at("category");
    while (!path.empty()) {
      const auto end = path.find(" > ");
      p.category.push_back(path.substr(0, end));
      path = end == std::string::npos ? "" : path.substr(end + 3);
    }
    if (!row.at("color").empty()) p.attributes.push_back({"color", cut(row.at("color"), 256)});
    const auto& price = row.at("price_usd");
    p.price = {parse_decimal(price.empty() ? "0" : price).value(), *Currency::parse("USD")};
    judged.products.emplace_back(row.at("product_id"), std::move(p));
  }
  for (const auto& row : table(folder + "/judgements_odd.csv.zst")) {
    const int query = std::stoi(row.at("query_id"));
    if (query % 2 == 1) {
      judged.gains[query][row.at("product_id")] = std::stod(row.at("gain"));
    }
  }
  for (const auto& row : table(folder + "/queries.csv.zst")) {
    const int query = std::stoi(row.at("query_id"));
    const auto at = judged.gains.find(query);
    if (at == judged.gains.end()) continue;
    if (std::any_of(at->second.begin(), at->second.end(), [](auto& g) { return g.second > 0; })) {
      judged.queries.emplace_back(query, row.at("query"));
    }
  }
  return judged;
}

double ndcg(const std::map<std::string, double>& gains, const SearchResult& result) {
  std::vector<double> best;
  for (const auto& [sku, gain] : gains) best.push_back(gain);
  std::sort(best.rbegin(), best.rend());
  double ideal = 0, got = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const double discount = std::log2(static_cast<double>(i) + 2);
    if (i < best.size()) ideal += best[i] / discount;
    if (i >= result.hits.size()) continue;
    const auto at = gains.find(result.hits[i].sku.text());
    if (at != gains.end()) got += at->second / discount;
  }
  return got / ideal;
}

/// One for each query.
std::vector<double> scores(const Judged& judged, const SearchTuning& tuning, bool verbose) {
  Shop shop({.synonyms = std::nullopt, .tuning = tuning});
  for (const auto& [sku, p] : judged.products) shop.tell(sku, p);
  shop.commit();
  CHECK(shop.search("").total == judged.products.size());
  std::vector<double> all;
  for (const auto& [number, text] : judged.queries) {
    const auto result = shop.search(text);
    const auto& gains = judged.gains.at(number);
    all.push_back(ndcg(gains, result));
    if (!verbose) continue;
    fmt::print("{:.3f} {:4} {} [{}] {}\n", all.back(), result.total, text,
               result.suggestion.value_or(""), fmt::join(result.relaxed, "; "));
    if (all.back() > 0.5) continue;
    for (const auto& hit : result.hits) {
      const auto at = gains.find(hit.sku.text());
      fmt::print("      {:5} {:.90}\n", at == gains.end() ? -1 : at->second, hit.name);
    }
    for (const auto& [sku, p] : judged.products) {
      const auto at = gains.find(sku);
      if (at != gains.end() && at->second == 1) fmt::print("       E    {:.90}\n", p.name);
    }
  }
  return all;
}

double mean(const std::vector<double>& all, const std::function<bool(std::size_t)>& counts) {
  double sum = 0;
  int n = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!counts(i)) continue;
    sum += all[i];
    ++n;
  }
  return n == 0 ? 0 : sum / n;
}

struct Knob {
  const char* name;
  std::function<void(SearchTuning&, double)> set;
  std::vector<double> values;
};
template <class T>
Knob knob(const char* name, T SearchTuning::*field, std::vector<double> values) {
  return {name, [field](SearchTuning& t, double v) { t.*field = static_cast<T>(v); },
          std::move(values)};
}

}  // namespace

TEST_SUITE("esci" * doctest::skip(std::getenv("SOUK_ESCI") == nullptr)) {
  TEST_CASE("esci: judged queries find what people want") {
    const auto judged = load(std::getenv("SOUK_ESCI"));
    const auto everything = [](std::size_t) { return true; };
    const auto base = scores(judged, {}, std::getenv("SOUK_ESCI_WORST") != nullptr);
    fmt::print("NDCG@10 {:.4f} over {} queries\n", mean(base, everything), base.size());
    CHECK(mean(base, everything) >= 0.65);
    if (std::getenv("SOUK_ESCI_TUNE") == nullptr) return;
    const std::vector<Knob> knobs = {
        knob("k1", &SearchTuning::k1, {0.6, 0.9, 1.6, 2.4, 4}),
        knob("b", &SearchTuning::b, {0, 0.3, 0.7, 0.9}),
        knob("name", &SearchTuning::name_weight, {2, 3, 8, 12}),
        knob("brand", &SearchTuning::brand_weight, {1, 2, 5, 8}),
        knob("category", &SearchTuning::category_weight, {1, 3, 5}),
        knob("attribute", &SearchTuning::attribute_weight, {1, 3, 5}),
        knob("synonym", &SearchTuning::synonym, {0, 0.3, 0.8}),
        knob("joined", &SearchTuning::joined, {0, 0.5, 1}),
        knob("focus", &SearchTuning::focus, {0, 0.15, 0.6, 1}),
        knob("told_absent", &SearchTuning::told_absent, {0, 0.25, 1, 2}),
        knob("vote", &SearchTuning::category_vote, {0, 0.1, 0.2, 0.5}),
        knob("share", &SearchTuning::share_needed, {0.01, 0.5, 0.75, 1}),
        knob("enough", &SearchTuning::products_enough, {1, 5, 20, 40}),
    };
    for (const auto& k : knobs) {
      for (const double value : k.values) {
        SearchTuning tuning;
        k.set(tuning, value);
        const auto all = scores(judged, tuning, false);
        fmt::print("{:12} {:5.2f}  {:.4f}  folds", k.name, value, mean(all, everything));
        for (std::size_t fold = 0; fold < 5; ++fold) {
          fmt::print(" {:+.3f}", mean(all, [&](std::size_t i) { return i % 5 == fold; }) -
                                     mean(base, [&](std::size_t i) { return i % 5 == fold; }));
        }
        fmt::print("\n");
        std::fflush(stdout);
      }
    }
  }
}

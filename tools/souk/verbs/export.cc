// souk export products
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tools/souk/audit/parallel.h"
#include "tools/souk/cli/progress.h"
#include "tools/souk/import/product_export.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

constexpr std::size_t products_per_chunk = 200;
constexpr std::size_t off_sale_max = 1'000'000;
constexpr auto read_models_wait = std::chrono::seconds(60);

/// By how many seconds search or analytics, whichever is further behind, trails the shop.
Outcome<double> seconds_behind(BatchSender& sender) {
  auto models = sender.read("/v1/projections");
  if (!models) return models.error();
  double most = 0;
  for (const Json& model : (*models)["projections"].items())
    if (model["lag_events"].integer() > 0)
      most = std::max(most, std::strtod(model["lag_seconds"].text().c_str(), nullptr));
  return most;
}

/// Waits, for a while, until the read models know what the shop knew when this was called.
Outcome<Done> wait_for_read_models(BatchSender& sender) {
  const auto begun = std::chrono::steady_clock::now();
  for (;;) {
    auto behind = seconds_behind(sender);
    if (!behind) return behind.error();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
    if (*behind == 0 || *behind < passed.count()) return Done{};
    if (passed > read_models_wait) {
      std::fprintf(stderr, "souk: read models are %.0f s behind: newer products are missing\n",
                   *behind);
      return Done{};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// Every SKU: page by page what search finds, then what is not on sale.
Outcome<std::vector<std::string>> all_skus(const Url& url) {
  BatchSender sender(url);
  if (auto done = wait_for_read_models(sender); !done) return done.error();
  std::vector<std::string> skus;
  for (std::string cursor;;) {
    QueryString query;
    query.add("limit", "100").add("sort", "name").add("collapse", "false").add("cursor", cursor);
    auto page = sender.read("/v1/search" + query.text());
    if (!page) return page.error();
    for (const Json& hit : (*page)["hits"].items()) skus.push_back(hit["sku"].text());
    cursor = (*page)["cursor"].text();
    if (cursor.empty()) break;
  }
  // Search leaves out what is not on sale.
  QueryString query;
  query.add("q", "SELECT sku FROM products WHERE active = 0 ORDER BY sku");
  query.add("limit", std::to_string(off_sale_max));
  auto off_sale = sender.read("/v1/sql" + query.text());
  if (!off_sale) return off_sale.error();
  for (const Json& row : (*off_sale)["rows"].items())
    if (!row.items().empty()) skus.push_back(row.items()[0].text());
  return skus;
}

/// The documents of those, in the same order.
Outcome<std::vector<ExportedProduct>> all_products(const Url& url, std::size_t connections,
                                                   const std::vector<std::string>& skus) {
  std::vector<ExportedProduct> products(skus.size());
  Progress progress("products", skus.size());
  const std::size_t chunks = (skus.size() + products_per_chunk - 1) / products_per_chunk;
  auto done = in_parallel(
      url, connections, chunks, [&](BatchSender& sender, std::size_t chunk) -> Outcome<Done> {
        const std::size_t first = chunk * products_per_chunk;
        const std::size_t last = std::min(first + products_per_chunk, skus.size());
        for (std::size_t i = first; i < last; ++i) {
          auto product = sender.read("/v1/products/" + path_segment(skus[i]));
          if (!product) return product.error();
          auto stock = sender.read("/v1/inventory/" + path_segment(skus[i]));
          if (!stock) return stock.error();
          products[i] = {std::move(*product), (*stock)["on_hand"].integer()};
        }
        progress.add(last - first);
        return Done{};
      });
  progress.finish();
  if (!done) return done.error();
  std::erase_if(products, [](const ExportedProduct& one) { return one.product.is_null(); });
  return products;
}

Outcome<Done> write_file(const std::string& name, const std::string& text) {
  std::FILE* file = name.empty() || name == "-" ? stdout : std::fopen(name.c_str(), "wb");
  if (file == nullptr) return Failure{ExitCode::refused, name + ": " + std::strerror(errno)};
  bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  good = std::fflush(file) == 0 && good;
  const int error = errno;
  if (file != stdout) good = std::fclose(file) == 0 && good;
  if (!good) return Failure{ExitCode::refused, name + ": " + std::strerror(error)};
  return Done{};
}

Outcome<ExitCode> export_products(const Invocation& invocation) {
  auto connections = integer_argument(invocation, "connections", 1, 64);
  if (!connections) return connections.error();
  auto skus = all_skus(invocation.url);
  if (!skus) return skus.error();
  const auto products = all_products(invocation.url, static_cast<std::size_t>(*connections), *skus);
  if (!products) return products.error();
  const bool merchant = invocation.get("format") == "merchant";
  const std::string text = merchant ? products_as_merchant_feed(*products, invocation.get("link"))
                                    : products_as_csv(*products);
  const std::string& name = invocation.get("output");
  if (auto done = write_file(name, text); !done) return done.error();
  std::size_t left_out = 0;
  for (const ExportedProduct& one : *products)
    if (merchant && one.product["active"].text() == "false") ++left_out;
  std::fprintf(stderr, "souk: %zu products exported\n", products->size() - left_out);
  if (left_out > 0)
    std::fprintf(stderr, "souk: %zu are not on sale and not in the feed\n", left_out);
  return ExitCode::ok;
}

const char* const details =
    "csv has every member and is what `souk import products` reads back; merchant is a feed for\n"
    "Google Merchant Center, of what is on sale. The read models find the products: the export "
    "waits\n"
    "up to a minute for them, and says so where they are still behind.";

}  // namespace

Verbs export_verbs() {
  Argument format = option("format", "merchant or csv", "csv");
  format.choices = {"merchant", "csv"};
  Argument output = option("output", "The file; default: standard output");
  output.letter = 'o';
  return {
      {.path = "export products",
       .summary = "Write the catalogue to a file, as CSV or as a Google Merchant feed",
       .examples = {"souk export products --output catalogue.csv",
                    "souk export products --format merchant --link 'https://shop.example/p/{sku}' "
                    "-o feed.tsv"},
       .arguments = {format, output, option("link", "merchant: a product's page, with {sku} in it"),
                     option("connections", "How many at a time, 1 to 64", "4")},
       .run = export_products,
       .details = details}};
}

}  // namespace souk::cli

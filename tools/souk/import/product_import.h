#pragma once
/// `souk import products`: sends what a file holds.
#include <string>
#include <vector>

#include "tools/souk/cli/progress.h"
#include "tools/souk/client/failure.h"
#include "tools/souk/client/url.h"
#include "tools/souk/import/product_file.h"

namespace souk::cli {

/// What became of each row of the file; the first six add up to `lines`.
struct ProductSummary {
  std::string format;
  std::uint64_t lines = 0;
  std::uint64_t created = 0, updated = 0, unchanged = 0;
  std::uint64_t merged = 0;
  std::uint64_t stocked = 0;  // of those that were created, updated or unchanged
  std::vector<Rejection> rejected, skipped;
  double seconds = 0;
  std::string json() const;
  std::string text() const;
};

/// Defines each product; receives its stock, under the reference `opening`, where the SKU has never
/// had any: so a repeat changes nothing.
Outcome<ProductSummary> import_products(const ProductFile& file, const Url& url,
                                        std::size_t connections, Progress& progress);

/// `[{"line":3,"why":"..."},...]`, the first `rejections_listed_max` of them.
std::string rejections_json(const std::vector<Rejection>& rejections);
inline constexpr std::size_t rejections_listed_max = 1'000;

}  // namespace souk::cli

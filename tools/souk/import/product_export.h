#pragma once
/// `souk export products`: the catalogue as a file that `souk import products` reads back.
#include <cstddef>
#include <string>
#include <vector>

#include "tools/souk/client/json.h"

namespace souk::cli {

/// A product as GET /v1/products/{sku} has it, and what is on hand of it.
struct ExportedProduct {
  Json product;
  std::int64_t on_hand = 0;
};

/// Comma-separated, with every member: what `--format csv` reads. A column `attribute:NAME` and
/// `option:NAME` for each name that any product has.
std::string products_as_csv(const std::vector<ExportedProduct>& products);

/// Tab-separated, as Google Merchant Center takes it; only what is on sale. `link`: the address of a
/// product's page, with {sku} where its SKU goes; may be empty. Attributes and options that Google
/// has no column for stand in product_detail.
std::string products_as_merchant_feed(const std::vector<ExportedProduct>& products,
                                      const std::string& link);

}  // namespace souk::cli

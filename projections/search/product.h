#pragma once
/// What the index keeps of a product: its text, which is costly to index, and its columns, which
/// change at every order. Stored (product_store.cc draws the bytes).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"

namespace souk::search {

struct ProductText {
  std::string name;
  std::string description;
  std::string brand;
  std::vector<std::string> category;
  std::vector<Attribute> attributes;
  std::vector<std::string> codes;  // its SKU, its barcode: found whole and by their parts
  bool operator==(const ProductText&) const = default;
};

struct ProductColumns {
  std::string sku;
  std::int64_t available = 0;
  Money price;
  bool defined = false;  // stock may come before the product
  bool on_sale = false;
  UnixMs defined_at;            // for the first time
  std::uint64_t text_hash = 0;  // of the encoded text: whether a definition changes it
  std::string group;            // whose variant it is; empty: it is none
  bool operator==(const ProductColumns&) const = default;
};

std::string encode(const ProductText& text);
std::string encode(const ProductColumns& columns);
/// Nothing where the bytes are not what `encode` wrote.
std::optional<ProductText> decode_text(std::string_view bytes);
std::optional<ProductColumns> decode_columns(std::string_view bytes);

}  // namespace souk::search

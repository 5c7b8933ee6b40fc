#pragma once
/// What the tests of product files share.
#include <doctest/doctest.h>

#include <string>

#include "tools/souk/client/json.h"
#include "tools/souk/import/product_file.h"

namespace souk::cli {

inline ProductFile read_file(const std::string& text, const ProductFileOptions& options = {}) {
  auto file = read_product_file(text, options);
  if (!file) FAIL(file.error().message);
  CHECK(file->rows.size() + file->rejected.size() + file->skipped.size() + file->merged ==
        file->lines);
  return *file;
}

/// Why `text` is no file of products at all.
inline std::string why_not(const std::string& text, const ProductFileOptions& options = {}) {
  const auto file = read_product_file(text, options);
  return file ? "it is one" : file.error().message;
}

/// The row of that SKU as the object that put_product takes.
inline Json product(const ProductFile& file, const std::string& sku) {
  for (const ProductRow& row : file.rows)
    if (row.sku == sku) return Json::parse("{" + row.members.substr(1) + "}").value_or(Json{});
  FAIL("no such SKU: " << sku);
  return {};
}

inline std::string list(const Json& texts) {
  std::string out;
  for (const Json& text : texts.items()) out += (out.empty() ? "" : "|") + text.text();
  return out;
}

inline std::string named(const Json& object) {
  std::string out;
  for (const auto& [name, value] : object.members())
    out += (out.empty() ? "" : "|") + name + "=" + value.text();
  return out;
}

}  // namespace souk::cli

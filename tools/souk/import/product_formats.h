#pragma once
/// The files that shops write, each as drafts of products. Each returns empty, or why the file is
/// not of that format.
#include <string>
#include <string_view>

#include "tools/souk/import/product_file.h"

namespace souk::cli {

/// Which of `shopify`, `woocommerce`, `merchant` and `csv` has such columns.
std::string recognise_format(const Sheet& sheet);

/// Shopify's product export, with the names of before and since 2024. The rows of a handle are its
/// variants and its further images. A variant is a product of its own: group = handle, options as
/// they stand; without a SKU it gets one of its handle and options.
/// Source: Shopify's help, "Using CSV files to import and export products".
std::string read_shopify(const Sheet& sheet, Columns& columns, ProductFileBuilder& out);

/// WooCommerce's product export. Variations become products of the group of their parent, whose
/// texts they take where they have none. Variable parents, grouped and external products are told
/// as skipped.
/// Source: WooCommerce's "Product CSV import schema".
std::string read_woocommerce(const Sheet& sheet, Columns& columns, ProductFileBuilder& out);

/// A product feed as Google Merchant Center takes it, of either form.
/// Source: Google's "Product data specification".
std::string read_merchant(const Sheet& sheet, Columns& columns, ProductFileBuilder& out);

/// Rows with columns of our own names: sku, name, description, brand, category (steps parted by
/// ">"), price, currency, active, stock, images, barcode, group, and `option:NAME` and
/// `attribute:NAME`; others are refused or attributes, as `options` say.
std::string read_plain(const Sheet& sheet, const ProductFileOptions& options, Columns& columns,
                       ProductFileBuilder& out);

/// A Merchant feed in XML, RSS 2.0 or Atom, as the sheet that its tab-separated form would be.
/// Elements that repeat stand in one cell with line breaks between them.
/// Errors: refused, with the line, where it is no such XML.
Outcome<Sheet> read_merchant_xml(std::string_view text);

/// The parts of a `product_detail`: section, name, value. Written with colons between them and
/// commas between details; a backslash takes the meaning from either.
struct ProductDetail {
  std::string section, name, value;
  bool operator==(const ProductDetail&) const = default;
};
std::vector<ProductDetail> parse_product_details(std::string_view text);
std::string product_details_text(const std::vector<ProductDetail>& details);

}  // namespace souk::cli

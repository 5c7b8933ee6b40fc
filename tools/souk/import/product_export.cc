#include "tools/souk/import/product_export.h"

#include <algorithm>
#include <array>
#include <set>

#include "tools/souk/client/url.h"
#include "tools/souk/import/product_formats.h"

namespace souk::cli {
namespace {

constexpr std::array<std::string_view, 12> plain_columns = {
    "sku",      "name",   "description", "brand",  "category", "price",
    "currency", "active", "stock",       "images", "barcode",  "group"};
constexpr std::array<std::string_view, 18> merchant_columns = {
    "id",           "title", "description", "link",    "image_link",     "additional_image_link",
    "availability", "price", "brand",       "gtin",    "item_group_id",  "product_type",
    "color",        "size",  "material",    "pattern", "product_detail", "sell_on_google_quantity"};
/// What the columns color, size ... of a feed are called here.
constexpr std::array<std::string_view, 4> variant_names = {"Color", "Size", "Material", "Pattern"};

/// Quoted where it must be: the delimiter, a quote, a line break, blanks at an end.
void append_cell(std::string& out, std::string_view text, char delimiter) {
  const bool plain = text.find_first_of("\"\r\n") == std::string_view::npos &&
                     text.find(delimiter) == std::string_view::npos && trimmed(text) == text;
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_row(std::string& out, const std::vector<std::string>& cells, char delimiter) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += delimiter;
    append_cell(out, cells[i], delimiter);
  }
  out += '\n';
}

std::string joined(const Json& list, std::string_view between, std::size_t first = 0) {
  std::string out;
  for (std::size_t i = first; i < list.items().size(); ++i)
    out += (i == first ? "" : std::string(between)) + list.items()[i].text();
  return out;
}

/// With three decimals a point could part thousands: a fourth makes it plain.
std::string plain_amount(const std::string& amount) {
  const std::size_t point = amount.find('.');
  return point != std::string::npos && amount.size() - point == 4 ? amount + "0" : amount;
}

std::set<std::string> names_of(const std::vector<ExportedProduct>& products,
                               std::string_view member) {
  std::set<std::string> names;
  for (const auto& one : products)
    for (const auto& [name, value] : one.product[member].members()) names.insert(name);
  return names;
}

std::string link_of(const std::string& link, const std::string& sku) {
  constexpr std::string_view mark = "{sku}";
  std::string out = link;
  if (const std::size_t at = out.find(mark); at != std::string::npos)
    out.replace(at, mark.size(), path_segment(sku));
  return out;
}

std::vector<std::string> merchant_row(const ExportedProduct& one, const std::string& link) {
  const Json& product = one.product;
  const Json& images = product["images"];
  const std::string& group = product["group"].text();
  const Json& apart = product[group.empty() ? "attributes" : "options"];
  const auto has_column = [](const std::string& name) {
    return std::ranges::find(variant_names, name) != variant_names.end();
  };
  std::vector<ProductDetail> details;
  const auto detail = [&](std::string_view section, const Json& named, bool have_columns) {
    for (const auto& [name, value] : named.members())
      if (!have_columns || !has_column(name))
        details.push_back({std::string(section), name, value.text()});
  };
  detail("Attributes", product["attributes"], group.empty());
  if (!group.empty()) detail("Options", product["options"], true);
  std::vector<std::string> row = {product["sku"].text(),
                                  product["name"].text(),
                                  product["description"].text(),
                                  link_of(link, product["sku"].text()),
                                  images.items().empty() ? "" : images.items().front().text(),
                                  joined(images, ",", 1),
                                  product["available"].integer() > 0 ? "in_stock" : "out_of_stock",
                                  product["price"].money(),
                                  product["brand"].text(),
                                  product["barcode"].text(),
                                  group,
                                  joined(product["category"], " > ")};
  for (const std::string_view name : variant_names) row.push_back(apart[name].text());
  row.push_back(product_details_text(details));
  row.push_back(std::to_string(one.on_hand));
  return row;
}

}  // namespace

std::string products_as_csv(const std::vector<ExportedProduct>& products) {
  const auto options = names_of(products, "options"), attributes = names_of(products, "attributes");
  std::vector<std::string> header(plain_columns.begin(), plain_columns.end());
  for (const std::string& name : options) header.push_back("option:" + name);
  for (const std::string& name : attributes) header.push_back("attribute:" + name);
  std::string out;
  append_row(out, header, ',');
  for (const auto& [product, on_hand] : products) {
    const Json& price = product["price"];
    std::vector<std::string> row = {product["sku"].text(),
                                    product["name"].text(),
                                    product["description"].text(),
                                    product["brand"].text(),
                                    joined(product["category"], " > "),
                                    plain_amount(price["amount"].text()),
                                    price["currency"].text(),
                                    product["active"].text(),
                                    std::to_string(on_hand),
                                    joined(product["images"], " "),
                                    product["barcode"].text(),
                                    product["group"].text()};
    for (const std::string& name : options) row.push_back(product["options"][name].text());
    for (const std::string& name : attributes) row.push_back(product["attributes"][name].text());
    append_row(out, row, ',');
  }
  return out;
}

std::string products_as_merchant_feed(const std::vector<ExportedProduct>& products,
                                      const std::string& link) {
  std::string out;
  append_row(out, {merchant_columns.begin(), merchant_columns.end()}, '\t');
  for (const ExportedProduct& one : products)
    if (one.product["active"].text() != "false") append_row(out, merchant_row(one, link), '\t');
  return out;
}

}  // namespace souk::cli

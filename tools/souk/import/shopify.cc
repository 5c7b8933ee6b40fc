// Products of Shopify's CSV.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "tools/souk/import/html_text.h"
#include "tools/souk/import/product_formats.h"

namespace souk::cli {
namespace {

constexpr std::size_t options_of_a_product = 3;

/// The rows of one handle, in the order of the file.
struct Handle {
  std::string name;
  std::vector<const SheetRow*> rows;
};

class ShopifyReader {
 public:
  ShopifyReader(const Sheet& sheet, Columns& columns, ProductFileBuilder& out)
      : sheet_(sheet), columns_(columns), out_(out) {}

  std::string read() {
    find_columns();
    if (!columns_.wrong().empty()) return columns_.wrong();
    for (const auto& [column, name] :
         {std::pair{handle_, "Handle or URL handle"}, std::pair{title_, "Title"},
          std::pair{price_, "Variant Price or Price"}})
      if (column == Columns::none) return std::string("line 1: no column ") + name;
    for (const Handle& handle : gather()) take(handle);
    return {};
  }

 private:
  void find_columns() {
    handle_ = columns_.find({"Handle", "URL handle"});
    title_ = columns_.find("Title");
    body_ = columns_.find({"Body (HTML)", "Body HTML", "Description"});
    vendor_ = columns_.find("Vendor");
    category_ = columns_.find({"Product Category", "Standard Product Type"});
    type_ = columns_.find({"Type", "Custom Product Type"});
    tags_ = columns_.find("Tags");
    published_ = columns_.find({"Published", "Published on online store"});
    status_ = columns_.find("Status");
    sku_ = columns_.find({"Variant SKU", "SKU"});
    price_ = columns_.find({"Variant Price", "Price"});
    stock_ = columns_.find({"Variant Inventory Qty", "Inventory quantity"});
    barcode_ = columns_.find({"Variant Barcode", "Barcode"});
    image_ = columns_.find({"Image Src", "Product image URL"});
    variant_image_ = columns_.find({"Variant Image", "Variant image URL"});
    for (std::size_t i = 0; i < options_of_a_product; ++i) {
      const std::string option = "Option" + std::to_string(i + 1) + " ";
      option_name_[i] = columns_.find(option + "Name");
      option_value_[i] = columns_.find(option + "Value");
    }
  }

  std::vector<Handle> gather() {
    std::vector<Handle> handles;
    std::unordered_map<std::string_view, std::size_t> numbers;
    for (const SheetRow& row : sheet_.rows) {
      const std::string_view name = cell(row, handle_);
      out_.look_at(cell(row, price_));
      if (!row.wrong.empty() || name.empty()) {
        out_.reject(row.line, row.wrong.empty() ? "handle: it is empty" : row.wrong);
        continue;
      }
      const auto [at, added] = numbers.try_emplace(name, handles.size());
      if (added) handles.push_back({std::string(name), {}});
      handles[at->second].rows.push_back(&row);
    }
    return handles;
  }

  bool is_variant(const SheetRow& row) const {
    return !cell(row, price_).empty() || !cell(row, sku_).empty() ||
           !cell(row, option_value_[0]).empty();
  }

  /// The first cell of the column that is not empty: later rows leave out what the first says.
  std::string_view first(const Handle& handle, std::size_t column) const {
    for (const SheetRow* row : handle.rows)
      if (const std::string_view text = cell(*row, column); !text.empty()) return text;
    return {};
  }

  void take(const Handle& handle) {
    ProductDraft common;
    common.name = first(handle, title_);
    common.description = html_to_text(first(handle, body_));
    common.brand = first(handle, vendor_);
    common.category = parts_of(first(handle, category_), ">");
    if (const std::string_view type = first(handle, type_); !type.empty()) {
      if (common.category.empty()) {
        common.category = parts_of(type, ">");
      } else {
        common.attributes.emplace_back("Type", type);
      }
    }
    if (const std::string_view tags = first(handle, tags_); !tags.empty())
      common.attributes.emplace_back("Tags", tags);
    const auto published = parse_truth(first(handle, published_));
    const auto status = parse_truth(first(handle, status_));
    if (published || status) common.active = published.value_or(true) && status.value_or(true);
    for (const SheetRow* row : handle.rows)
      if (const std::string_view image = cell(*row, image_); !image.empty())
        common.images.emplace_back(image);

    const auto variants =
        std::ranges::count_if(handle.rows, [&](const SheetRow* row) { return is_variant(*row); });
    for (const SheetRow* row : handle.rows) {
      if (is_variant(*row)) {
        take_variant(handle, *row, common, variants > 1);
      } else if (!cell(*row, image_).empty() && row != handle.rows.front()) {
        out_.merge();
      } else {
        out_.reject(row->line, "neither a variant, with a price, nor a further image");
      }
    }
  }

  void take_variant(const Handle& handle, const SheetRow& row, ProductDraft draft, bool several) {
    draft.line = row.line;
    std::string made = handle.name;
    for (std::size_t i = 0; i < options_of_a_product; ++i) {
      const std::string_view value = cell(row, option_value_[i]);
      std::string name(first(handle, option_name_[i]));
      if (value.empty() || (name == "Title" && value == "Default Title")) continue;
      if (name.empty()) name = "Option " + std::to_string(i + 1);
      draft.options.emplace_back(name, value);
      made += "-" + std::string(value);
    }
    // A spreadsheet keeps a number a text by an apostrophe in front of it.
    std::string_view sku = cell(row, sku_);
    if (sku.starts_with('\'')) sku.remove_prefix(1);
    draft.sku = sku.empty() ? as_sku(made) : std::string(sku);
    if (several || !draft.options.empty()) draft.group = as_sku(handle.name);
    draft.price = cell(row, price_);
    draft.stock = cell(row, stock_);
    draft.barcode = cell(row, barcode_);
    if (const std::string_view image = cell(row, variant_image_); !image.empty())
      draft.images.insert(draft.images.begin(), std::string(image));
    out_.draft(std::move(draft));
  }

  const Sheet& sheet_;
  Columns& columns_;
  ProductFileBuilder& out_;
  std::size_t handle_ = 0, title_ = 0, body_ = 0, vendor_ = 0, category_ = 0, type_ = 0, tags_ = 0,
              published_ = 0, status_ = 0, sku_ = 0, price_ = 0, stock_ = 0, barcode_ = 0,
              image_ = 0, variant_image_ = 0;
  std::array<std::size_t, options_of_a_product> option_name_{}, option_value_{};
};

}  // namespace

std::string read_shopify(const Sheet& sheet, Columns& columns, ProductFileBuilder& out) {
  return ShopifyReader(sheet, columns, out).read();
}

}  // namespace souk::cli

// Products of WooCommerce's CSV.
#include <algorithm>
#include <unordered_map>

#include "tools/souk/import/html_text.h"
#include "tools/souk/import/product_formats.h"

namespace souk::cli {
namespace {

struct AttributeColumns {
  std::size_t name, values;
};

/// Parts between commas; `\,` is a comma of the part itself.
std::vector<std::string> comma_parts(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\\,") {
      parts.back() += ',';
      ++i;
    } else if (text[i] == ',') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  for (std::string& part : parts) part = std::string(trimmed(part));
  std::erase_if(parts, [](const std::string& part) { return part.empty(); });
  return parts;
}

class WooReader {
 public:
  WooReader(const Sheet& sheet, Columns& columns, ProductFileBuilder& out)
      : sheet_(sheet), columns_(columns), out_(out) {}

  std::string read() {
    find_columns();
    if (!columns_.wrong().empty()) return columns_.wrong();
    for (const auto& [column, name] :
         {std::pair{type_, "Type"}, std::pair{name_, "Name"}, std::pair{price_, "Regular price"}})
      if (column == Columns::none) return std::string("line 1: no column ") + name;
    for (const SheetRow& row : sheet_.rows) {
      if (const std::string_view id = cell(row, id_); !id.empty())
        by_name_.try_emplace("id:" + std::string(id), &row);
      if (const std::string_view sku = cell(row, sku_); !sku.empty())
        by_name_.try_emplace(std::string(sku), &row);
    }
    for (const SheetRow& row : sheet_.rows) take(row);
    return {};
  }

 private:
  void find_columns() {
    id_ = columns_.find("ID");
    type_ = columns_.find("Type");
    sku_ = columns_.find("SKU");
    gtin_ = columns_.find({"GTIN, UPC, EAN, or ISBN", "GTIN", "EAN", "UPC", "Global Unique ID"});
    name_ = columns_.find("Name");
    published_ = columns_.find("Published");
    short_ = columns_.find("Short description");
    description_ = columns_.find("Description");
    price_ = columns_.find("Regular price");
    sale_ = columns_.find("Sale price");
    sale_from_ = columns_.find("Date sale price starts");
    sale_to_ = columns_.find("Date sale price ends");
    categories_ = columns_.find("Categories");
    tags_ = columns_.find("Tags");
    images_ = columns_.find("Images");
    parent_ = columns_.find("Parent");
    stock_ = columns_.find("Stock");
    in_stock_ = columns_.find("In stock?");
    brand_ = columns_.find({"Brands", "Brand"});
    for (std::size_t i = 1;; ++i) {
      const std::string attribute = "Attribute " + std::to_string(i) + " ";
      if (!columns_.has(attribute + "name")) break;
      attributes_.push_back(
          {columns_.find(attribute + "name"), columns_.find(attribute + "value(s)")});
    }
  }

  /// "simple, virtual" is simple.
  static std::string kind_of(std::string_view type) {
    for (const std::string& word : comma_parts(lower(type)))
      if (word != "virtual" && word != "downloadable") return word;
    return "simple";
  }

  void take(const SheetRow& row) {
    out_.look_at(cell(row, price_));
    out_.look_at(cell(row, sale_));
    if (!row.wrong.empty()) return out_.reject(row.line, row.wrong);
    const std::string kind = kind_of(cell(row, type_));
    if (kind == "simple") {
      out_.draft(draft_of(row, nullptr));
    } else if (kind == "variation") {
      take_variation(row);
    } else if (kind == "variable") {
      out_.skip(row.line, "variable: its variations are what is sold");
    } else if (kind == "grouped") {
      out_.skip(row.line, "grouped: what is in it is sold by itself");
    } else if (kind == "external") {
      out_.skip(row.line, "external: another shop sells it");
    } else {
      out_.reject(row.line, "Type is none of simple, variable, variation, grouped, external: \"" +
                                std::string(cell(row, type_)) + "\"");
    }
  }

  void take_variation(const SheetRow& row) {
    const std::string_view parent = cell(row, parent_);
    if (parent.empty()) return out_.reject(row.line, "a variation without Parent");
    const auto at = by_name_.find(std::string(parent));
    if (at == by_name_.end() || at->second == &row)
      return out_.reject(row.line, "its Parent is not in the file: " + std::string(parent));
    const SheetRow& whole = *at->second;
    ProductDraft draft = draft_of(row, &whole);
    const std::string name = cell(whole, sku_).empty() ? "woo-" + std::string(cell(whole, id_))
                                                       : std::string(cell(whole, sku_));
    draft.group = as_sku(name);
    if (draft.sku.empty() || draft.sku == cell(whole, sku_)) {
      std::string made = name;
      for (const auto& [option, value] : draft.options) made += "-" + value;
      draft.sku = as_sku(made);
    }
    out_.draft(std::move(draft));
  }

  /// `parent`: of a variation, which takes from it what it lacks itself; null: it is no variation.
  ProductDraft draft_of(const SheetRow& row, const SheetRow* parent) {
    const auto own = [&](std::size_t column) { return std::string(cell(row, column)); };
    const auto either = [&](std::size_t column) {
      const std::string_view mine = cell(row, column);
      return std::string(mine.empty() && parent != nullptr ? cell(*parent, column) : mine);
    };
    ProductDraft draft{.line = row.line, .sku = own(sku_), .name = either(name_)};
    if (draft.sku.empty() && parent == nullptr && !own(id_).empty())
      draft.sku = as_sku("woo-" + own(id_));
    draft.description = html_to_text(either(description_));
    if (draft.description.empty()) draft.description = html_to_text(either(short_));
    draft.brand = either(brand_);
    const auto paths = comma_parts(either(categories_));
    draft.category = deepest_path(paths);
    if (paths.size() > 1)
      out_.note(row.line, "of " + std::to_string(paths.size()) +
                              " categories: " + joined(draft.category, " > "));
    take_price(row, draft);
    draft.stock = own(stock_);
    if (lower(draft.stock) == "parent") draft.stock.clear();
    if (draft.stock.empty() && parse_truth(own(in_stock_)).value_or(false))
      out_.note(row.line, "in stock, but the file does not say how many: receive it yourself");
    // A variation is published by itself and with its parent.
    if (const auto published = parse_truth(own(published_))) draft.active = *published;
    if (parent != nullptr && parse_truth(cell(*parent, published_)) == false) draft.active = false;
    draft.images = addresses_of(own(images_));
    if (parent != nullptr)
      for (std::string& image : addresses_of(cell(*parent, images_)))
        draft.images.push_back(std::move(image));
    draft.barcode = own(gtin_);
    take_attributes(row, draft, parent != nullptr);
    if (const std::string tags = either(tags_); !tags.empty())
      draft.attributes.emplace_back("Tags", tags);
    return draft;
  }

  /// The sale price where it holds without end; else the regular one.
  void take_price(const SheetRow& row, ProductDraft& draft) {
    draft.price = cell(row, price_);
    const std::string_view sale = cell(row, sale_);
    if (sale.empty()) return;
    if (cell(row, sale_from_).empty() && cell(row, sale_to_).empty()) {
      draft.price = sale;
    } else {
      out_.note(row.line, "the sale price " + std::string(sale) +
                              " holds for some days only: the regular one is taken");
    }
  }

  void take_attributes(const SheetRow& row, ProductDraft& draft, bool variation) {
    NamedValues& out = variation ? draft.options : draft.attributes;
    for (const AttributeColumns& columns : attributes_) {
      const std::string name(cell(row, columns.name));
      const std::string value = joined(comma_parts(cell(row, columns.values)), ", ");
      if (name.empty() || value.empty()) continue;  // "any" of a variation
      if (std::ranges::find(out, name, &NamedValues::value_type::first) == out.end())
        out.emplace_back(name, value);
    }
  }

  static std::string joined(const std::vector<std::string>& parts, std::string_view mark) {
    std::string out;
    for (const std::string& part : parts) out += (out.empty() ? "" : std::string(mark)) + part;
    return out;
  }

  const Sheet& sheet_;
  Columns& columns_;
  ProductFileBuilder& out_;
  std::size_t id_ = 0, type_ = 0, sku_ = 0, gtin_ = 0, name_ = 0, published_ = 0, short_ = 0,
              description_ = 0, price_ = 0, sale_ = 0, sale_from_ = 0, sale_to_ = 0,
              categories_ = 0, tags_ = 0, images_ = 0, parent_ = 0, stock_ = 0, in_stock_ = 0,
              brand_ = 0;
  std::vector<AttributeColumns> attributes_;
  std::unordered_map<std::string, const SheetRow*> by_name_;  // by "id:N" and by SKU
};

}  // namespace

std::string read_woocommerce(const Sheet& sheet, Columns& columns, ProductFileBuilder& out) {
  return WooReader(sheet, columns, out).read();
}

}  // namespace souk::cli

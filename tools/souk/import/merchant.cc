// Products of a feed for Google Merchant Center.
#include <algorithm>
#include <array>

#include "tools/souk/import/html_text.h"
#include "tools/souk/import/product_formats.h"

namespace souk::cli {
namespace {

struct Told {
  std::string_view column, name;
};
/// Of a product with item_group_id these tell its variants apart; else they are attributes.
constexpr std::array variant_columns = {Told{"color", "Color"}, Told{"size", "Size"},
                                        Told{"material", "Material"}, Told{"pattern", "Pattern"}};
constexpr std::array attribute_columns = {Told{"mpn", "MPN"}, Told{"gender", "Gender"},
                                          Told{"age_group", "Age group"},
                                          Told{"condition", "Condition"}};

/// `g:image link` is image_link.
std::string plain_name(std::string_view column) {
  std::string name = lower(trimmed(column));
  if (name.starts_with("g:")) name.erase(0, 2);
  std::ranges::replace(name, ' ', '_');
  return name;
}

class MerchantReader {
 public:
  MerchantReader(const Sheet& sheet, Columns& columns, ProductFileBuilder& out)
      : sheet_(sheet), columns_(columns), out_(out) {}

  std::string read() {
    id_ = find("id");
    title_ = find("title");
    description_ = find("description");
    brand_ = find("brand");
    price_ = find("price");
    sale_ = find("sale_price");
    sale_when_ = find("sale_price_effective_date");
    group_ = find("item_group_id");
    gtin_ = find("gtin");
    image_ = find("image_link");
    more_images_ = find("additional_image_link");
    type_ = find("product_type");
    google_type_ = find("google_product_category");
    availability_ = find("availability");
    details_ = find("product_detail");
    stock_ = find("sell_on_google_quantity");
    for (const std::string_view name : {"quantity_to_sell_on_facebook", "quantity", "inventory"})
      if (stock_ == Columns::none) stock_ = find(name);
    for (std::size_t i = 0; i < variants_.size(); ++i)
      variants_[i] = find(variant_columns[i].column);
    for (std::size_t i = 0; i < others_.size(); ++i) others_[i] = find(attribute_columns[i].column);
    if (!columns_.wrong().empty()) return columns_.wrong();
    for (const auto& [column, name] :
         {std::pair{id_, "id"}, std::pair{title_, "title"}, std::pair{price_, "price"}})
      if (column == Columns::none) return std::string("line 1: no column ") + name;
    for (const SheetRow& row : sheet_.rows) take(row);
    return {};
  }

 private:
  std::size_t find(std::string_view wanted) {
    for (const std::string& name : sheet_.columns)
      if (plain_name(name) == wanted) return columns_.find(name);
    return Columns::none;
  }

  void take(const SheetRow& row) {
    out_.look_at(cell(row, price_));
    out_.look_at(cell(row, sale_));
    if (!row.wrong.empty()) return out_.reject(row.line, row.wrong);
    const auto get = [&](std::size_t column) { return std::string(cell(row, column)); };
    ProductDraft draft{.line = row.line, .sku = get(id_), .name = get(title_)};
    draft.description = get(description_);
    if (looks_like_html(draft.description)) draft.description = html_to_text(draft.description);
    draft.brand = get(brand_);
    draft.price = get(price_);
    if (const std::string sale = get(sale_); !sale.empty()) {
      if (get(sale_when_).empty()) {
        draft.price = sale;
      } else {
        out_.note(row.line,
                  "the sale price " + sale + " holds for some days only: the regular one is taken");
      }
    }
    draft.category = category_of(row);
    draft.images = addresses_of(get(image_));
    for (std::string& image : addresses_of(get(more_images_)))
      draft.images.push_back(std::move(image));
    draft.barcode = get(gtin_);
    if (const std::string group = get(group_); !group.empty()) draft.group = as_sku(group);
    draft.stock = get(stock_);
    std::string availability = lower(get(availability_));
    std::ranges::replace(availability, ' ', '_');
    if (draft.stock.empty() && availability == "in_stock")
      out_.note(row.line, "in stock, but the file does not say how many: receive it yourself");
    take_named(row, draft);
    out_.draft(std::move(draft));
  }

  /// Our own path first; Google's where there is none and it is no bare number.
  std::vector<std::string> category_of(const SheetRow& row) const {
    const std::string_view own = cell(row, type_), google = cell(row, google_type_);
    if (!own.empty()) return deepest_path(parts_of(own, own.find('\n') != own.npos ? "\n" : ","));
    const bool number = google.find_first_not_of("0123456789") == std::string_view::npos;
    return number ? std::vector<std::string>{} : parts_of(google, ">");
  }

  void take_named(const SheetRow& row, ProductDraft& draft) {
    NamedValues& apart = draft.group.empty() ? draft.attributes : draft.options;
    for (std::size_t i = 0; i < variants_.size(); ++i)
      if (const std::string_view value = cell(row, variants_[i]); !value.empty())
        apart.emplace_back(variant_columns[i].name, value);
    for (std::size_t i = 0; i < others_.size(); ++i) {
      const std::string_view value = cell(row, others_[i]);
      if (value.empty() || (attribute_columns[i].column == "condition" && lower(value) == "new"))
        continue;
      draft.attributes.emplace_back(attribute_columns[i].name, value);
    }
    for (ProductDetail& detail : parse_product_details(cell(row, details_))) {
      const bool option = detail.section == "Options" && !draft.group.empty();
      (option ? draft.options : draft.attributes)
          .emplace_back(std::move(detail.name), std::move(detail.value));
    }
  }

  const Sheet& sheet_;
  Columns& columns_;
  ProductFileBuilder& out_;
  std::size_t id_ = 0, title_ = 0, description_ = 0, brand_ = 0, price_ = 0, sale_ = 0,
              sale_when_ = 0, group_ = 0, gtin_ = 0, image_ = 0, more_images_ = 0, type_ = 0,
              google_type_ = 0, availability_ = 0, details_ = 0, stock_ = 0;
  std::array<std::size_t, variant_columns.size()> variants_{};
  std::array<std::size_t, attribute_columns.size()> others_{};
};

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == ':' || c == ',' || c == '\\') out += '\\';
    out += c;
  }
}

}  // namespace

std::string read_merchant(const Sheet& sheet, Columns& columns, ProductFileBuilder& out) {
  return MerchantReader(sheet, columns, out).read();
}

std::vector<ProductDetail> parse_product_details(std::string_view text) {
  std::vector<ProductDetail> details;
  std::vector<std::string> parts(1);
  const auto end = [&] {
    for (std::string& part : parts) part = std::string(trimmed(part));
    if (parts.size() == 2) parts.insert(parts.begin(), "");  // no section
    if (parts.size() == 3 && !parts[1].empty()) details.push_back({parts[0], parts[1], parts[2]});
    parts.assign(1, {});
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      parts.back() += text[++i];
    } else if (text[i] == ',' || text[i] == '\n') {
      end();
    } else if (text[i] == ':' && parts.size() < 3) {  // a value may have colons of its own
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  end();
  return details;
}

std::string product_details_text(const std::vector<ProductDetail>& details) {
  std::string out;
  for (const ProductDetail& detail : details) {
    if (!out.empty()) out += ',';
    append_escaped(out, detail.section);
    out += ':';
    append_escaped(out, detail.name);
    out += ':';
    append_escaped(out, detail.value);
  }
  return out;
}

}  // namespace souk::cli

// Products of a file with columns of our own names, or of names that the caller maps to them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/souk/import/product_formats.h"

namespace souk::cli {
namespace {

constexpr std::array<std::string_view, 12> names = {"sku",      "name",   "description", "brand",
                                                    "category", "price",  "currency",    "active",
                                                    "stock",    "images", "barcode",     "group"};
constexpr std::string_view option_prefix = "option:", attribute_prefix = "attribute:";

struct Named {
  std::string name;
  std::size_t column;
};

class PlainReader {
 public:
  PlainReader(const Sheet& sheet, const ProductFileOptions& options, Columns& columns,
              ProductFileBuilder& out)
      : sheet_(sheet), options_(options), columns_(columns), out_(out) {}

  std::string read() {
    if (std::string wrong = take_header(); !wrong.empty()) return wrong;
    for (const SheetRow& row : sheet_.rows) take_row(row);
    return {};
  }

 private:
  std::string take_header() {
    at_.fill(Columns::none);
    std::vector<bool> taken(sheet_.columns.size(), false);
    const auto take = [&](std::string_view ours, std::string_view theirs) {
      const std::size_t column = columns_.find(theirs);
      if (column == Columns::none) return false;
      at_[index_of(ours)] = column;
      taken[column] = true;
      return true;
    };
    for (const auto& [ours, theirs] : options_.renamed) {
      if (std::ranges::find(names, ours) == names.end())
        return "--map: there is no member " + ours + " of a product";
      if (!take(ours, theirs)) return "--map: the file has no column " + theirs;
    }
    for (const std::string_view name : names)
      if (!options_.renamed.contains(std::string(name))) take(name, name);
    for (std::size_t i = 0; i < sheet_.columns.size(); ++i) {
      const std::string& name = sheet_.columns[i];
      if (!taken[i] && name.starts_with(option_prefix)) {
        option_columns_.push_back({name.substr(option_prefix.size()), i});
      } else if (!taken[i] && name.starts_with(attribute_prefix)) {
        attribute_columns_.push_back({name.substr(attribute_prefix.size()), i});
      } else if (!taken[i] && options_.other_columns_are_attributes) {
        attribute_columns_.push_back({name, i});
      } else if (!taken[i]) {
        if (!columns_.wrong().empty()) return columns_.wrong();
        return "line 1: the column " + name + " is none of " +
               fmt::format("{}", fmt::join(names, ", ")) +
               "; use --map NAME=COLUMN, or --attributes to take others as attributes";
      }
      if (!taken[i]) columns_.find(name);
    }
    for (const std::string_view needed : {"sku", "name", "price"})
      if (at(needed) == Columns::none) return "line 1: no column " + std::string(needed);
    return columns_.wrong();
  }

  void take_row(const SheetRow& row) {
    if (!row.wrong.empty()) return out_.reject(row.line, row.wrong);
    const auto get = [&](std::string_view name) { return std::string(cell(row, at(name))); };
    ProductDraft draft{.line = row.line, .sku = get("sku"), .name = get("name")};
    draft.description = get("description");
    draft.brand = get("brand");
    draft.category = parts_of(get("category"), ">");
    draft.price = get("price");
    draft.currency = get("currency");
    draft.stock = get("stock");
    if (const std::string active = get("active"); !active.empty()) {
      draft.active = parse_truth(active);
      if (!draft.active)
        return reject_with_price(draft, "active: neither yes nor no: \"" + active + "\"");
    }
    draft.images = addresses_of(get("images"));
    draft.barcode = get("barcode");
    draft.group = get("group");
    take_named(row, option_columns_, draft.options);
    take_named(row, attribute_columns_, draft.attributes);
    out_.draft(std::move(draft));
  }

  /// Its price tells how prices are written all the same.
  void reject_with_price(const ProductDraft& draft, std::string why) {
    out_.look_at(draft.price);
    out_.reject(draft.line, std::move(why));
  }

  static void take_named(const SheetRow& row, const std::vector<Named>& columns, NamedValues& out) {
    for (const Named& one : columns)
      if (const std::string_view value = cell(row, one.column); !value.empty())
        out.emplace_back(one.name, value);
  }

  static std::size_t index_of(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
  }
  std::size_t at(std::string_view name) const { return at_[index_of(name)]; }

  const Sheet& sheet_;
  const ProductFileOptions& options_;
  Columns& columns_;
  ProductFileBuilder& out_;
  std::array<std::size_t, names.size()> at_{};
  std::vector<Named> option_columns_, attribute_columns_;
};

}  // namespace

std::string read_plain(const Sheet& sheet, const ProductFileOptions& options, Columns& columns,
                       ProductFileBuilder& out) {
  return PlainReader(sheet, options, columns, out).read();
}

}  // namespace souk::cli

// From the bytes of a file to its products: the encoding, the rows, the format.
#include "tools/souk/import/product_file.h"

#include <algorithm>
#include <array>

#include "tools/souk/import/product_formats.h"
#include "tools/souk/import/text_encoding.h"

namespace souk::cli {
namespace {

/// `encoding="..."` of an XML declaration; empty where there is none.
std::string declared_encoding(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, 200);
  const std::size_t end = head.find("?>");
  if (!head.starts_with("<?xml") || end == std::string_view::npos) return {};
  const std::size_t at = head.substr(0, end).find("encoding=");
  if (at == std::string_view::npos || at + 10 >= end) return {};
  const std::string_view value = head.substr(at + 10, end - at - 10);
  return std::string(value.substr(0, value.find(head[at + 9])));
}

Failure refused(std::string why) { return {ExitCode::refused, std::move(why)}; }

}  // namespace

std::string why_no_text(std::string_view bytes) {
  if (bytes.starts_with("PK\x03\x04"))
    return "this is a workbook (xlsx): save each of its sheets as CSV (UTF-8) and import that";
  if (bytes.starts_with("\xD0\xCF\x11\xE0"))
    return "this is an old workbook (xls): save each of its sheets as CSV (UTF-8) and import that";
  if (bytes.empty()) return "the file is empty";
  return {};
}

std::string recognise_format(const Sheet& sheet) {
  Columns columns(sheet);
  const auto has = [&](std::string_view name) { return columns.has(name); };
  const auto feed = [&](std::string_view name) {
    return std::ranges::any_of(sheet.columns, [&](const std::string& column) {
      std::string plain = lower(column);
      if (plain.starts_with("g:")) plain.erase(0, 2);
      std::ranges::replace(plain, ' ', '_');
      return plain == name;
    });
  };
  if ((has("Handle") || has("URL handle")) && has("Title") &&
      (has("Variant Price") || has("Price")))
    return "shopify";
  if (has("Type") && has("Name") && has("Regular price")) return "woocommerce";
  if (feed("id") && feed("title") && feed("price")) return "merchant";
  return "csv";
}

Outcome<ProductFile> read_product_file(std::string bytes, const ProductFileOptions& options) {
  if (std::string why = why_no_text(bytes); !why.empty()) return refused(std::move(why));
  std::string encoding = options.encoding;
  if (encoding.empty()) encoding = declared_encoding(bytes);
  auto decoded = to_utf8(std::move(bytes), encoding);
  if (!decoded) return decoded.error();
  const std::string_view text = decoded->text;
  const bool xml = trimmed(text.substr(0, 1024)).starts_with('<');
  if (xml && !options.format.empty() && options.format != "merchant")
    return refused("this is XML, which --format " + options.format + " never is");
  auto sheet = xml ? read_merchant_xml(text) : read_sheet(text, options.delimiter);
  if (!sheet) return sheet.error();

  const bool mapped = !options.renamed.empty() || options.other_columns_are_attributes;
  std::string format = options.format;
  if (format.empty()) format = xml ? "merchant" : mapped ? "csv" : recognise_format(*sheet);
  if (format != "csv" && mapped)
    return Failure{ExitCode::usage, "--map and --attributes belong to --format csv"};
  ProductFileBuilder builder(options, format == "shopify" || format == "merchant"
                                          ? Amounts::Doubt::point
                                          : Amounts::Doubt::unclear);
  Columns columns(*sheet);
  std::string wrong;
  if (format == "shopify") {
    wrong = read_shopify(*sheet, columns, builder);
  } else if (format == "woocommerce") {
    wrong = read_woocommerce(*sheet, columns, builder);
  } else if (format == "merchant") {
    wrong = read_merchant(*sheet, columns, builder);
  } else {
    wrong = read_plain(*sheet, options, columns, builder);
  }
  if (!wrong.empty()) return refused(std::move(wrong));
  ProductFile file = builder.finish();
  file.format = std::move(format);
  file.encoding = decoded->encoding;
  file.delimiter = sheet->delimiter;
  file.lines = sheet->rows.size();
  file.unused = columns.unused();
  return file;
}

}  // namespace souk::cli

#include "tools/souk/import/product_preview.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/api/commands/json.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/client/json.h"
#include "tools/souk/import/product_import.h"

namespace souk::cli {
namespace {

constexpr std::size_t rows_shown = 10;
constexpr std::size_t cell_bytes_max = 40;
constexpr std::size_t padding_bytes = 64;  // of the JSON reader

std::string command_of(const ProductRow& row) {
  return "{\"command\":\"put_product\",\"sku\":" + json_string(row.sku) + row.members + "}";
}

std::string delimiter_name(char delimiter) {
  switch (delimiter) {
    case 0:
      return "XML";
    case '\t':
      return "tab";
    default:
      return std::string(1, delimiter);
  }
}

std::string cut(const std::string& text) {
  if (text.size() <= cell_bytes_max) return text;
  return std::string(utf8_prefix(text, cell_bytes_max)) + "...";
}

std::string list_text(const Json& list, std::string_view between) {
  std::string out;
  for (const Json& one : list.items())
    out += (out.empty() ? "" : std::string(between)) + one.text();
  return out;
}

std::string object_text(const Json& object) {
  std::string out;
  for (const auto& [name, value] : object.members())
    out += (out.empty() ? "" : ", ") + name + "=" + value.text();
  return out;
}

std::string decimal_name(const ProductFile& file) {
  return file.decimal == 0 ? "by each price" : std::string(1, file.decimal);
}

}  // namespace

void check_as_the_daemon(ProductFile& file) {
  CommandReader reader;
  CommandInput input;
  std::vector<ProductRow> good;
  for (ProductRow& row : file.rows) {
    std::string line = command_of(row);
    const std::size_t size = line.size();
    line.resize(size + padding_bytes);
    const CommandShape* shape = nullptr;
    Problem problem;
    input.clear();
    if (reader.read_line(std::string_view(line).substr(0, size), shape, input, problem)) {
      good.push_back(std::move(row));
    } else {
      file.rejected.push_back({row.line, fmt::format("{} {}: {} {}", problem.status, problem.code,
                                                     problem.path, problem.detail)});
    }
  }
  file.rows = std::move(good);
  std::ranges::stable_sort(file.rejected, {}, &Rejection::line);
}

std::string preview_text(const ProductFile& file) {
  std::string out =
      facts_text({{"format", file.format},
                  {"encoding", file.encoding},
                  {"delimiter", delimiter_name(file.delimiter)},
                  {"decimals behind", decimal_name(file)},
                  {"columns not taken", fmt::format("{}", fmt::join(file.unused, ", "))}});
  Table table({{"LINE", Align::right},
               {"SKU"},
               {"NAME"},
               {"PRICE", Align::right},
               {"STOCK", Align::right},
               {"CATEGORY"},
               {"GROUP"},
               {"OPTIONS"},
               {"ACTIVE"}});
  for (std::size_t i = 0; i < std::min(rows_shown, file.rows.size()); ++i) {
    const ProductRow& row = file.rows[i];
    const Json product = Json::parse(command_of(row)).value_or(Json{});
    const std::string& active = product["active"].text();
    table.add({std::to_string(row.line), cut(row.sku), cut(product["name"].text()),
               product["price"].money(), row.stock > 0 ? std::to_string(row.stock) : "",
               cut(list_text(product["category"], " > ")), cut(product["group"].text()),
               cut(object_text(product["options"])), active == "false" ? "no" : "yes"});
  }
  if (!table.empty()) out += "\n" + table.text();
  if (file.rows.size() > rows_shown)
    out += "and " + with_thousands(file.rows.size() - rows_shown) + " more\n";
  Table sums({{"A DRY RUN: NOTHING WAS SENT"}, {"", Align::right}});
  sums.add({"rows of the file", with_thousands(file.lines)});
  sums.add({"products to take", with_thousands(file.rows.size())});
  sums.add({"images of others", with_thousands(file.merged)});
  sums.add({"skipped", with_thousands(file.skipped.size())});
  sums.add({"rejected", with_thousands(file.rejected.size())});
  return out + "\n" + sums.text();
}

std::string preview_json(const ProductFile& file) {
  std::string first, unused;
  for (std::size_t i = 0; i < std::min(rows_shown, file.rows.size()); ++i)
    first += (first.empty() ? "" : ",") + command_of(file.rows[i]);
  for (const std::string& name : file.unused)
    unused += (unused.empty() ? "" : ",") + json_string(name);
  return fmt::format(
      "{{\"dry_run\":true,\"format\":{},\"encoding\":{},\"delimiter\":{},\"decimal\":{},"
      "\"lines\":{},\"products\":{},\"merged\":{},\"skipped\":{},\"rejected\":{},"
      "\"rejected_rows\":{},\"skipped_rows\":{},\"notes\":{},\"columns_not_taken\":[{}],"
      "\"first\":[{}]}}\n",
      json_string(file.format), json_string(file.encoding),
      json_string(file.delimiter == 0 ? "" : std::string(1, file.delimiter)),
      json_string(file.decimal == 0 ? "" : std::string(1, file.decimal)), file.lines,
      file.rows.size(), file.merged, file.skipped.size(), file.rejected.size(),
      rejections_json(file.rejected), rejections_json(file.skipped), rejections_json(file.notes),
      unused, first);
}

}  // namespace souk::cli

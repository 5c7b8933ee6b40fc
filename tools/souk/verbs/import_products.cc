// souk import products
#include <cstdio>

#include "events/currencies.h"
#include "tools/souk/import/product_import.h"
#include "tools/souk/import/product_preview.h"
#include "tools/souk/verbs/file_arguments.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

Outcome<ProductFileOptions> options_of(const Invocation& invocation) {
  auto renamed = map_argument(invocation);
  if (!renamed) return renamed.error();
  auto delimiter = delimiter_argument(invocation);
  if (!delimiter) return delimiter.error();
  auto decimal = decimal_argument(invocation);
  if (!decimal) return decimal.error();
  const std::string& currency = invocation.get("currency");
  if (const std::string why = currency.empty() ? "" : why_not_payable(currency); !why.empty())
    return Failure{ExitCode::usage, "--currency: " + why};
  return ProductFileOptions{.format = invocation.get("format"),
                            .encoding = invocation.get("encoding"),
                            .delimiter = *delimiter,
                            .decimal = *decimal,
                            .currency = currency,
                            .renamed = *renamed,
                            .other_columns_are_attributes = invocation.has("attributes")};
}

/// The last word: whoever only looks there sees that rows are missing.
ExitCode verdict(std::size_t rejected, std::uint64_t lines) {
  if (rejected == 0) return ExitCode::ok;
  std::fflush(stdout);
  std::fprintf(stderr, "souk: %zu of %llu rows were rejected\n", rejected,
               static_cast<unsigned long long>(lines));
  return ExitCode::refused;
}

Outcome<ExitCode> import_product_file(const Invocation& invocation) {
  auto connections = integer_argument(invocation, "connections", 1, 64);
  if (!connections) return connections.error();
  auto options = options_of(invocation);
  if (!options) return options.error();
  const std::string& name = invocation.get("file");
  auto bytes = read_whole_file(name);
  if (!bytes) return bytes.error();
  auto file = read_product_file(std::move(*bytes), *options);
  if (!file) {
    const bool usage = file.error().code == ExitCode::usage;
    return Failure{file.error().code, (usage ? "" : name + ": ") + file.error().message};
  }
  if (file->currency_assumed)
    std::fputs("souk: prices that name no currency are taken as GBP; --currency says another\n",
               stderr);
  if (invocation.has("dry-run")) {
    check_as_the_daemon(*file);
    std::fputs((invocation.json() ? preview_json(*file) : preview_text(*file)).c_str(), stdout);
    std::fflush(stdout);
    report_lines(file->skipped, "skipped");
    report_lines(file->notes, "noted");
    report_lines(file->rejected, "rejected");
    return verdict(file->rejected.size(), file->lines);
  }
  Progress progress("products", file->rows.size());
  auto summary =
      import_products(*file, invocation.url, static_cast<std::size_t>(*connections), progress);
  progress.finish();
  if (!summary) return summary.error();
  report_lines(summary->skipped, "skipped");
  report_lines(file->notes, "noted");
  report_lines(summary->rejected, "rejected");
  std::fputs((invocation.json() ? summary->json() : summary->text()).c_str(), stdout);
  return verdict(summary->rejected.size(), summary->lines);
}

const char* const details =
    "The format is recognised by the headers:\n"
    "  shopify      a product export, older and newer names; variants get group = handle\n"
    "  woocommerce  a product export; variations get their parent's SKU as group; of several\n"
    "               categories the deepest is taken, the first of equals\n"
    "  merchant     a feed for Google Merchant Center, TSV or XML (RSS 2.0, Atom)\n"
    "  csv          columns sku, name, price, and where there are any description, brand, "
    "category\n"
    "               (steps parted by >), currency, active, stock, images, barcode, group,\n"
    "               option:NAME, attribute:NAME; others are refused, or attributes with "
    "--attributes\n"
    "Delimiter, encoding and what parts decimals are found in the file; 1,234 where no other row\n"
    "tells is rejected. A SKU that stands twice is taken from its first row. A repeat changes "
    "nothing\n"
    "that is the same; stock is received only where a SKU has never had any. Rows that are "
    "rejected\n"
    "are listed with their lines, and then the exit code is 1.";

}  // namespace

Verb import_products_verb() {
  Argument format =
      option("format", "shopify, woocommerce, merchant or csv; default: by the headers");
  format.choices = {"shopify", "woocommerce", "merchant", "csv"};
  return {
      .path = "import products",
      .summary = "Import a catalogue: Shopify, WooCommerce, Google Merchant or any CSV",
      .examples = {"souk import products products_export.csv --dry-run",
                   "souk import products feed.xml",
                   "souk import products list.csv.zst --map 'sku=Article,price=Regular price'",
                   "souk import products liste.csv --encoding latin1 --decimal , --currency EUR"},
      .arguments = {required("file", "The file; .zst is decompressed, - is standard input"), format,
                    map_option(), flag("attributes", "csv: other columns as attributes"),
                    option("currency", "Where the file names none; default GBP"),
                    delimiter_option(), encoding_option(), decimal_option(),
                    flag("dry-run", "Show what would be taken and what is wrong; send nothing"),
                    option("connections", "How many at a time, 1 to 64", "4")},
      .run = import_product_file,
      .details = details};
}

}  // namespace souk::cli

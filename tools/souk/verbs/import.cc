// souk import online-retail
#include <chrono>
#include <cstdio>

#include "tools/souk/import/product_file.h"
#include "tools/souk/import/retail_import.h"
#include "tools/souk/import/text_encoding.h"
#include "tools/souk/verbs/file_arguments.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

/// The dates that are looked at until one tells whether the month comes first.
DateFormat dates_of(std::string_view text, char delimiter, const RetailOptions& options) {
  DateOrder order;
  std::optional<std::size_t> column;
  bool header = true;
  CsvReader csv(
      [&](const CsvRecord& record) {
        if (header) column = RetailReader::date_column(record.fields, options);
        header = false;
        if (column && *column < record.fields.size()) order.look_at(record.fields[*column]);
      },
      delimiter);
  for (std::size_t at = 0; at < text.size() && !order.format(); at += piece_bytes)
    csv.feed(text.substr(at, piece_bytes));
  return order.format().value_or(options.dates);
}

Outcome<RetailData> read_retail(const Invocation& invocation, RetailOptions options) {
  const std::string& name = invocation.get("file");
  auto bytes = read_whole_file(name);
  if (!bytes) return bytes.error();
  if (std::string why = why_no_text(*bytes); !why.empty())
    return Failure{ExitCode::refused, name + ": " + why};
  auto decoded = to_utf8(std::move(*bytes), invocation.get("encoding"));
  if (!decoded) return Failure{decoded.error().code, name + ": " + decoded.error().message};
  auto delimiter = delimiter_argument(invocation);
  if (!delimiter) return delimiter.error();
  if (*delimiter == 0) *delimiter = guess_delimiter(decoded->text);
  if (!invocation.has("date-format")) options.dates = dates_of(decoded->text, *delimiter, options);

  RetailReader reader(std::move(options));
  CsvReader csv([&](const CsvRecord& record) { reader.take(record); }, *delimiter);
  csv.feed(decoded->text);
  csv.finish();
  if (!reader.wrong().empty()) return Failure{ExitCode::refused, name + ": " + reader.wrong()};
  if (!reader.has_header()) return Failure{ExitCode::refused, name + ": the file is empty"};
  return reader.take_data();
}

Outcome<ExitCode> import_online_retail(const Invocation& invocation) {
  auto connections = integer_argument(invocation, "connections", 1, 64);
  if (!connections) return connections.error();
  auto renamed = map_argument(invocation);
  if (!renamed) return renamed.error();
  auto decimal = decimal_argument(invocation);
  if (!decimal) return decimal.error();
  RetailOptions options{.renamed = *renamed, .decimal = *decimal};
  if (const std::string& text = invocation.get("date-format"); !text.empty()) {
    const auto dates = DateFormat::parse(text);
    if (!dates)
      return Failure{ExitCode::usage,
                     "--date-format: wanted a pattern as %m/%d/%Y %H:%M or a date of the file, got "
                     "\"" +
                         text + "\""};
    options.dates = *dates;
  }
  const auto begun = std::chrono::steady_clock::now();
  const auto data = read_retail(invocation, std::move(options));
  if (!data) return data.error();
  const RetailPlan plan = plan_retail(*data);
  report_lines(plan.rejected, "rejected");
  Progress progress("lines", data->records);
  auto summary =
      import_retail(*data, plan, invocation.url, static_cast<std::size_t>(*connections), progress);
  progress.finish();
  if (!summary) return summary.error();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  summary->seconds = passed.count();  // reading included
  std::fputs((invocation.json() ? summary->json() : summary->text()).c_str(), stdout);
  return ExitCode::ok;
}

const char* const details =
    "Reads InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, "
    "Country,\n"
    "and the names of Online Retail II: Invoice, Price, Customer ID. What parts the fields, the\n"
    "encoding and whether days or months come first in dates are found in the file. A workbook\n"
    "(xlsx) must be saved as CSV, each sheet by itself.\n"
    "An invoice becomes an order at its own time and prices; a C invoice a return, of the "
    "customer's\n"
    "latest order with that SKU where there is one; other lines of price 0 or of a negative "
    "quantity\n"
    "become stock adjustments; a line with a negative price, or that cannot be read, is rejected "
    "and\n"
    "reported on standard error. What stock is short is received first, reference `opening`.\n"
    "\n"
    "Stopped or killed halfway, run it again: it goes on where it was, from any machine, and "
    "nothing\n"
    "is there twice. Limits: import a file whole, not overlapping extracts of it; a run stopped "
    "while\n"
    "it books the stock adjustments should be repeated within a day, because until a product's "
    "stock\n"
    "is all in, only the daemon's memory of keys tells what was booked.";

Verb import_retail_verb() {
  return {
      .path = "import online-retail",
      .summary = "Import a file in the shape of UCI Online Retail",
      .examples =
          {"souk import online-retail online_retail.csv.zst",
           "zstdcat online_retail.csv.zst | souk import online-retail - --json",
           "souk import online-retail data.csv --encoding latin1 --date-format '12/1/2010 8:26'",
           "souk import online-retail export.csv --map 'InvoiceNo=Document,UnitPrice=Net'"},
      .arguments = {required("file", "The CSV file; .zst is decompressed, - is standard input"),
                    map_option(),
                    option("date-format",
                           "%m/%d/%Y %H:%M, or a date as the file has it; default: as they tell"),
                    delimiter_option(), encoding_option(), decimal_option(),
                    option("connections", "How many at a time, 1 to 64", "4")},
      .run = import_online_retail,
      .details = details};
}

}  // namespace

Verbs import_verbs() { return {import_retail_verb(), import_products_verb()}; }

}  // namespace souk::cli

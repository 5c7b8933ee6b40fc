// souk import ...
#include <chrono>
#include <cstdio>

#include "tools/souk/import/input_file.h"
#include "tools/souk/import/product_import.h"
#include "tools/souk/import/retail_import.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

constexpr std::size_t rejections_shown_max = 1'000;

template <class Reader>
Outcome<Done> read_csv(const std::string& name, Reader& reader) {
  CsvReader csv([&](const CsvRecord& record) { reader.take(record); });
  auto done = read_input(name, [&](std::string_view bytes) {
    csv.feed(bytes);
    return reader.wrong().empty();
  });
  if (!done) return done;
  csv.finish();
  if (!reader.wrong().empty()) return Failure{ExitCode::refused, name + ": " + reader.wrong()};
  if (!reader.has_header()) return Failure{ExitCode::refused, name + ": the file is empty"};
  return Done{};
}

void report(const std::vector<Rejection>& rejected) {
  for (std::size_t i = 0; i < std::min(rejections_shown_max, rejected.size()); ++i)
    std::fprintf(stderr, "souk: line %u rejected: %s\n", rejected[i].line, rejected[i].why.c_str());
  if (rejected.size() > rejections_shown_max)
    std::fprintf(stderr, "souk: and %zu more lines rejected\n",
                 rejected.size() - rejections_shown_max);
}

template <class Summary>
void print(const Invocation& invocation, const Summary& summary) {
  std::fputs((invocation.json() ? summary.json() : summary.text()).c_str(), stdout);
}

Outcome<ExitCode> import_online_retail(const Invocation& invocation) {
  auto connections = integer_argument(invocation, "connections", 1, 64);
  if (!connections) return connections.error();
  const auto begun = std::chrono::steady_clock::now();
  RetailReader reader;
  if (auto done = read_csv(invocation.get("file"), reader); !done) return done.error();
  const RetailData data = reader.take_data();
  const RetailPlan plan = plan_retail(data);
  report(plan.rejected);
  Progress progress("lines", data.records);
  auto summary =
      import_retail(data, plan, invocation.url, static_cast<std::size_t>(*connections), progress);
  progress.finish();
  if (!summary) return summary.error();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  summary->seconds = passed.count();  // reading included
  print(invocation, *summary);
  return ExitCode::ok;
}

Outcome<ExitCode> import_product_file(const Invocation& invocation) {
  auto connections = integer_argument(invocation, "connections", 1, 64);
  if (!connections) return connections.error();
  std::map<std::string, std::string> renamed;
  for (const std::string& pair : invocation.all("map")) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size())
      return Failure{ExitCode::usage, "--map: wanted NAME=COLUMN, got \"" + pair + "\""};
    renamed[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  using Others = ProductReader::Others;
  ProductReader reader(renamed, invocation.get("currency"),
                       invocation.has("attributes") ? Others::attributes : Others::wrong);
  if (auto done = read_csv(invocation.get("file"), reader); !done) return done.error();
  Progress progress("products", reader.rows().size());
  auto summary =
      import_products(reader, invocation.url, static_cast<std::size_t>(*connections), progress);
  progress.finish();
  if (!summary) return summary.error();
  report(summary->rejected);
  print(invocation, *summary);
  return summary->rejected.empty() ? ExitCode::ok : ExitCode::refused;
}

const char* const retail_details =
    "Reads InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, "
    "Country.\n"
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

const char* const product_details =
    "Columns: sku, name, price, and where there are any description, brand, category (steps parted "
    "by\n"
    "\" > \"), currency, active (true or false), stock. Others are refused, or attributes (values "
    "to 512\n"
    "bytes) with --attributes. A repeat changes nothing that is the same; stock\n"
    "is received only where a SKU has never had any. Exits with 1 where a line was rejected.";

}  // namespace

Verbs import_verbs() {
  const Argument file = required("file", "The CSV file; .zst is decompressed, - is standard input");
  const Argument connections = option("connections", "How many at a time, 1 to 64", "4");
  Argument map = option("map", "NAME=COLUMN: take NAME from the file's COLUMN; repeat for more");
  map.kind = Argument::Kind::repeated;
  return {{.path = "import online-retail",
           .summary = "Import a file in the shape of UCI Online Retail",
           .examples = {"souk import online-retail online_retail.csv.zst",
                        "zstdcat online_retail.csv.zst | souk import online-retail - --json"},
           .arguments = {file, connections},
           .run = import_online_retail,
           .details = retail_details},
          {.path = "import products",
           .summary = "Import a catalogue from a CSV file",
           .examples = {"souk import products catalogue.csv",
                        "souk import products list.csv.zst --map sku=Article --map price=Net"},
           .arguments = {file, map, flag("attributes", "Take other columns as attributes"),
                         option("currency", "Where the file names none", "GBP"), connections},
           .run = import_product_file,
           .details = product_details}};
}

}  // namespace souk::cli

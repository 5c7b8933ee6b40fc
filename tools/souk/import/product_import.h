#pragma once
/// `souk import products`: a catalogue from a CSV file.
#include <map>
#include <string>
#include <vector>

#include "tools/souk/cli/progress.h"
#include "tools/souk/client/failure.h"
#include "tools/souk/client/url.h"
#include "tools/souk/import/csv.h"
#include "tools/souk/import/retail_data.h"

namespace souk::cli {

struct ProductRow {
  std::uint32_t line = 0;
  std::string sku;
  std::string members = {};  // of put_product, as JSON: ,"name":...
  std::int64_t stock = 0;    // 0: none given
};

/// Reads product rows; the first record names the columns: sku, name, description, brand, category
/// (steps parted by " > "), price, currency, active (true or false), stock. sku, name and price
/// must be there.
class ProductReader {
 public:
  enum class Others { wrong, attributes };
  /// `renamed`: our name -> the file's column. `others`: columns that are neither ours nor renamed.
  ProductReader(std::map<std::string, std::string> renamed, std::string currency,
                Others others = Others::wrong)
      : renamed_(std::move(renamed)), currency_(std::move(currency)), others_(others) {}
  void take(const CsvRecord& record);
  const std::string& wrong() const { return wrong_; }
  bool has_header() const { return width_ > 0; }
  const std::vector<ProductRow>& rows() const { return rows_; }
  const std::vector<Rejection>& rejected() const { return rejected_; }

 private:
  void take_header(const CsvRecord& record);
  std::string take_row(const CsvRecord& record);
  /// Empty where there is no such column.
  std::string_view field(const CsvRecord& record, std::string_view name) const;

  std::map<std::string, std::string> renamed_;
  std::string currency_;
  Others others_;
  std::vector<std::pair<std::string, std::size_t>> attributes_;  // name, column
  std::map<std::string, std::size_t, std::less<>> columns_;
  std::size_t width_ = 0;
  std::vector<ProductRow> rows_;
  std::vector<Rejection> rejected_;
  std::string wrong_;
};

struct ProductSummary {
  std::uint64_t lines = 0, created = 0, there = 0, stocked = 0;
  std::vector<Rejection> rejected;
  double seconds = 0;
  std::string json() const;
  std::string text() const;
};

/// Defines each product; receives its stock, under the reference `opening`, where the SKU has never
/// had any: so a repeat changes nothing.
Outcome<ProductSummary> import_products(const ProductReader& read, const Url& url,
                                        std::size_t connections, Progress& progress);

}  // namespace souk::cli

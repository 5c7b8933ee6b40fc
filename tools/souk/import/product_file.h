#pragma once
/// The products of a file, whatever shop wrote it: each format makes drafts, the builder checks them
/// and makes of each what `put_product` takes.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/souk/import/amounts.h"
#include "tools/souk/import/retail_data.h"
#include "tools/souk/import/sheet.h"

namespace souk::cli {

struct ProductRow {
  std::uint32_t line = 0;
  std::string sku;
  std::string members = {};  // of put_product, as JSON: ,"name":...
  std::int64_t stock = 0;    // 0: none given
};

using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// A product as the file has it: texts that nobody has checked yet.
struct ProductDraft {
  std::uint32_t line = 0;
  std::string sku = {}, name = {}, description = {}, brand = {};
  std::vector<std::string> category = {};
  std::string price = {}, currency = {}, stock = {};
  std::optional<bool> active = {};
  std::vector<std::string> images = {};
  std::string barcode = {}, group = {};
  NamedValues attributes = {}, options = {};
};

/// What the caller said of the file.
struct ProductFileOptions {
  std::string format = {};                          // empty: by its headers
  std::string encoding = {};                        // empty: guessed
  char delimiter = 0;                               // 0: guessed
  char decimal = 0;                                 // 0: by the rows
  std::string currency = {};                        // empty: by the rows, else GBP
  std::map<std::string, std::string> renamed = {};  // csv: our name -> the file's column
  bool other_columns_are_attributes = false;        // csv; else they are refused
};

/// Every row of the file is in exactly one of `rows`, `rejected`, `skipped` and `merged`.
struct ProductFile {
  std::string format, encoding;
  char delimiter = 0;  // 0: XML
  char decimal = 0;    // what parts decimals; 0: differs
  std::uint64_t lines = 0;
  std::uint64_t merged = 0;  // further images of a product, and the like
  std::vector<ProductRow> rows;
  std::vector<Rejection> rejected;
  std::vector<Rejection> skipped;   // rightly no product
  std::vector<Rejection> notes;     // taken, but not as the file has it
  bool currency_assumed = false;    // a price names none, nor did the caller
  std::vector<std::string> unused;  // columns
};

/// Gathers what a format finds. Rejections and the like come in any order; `finish` sorts them.
class ProductFileBuilder {
 public:
  ProductFileBuilder(const ProductFileOptions& options, Amounts::Doubt doubt)
      : options_(options), amounts_(options.decimal, doubt) {}

  void draft(ProductDraft draft);
  /// A price of the file that is not that of a draft: it tells how prices are written.
  void look_at(std::string_view amount) { amounts_.look_at(amount); }
  void reject(std::uint32_t line, std::string why) {
    file_.rejected.push_back({line, std::move(why)});
  }
  void skip(std::uint32_t line, std::string why) {
    file_.skipped.push_back({line, std::move(why)});
  }
  void note(std::uint32_t line, std::string what) {
    file_.notes.push_back({line, std::move(what)});
  }
  void merge() { ++file_.merged; }
  /// Checks all drafts. Of several with one SKU the first is taken.
  ProductFile finish();

 private:
  /// Empty, or why the draft is rejected.
  std::string check(ProductDraft& draft);
  std::string check_price(const ProductDraft& draft, std::string& json);
  std::string check_stock(const ProductDraft& draft, std::int64_t& stock);
  void mend(ProductDraft& draft);

  const ProductFileOptions& options_;
  Amounts amounts_;
  std::vector<ProductDraft> drafts_;
  ProductFile file_;
  std::map<std::string, std::uint32_t, std::less<>> lines_;  // of each SKU
};

/// Reads all of a file: `bytes` as they are on disk, decompressed.
/// Errors: refused, where the file as a whole cannot be read; usage, where the options do not fit.
Outcome<ProductFile> read_product_file(std::string bytes, const ProductFileOptions& options);

/// Empty, or why `bytes` are no text at all: a workbook, nothing.
std::string why_no_text(std::string_view bytes);

/// TRUE, yes, 1, published, active ...; nothing for what is neither yes nor no.
std::optional<bool> parse_truth(std::string_view text);
/// `text` as a SKU or a group can be: `/` and control characters become `-`; what is longer than 64
/// bytes is cut and ends in a sum of all of it, so that two that differ stay different.
std::string as_sku(std::string_view text);
/// Addresses with commas, bars or blanks between them; those may have commas of their own.
std::vector<std::string> addresses_of(std::string_view text);
/// The longest of several paths, the first of equals, in steps parted by `>`.
std::vector<std::string> deepest_path(const std::vector<std::string>& paths);

}  // namespace souk::cli

#pragma once
/// The lines of a file in the shape of UCI Online Retail, in memory: 40 bytes a line, every text
/// once.
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/money.h"
#include "events/time.h"
#include "tools/souk/import/csv.h"
#include "tools/souk/import/date_format.h"

namespace souk::cli {

/// Gives each distinct text a number, from 0.
class Texts {
 public:
  std::uint32_t number_of(std::string_view text);
  const std::string& text(std::uint32_t number) const { return *texts_[number]; }
  std::size_t size() const { return texts_.size(); }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<const std::string*> texts_;  // the map's own keys, which stay where they are
};

inline constexpr std::uint32_t no_customer = std::numeric_limits<std::uint32_t>::max();

struct RetailLine {
  std::uint32_t number = 0;  // where it begins in the file, from 1
  std::uint32_t sku = 0, invoice = 0, description = 0;
  std::int64_t quantity = 0;
  Micros price;
};

/// The first line of an invoice says when, who and where.
struct RetailInvoice {
  UnixMs at;
  std::uint32_t customer = no_customer;
  std::uint32_t country = 0;
};

struct Rejection {
  std::uint32_t line = 0;
  std::string why;
  bool operator==(const Rejection&) const = default;
};

struct RetailData {
  Texts skus, invoices, customers, countries, descriptions;
  std::vector<RetailInvoice> invoice;  // by number
  std::vector<RetailLine> lines;       // in the order of the file
  std::vector<Rejection> rejected;     // lines that cannot be read
  std::uint64_t records = 0;           // all of them, without the header
};

/// The longest beginning of `text` that has at most `bytes_max` bytes and cuts no character.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

/// What the caller said of a file of invoices.
struct RetailOptions {
  std::map<std::string, std::string> renamed = {};  // the name of UCI's -> the file's column
  DateFormat dates = DateFormat();
  char decimal = 0;  // ',' or '.'; 0: a price alone tells, 1,234 does not
};

/// Makes RetailData of CSV records, the first of which names the columns: as UCI's Online Retail
/// has them (InvoiceNo, UnitPrice, CustomerID ...) or Online Retail II (Invoice, Price,
/// Customer ID ...), whatever the case.
class RetailReader {
 public:
  explicit RetailReader(RetailOptions options = {}) : options_(std::move(options)) {}
  void take(const CsvRecord& record);
  /// Empty, or why this is no such file at all.
  const std::string& wrong() const { return wrong_; }
  bool has_header() const { return !columns_.empty(); }
  RetailData take_data() { return std::move(data_); }
  /// Where the dates of a file with this header stand; nothing where they do not.
  static std::optional<std::size_t> date_column(const std::vector<std::string>& header,
                                                const RetailOptions& options);

 private:
  enum Column { invoice, sku, description, quantity, date, price, customer, country, column_count };
  void take_header(const CsvRecord& record);
  /// Empty, or why the line is rejected.
  std::string take_line(const CsvRecord& record);

  std::optional<Micros> price_of(std::string_view text) const;

  RetailOptions options_;
  std::vector<std::size_t> columns_;  // where each Column stands
  std::size_t width_ = 0;
  RetailData data_;
  std::string wrong_;
};

}  // namespace souk::cli

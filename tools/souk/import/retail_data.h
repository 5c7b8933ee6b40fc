#pragma once
/// The lines of a file in the shape of UCI Online Retail, in memory: 40 bytes a line, every text
/// once.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/money.h"
#include "events/time.h"
#include "tools/souk/import/csv.h"

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

/// `2011-08-31 11:25[:00]`, with a blank or a T, taken as UTC.
std::optional<UnixMs> parse_invoice_date(std::string_view text);

/// Makes RetailData of CSV records, the first of which names the columns.
class RetailReader {
 public:
  void take(const CsvRecord& record);
  /// Empty, or why this is no such file at all.
  const std::string& wrong() const { return wrong_; }
  bool has_header() const { return !columns_.empty(); }
  RetailData take_data() { return std::move(data_); }

 private:
  enum Column { invoice, sku, description, quantity, date, price, customer, country, column_count };
  void take_header(const CsvRecord& record);
  /// Empty, or why the line is rejected.
  std::string take_line(const CsvRecord& record);

  std::vector<std::size_t> columns_;  // where each Column stands
  std::size_t width_ = 0;
  RetailData data_;
  std::string wrong_;
};

}  // namespace souk::cli

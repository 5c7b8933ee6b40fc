#include "tools/souk/import/retail_data.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "events/ids.h"
#include "events/limits.h"
#include "events/utf8.h"

namespace souk::cli {
namespace {

constexpr std::size_t invoice_bytes_max = 64;
constexpr std::size_t customer_bytes_max = 64;
constexpr std::size_t country_bytes_max = 64;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Letters, digits and a few marks: it becomes part of keys and of an email address.
bool is_plain(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// On one line and no longer than a product's name may be.
std::string presentable(std::string_view text) {
  std::string out(utf8_prefix(trimmed(text), limits::name_bytes_max));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return out;
}

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text.substr(0, 80)) + "\"";
}

}  // namespace

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::uint32_t Texts::number_of(std::string_view text) {
  const auto [at, added] =
      numbers_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
  if (added) texts_.push_back(&at->first);
  return at->second;
}

std::optional<UnixMs> parse_invoice_date(std::string_view text) {
  std::string time(text);
  if (time.size() == 16) time += ":00";
  if (time.size() != 19 || (time[10] != ' ' && time[10] != 'T')) return std::nullopt;
  time[10] = 'T';
  return parse_rfc3339(time + "Z");
}

void RetailReader::take(const CsvRecord& record) {
  if (!wrong_.empty()) return;
  if (columns_.empty()) return take_header(record);
  ++data_.records;
  const std::string why = record.wrong.empty() ? take_line(record) : record.wrong;
  if (!why.empty()) data_.rejected.push_back({static_cast<std::uint32_t>(record.line), why});
}

void RetailReader::take_header(const CsvRecord& record) {
  static constexpr std::array<std::string_view, column_count> names = {
      "InvoiceNo",   "StockCode", "Description", "Quantity",
      "InvoiceDate", "UnitPrice", "CustomerID",  "Country"};
  if (!record.wrong.empty()) {
    wrong_ = "line 1: " + record.wrong;
    return;
  }
  for (const std::string_view name : names) {
    const auto at = std::ranges::find(record.fields, name);
    if (at == record.fields.end()) {
      wrong_ = "line 1: no column " + std::string(name) +
               "; wanted the columns InvoiceNo, StockCode, "
               "Description, Quantity, InvoiceDate, UnitPrice, CustomerID and Country";
      return;
    }
    columns_.push_back(static_cast<std::size_t>(at - record.fields.begin()));
  }
  width_ = record.fields.size();
}

std::string RetailReader::take_line(const CsvRecord& record) {
  if (record.fields.size() != width_)
    return std::to_string(record.fields.size()) + " fields instead of " + std::to_string(width_);
  const auto field = [&](Column column) -> const std::string& {
    return record.fields[columns_[column]];
  };
  if (!is_plain(field(invoice), invoice_bytes_max))
    return "InvoiceNo is no plain word: " + in_quotes(field(invoice));
  if (!Sku::parse(field(sku))) return "StockCode cannot be a SKU: " + in_quotes(field(sku));
  const auto pieces = parse_integer(field(quantity));
  if (!pieces) return "Quantity is no whole number: " + in_quotes(field(quantity));
  const auto at = parse_invoice_date(field(date));
  if (!at) return "InvoiceDate is no time such as 2011-08-31 11:25:00: " + in_quotes(field(date));
  const auto unit_price = parse_decimal(field(price));
  if (!unit_price) return "UnitPrice is no amount: " + in_quotes(field(price));
  if (!field(customer).empty() && !is_plain(field(customer), customer_bytes_max))
    return "CustomerID is no plain word: " + in_quotes(field(customer));
  if (!utf8_valid(field(description))) return "Description is not UTF-8";
  if (!utf8_valid_without_controls(field(country)) || field(country).size() > country_bytes_max)
    return "Country is no name: " + in_quotes(field(country));

  RetailLine line{.number = static_cast<std::uint32_t>(record.line),
                  .sku = data_.skus.number_of(field(sku)),
                  .invoice = data_.invoices.number_of(field(invoice)),
                  .description = data_.descriptions.number_of(presentable(field(description))),
                  .quantity = *pieces,
                  .price = *unit_price};
  if (line.invoice == data_.invoice.size())
    data_.invoice.push_back({.at = *at, .country = data_.countries.number_of(field(country))});
  RetailInvoice& whole = data_.invoice[line.invoice];
  whole.at = std::min(whole.at, *at);
  if (whole.customer == no_customer && !field(customer).empty())
    whole.customer = data_.customers.number_of(field(customer));
  data_.lines.push_back(line);
  return {};
}

}  // namespace souk::cli

#include "tools/souk/import/retail_data.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "events/ids.h"
#include "events/limits.h"
#include "events/utf8.h"
#include "gateway/api/commands/countries.h"
#include "tools/souk/import/amounts.h"
#include "tools/souk/import/sheet.h"

namespace souk::cli {
namespace {

constexpr std::size_t invoice_bytes_max = 64;
constexpr std::size_t customer_bytes_max = 64;
constexpr std::size_t country_bytes_max = 64;

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

/// Every name of a column that is known, UCI's first: in the order of Column.
using KnownNames = std::vector<std::string_view>;
const std::array<KnownNames, 8> names = {{{"InvoiceNo", "Invoice", "Invoice No", "Invoice Number"},
                                          {"StockCode", "Stock Code"},
                                          {"Description"},
                                          {"Quantity"},
                                          {"InvoiceDate", "Invoice Date"},
                                          {"UnitPrice", "Price", "Unit Price"},
                                          {"CustomerID", "Customer ID"},
                                          {"Country"}}};
constexpr std::size_t date_names = 4;

std::optional<std::size_t> column_of(const std::vector<std::string>& header,
                                     const KnownNames& known,
                                     const std::map<std::string, std::string>& renamed) {
  const auto mapped = renamed.find(std::string(known[0]));
  KnownNames wanted = known;
  if (mapped != renamed.end()) wanted = {mapped->second};
  for (const std::string_view name : wanted)
    for (std::size_t i = 0; i < header.size(); ++i)
      if (lower(trimmed(header[i])) == lower(name)) return i;
  return std::nullopt;
}

/// `17850.0` is 17850: how tables with gaps write whole numbers.
std::string_view without_fraction(std::string_view number) {
  const std::size_t digits = number.find_first_not_of("0123456789");
  return digits != std::string_view::npos && digits > 0 && number.substr(digits) == ".0"
             ? number.substr(0, digits)
             : number;
}

std::string_view example_of(const DateFormat& dates) {
  switch (dates.order()) {
    case DateFormat::Order::month_first:
      return "8/31/2011 11:25";
    case DateFormat::Order::day_first:
      return "31.08.2011 11:25";
    default:
      return "2011-08-31 11:25:00";
  }
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

void RetailReader::take(const CsvRecord& record) {
  if (!wrong_.empty()) return;
  if (columns_.empty()) return take_header(record);
  ++data_.records;
  const std::string why = record.wrong.empty() ? take_line(record) : record.wrong;
  if (!why.empty()) data_.rejected.push_back({static_cast<std::uint32_t>(record.line), why});
}

std::optional<std::size_t> RetailReader::date_column(const std::vector<std::string>& header,
                                                     const RetailOptions& options) {
  return column_of(header, names[date_names], options.renamed);
}

std::optional<Micros> RetailReader::price_of(std::string_view text) const {
  if (options_.decimal != ',')
    if (const auto plain = parse_decimal(text)) return plain;
  const Amount amount = Amounts(options_.decimal, Amounts::Doubt::unclear).read(text);
  if (!amount.wrong.empty() || !amount.mark.empty()) return std::nullopt;
  return amount.value;
}

void RetailReader::take_header(const CsvRecord& record) {
  if (!record.wrong.empty()) {
    wrong_ = "line 1: " + record.wrong;
    return;
  }
  for (const auto& [ours, theirs] : options_.renamed)
    if (std::ranges::none_of(names, [&](const auto& all) { return all[0] == ours; })) {
      wrong_ = "--map: there is no column " + ours + " of Online Retail";
      return;
    }
  for (const auto& all : names) {
    const auto at = column_of(record.fields, all, options_.renamed);
    if (!at) {
      const auto mapped = options_.renamed.find(std::string(all[0]));
      wrong_ = "line 1: no column " +
               (mapped != options_.renamed.end() ? mapped->second : std::string(all[0])) +
               "; wanted the columns InvoiceNo (or Invoice), StockCode, Description, Quantity, "
               "InvoiceDate, UnitPrice (or Price), CustomerID (or Customer ID) and Country; others "
               "with --map InvoiceNo=COLUMN";
      return;
    }
    columns_.push_back(*at);
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
  const auto at = options_.dates.read(field(date));
  if (!at)
    return "InvoiceDate is no time such as " + std::string(example_of(options_.dates)) + ": " +
           in_quotes(field(date)) + "; see --date-format";
  const auto unit_price = price_of(field(price));
  if (!unit_price) return "UnitPrice is no amount: " + in_quotes(field(price));
  const std::string_view person = without_fraction(field(customer));
  if (!person.empty() && !is_plain(person, customer_bytes_max))
    return "CustomerID is no plain word: " + in_quotes(person);
  if (!utf8_valid(field(description))) return "Description is not UTF-8";
  if (!utf8_valid_without_controls(field(country)) || field(country).size() > country_bytes_max)
    return "Country is no name: " + in_quotes(field(country));
  const auto nation = country_meant_by(field(country));
  if (const auto why = why_no_country(nation); !why.empty())
    return "Country " + in_quotes(nation) + " " + why;

  RetailLine line{.number = static_cast<std::uint32_t>(record.line),
                  .sku = data_.skus.number_of(field(sku)),
                  .invoice = data_.invoices.number_of(field(invoice)),
                  .description = data_.descriptions.number_of(presentable(field(description))),
                  .quantity = *pieces,
                  .price = *unit_price};
  if (line.invoice == data_.invoice.size())
    data_.invoice.push_back({.at = *at, .country = data_.countries.number_of(nation)});
  RetailInvoice& whole = data_.invoice[line.invoice];
  whole.at = std::min(whole.at, *at);
  if (whole.customer == no_customer && !person.empty())
    whole.customer = data_.customers.number_of(person);
  data_.lines.push_back(line);
  return {};
}

}  // namespace souk::cli

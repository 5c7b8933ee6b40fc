#include "projections/search/cursor.h"

#include <bit>

#include "events/ids.h"

namespace souk::search {
namespace {

// Hexadecimal: format 1, query, position, score, nothing, price, time (8 bytes each, little
// endian), the length of the name (2 bytes), the name, the SKU, and four bytes of a hash over all
// that.
constexpr char format = 1;
constexpr std::size_t check_bytes = 4;
constexpr std::size_t fixed_bytes = 1 + 6 * 8 + 2;
constexpr std::size_t text_bytes_max = 8 * 1024;

void put(std::string& out, std::uint64_t value, std::size_t bytes = 8) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}
std::uint64_t take(std::string_view& bytes, std::size_t count = 8) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  bytes.remove_prefix(count);
  return value;
}
std::optional<int> digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

}  // namespace

std::string encode(const Cursor& cursor) {
  std::string bytes(1, format);
  put(bytes, cursor.query);
  put(bytes, cursor.position);
  put(bytes, std::bit_cast<std::uint64_t>(cursor.score));
  put(bytes, 0);  // was a number of one copy of the index
  put(bytes, static_cast<std::uint64_t>(cursor.place.price.value));
  put(bytes, static_cast<std::uint64_t>(cursor.place.defined_at.value));
  put(bytes, cursor.place.name.size(), 2);
  bytes += cursor.place.name;
  bytes += cursor.place.sku;
  put(bytes, stable_hash(bytes), check_bytes);
  std::string text;
  for (const char c : bytes) {
    text.push_back("0123456789abcdef"[static_cast<std::uint8_t>(c) >> 4]);
    text.push_back("0123456789abcdef"[static_cast<std::uint8_t>(c) & 15]);
  }
  return text;
}

std::optional<Cursor> decode_cursor(std::string_view text) {
  if (text.size() % 2 != 0 || text.size() > text_bytes_max) return std::nullopt;
  std::string raw;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = digit(text[i]), low = digit(text[i + 1]);
    if (!high || !low) return std::nullopt;
    raw.push_back(static_cast<char>(*high << 4 | *low));
  }
  if (raw.size() < fixed_bytes + check_bytes || raw[0] != format) return std::nullopt;
  std::string_view bytes(raw);
  std::string_view check = bytes.substr(bytes.size() - check_bytes);
  bytes.remove_suffix(check_bytes);
  if (take(check, check_bytes) != (stable_hash(bytes) & 0xFFFFFFFF)) return std::nullopt;
  bytes.remove_prefix(1);
  Cursor cursor;
  cursor.query = take(bytes);
  cursor.position = take(bytes);
  cursor.score = std::bit_cast<double>(take(bytes));
  take(bytes);
  cursor.place.price.value = static_cast<std::int64_t>(take(bytes));
  cursor.place.defined_at.value = static_cast<std::int64_t>(take(bytes));
  const std::size_t name_bytes = take(bytes, 2);
  if (name_bytes > bytes.size()) return std::nullopt;
  cursor.place.name = bytes.substr(0, name_bytes);
  cursor.place.sku = bytes.substr(name_bytes);
  return cursor;
}

std::uint64_t query_hash(const SearchQuery& query) {
  std::string bytes;
  const auto add = [&](std::string_view part) {
    put(bytes, part.size());
    bytes += part;
  };
  const auto add_price = [&](const std::optional<Micros>& price) {
    bytes.push_back(price ? 1 : 0);
    if (price) put(bytes, static_cast<std::uint64_t>(price->value));
  };
  add(query.q);
  bytes.push_back(query.brand ? 1 : 0);
  if (query.brand) add(*query.brand);
  put(bytes, query.category.size());
  for (const auto& level : query.category) add(level);
  add_price(query.price_min);
  add_price(query.price_max);
  bytes.push_back(query.in_stock ? (*query.in_stock ? 2 : 1) : 0);
  bytes.push_back(static_cast<char>(query.sort));
  if (query.currency) add(query.currency->text());
  return stable_hash(bytes);
}

}  // namespace souk::search

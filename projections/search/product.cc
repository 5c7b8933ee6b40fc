#include "projections/search/product.h"

namespace souk::search {
namespace {

// Stored, little endian: a format byte, then the fields in the order of their declaration. Integers
// have 8 bytes, strings and lists their length (4 bytes) before them.
constexpr char text_format = 2;
constexpr char columns_format = 2;
/// Without a group. A copy of before answers until its successor is built.
constexpr char columns_without_group = 1;

void put_u32(std::string& out, std::size_t value) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}
void put_u64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}
void put(std::string& out, std::string_view text) {
  put_u32(out, text.size());
  out.append(text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool whole() const { return ok_ && bytes_.empty(); }
  std::uint64_t integer(std::size_t size) {
    if (bytes_.size() < size) ok_ = false;
    if (!ok_) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
      value = value << 8 | static_cast<std::uint8_t>(bytes_[i]);
    }
    bytes_.remove_prefix(size);
    return value;
  }
  std::size_t count() {
    const std::size_t n = integer(4);
    if (n > bytes_.size()) ok_ = false;
    return ok_ ? n : 0;
  }
  std::string text() {
    const std::size_t n = count();
    std::string out(bytes_.substr(0, n));
    bytes_.remove_prefix(n);
    return out;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace

std::string encode(const ProductText& text) {
  std::string out(1, text_format);
  put(out, text.name);
  put(out, text.description);
  put(out, text.brand);
  put_u32(out, text.category.size());
  for (const auto& level : text.category) put(out, level);
  put_u32(out, text.attributes.size());
  for (const auto& attribute : text.attributes) {
    put(out, attribute.name);
    put(out, attribute.value);
  }
  put_u32(out, text.codes.size());
  for (const auto& code : text.codes) put(out, code);
  return out;
}

std::string encode(const ProductColumns& columns) {
  std::string out(1, columns_format);
  put(out, columns.sku);
  put_u64(out, static_cast<std::uint64_t>(columns.available));
  put_u64(out, static_cast<std::uint64_t>(columns.price.amount.value));
  put(out, columns.price.currency.text());
  out.push_back(static_cast<char>((columns.defined ? 1 : 0) | (columns.on_sale ? 2 : 0)));
  put_u64(out, static_cast<std::uint64_t>(columns.defined_at.value));
  put_u64(out, columns.text_hash);
  put(out, columns.group);
  return out;
}

std::optional<ProductText> decode_text(std::string_view bytes) {
  Reader in(bytes);
  if (in.integer(1) != text_format) return std::nullopt;
  ProductText text;
  text.name = in.text();
  text.description = in.text();
  text.brand = in.text();
  for (std::size_t n = in.count(); n-- > 0;) text.category.push_back(in.text());
  for (std::size_t n = in.count(); n-- > 0;) {
    Attribute attribute;
    attribute.name = in.text();
    attribute.value = in.text();
    text.attributes.push_back(std::move(attribute));
  }
  for (std::size_t n = in.count(); n-- > 0;) text.codes.push_back(in.text());
  if (!in.whole()) return std::nullopt;
  return text;
}

std::optional<ProductColumns> decode_columns(std::string_view bytes) {
  Reader in(bytes);
  const auto format = in.integer(1);
  if (format != columns_format && format != columns_without_group) return std::nullopt;
  ProductColumns columns;
  columns.sku = in.text();
  columns.available = static_cast<std::int64_t>(in.integer(8));
  columns.price.amount.value = static_cast<std::int64_t>(in.integer(8));
  const std::string currency = in.text();
  if (!currency.empty()) {
    const auto parsed = Currency::parse(currency);
    if (!parsed) return std::nullopt;
    columns.price.currency = *parsed;
  }
  const auto flags = in.integer(1);
  if (flags > 3) return std::nullopt;
  columns.defined = (flags & 1) != 0;
  columns.on_sale = (flags & 2) != 0;
  columns.defined_at.value = static_cast<std::int64_t>(in.integer(8));
  columns.text_hash = in.integer(8);
  if (format == columns_format) columns.group = in.text();
  if (!in.whole()) return std::nullopt;
  return columns;
}

}  // namespace souk::search

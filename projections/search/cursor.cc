#include "projections/search/cursor.h"

#include <bit>

#include "events/ids.h"

namespace souk::search {
namespace {

// Hexadecimal: format 2, query, position, score, price, time (8 bytes each, little endian), name and
// SKU (each after its length, 2 bytes); where hits are ranked: words needed, phrases kept (a byte
// each), the average length, the terms' number (2 bytes) and each after its length (2 bytes) with
// what it is worth, the score from which votes count, the shares' number (2 bytes), each with its
// category (4 bytes). Then four bytes of a hash over all that.
constexpr char format = 2;
constexpr std::size_t check_bytes = 4;
constexpr std::size_t text_bytes_max = cursor_bytes_max;

void put(std::string& out, std::uint64_t value, std::size_t bytes = 8) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}
void put_real(std::string& out, double value) { put(out, std::bit_cast<std::uint64_t>(value)); }
void put_text(std::string& out, std::string_view text) {
  put(out, text.size(), 2);
  out += text;
}

/// Takes what stands there; what does not makes it all invalid.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : bytes_(bytes) {}
  bool whole() const { return ok_ && bytes_.empty(); }
  bool done() const { return bytes_.empty(); }
  std::uint64_t number(std::size_t count = 8) {
    if (bytes_.size() < count) ok_ = false;
    if (!ok_) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes_[i]);
    bytes_.remove_prefix(count);
    return value;
  }
  double real() { return std::bit_cast<double>(number()); }
  std::string text() {
    const std::size_t size = number(2);
    if (size > bytes_.size()) ok_ = false;
    if (!ok_) return {};
    std::string out(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return out;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

void put(std::string& out, const Ranking& ranking) {
  put(out, ranking.words_needed, 1);
  put(out, ranking.phrases_kept ? 1 : 0, 1);
  put_real(out, ranking.weighing.average_length);
  put(out, ranking.weighing.terms.size(), 2);
  for (const auto& [term, worth] : ranking.weighing.terms) {
    put_text(out, term);
    put_real(out, worth);
  }
  put_real(out, ranking.votes.from_score);
  put(out, ranking.votes.shares.size(), 2);
  for (const auto& [category, share] : ranking.votes.shares) {
    put(out, category, 4);
    put_real(out, share);
  }
}

Ranking take_ranking(Taker& in) {
  Ranking ranking;
  ranking.words_needed = static_cast<std::uint8_t>(in.number(1));
  ranking.phrases_kept = in.number(1) != 0;
  ranking.weighing.average_length = in.real();
  for (std::size_t n = in.number(2); n > 0 && !in.done(); --n) {
    auto term = in.text();
    const double worth = in.real();
    ranking.weighing.terms.push_back({std::move(term), worth});
  }
  ranking.votes.from_score = in.real();
  for (std::size_t n = in.number(2); n > 0 && !in.done(); --n) {
    const auto category = static_cast<std::uint32_t>(in.number(4));
    ranking.votes.shares[category] = in.real();
  }
  return ranking;
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
  put_real(bytes, cursor.score);
  put(bytes, static_cast<std::uint64_t>(cursor.place.price.value));
  put(bytes, static_cast<std::uint64_t>(cursor.place.defined_at.value));
  put_text(bytes, cursor.place.name);
  put_text(bytes, cursor.place.sku);
  if (cursor.ranking) put(bytes, *cursor.ranking);
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
  if (raw.size() < 1 + check_bytes || raw[0] != format) return std::nullopt;
  std::string_view bytes(raw);
  Taker check(bytes.substr(bytes.size() - check_bytes));
  bytes.remove_suffix(check_bytes);
  if (check.number(check_bytes) != (stable_hash(bytes) & 0xFFFFFFFF)) return std::nullopt;
  Taker in(bytes.substr(1));
  Cursor cursor;
  cursor.query = in.number();
  cursor.position = in.number();
  cursor.score = in.real();
  cursor.place.price.value = static_cast<std::int64_t>(in.number());
  cursor.place.defined_at.value = static_cast<std::int64_t>(in.number());
  cursor.place.name = in.text();
  cursor.place.sku = in.text();
  if (!in.done()) cursor.ranking = take_ranking(in);
  if (!in.whole()) return std::nullopt;
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
  bytes.push_back(query.group ? 1 : 0);
  if (query.group) add(*query.group);
  bytes.push_back(query.collapse ? 1 : 0);
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

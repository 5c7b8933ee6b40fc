#include "events/ids.h"

#include <xxhash.h>

#include "events/result.h"
#include "events/utf8.h"

namespace souk {
namespace {

constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t id_digits = 26;  // 130 bits: the last digit has two spare ones, which are 0
constexpr std::uint8_t not_a_digit = 0xFF;

constexpr std::array<std::uint8_t, 256> make_digit_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(not_a_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> digit_values = make_digit_values();

char kind_tag(Kind kind) {
  switch (kind) {
    case Kind::user:
      return 'u';
    case Kind::cart:
      return 'c';
    case Kind::order:
      return 'o';
    case Kind::email:
      return 'e';
    case Kind::key:
      return 'k';
    case Kind::none:
    case Kind::sku:
      break;
  }
  return 0;
}

}  // namespace

std::optional<Id128> Id128::from_bytes(std::string_view raw) {
  Id128 id;
  if (raw.size() != id.bytes.size()) return std::nullopt;
  std::memcpy(id.bytes.data(), raw.data(), id.bytes.size());
  return id;
}

std::string id_text(char tag, const Id128& id) {
  std::string text;
  text.reserve(1 + id_digits);
  text.push_back(tag);
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const std::uint8_t byte : id.bytes) {
    pending = pending << 8 | byte;
    pending_bits += 8;
    while (pending_bits >= 5) {
      pending_bits -= 5;
      text.push_back(alphabet[pending >> pending_bits & 31]);
    }
  }
  text.push_back(alphabet[pending << (5 - pending_bits) & 31]);
  return text;
}

std::optional<Id128> parse_id(char tag, std::string_view text) {
  if (text.size() != 1 + id_digits || text[0] != tag) return std::nullopt;
  Id128 id;
  std::size_t size = 0;
  std::uint32_t pending = 0;
  int pending_bits = 0;
  for (const char c : text.substr(1)) {
    const std::uint8_t digit = digit_values[static_cast<std::uint8_t>(c)];
    if (digit == not_a_digit) return std::nullopt;
    pending = pending << 5 | digit;
    pending_bits += 5;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      id.bytes[size++] = static_cast<std::uint8_t>(pending >> pending_bits);
    }
  }
  if ((pending & ((1U << pending_bits) - 1)) != 0) return std::nullopt;  // one text for one id
  return id;
}

std::optional<Sku> Sku::parse(std::string_view text) {
  if (text.empty() || text.size() > limits::sku_bytes_max) return std::nullopt;
  if (text.find('/') != std::string_view::npos) return std::nullopt;
  if (!utf8_valid_without_controls(text)) return std::nullopt;
  return Sku{std::string(text)};
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::none:
      return "none";
    case Kind::user:
      return "user";
    case Kind::sku:
      return "sku";
    case Kind::cart:
      return "cart";
    case Kind::order:
      return "order";
    case Kind::email:
      return "email";
    case Kind::key:
      return "key";
  }
  return "unknown";
}

EntityKey::EntityKey(Kind kind, std::string_view id)
    : kind_(kind), size_(static_cast<std::uint8_t>(id.size())) {
  SOUK_ASSERT(id.size() <= id_.size());
  if (!id.empty()) std::memcpy(id_.data(), id.data(), id.size());
}

std::string EntityKey::text() const {
  std::string text(kind_name(kind_));
  text.push_back(' ');
  const char tag = kind_tag(kind_);
  const auto raw = tag == 0 ? std::nullopt : Id128::from_bytes(id());
  if (raw) {
    text += id_text(tag, *raw);
  } else {
    text += id();
  }
  return text;
}

ShardId shard_of(std::string_view routing_key, std::uint32_t shards) {
  SOUK_ASSERT(shards > 0 && shards <= limits::shards_max);
  return {static_cast<std::uint16_t>(stable_hash(routing_key) % shards)};
}

std::uint64_t stable_hash(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace souk

#pragma once
/// The identities of the shop. An id of a user, a cart or an order carries its shard, so that any
/// node can route it; a SKU is the merchant's own word and is hashed.
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "events/limits.h"

namespace souk {

struct ShardId {
  std::uint16_t value = 0;
  auto operator<=>(const ShardId&) const = default;
};

/// Counts the events of one shard, from 1; 0 is "before the first".
using Seq = std::uint64_t;
/// Counts the changes of one entity, from 1; the ETag.
using Version = std::uint64_t;

/// 16 bytes: the shard (big endian, 2 bytes), then 14 bytes that are random or derived from an
/// idempotency key.
struct Id128 {
  std::array<std::uint8_t, 16> bytes{};
  std::strong_ordering operator<=>(const Id128&) const = default;
  /// Two words: as a comparison of arrays it is a call, at every step through a table.
  bool operator==(const Id128& o) const {
    std::uint64_t a[2], b[2];
    std::memcpy(a, bytes.data(), sizeof a);
    std::memcpy(b, o.bytes.data(), sizeof b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
  }
  ShardId shard() const { return {static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1])}; }
  bool zero() const { return *this == Id128{}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), 16}; }
  /// Nothing unless `raw` has 16 bytes.
  static std::optional<Id128> from_bytes(std::string_view raw);
};

/// `tag` + 26 characters of Crockford's base 32 in lower case.
std::string id_text(char tag, const Id128& id);
std::optional<Id128> parse_id(char tag, std::string_view text);

template <char Tag>
struct EntityId {
  Id128 raw;
  auto operator<=>(const EntityId&) const = default;
  ShardId shard() const { return raw.shard(); }
  std::string text() const { return id_text(Tag, raw); }
  static std::optional<EntityId> parse(std::string_view text) {
    auto id = parse_id(Tag, text);
    if (!id) return std::nullopt;
    return EntityId{*id};
  }
};
using UserId = EntityId<'u'>;
using CartId = EntityId<'c'>;
using OrderId = EntityId<'o'>;
/// The keyed hash of an email address; its first two bytes are its shard.
using EmailHash = EntityId<'e'>;
/// The keyed hash of the idempotency key of a creation; its first two bytes are its shard.
using KeyHash = EntityId<'k'>;

/// 1 to 64 bytes of UTF-8 without control characters or `/`, compared byte by byte.
class Sku {
 public:
  Sku() = default;
  static std::optional<Sku> parse(std::string_view text);
  /// REQUIRES: `text` was checked before (it comes from the log).
  static Sku trusted(std::string_view text) { return Sku{std::string(text)}; }
  const std::string& text() const { return text_; }
  auto operator<=>(const Sku&) const = default;

 private:
  explicit Sku(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// What a shard hosts. Stored: never renumber.
enum class Kind : std::uint8_t {
  none = 0,
  user = 1,
  sku = 2,
  cart = 3,
  order = 4,
  email = 5,
  key = 6
};
/// `user`, `sku`, `cart`, `order`, `email`, `key`, `none`.
std::string_view kind_name(Kind kind);

/// Names any hosted entity, without an allocation.
class EntityKey {
 public:
  EntityKey() = default;
  EntityKey(Kind kind, std::string_view id);
  EntityKey(UserId id) : EntityKey(Kind::user, id.raw.view()) {}
  EntityKey(CartId id) : EntityKey(Kind::cart, id.raw.view()) {}
  EntityKey(OrderId id) : EntityKey(Kind::order, id.raw.view()) {}
  EntityKey(EmailHash id) : EntityKey(Kind::email, id.raw.view()) {}
  EntityKey(KeyHash id) : EntityKey(Kind::key, id.raw.view()) {}
  EntityKey(const Sku& sku) : EntityKey(Kind::sku, sku.text()) {}

  Kind kind() const { return kind_; }
  std::string_view id() const { return {id_.data(), size_}; }
  /// As a person reads it: `cart c0123...`, `sku 85123A`.
  std::string text() const;
  bool operator==(const EntityKey& o) const { return kind_ == o.kind_ && id() == o.id(); }
  std::strong_ordering operator<=>(const EntityKey& o) const {
    if (auto c = kind_ <=> o.kind_; c != 0) return c;
    return id() <=> o.id();
  }

 private:
  Kind kind_ = Kind::none;
  std::uint8_t size_ = 0;
  std::array<char, limits::sku_bytes_max> id_{};
};

/// The shard of a routing key: stable for ever (stored data depends on it). XXH3, 64 bits.
ShardId shard_of(std::string_view routing_key, std::uint32_t shards);
std::uint64_t stable_hash(std::string_view bytes);

struct Id128Hash {
  std::size_t operator()(const Id128& id) const {
    std::uint64_t a;  // the random part: already a hash
    std::memcpy(&a, id.bytes.data() + 8, 8);
    return static_cast<std::size_t>(a);
  }
};

}  // namespace souk

template <char Tag>
struct std::hash<souk::EntityId<Tag>> {
  std::size_t operator()(const souk::EntityId<Tag>& id) const { return souk::Id128Hash{}(id.raw); }
};
template <>
struct std::hash<souk::Sku> {
  std::size_t operator()(const souk::Sku& sku) const {
    return static_cast<std::size_t>(souk::stable_hash(sku.text()));
  }
};
template <>
struct std::hash<souk::EntityKey> {
  std::size_t operator()(const souk::EntityKey& key) const {
    return static_cast<std::size_t>(souk::stable_hash(key.id())) ^
           static_cast<std::size_t>(key.kind());
  }
};

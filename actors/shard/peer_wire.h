#pragma once
/// What the codecs of schema/peers.capnp share. Inside actors/shard only; see envelope.h and
/// request_codec.h for what they promise.
#include <capnp/message.h>
#include <kj/exception.h>
#include <schema/peers.capnp.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "events/event.h"
#include "events/result.h"

namespace souk::wire {

// ---- messages ----

/// The bytes of the message that `fill` writes. The same writes give the same bytes.
/// REQUIRES: `fill` encodes no other message.
/// Thread: any.
std::string encoded(const std::function<void(capnp::MessageBuilder&)>& fill);

/// Calls `read`, which throws what `check` and `newer` do, with a message of whatever bytes. It
/// follows pointers to no more than a few times what `bytes` has, and they need not be aligned.
/// Errors: corrupt, unsupported; `what` names the message in them.
/// Thread: any.
std::optional<Fault> decode(std::string_view bytes, std::string_view what,
                            const std::function<void(capnp::MessageReader&)>& read);

/// Thrown by readers and caught in `decode`, as Cap'n Proto's own are.
struct Refused {
  Fault::Kind kind;
  const char* why;
};
inline void check(bool holds) {
  if (!holds) throw Refused{Fault::Kind::corrupt, "has a value that cannot be"};
}
/// What a later build may send.
[[noreturn]] inline void newer(const char* why) { throw Refused{Fault::Kind::unsupported, why}; }

// ---- values ----

inline capnp::Data::Reader as_data(std::string_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
template <char Tag>
capnp::Data::Reader as_data(const EntityId<Tag>& id) {
  return as_data(id.raw.view());
}
inline capnp::Data::Reader as_data(const Sealed& sealed) { return as_data(sealed.bytes); }
inline capnp::Text::Reader as_text(const std::string& text) { return {text.data(), text.size()}; }
inline capnp::Text::Reader as_text(const Sku& sku) { return as_text(sku.text()); }

inline std::string_view view(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
inline std::string_view view(capnp::Text::Reader text) { return {text.begin(), text.size()}; }

inline Id128 id128(capnp::Data::Reader data) {
  const auto raw = Id128::from_bytes(view(data));
  check(raw.has_value());
  return *raw;
}
template <class Id>
Id id(capnp::Data::Reader data) {
  return Id{id128(data)};
}
inline Sku sku(std::string_view text) {
  auto parsed = Sku::parse(text);
  check(parsed.has_value());
  return *std::move(parsed);
}
inline Sku sku(capnp::Text::Reader text) { return sku(view(text)); }

/// The letters of a currency with the zero behind them that Text wants.
class CurrencyText {
 public:
  explicit CurrencyText(Currency currency) : size_(currency.text().size()) {
    currency.text().copy(letters_, size_);
  }
  operator capnp::Text::Reader() const { return {letters_, size_}; }

 private:
  std::size_t size_;
  char letters_[4] = {};
};
inline Currency currency(capnp::Text::Reader text) {
  if (text.size() == 0) return {};
  const auto parsed = Currency::parse(view(text));
  check(parsed.has_value());
  return *parsed;
}
inline void write(schema::PeerMoney::Builder to, const Money& money) {
  to.setMicros(money.amount.value);
  to.setCurrency(CurrencyText(money.currency));
}
inline Money money(schema::PeerMoney::Reader from) {
  return {Micros{from.getMicros()}, currency(from.getCurrency())};
}

inline void write(schema::PeerEntity::Builder to, const EntityKey& entity) {
  to.setKind(static_cast<std::uint8_t>(entity.kind()));
  to.setId(as_data(entity.id()));
}
EntityKey entity(schema::PeerEntity::Reader from);

/// An enumerator by its number, from 0 to `last`.
template <class Enum>
Enum enumerator(std::underlying_type_t<Enum> number, Enum last) {
  check(number <= static_cast<std::underlying_type_t<Enum>>(last));
  return static_cast<Enum>(number);
}
/// The same of one to which later builds may have added.
template <class Enum>
Enum known(std::underlying_type_t<Enum> number, Enum last, const char* what) {
  if (number > static_cast<std::underlying_type_t<Enum>>(last)) newer(what);
  return static_cast<Enum>(number);
}

}  // namespace souk::wire

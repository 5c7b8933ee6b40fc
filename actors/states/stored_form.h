#pragma once
/// What the codecs of stored states share. Inside actors/ only; see state_codec.h for the promise.
#include <capnp/message.h>
#include <kj/debug.h>
#include <schema/states.capnp.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "domain/answers.h"
#include "domain/cart/cart.h"
#include "domain/inventory/inventory.h"
#include "domain/user/user.h"
#include "events/event.h"
#include "events/result.h"

namespace souk::stored {

/// The packed bytes of what `fill` writes. The layout, and so the bytes, follow from what is
/// written alone. `fill` may be called more than once.
std::string pack(const std::function<void(schema::State::Builder)>& fill);

/// Unpacks and calls `read`, which throws kj::Exception (`check`) at what cannot be.
/// Errors: corrupt, unsupported.
std::optional<Fault> unpack(std::string_view bytes, schema::State::Which which,
                            const std::function<void(schema::State::Reader)>& read);

inline void check(bool holds) { KJ_REQUIRE(holds, "a stored state has a value that cannot be"); }

// ---- values ----

inline capnp::Data::Reader as_data(std::string_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
inline capnp::Data::Reader as_data(const Sealed& sealed) {
  return as_data(std::string_view(sealed.bytes));
}
/// REQUIRES: ended by a zero byte, as those of std::string are.
inline capnp::Text::Reader text(const std::string& text) { return {text.data(), text.size()}; }

inline std::string_view view(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
inline std::string string(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline Sealed sealed(capnp::Data::Reader data) { return {std::string(view(data))}; }

inline Currency currency(capnp::Text::Reader text) {
  if (text.size() == 0) return {};
  const auto parsed = Currency::parse({text.begin(), text.size()});
  check(parsed.has_value());
  return *parsed;
}

template <class Id>
Id id(capnp::Data::Reader data) {
  const auto raw = Id128::from_bytes(view(data));
  check(raw.has_value());
  return Id{*raw};
}
/// Empty stands for none, or for zero.
template <class Id>
std::optional<Id> optional_id(capnp::Data::Reader data) {
  if (data.size() == 0) return std::nullopt;
  return id<Id>(data);
}

inline Item item(capnp::Text::Reader sku, capnp::Text::Reader name) {
  if (sku.size() == 0 && name.size() == 0) return {};
  check(sku.size() <= limits::sku_bytes_max);
  return Item{Sku::trusted({sku.begin(), sku.size()}), string(name)};
}

/// An enumerator by its number, from 0 to `last`.
template <class Enum>
Enum enumerator(std::underlying_type_t<Enum> number, Enum last) {
  check(number <= static_cast<std::underlying_type_t<Enum>>(last));
  return static_cast<Enum>(number);
}

// ---- lists ----

template <class Ids>
std::string joined(const Ids& ids) {
  std::string bytes;
  bytes.reserve(ids.size() * 16);
  for (const auto& one : ids) bytes += one.raw.view();
  return bytes;
}
template <class Id>
std::vector<Id> split(capnp::Data::Reader data) {
  const std::string_view bytes = view(data);
  check(bytes.size() % 16 == 0);
  std::vector<Id> ids;
  ids.reserve(bytes.size() / 16);
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    ids.push_back(Id{*Id128::from_bytes(bytes.substr(at, 16))});
  }
  return ids;
}

/// Writes `from` into the list that `init(size)` makes; an empty one stays null.
template <class From, class Init, class Write>
void write_list(const From& from, Init&& init, Write&& write) {
  if (from.empty()) return;
  auto list = init(static_cast<unsigned>(from.size()));
  unsigned i = 0;
  for (const auto& one : from) write(list[i++], one);
}
template <class To, class List, class Read>
void read_list(std::vector<To>& to, List list, Read&& read) {
  to.reserve(list.size());
  for (auto one : list) to.push_back(read(one));
}

inline void write(schema::StoredAnswer::Builder to, const Answer& a) {
  to.setKeyHash(a.key_hash);
  to.setRequestHash(a.request_hash);
  to.setAt(a.at_ms);
  to.setVersion(static_cast<std::uint32_t>(a.version));
  to.setVersionHigh(static_cast<std::uint16_t>(a.version >> 32));
  to.setRefusal(static_cast<std::uint16_t>(a.refusal));
  to.setOutcome(static_cast<std::uint8_t>(a.outcome));
  to.setDetail(a.detail);
}
inline Answer read(schema::StoredAnswer::Reader a) {
  return {.key_hash = a.getKeyHash(),
          .request_hash = a.getRequestHash(),
          .at_ms = a.getAt(),
          .outcome = enumerator(a.getOutcome(), Outcome::refused),
          .detail = a.getDetail(),
          .version = Version{a.getVersionHigh()} << 32 | a.getVersion(),
          .refusal = static_cast<Refusal>(a.getRefusal())};
}

template <class Builder>  // of a struct with a member `answers`
void write_answers(Builder b, const Answers& answers) {
  write_list(
      answers.all(), [&](unsigned n) { return b.initAnswers(n); },
      [](schema::StoredAnswer::Builder to, const Answer& a) { write(to, a); });
}
template <class Reader>
void read_answers(Reader r, Answers& answers) {
  read_list(answers.all(), r.getAnswers(), [](schema::StoredAnswer::Reader a) { return read(a); });
}

// ---- what stands in several states ----

void write(schema::CartState::Builder to, const Cart& cart);  // without answers
void read(schema::CartState::Reader from, Cart& cart);
void write(schema::StoredProfile::Builder to, const UserProfile& profile);
UserProfile read(schema::StoredProfile::Reader from);
void write(schema::StoredFigures::Builder to, const StockFigures& figures);
StockFigures read(schema::StoredFigures::Reader from);

// ---- memory ----

inline std::size_t heap_of(const std::string& text) {
  return text.capacity() > 15 ? text.capacity() + 1 : 0;
}
inline std::size_t heap_of(const Sealed& sealed) { return heap_of(sealed.bytes); }
/// Of the vector alone, not of what its elements own.
template <class T>
std::size_t heap_of(const std::vector<T>& vector) {
  return vector.capacity() * sizeof(T);
}
inline std::size_t heap_of(const Answers& answers) { return heap_of(answers.all()); }

}  // namespace souk::stored

#pragma once
/// Given past events, when a command, then events: for any aggregate.
#include <doctest/doctest.h>

#include <utility>

#include "actors/states/state_codec.h"
#include "domain/decision.h"

namespace souk::test {

inline constexpr UnixMs noon{1'314'792'000'000};

inline Cart next(Cart state, const Payload& e, UnixMs) { return evolve(std::move(state), e); }
inline Product next(Product state, const Payload& e, UnixMs) { return evolve(std::move(state), e); }
inline Payment next(Payment state, const Payload& e, UnixMs) { return evolve(std::move(state), e); }
inline User next(User state, const Payload& e, UnixMs) { return evolve(std::move(state), e); }
inline EmailOwner next(EmailOwner state, const Payload& e, UnixMs at) {
  return evolve(state, e, at);
}
inline Inventory next(Inventory state, const Payload& e, UnixMs at) {
  return evolve(std::move(state), e, at);
}
inline Order next(Order state, const Payload& e, UnixMs at) {
  return evolve(std::move(state), e, at);
}

template <class State>
State fold(State state, const Facts& facts, UnixMs at = noon) {
  for (const auto& fact : facts) state = next(std::move(state), fact, at);
  return state;
}

/// What was decided becomes part of the past once `then` has seen it.
template <class State>
class Scenario {
 public:
  Scenario& given(const Facts& facts, UnixMs at = noon) {
    state_ = fold(std::move(state_), facts, at);
    return *this;
  }
  template <class... Args>
  Scenario& when(const Args&... args) {
    return decided(decide(state_, args...));
  }
  Scenario& decided(Decision decision) {
    decision_ = std::move(decision);
    return *this;
  }
  Scenario& then(const Facts& facts) {
    REQUIRE(decision_.ok());
    CHECK(*decision_ == facts);
    return given(*decision_);
  }
  Scenario& refused(Refusal reason, std::uint8_t detail = 0) {
    REQUIRE_FALSE(decision_.ok());
    CHECK(decision_.error().reason == reason);
    CHECK(decision_.error().detail == detail);
    return *this;
  }
  const State& state() const { return state_; }

 private:
  State state_;
  Decision decision_{Facts{}};
};

// ---- things of the shop ----

inline Micros micros(std::string_view decimal) { return *parse_decimal(decimal); }
inline Money gbp(std::string_view decimal) { return {micros(decimal), *Currency::parse("GBP")}; }
inline Money eur(std::string_view decimal) { return {micros(decimal), *Currency::parse("EUR")}; }
inline Sku sku(std::string_view text) { return *Sku::parse(text); }
inline Item item(std::string_view sku_text, std::string name) {
  return Item{sku(sku_text), std::move(name)};
}

template <class Id>
Id id(std::uint64_t number) {
  Id made;
  for (std::size_t i = 0; i < 8; ++i) {
    made.raw.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return made;
}
inline OrderId order_id(std::uint64_t number) { return id<OrderId>(number); }
inline UserId user_id(std::uint64_t number) { return id<UserId>(number); }
inline EmailHash email_hash(std::uint64_t number) { return id<EmailHash>(number); }

}  // namespace souk::test

#pragma once
/// The table of policies: what each command of a client needs before its rules decide. A row fills
/// every column, so that a new command cannot forget a check; the checks come in the order of the
/// columns (admission.h). Ahead of all of them, for every command with a key: a repeat gets the
/// answer that is kept.
#include <type_traits>

#include "actors/ports/request.h"

namespace souk {

struct Policy {
  /// A column without a default: a row that leaves it out does not compile.
  template <class Value>
  struct Column {
    constexpr Column(Value v) : value(v) {}
    constexpr bool operator==(Value v) const { return value == v; }
    Value value;
  };

  /// of_creator: a guest's creation whose key a user's creation may have: 422.
  enum class Key : std::uint8_t { of_entity, of_creator };
  /// first: it makes its target; one that is there already has a key older than what is kept, and
  /// is answered as it is.
  enum class Creates : std::uint8_t { nothing, target };
  /// not_found: a target that is not there (any more) gives 404.
  enum class Missing : std::uint8_t { allowed, not_found };
  /// With If-Match: the version that must be the one given, else 412.
  enum class IfMatch : std::uint8_t { ignored, entity, product, stock };
  /// A product without a definition: 404, or 409 unknown_product.
  enum class Product : std::uint8_t { unneeded, or_not_found, or_refused };
  /// order: it places an order beside its target; where that is there already, as Creates::target.
  enum class Places : std::uint8_t { nothing, order };
  /// of_owner: the user whose it is, where it is a user's, must be active: else 409 unknown_user.
  enum class Person : std::uint8_t { unneeded, of_owner };

  Column<Key> key;
  Column<Creates> creates;
  Column<Missing> missing;
  Column<IfMatch> if_match;
  Column<Product> product;
  Column<Places> places;
  Column<Person> person;
};

/// REQUIRES: a command of a client.
const Policy& policy_of(const Op& op);

}  // namespace souk

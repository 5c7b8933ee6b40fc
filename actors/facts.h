#pragma once
#include <utility>

#include "actors/decision.h"

namespace souk {

/// The facts `events`, in this order; moved, where an initialiser list would copy.
template <class... E>
Facts facts_of(E&&... events) {
  Facts facts;
  facts.reserve(sizeof...(events));
  (facts.emplace_back(std::forward<E>(events)), ...);
  return facts;
}

}  // namespace souk

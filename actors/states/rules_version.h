#pragma once
#include <cstdint>

namespace souk {

/// Of the rules (domain/, `evolve`) whose folds are stored. Raise it with each change that makes
/// another state of the same events: states of other rules are folded anew from the log.
///   1  those of format 1, whose states do not say it
///   2  answers that have no room with their entity are kept beside it
///   3  of a SKU when the last order ended there; of an address when it changed hands; of a user
///      which question to addresses is open
///   4  a cart that was emptied has no currency
inline constexpr std::uint32_t rules_version = 4;

}  // namespace souk

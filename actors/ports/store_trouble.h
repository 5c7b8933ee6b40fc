#pragma once
/// What a node's stores say of themselves when somebody asks how it is: readiness, metrics.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace souk {

/// `what`: in words for an operator, without paths: strangers may read them.
struct StoreTrouble {
  enum class Costs : std::uint8_t {
    nothing_yet,
    commands,  // some of what customers ask for fails
  };
  std::string store;  // its folder
  std::string what;
  Costs costs = Costs::nothing_yet;
};

/// All that are in trouble now. Thread: any; never blocks.
using StoreTroubles = std::function<std::vector<StoreTrouble>()>;

/// The stores of a data directory.
inline constexpr const char* store_names[] = {"log", "journal", "states", "keys", "provider"};

}  // namespace souk

#pragma once
/// The lists of Accept and Accept-Encoding: what a client takes, and how gladly.
#include <optional>
#include <string_view>

namespace souk {

/// A member of such a list: `text/csv;q=0.5`.
struct Weighted {
  std::string_view name;
  int weight = 1000;        // thousandths; 0: not wanted
  bool parameters = false;  // others than `q`
};

/// Takes the first member off the list that is not empty; none is left: nothing. `malformed` is set where a weight is none.
std::optional<Weighted> next_weighted(std::string_view& list, bool& malformed);

}  // namespace souk

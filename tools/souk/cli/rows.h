#pragma once
/// Rows of an answer as a person reads them.
#include <string>
#include <vector>

#include "tools/souk/client/json.h"

namespace souk::cli {

/// A table of objects with the same members: a column each, numbers and amounts to the right,
/// amounts without the currency that all of a column share (it stands in the heading), `-` for
/// null. `total`: a last row, with whatever of the columns it has; null: none.
std::string rows_text(const std::vector<Json>& rows, const Json& total);

/// A value as a person reads it: at most three decimals, money with its currency, `-` for null.
std::string cell_text(const Json& value);

/// `on_hand` as `ON HAND`.
std::string heading(std::string_view name);

}  // namespace souk::cli

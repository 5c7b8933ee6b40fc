#pragma once
/// The read models of this version: what soukd runs and `souk verify` compares.
#include <vector>

#include "projections/analytics/analytics.h"
#include "projections/search/search.h"

namespace souk {

/// `search` changes what is found, not what is stored.
inline std::vector<ProjectionKind> read_models(const SearchOptions& search = {}) {
  return {search_kind(search), analytics_kind()};
}

}  // namespace souk

#pragma once
/// The hits of a page by relevance: scores and votes, groups, what a cursor has passed.
#include <cstddef>
#include <vector>

#include "projections/search/cursor.h"
#include "projections/search/groups.h"
#include "projections/search/postings.h"
#include "projections/search/tuning.h"

namespace souk::search {

/// How many of the best of `matching` products must be scored to know the `first` hits.
std::size_t ranked_needed(const Groups& groups, std::size_t matching, std::size_t first,
                          const Cursor* cursor);

/// The `first` hits, best first; those that the cursor has passed left out. `scored`: as many of the
/// best as are needed, in no order. `ranking`: what it is ranked with; its votes are made where
/// there is no cursor.
std::vector<Ranked> ranked_page(const Catalogue& catalogue, const SearchTuning& tuning,
                                const DocSet& matching, const Groups& groups,
                                std::vector<Ranked>&& scored, const Cursor* cursor,
                                std::size_t first, Ranking& ranking);

}  // namespace souk::search

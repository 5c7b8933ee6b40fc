#pragma once
/// Where a page ended, in a form that a client can keep.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "projections/search/catalogue.h"
#include "projections/search/text_index.h"

namespace souk::search {

/// The best hits vote for their categories, and hits that lie in those gain.
struct Votes {
  double from_score = 0;                   // of hits before the vote: those behind gain nothing
  std::map<std::uint32_t, double> shares;  // by category (Catalogue::path)
};
/// What the first page was found and ranked with. The pages behind it keep to that, so that the
/// score of a product moves with its own text alone: what is written meanwhile, and another copy of
/// the index, lose and repeat nothing.
struct Ranking {
  Weighing weighing;
  Votes votes;
  std::uint8_t words_needed = 0;
  bool phrases_kept = false;
};

struct Cursor {
  std::uint64_t query = 0;         // a hash of what was asked: it fits no other
  std::uint64_t position = 0;      // how many came before
  double score = 0;                // of the last hit, where hits are ranked
  Catalogue::Place place;          // of the last hit
  std::optional<Ranking> ranking;  // where hits are ranked
};

std::string encode(const Cursor& cursor);
std::optional<Cursor> decode_cursor(std::string_view text);

/// Of all that decides which products are found, and in which order.
std::uint64_t query_hash(const SearchQuery& query);

}  // namespace souk::search

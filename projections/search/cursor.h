#pragma once
/// Where a page ended, in a form that a client can keep.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "projections/search/catalogue.h"

namespace souk::search {

struct Cursor {
  std::uint64_t query = 0;     // a hash of what was asked: it fits no other
  std::uint64_t position = 0;  // how many came before
  double score = 0;            // of the last hit, where hits are ranked
  Catalogue::Place place;      // of the last hit
};

std::string encode(const Cursor& cursor);
std::optional<Cursor> decode_cursor(std::string_view text);

/// Of all that decides which products are found, and in which order.
std::uint64_t query_hash(const SearchQuery& query);

}  // namespace souk::search

#pragma once
/// From a product's text to what the index keeps of it; text_index.h tells what the terms mean.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "projections/search/product.h"
#include "projections/search/tuning.h"

namespace souk::search {

struct TextTerm {
  std::string term;
  std::uint32_t count = 0;  // how often it counts: as its fields weigh; 0: it only says yes
  bool operator==(const TextTerm&) const = default;
};
/// What a word is called where only its place matters.
using PlacedWord = std::uint32_t;

struct TextTerms {
  std::vector<TextTerm> terms;  // sorted, each once
  /// The stems in the order of the text; `between_fields` where a field ends, so that no phrase
  /// reaches over it.
  std::vector<PlacedWord> places;
  std::uint64_t length() const;  // the sum of all counts
};
inline constexpr PlacedWord between_fields = 0;
/// A hash of the stem, never `between_fields`. Two stems share one in 2^32: a phrase is only looked
/// for in products that have all its stems.
PlacedWord placed_word(std::string_view stem);

TextTerms terms_of(const ProductText& text, const SearchTuning& tuning);

}  // namespace souk::search

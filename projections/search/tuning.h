#pragma once
/// What ranking weighs. Found on the judged queries of ESCI (tests/search/esci_test.cc): the
/// weights of BM25 and of the fields hardly matter there within a factor of two; focus, fillers and
/// the vote of the categories are each worth 0.01 to 0.02 of NDCG@10.
#include <cstdint>

namespace souk {

struct SearchTuning {
  // Of BM25, over one text in which a word counts as often as its fields weigh.
  double k1 = 1.2;
  double b = 0.5;
  std::uint32_t name_weight = 5;
  std::uint32_t brand_weight = 3;
  std::uint32_t category_weight = 2;
  std::uint32_t attribute_weight = 2;
  std::uint32_t description_weight = 1;
  // What is asked, in shares of a word's own weight.
  double synonym = 0.5;
  double joined = 0.8;  // "table top", and the product has a tabletop
  double completion = 0.5;
  double focus = 0.3;        // the word stands in the name, and not behind "for" or "fits"
  double told_absent = 0.5;  // "without X" and the product says so
  /// A product of the categories that the best hits are in gains up to this share of its score.
  double category_vote = 0.3;
  /// How many of the words must match: this share, rounded up.
  double share_needed = 2.0 / 3;
  /// With fewer products than this, sorted by relevance, fewer words are enough too.
  std::uint32_t products_enough = 10;
};

}  // namespace souk

#pragma once
/// What ranking weighs, found on the judged queries of ESCI (docs: tests/search/esci_test.cc).
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
  double correction = 0.8;
  double completion = 0.5;
  double name_again = 0.3;   // the word stands in the name
  double pair = 0;         // two neighbours stand together in the name
  double told_absent = 0.5;  // "without X" and the product says so
  double name_start = 0.0;
  int name_start_words = 4;
  int after_for = 1;
  int deny_mode = 0;
  int enough = 10;
  /// How many of the words must match: this share, rounded up.
  double share_needed = 2.0 / 3;
};

}  // namespace souk

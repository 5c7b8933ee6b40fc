#pragma once
/// Ranking: what a term's list says of each product, in memory, and BM25 over it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "projections/search/doc_set.h"

namespace souk::search {

struct Ranked {
  DocId doc = 0;
  double score = 0;
};

/// Who has a term. Counts and lengths beyond 65,535 count as that many.
struct Postings {
  std::vector<DocId> docs;            // sorted
  std::vector<std::uint16_t> counts;  // how often it has the term
  std::size_t memory_bytes() const;
};
/// The first place from `at` on whose product is not below `doc`. Mostly it is near, so it looks
/// twice as far at each step, then back. REQUIRES: `docs` is sorted.
std::size_t seek(std::span<const DocId> docs, std::size_t at, DocId doc);

/// How many terms each product has, by number.
using Lengths = std::vector<std::uint16_t>;
inline std::uint16_t cut_count(std::uint64_t count) {
  return static_cast<std::uint16_t>(std::min<std::uint64_t>(count, UINT16_MAX));
}

/// The formula and its bounds are those of Xapian's BM25Weight with k2 = 0, k3 = 1 and
/// min_normlen = 0.5, which the tests hold it against.
struct Bm25 {
  double k1;
  double b;
  double average_length;  // of all products

  /// Adds to the scores of those of `among` that have the term what it is `worth`.
  /// REQUIRES: `among` is sorted, there are as many scores. One without a length is none.
  void add(const Postings& postings, double worth, const Lengths& lengths,
           std::span<const DocId> among, std::span<double> scores) const;
};

/// What a term is worth that `with_term` of `docs` products have.
double worth_of(std::size_t docs, std::size_t with_term);

/// The `first` best, and all whose score is that of the last of them, in no order: who knows the
/// products decides between equals. One with a score of 0 is not there.
std::vector<Ranked> best_of(std::span<const DocId> among, std::span<const double> scores,
                            std::size_t first);

}  // namespace souk::search

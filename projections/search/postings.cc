#include "projections/search/postings.h"

#include <algorithm>
#include <cmath>

namespace souk::search {
namespace {

constexpr double shortest = 0.5;  // of the average: a shorter product gains no more

}  // namespace

double worth_of(std::size_t docs, std::size_t with_term) {
  const auto n = static_cast<double>(docs), f = static_cast<double>(with_term);
  double odds = (n - f + 0.5) / (f + 0.5);
  if (odds < 2) odds = odds * 0.5 + 1;  // a word that most have is still worth something
  return std::log(odds);
}

std::size_t seek(std::span<const DocId> docs, std::size_t at, DocId doc) {
  std::size_t step = 1;
  while (at + step < docs.size() && docs[at + step] < doc) step *= 2;
  const auto from = docs.begin() + static_cast<std::ptrdiff_t>(at + step / 2);
  const auto to = docs.begin() + static_cast<std::ptrdiff_t>(std::min(at + step + 1, docs.size()));
  return static_cast<std::size_t>(std::lower_bound(from, to, doc) - docs.begin());
}

std::size_t Postings::memory_bytes() const {
  return sizeof *this + docs.capacity() * sizeof(DocId) + counts.capacity() * sizeof(std::uint16_t);
}

void Bm25::add(const Postings& postings, double worth, const Lengths& lengths,
               std::span<const DocId> among, std::span<double> scores) const {
  const std::span<const DocId> with = postings.docs;
  worth *= k1 + 1;
  const double by_average = average_length > 0 ? 1 / average_length : 0;
  among = among.first(seek(among, 0, static_cast<DocId>(lengths.size())));
  std::size_t i = 0, j = 0;
  while (i < with.size() && j < among.size()) {
    if (with[i] < among[j]) {
      i = seek(with, i, among[j]);
    } else if (among[j] < with[i]) {
      j = seek(among, j, with[i]);
    } else {
      const double length = std::max(lengths[with[i]] * by_average, shortest);
      const double count = postings.counts[i];
      scores[j] += worth * count / (k1 * (length * b + (1 - b)) + count);
      ++i, ++j;
    }
  }
}

std::vector<Ranked> best_of(std::span<const DocId> among, std::span<const double> scores,
                            std::size_t first) {
  std::vector<Ranked> all;
  all.reserve(among.size());
  for (std::size_t i = 0; i < among.size(); ++i)
    if (scores[i] > 0) all.push_back({among[i], scores[i]});
  if (first == 0) all.clear();
  if (first >= all.size()) return all;
  const auto last = all.begin() + static_cast<std::ptrdiff_t>(first - 1);
  std::nth_element(all.begin(), last, all.end(),
                   [](const Ranked& x, const Ranked& y) { return x.score > y.score; });
  const auto end = std::partition(
      last + 1, all.end(), [score = last->score](const Ranked& hit) { return hit.score == score; });
  all.erase(end, all.end());
  return all;
}

}  // namespace souk::search

#include "projections/search/spelling.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "projections/search/words.h"

namespace souk::search {
namespace {

constexpr std::size_t words_looked_at_max = 2'000;  // of those that begin alike

std::uint32_t letters_of(std::string_view word) {
  std::uint32_t letters = 0;
  for (const char c : word) letters |= 1U << (static_cast<std::uint8_t>(c) & 31);
  return letters;
}

}  // namespace

void Vocabulary::add(std::string_view word, std::uint32_t products) {
  const auto [at, added] =
      index_.try_emplace(std::string(word), static_cast<std::uint32_t>(entries_.size()));
  if (added) {
    entries_.push_back({std::string(word), 0});
    shapes_.push_back({letters_of(word), static_cast<std::uint32_t>(word.size())});
  }
  entries_[at->second].products += products;
}

void Vocabulary::remove(std::string_view word) {
  const auto at = index_.find(word);
  if (at != index_.end() && entries_[at->second].products > 0) --entries_[at->second].products;
}

std::uint32_t Vocabulary::products_with(std::string_view word) const {
  const auto at = index_.find(word);
  return at == index_.end() ? 0 : entries_[at->second].products;
}

std::vector<std::string> Vocabulary::beginning_with(std::string_view prefix,
                                                    std::size_t max) const {
  std::vector<const Entry*> found;
  for (auto at = index_.lower_bound(prefix);
       at != index_.end() && at->first.starts_with(prefix) && found.size() < words_looked_at_max;
       ++at)
    if (entries_[at->second].products > 0) found.push_back(&entries_[at->second]);
  std::ranges::stable_sort(found, std::greater{}, &Entry::products);
  if (found.size() > max) found.resize(max);
  std::vector<std::string> words;
  for (const auto* entry : found) words.push_back(entry->word);
  return words;
}

std::vector<Vocabulary::Candidate> Vocabulary::near(std::string_view word, std::size_t max) const {
  std::vector<Candidate> found;
  if (word.size() < 4 || word.size() > word_bytes_max) return found;
  const int most = word.size() < 6 ? 1 : 2;
  const std::uint32_t letters = letters_of(word);
  const int size = static_cast<int>(word.size());
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    // An edit changes the length by one and the set of letters by two at most.
    if (std::abs(static_cast<int>(shapes_[i].size) - size) > most) continue;
    if (std::popcount(shapes_[i].letters ^ letters) > 2 * most) continue;
    if (entries_[i].products == 0) continue;
    const int edits = edits_between(word, entries_[i].word, most);
    if (edits <= most) found.push_back({entries_[i].word, edits, entries_[i].products});
  }
  const auto rank = [&](const Candidate& c) {
    // People rarely mistake the first letter.
    return c.edits * 2 + (c.word[0] == word[0] ? 0 : 1);
  };
  std::sort(found.begin(), found.end(), [&](const Candidate& a, const Candidate& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (a.products != b.products) return a.products > b.products;
    return a.word < b.word;
  });
  if (found.size() > max) found.resize(max);
  return found;
}

int edits_between(std::string_view a, std::string_view b, int most) {
  if (a.size() > word_bytes_max || b.size() > word_bytes_max) return most + 1;
  std::array<std::array<int, word_bytes_max + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i - 1) % 3];
    row[0] = static_cast<int>(i);
    int least = row[0];
    for (std::size_t j = 1; j <= b.size(); ++j) {
      int edits = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        edits = std::min(edits, rows[(i - 2) % 3][j - 2] + 1);
      }
      row[j] = edits;
      least = std::min(least, edits);
    }
    if (least > most) return most + 1;
  }
  return std::min(rows[a.size() % 3][b.size()], most + 1);
}

}  // namespace souk::search

/// What a customer may be about to type.
#include <algorithm>
#include <utility>

#include "projections/search/impl.h"
#include "projections/search/query_text.h"
#include "projections/search/words.h"

namespace souk {
namespace {

constexpr std::size_t limit_max = 20;
constexpr std::size_t words_looked_at_max = 64;
constexpr std::size_t names_looked_at_max = 2'000;
constexpr std::size_t corrections_max = 3;

}  // namespace

Result<std::vector<Suggestion>, BadQuery> SearchModel::suggest(const std::string& q,
                                                               std::size_t limit) const {
  using search::DocSet;
  if (limit < 1 || limit > limit_max) {
    return BadQuery{BadQuery::Kind::invalid, "limit", "must be 1 to 20"};
  }
  auto words = search::words_of(std::string_view(q).substr(0, search::query_bytes_max));
  if (words.size() > search::query_words_max) words.resize(search::query_words_max);
  std::vector<Suggestion> found;
  if (words.empty()) return found;

  const auto& impl = *impl_;
  const auto reading = impl.reading();
  auto reader = impl.index->reader();

  // All words but the last are finished: they must be there.
  const std::string last = words.back().text;
  words.pop_back();
  DocSet context = impl.catalogue.on_sale();
  std::string before;
  for (const auto& word : words) {
    before += word.text + ' ';
    if (search::stop_word(word.text)) continue;
    const auto has = reader.docs(search::stem_of(word.text));
    if (!has) return unreadable(has.error());
    context &= **has;
  }
  const auto& vocabulary = impl.index->vocabulary();
  auto completions = vocabulary.beginning_with(last, words_looked_at_max);
  if (completions.empty()) {
    for (auto& near : vocabulary.near(last, corrections_max)) {
      completions.push_back(std::move(near.word));
    }
  }
  DocSet any;
  for (const auto& word : completions) {
    const auto has = reader.docs("W" + word);
    if (!has) return unreadable(has.error());
    const DocSet both = context & **has;
    if (both.empty()) continue;
    found.push_back({before + word, Suggestion::Kind::words, both.size()});
    any |= both;
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.products > b.products; });
  const std::size_t words_max = (limit + 1) / 2;

  // Names: those that begin so first, then the short ones, which say little else.
  struct Name {
    bool elsewhere;
    std::size_t size;
    const std::string* text;
    auto operator<=>(const Name& other) const {
      if (elsewhere != other.elsewhere) return elsewhere <=> other.elsewhere;
      if (size != other.size) return size <=> other.size;
      return *text <=> *other.text;
    }
    bool operator==(const Name& other) const { return *text == *other.text; }
  };
  std::vector<Name> names;
  for (DocSet::Walk at(any); !at.done() && names.size() < names_looked_at_max; at.next()) {
    const auto& name = impl.catalogue.name(at.doc());
    const bool begins = impl.catalogue.sort_name(at.doc()).starts_with(before + last);
    names.push_back({!begins, name.size(), &name});
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::size_t names_max = limit - std::min(words_max, found.size());
  if (names.size() > names_max) names.resize(names_max);
  if (found.size() > limit - names.size()) found.resize(limit - names.size());
  for (const auto& name : names) found.push_back({*name.text, Suggestion::Kind::product, 1});
  return found;
}

}  // namespace souk

#include "projections/search/text_fields.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "events/ids.h"
#include "projections/search/text_index.h"
#include "projections/search/words.h"

namespace souk::search {
namespace {

constexpr std::size_t description_words_max = 2'000;
constexpr std::size_t kept_stems_max = 20'000;

/// Stems that this thread found lately: most words of a catalogue are the same few thousand.
const std::string& kept_stem(const std::string& word) {
  thread_local std::unordered_map<std::string, std::string> kept;
  const auto found = kept.find(word);
  if (found != kept.end()) return found->second;
  if (kept.size() >= kept_stems_max) kept.clear();
  return kept.emplace(word, stem_of(word)).first->second;
}

/// Adds the fields of one product.
class Analyser {
 public:
  explicit Analyser(const SearchTuning& tuning) : tuning_(tuning) {}

  TextTerms analyse(const ProductText& text) {
    name(text.name);
    words(text.brand, tuning_.brand_weight);
    for (const auto& level : text.category) words(level, tuning_.category_weight);
    for (const auto& attribute : text.attributes) words(attribute.value, tuning_.attribute_weight);
    description(text.description);
    for (const auto& code : text.codes) this->code(code);
    put_in_order();
    return std::move(out_);
  }

 private:
  void name(const std::string& text) {
    const auto all = words_of(text, SingleLetters::too);
    const auto absent = told_absent(all);
    std::string former;
    bool other_things = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& word = all[i].text;
      if (all[i].ngram) {
        ngram(all[i], tuning_.name_weight);
        add(in_name(word), 0);
        if (!other_things) add(in_focus(word), 1);
        continue;
      }
      const auto stem = kept_stem(word);
      other_things = other_things || points_elsewhere(word);
      place(stem, tuning_.name_weight);
      known(word);
      if (absent[i]) {
        add(denied(stem), 1);
      } else {
        add(in_name(stem), 0);
        if (!other_things) add(in_focus(stem), 1);
      }
      deny(word);
      if (!stop_word(word)) {
        if (!former.empty()) add(pair_in_name(former, stem), 0);
        former = stem;
      }
      join(all, i, tuning_.name_weight, Known::yes);
    }
    out_.places.push_back(between_fields);
  }
  enum class Known { yes, no };
  /// `known`: whether people may misspell them, or type their beginning.
  void words(const std::string& text, std::uint32_t weight, Known known = Known::yes) {
    const auto all = words_of(text, SingleLetters::too);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].ngram) {
        ngram(all[i], weight);
        continue;
      }
      place(kept_stem(all[i].text), weight);
      if (known == Known::yes) this->known(all[i].text);
      join(all, i, weight, known);
    }
    out_.places.push_back(between_fields);
  }
  void description(const std::string& text) {
    auto all = words_of(text, SingleLetters::too);
    if (all.size() > description_words_max) all.resize(description_words_max);
    const auto absent = told_absent(all);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].ngram) {
        ngram(all[i], tuning_.description_weight);
        continue;
      }
      const auto stem = kept_stem(all[i].text);
      place(stem, tuning_.description_weight);
      if (absent[i]) add(denied(stem), 1);
      deny(all[i].text);
    }
  }
  void place(const std::string& stem, std::uint32_t weight) {
    out_.places.push_back(placed_word(stem));
    add(stem, weight);
  }
  void add(std::string term, std::uint32_t count) {
    out_.terms.push_back({std::move(term), count});
  }
  /// Letters inside a word stand nowhere of their own.
  void ngram(const Word& word, std::uint32_t weight) {
    word.inside ? add(word.text, weight) : place(word.text, weight);
  }
  /// Its SKU or barcode: whole, its parts, and its parts without what stands between them.
  void code(const std::string& code) {
    add(whole_code(code), 1);
    words(code, 1, Known::no);
  }
  /// e-cloth is also ecloth, AB-12-XL also ab12, 12xl and ab12xl.
  void join(const std::vector<Word>& all, std::size_t last, std::uint32_t weight, Known known) {
    if (!all[last].glued || last == 0) return;
    std::string word = all[last].text;
    for (std::size_t i = last; i-- > 0 && all[i + 1].glued;) {
      word = all[i].text + word;
      if (word.size() > word_bytes_max) return;
      add(kept_stem(word), weight);
      if (known == Known::yes) this->known(word);
    }
  }
  void known(const std::string& word) { add("W" + word, 0); }
  void deny(const std::string& word) {
    const auto base = denied_by(word);
    if (!base.empty()) add(denied(kept_stem(base)), 1);
  }
  void put_in_order() {
    auto& terms = out_.terms;
    std::ranges::sort(terms, {}, &TextTerm::term);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (kept > 0 && terms[kept - 1].term == terms[i].term) {
        terms[kept - 1].count += terms[i].count;
      } else {
        if (kept != i) terms[kept] = std::move(terms[i]);
        ++kept;
      }
    }
    terms.resize(kept);
  }

  TextTerms out_;
  const SearchTuning& tuning_;
};

}  // namespace

std::uint64_t TextTerms::length() const {
  std::uint64_t sum = 0;
  for (const auto& term : terms) sum += term.count;
  return sum;
}

PlacedWord placed_word(std::string_view stem) {
  const auto hash = static_cast<PlacedWord>(stable_hash(stem));
  return hash == between_fields ? 1 : hash;
}

TextTerms terms_of(const ProductText& text, const SearchTuning& tuning) {
  return Analyser(tuning).analyse(text);
}

}  // namespace souk::search

#include "projections/search/text_fields.h"

#include <xapian.h>

#include <string>

#include "projections/search/text_index.h"
#include "projections/search/words.h"

namespace souk::search {
namespace {

constexpr std::size_t description_words_max = 2'000;
constexpr Xapian::termpos between_fields = 100;

/// Adds the fields of one product to a document.
class Indexer {
 public:
  explicit Indexer(const SearchTuning& tuning) : tuning_(tuning) {}

  Xapian::Document index(const ProductText& text) {
    name(text.name);
    words(text.brand, tuning_.brand_weight);
    for (const auto& level : text.category) words(level, tuning_.category_weight);
    for (const auto& attribute : text.attributes) words(attribute.value, tuning_.attribute_weight);
    description(text.description);
    return document_;
  }

 private:
  void name(const std::string& text) {
    const auto all = words_of(text);
    const auto absent = told_absent(all);
    std::string former;
    bool other_things = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& word = all[i].text;
      const auto stem = stem_of(word);
      other_things = other_things || points_elsewhere(word);
      add(stem, tuning_.name_weight);
      known(word);
      if (absent[i]) {
        document_.add_term(denied(stem));
      } else {
        document_.add_boolean_term(in_name(stem));
        if (!other_things) document_.add_term(in_focus(stem));
      }
      deny(word);
      if (!stop_word(word)) {
        if (!former.empty()) document_.add_boolean_term(pair_in_name(former, stem));
        former = stem;
      }
      if (all[i].glued && i > 0) joined(all[i - 1].text + word, tuning_.name_weight);
    }
    position_ += between_fields;
  }
  void words(const std::string& text, std::uint32_t weight) {
    const auto all = words_of(text);
    for (std::size_t i = 0; i < all.size(); ++i) {
      add(stem_of(all[i].text), weight);
      known(all[i].text);
      if (all[i].glued && i > 0) joined(all[i - 1].text + all[i].text, weight);
    }
    position_ += between_fields;
  }
  void description(const std::string& text) {
    auto all = words_of(text);
    if (all.size() > description_words_max) all.resize(description_words_max);
    const auto absent = told_absent(all);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto stem = stem_of(all[i].text);
      add(stem, tuning_.description_weight);
      if (absent[i]) document_.add_term(denied(stem));
      deny(all[i].text);
    }
  }
  void add(const std::string& stem, std::uint32_t weight) {
    document_.add_posting(stem, ++position_, weight);
  }
  /// e-cloth is also ecloth.
  void joined(const std::string& word, std::uint32_t weight) {
    if (word.size() > word_bytes_max) return;
    document_.add_term(stem_of(word), weight);
    known(word);
  }
  void known(const std::string& word) { document_.add_boolean_term("W" + word); }
  void deny(const std::string& word) {
    const auto base = denied_by(word);
    if (!base.empty()) document_.add_term(denied(stem_of(base)));
  }

  Xapian::Document document_;
  const SearchTuning& tuning_;
  Xapian::termpos position_ = 0;
};

}  // namespace

Xapian::Document document_of(const ProductText& text, const SearchTuning& tuning) {
  return Indexer(tuning).index(text);
}

}  // namespace souk::search

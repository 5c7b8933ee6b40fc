#include "projections/search/understanding.h"

#include <algorithm>
#include <map>
#include <utility>

#include "events/limits.h"
#include "projections/search/words.h"

namespace souk::search {
namespace {

constexpr std::size_t completions_max = 24;
constexpr std::size_t candidates_max = 8;
constexpr std::size_t completed_bytes_min = 2;
constexpr std::size_t part_bytes_min = 3;    // of a word that is two
constexpr double whole_code_weight = 1'000;  // before all else

/// A failed read leaves everything empty and is kept: asked for once, at the end.
class Understander {
 public:
  Understander(std::string_view text, TextIndex::Reader& reader, const Vocabulary& vocabulary,
               const Synonyms& synonyms, const SearchTuning& tuning)
      : text_(text),
        query_(parse_query(text)),
        reader_(reader),
        vocabulary_(vocabulary),
        synonyms_(synonyms),
        tuning_(tuning) {}

  Result<Understanding, Fault> run() {
    look_for_code();
    deny();
    look_up();
    join_neighbours();
    add_synonyms();
    exclude();
    finish();
    if (fault_) return *fault_;
    return std::move(out_);
  }

 private:
  struct Group {
    std::string stem;  // empty: what stands for it has several
    DocSet docs;
  };

  DocSet docs(const std::string& term) {
    auto found = reader_.docs(term);
    if (found) return **found;
    fault_ = found.error();
    return {};
  }
  bool known(const std::string& word) { return !docs(stem_of(word)).empty(); }
  void rank(const std::string& term, double weight) {
    auto& kept = weights_[term];
    kept = std::max(kept, weight);
  }

  void look_for_code() {
    const auto term = whole_code(text_);
    if (term.size() > 1 && text_.size() <= limits::name_bytes_max) out_.code = docs(term);
    if (!out_.code.empty()) rank(term, whole_code_weight);
  }

  /// After "without" comes one word, and more where they are one thing: glass beads.
  void deny() {
    for (const auto& words : query_.denied) {
      std::vector<std::string> stems;
      std::size_t taken = 0;
      for (; taken < words.size(); ++taken) {
        auto word = words[taken];
        if (!known(word)) {
          if (const auto better = corrected(word, 2)) word = *better;
        }
        auto stem = stem_of(word);
        if (taken > 0 && docs(pair_in_name(stems.back(), stem)).empty()) break;
        stems.push_back(std::move(stem));
      }
      query_.words.insert(query_.words.end(), words.begin() + static_cast<std::ptrdiff_t>(taken),
                          words.end());
      DocSet has = docs(in_name(stems[0])), has_not = docs(denied(stems[0]));
      for (std::size_t i = 0; i < stems.size(); ++i) {
        has &= docs(in_name(stems[i]));
        has_not &= docs(denied(stems[i]));
        rank(denied(stems[i]), tuning_.told_absent);
      }
      has -= has_not;
      out_.excluded |= has;
    }
    if (!query_.denied.empty()) query_.open_end = false;
    if (query_.words.size() > query_words_max) query_.words.resize(query_words_max);
  }

  void look_up() {
    for (std::size_t i = 0; i < query_.words.size(); ++i) {
      const auto& word = query_.words[i];
      const auto stem = stem_of(word);
      DocSet found = docs(stem);
      if (!found.empty() || has_known_synonym(stem)) {
        groups_.push_back({stem, std::move(found)});
        continue;
      }
      const bool last = i + 1 == query_.words.size();
      if (last && query_.open_end && complete(word)) continue;
      if (const auto near = corrected(word, 1)) {
        correct(word, {*near});
      } else if (const auto parts = split(word)) {
        correct(word, {parts->first, parts->second});
      } else if (const auto far = corrected(word, 2)) {
        correct(word, {*far});
      } else {
        out_.unknown.push_back(word);
      }
    }
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i].stem.empty()) continue;
      rank(groups_[i].stem, 1);
      rank(in_focus(groups_[i].stem), tuning_.focus);
    }
  }

  /// A word that no product has, and that another one stands for, is no mistake.
  bool has_known_synonym(const std::string& stem) {
    for (const auto& other : synonyms_.of({stem})) {
      bool all = true;
      for (const auto& one : other) all = all && !docs(one).empty();
      if (all) return true;
    }
    return false;
  }

  bool complete(const std::string& word) {
    if (word.size() < completed_bytes_min) return false;
    const auto words = vocabulary_.beginning_with(word, completions_max);
    if (words.empty()) return false;
    Group group;
    for (const auto& longer : words) {
      const auto stem = stem_of(longer);
      group.docs |= docs(stem);
      rank(stem, tuning_.completion);
    }
    groups_.push_back(std::move(group));
    return true;
  }

  /// The nearest known word; of equally near ones the one that goes with the other words.
  std::optional<std::string> corrected(const std::string& word, int edits_max) {
    const auto candidates = vocabulary_.near(word, candidates_max);
    const Vocabulary::Candidate* best = nullptr;
    std::size_t best_together = 0;
    for (const auto& candidate : candidates) {
      if (candidate.edits > edits_max) continue;
      if (best != nullptr && (candidate.edits != best->edits ||
                              (candidate.word[0] == word[0]) != (best->word[0] == word[0]))) {
        break;  // they come nearest first
      }
      const auto has = docs(stem_of(candidate.word));
      std::size_t together = 0;
      for (const auto& other : query_.words) {
        if (other != word) together += has.size_with(docs(stem_of(other)));
      }
      if (best == nullptr || together > best_together) {
        best = &candidate;
        best_together = together;
      }
    }
    if (best == nullptr) return std::nullopt;
    return best->word;
  }

  std::optional<std::pair<std::string, std::string>> split(const std::string& word) {
    std::optional<std::pair<std::string, std::string>> best;
    std::uint32_t most = 0;
    for (std::size_t i = part_bytes_min; i + part_bytes_min <= word.size(); ++i) {
      auto first = word.substr(0, i), second = word.substr(i);
      const auto products =
          std::min(vocabulary_.products_with(first), vocabulary_.products_with(second));
      if (products > most) {
        most = products;
        best.emplace(std::move(first), std::move(second));
      }
    }
    return best;
  }

  void correct(const std::string& word, const std::vector<std::string>& meant) {
    std::string written;
    for (const auto& one : meant) {
      const auto stem = stem_of(one);
      groups_.push_back({stem, docs(stem)});
      written += (written.empty() ? "" : " ") + one;
    }
    corrections_.emplace_back(word, written);
  }

  /// "table top" may be one word in the catalogue.
  void join_neighbours() {
    for (std::size_t i = 0; i + 1 < query_.words.size() && i + 1 < groups_.size(); ++i) {
      if (groups_.size() != query_.words.size()) return;  // corrected: no longer side by side
      const auto joined = query_.words[i] + query_.words[i + 1];
      if (joined.size() > word_bytes_max || vocabulary_.products_with(joined) == 0) continue;
      const auto stem = stem_of(joined);
      const auto has = docs(stem);
      groups_[i].docs |= has;
      groups_[i + 1].docs |= has;
      rank(stem, tuning_.joined);
      rank(in_focus(stem), tuning_.focus);
    }
  }

  void add_synonyms() {
    for (std::size_t from = 0; from < groups_.size(); ++from) {
      std::vector<std::string> stems;
      for (std::size_t to = from; to < groups_.size() && stems.size() < synonyms_.longest(); ++to) {
        if (groups_[to].stem.empty()) break;
        stems.push_back(groups_[to].stem);
        for (const auto& other : synonyms_.of(stems)) {
          DocSet has = docs(other[0]);
          for (const auto& stem : other) {
            has &= docs(stem);
            rank(stem, tuning_.synonym);
          }
          for (std::size_t i = from; i <= to; ++i) groups_[i].docs |= has;
        }
      }
    }
  }

  void exclude() {
    for (const auto& word : query_.excluded) out_.excluded |= docs(stem_of(word));
    for (const auto& phrase : query_.phrases) {
      auto& stems = out_.phrases.emplace_back();
      for (const auto& word : phrase) stems.push_back(stem_of(word));
    }
  }

  void finish() {
    for (auto& group : groups_) out_.words.push_back(std::move(group.docs));
    out_.only_unknown = groups_.empty() && !query_.words.empty();
    out_.no_words = groups_.empty() && query_ == QueryText{.open_end = query_.open_end} &&
                    text_.find_first_not_of(" \t\r\n") != std::string_view::npos;
    for (const auto& [term, weight] : weights_) {
      if (weight > 0) out_.terms.push_back({term, weight});
    }
    if (corrections_.empty()) return;
    std::string suggestion;
    for (const auto& word : words_of(text_.substr(0, query_bytes_max))) {
      const auto at = std::find_if(corrections_.begin(), corrections_.end(),
                                   [&](const auto& c) { return c.first == word.text; });
      if (!suggestion.empty()) suggestion.push_back(' ');
      suggestion += at == corrections_.end() ? word.text : at->second;
    }
    out_.suggestion = std::move(suggestion);
  }

  std::string_view text_;
  QueryText query_;
  TextIndex::Reader& reader_;
  const Vocabulary& vocabulary_;
  const Synonyms& synonyms_;
  const SearchTuning& tuning_;
  std::vector<Group> groups_;
  std::map<std::string, double> weights_;
  std::vector<std::pair<std::string, std::string>> corrections_;
  std::optional<Fault> fault_;
  Understanding out_;
};

}  // namespace

Result<Understanding, Fault> understand(std::string_view text, TextIndex::Reader& reader,
                                        const Vocabulary& vocabulary, const Synonyms& synonyms,
                                        const SearchTuning& tuning) {
  return Understander(text, reader, vocabulary, synonyms, tuning).run();
}

}  // namespace souk::search

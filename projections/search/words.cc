#include "projections/search/words.h"

#include <xapian.h>

#include <algorithm>
#include <array>
#include <utility>

namespace souk::search {
namespace {

/// U+00C0 to U+017F without their accents; a space where the letter stays as it is.
constexpr std::string_view plain_latin =
    "AAAAAA CEEEEIIII NOOOOO OUUUUY  aaaaaa ceeeeiiii nooooo ouuuuy y"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi  JjKk LlLlLlLlLlNnNnNn   OoOoOo  "
    "RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

unsigned folded(unsigned c) {
  if (c >= 0xC0 && c < 0xC0 + plain_latin.size()) {
    const char plain = plain_latin[c - 0xC0];
    if (plain != ' ') c = static_cast<unsigned char>(plain);
  }
  return Xapian::Unicode::tolower(c);
}
bool digit(unsigned c) { return c >= '0' && c <= '9'; }
bool apostrophe(unsigned c) { return c == '\'' || c == 0x2019 || c == 0x2018 || c == '`'; }
bool hyphen(unsigned c) { return c == '-' || c == 0x2010 || c == 0x2011; }
bool combining(unsigned c) { return c >= 0x300 && c < 0x370; }
bool letter(unsigned c) { return Xapian::Unicode::is_wordchar(c) && c != '_'; }

bool without_blanks(unsigned c) {
  constexpr std::array<std::pair<unsigned, unsigned>, 12> ranges = {{{0x0E00, 0x0EFF},
                                                                     {0x1000, 0x109F},
                                                                     {0x1100, 0x11FF},
                                                                     {0x1780, 0x17FF},
                                                                     {0x3005, 0x3007},
                                                                     {0x3040, 0x30FF},
                                                                     {0x3130, 0x318F},
                                                                     {0x31F0, 0x31FF},
                                                                     {0x3400, 0x9FFF},
                                                                     {0xAC00, 0xD7FF},
                                                                     {0xF900, 0xFAFF},
                                                                     {0xFF66, 0xFFDC}}};
  if (c < ranges[0].first) return false;
  if (c >= 0x20000 && c <= 0x3FFFF) return true;
  return std::ranges::any_of(
      ranges, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

/// Collects letters and hands on whole words.
class Collector {
 public:
  Collector(std::vector<Word>& out, SingleLetters single_letters)
      : out_(out), single_letters_(single_letters) {}
  bool empty() const { return text_.empty(); }
  bool ends_in_digit() const {
    return !text_.empty() && digit(static_cast<unsigned char>(text_.back()));
  }
  const std::string& text() const { return text_; }
  void add(unsigned c) {
    if (text_.size() + 4 <= word_bytes_max) Xapian::Unicode::append_utf8(text_, c);
  }
  /// A letter of a script without blanks.
  void add_to_run(unsigned c) {
    end_word();
    std::string letter;
    Xapian::Unicode::append_utf8(letter, c);
    if (run_ > 0) out_.push_back({.text = before_ + letter, .ngram = true});
    if (run_ > 0 && single_letters_ == SingleLetters::too) {
      if (run_ == 1) out_.push_back({.text = before_, .ngram = true, .inside = true});
      out_.push_back({.text = letter, .ngram = true, .inside = true});
    }
    before_ = std::move(letter);
    ++run_;
  }
  void end_run() {
    if (run_ == 1) out_.push_back({.text = before_, .ngram = true});
    before_.clear();
    run_ = 0;
  }
  void glue() { glue_ = true; }
  void replace(std::string_view text) { text_ = text; }
  void end() {
    end_run();
    end_word();
  }

 private:
  void end_word() {
    if (text_.empty()) {
      glue_ = false;
      return;
    }
    const auto letters = std::find_if(text_.begin(), text_.end(), [](char c) {
      return !digit(static_cast<unsigned char>(c)) && c != '.' && c != '/';
    });
    // 200mg and 10inch are a number and its unit; 3d and 5m are names.
    if (letters != text_.begin() && text_.end() - letters >= 2 &&
        std::none_of(letters, text_.end(),
                     [](char c) { return digit(static_cast<unsigned char>(c)); })) {
      push(std::string(text_.begin(), letters));
      push(std::string(letters, text_.end()));
    } else {
      push(text_);
    }
    text_.clear();
    glue_ = false;
  }
  void push(std::string text) {
    out_.push_back({.text = std::move(text), .glued = glue_ && !out_.empty()});
    glue_ = false;
  }
  std::vector<Word>& out_;
  const SingleLetters single_letters_;
  std::string text_;
  std::string before_;  // the letter before in a run of a script without blanks
  std::size_t run_ = 0;
  bool glue_ = false;
};

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& sorted, std::string_view word) {
  return std::binary_search(sorted.begin(), sorted.end(), word);
}

}  // namespace

std::vector<Word> words_of(std::string_view text, SingleLetters single_letters) {
  std::vector<Word> words;
  words.reserve(text.size() / 6);
  Collector word(words, single_letters);
  Xapian::Utf8Iterator at(text.data(), text.size());
  const Xapian::Utf8Iterator end;
  const auto peek = [&] {
    auto next = at;
    return ++next == end ? 0U : *next;
  };
  for (; at != end; ++at) {
    const unsigned c = *at;
    if (combining(c)) {
      continue;
    } else if (letter(c) && without_blanks(c)) {
      word.add_to_run(c);
    } else if (letter(c)) {
      word.end_run();
      word.add(folded(c));
    } else if (word.empty()) {
      word.end_run();
      continue;
    } else if (apostrophe(c) && letter(peek())) {
      // women's is women; o'reilly is oreilly.
      auto next = at;
      const bool s = folded(*++next) == 's' && (++next == end || !letter(*next));
      if (s) ++at;
      if (s) word.end();
    } else if (word.ends_in_digit() && (c == '.' || c == '/') && digit(peek())) {
      word.add(c);
    } else if (word.ends_in_digit() && c == ',' && digit(peek())) {
      continue;
    } else if (c == '/' && word.text() == "w") {
      auto next = at;
      const bool o = peek() != 0 && folded(*++next) == 'o' && (++next == end || !letter(*next));
      if (o) ++at;
      word.replace(o ? "without" : "with");
      word.end();
    } else {
      word.end();
      if (hyphen(c)) word.glue();
    }
  }
  word.end();
  return words;
}

std::string stem_of(std::string_view word) {
  thread_local const Xapian::Stem english("english");
  std::string text(word);
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return digit(static_cast<unsigned char>(c)); })) {
    return text;
  }
  return english(text);
}

bool stop_word(std::string_view word) {
  static constexpr std::array<std::string_view, 27> words = {
      "a",    "an",  "and",   "are",  "as", "at",  "be",   "by",   "for",
      "from", "in",  "into",  "is",   "it", "of",  "on",   "or",   "s",
      "that", "the", "their", "this", "to", "was", "will", "with", "your"};
  return one_of(words, word);
}

bool points_elsewhere(std::string_view word) {
  static constexpr std::array<std::string_view, 4> words = {"compatible", "fit", "fits", "for"};
  return one_of(words, word);
}

bool negation_asked(std::string_view word) {
  static constexpr std::array<std::string_view, 4> words = {"except", "excluding", "not",
                                                            "without"};
  return one_of(words, word);
}
bool negation_told(std::string_view word) {
  static constexpr std::array<std::string_view, 4> words = {"no", "non", "not", "without"};
  return one_of(words, word);
}

std::vector<bool> told_absent(const std::vector<Word>& words) {
  std::vector<bool> absent(words.size(), false);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (negation_told(words[i].text)) {
      std::size_t next = i + 1;
      while (next < words.size() && next <= i + 2 &&
             (stop_word(words[next].text) || words[next].text == "any")) {
        ++next;
      }
      if (next < words.size()) absent[next] = true;
    } else if (i > 0 && (words[i].text == "free" || words[i].text == "less")) {
      absent[i - 1] = true;
    }
  }
  return absent;
}

std::string denied_by(std::string_view word) {
  constexpr std::string_view less = "less";
  if (word.size() < less.size() + 3 || !word.ends_with(less)) return {};
  return std::string(word.substr(0, word.size() - less.size()));
}

}  // namespace souk::search

#include "projections/search/words.h"

#include <xapian.h>

#include <algorithm>
#include <array>

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

/// Collects letters and hands on whole words.
class Collector {
 public:
  explicit Collector(std::vector<Word>& out) : out_(out) {}
  bool empty() const { return text_.empty(); }
  bool ends_in_digit() const {
    return !text_.empty() && digit(static_cast<unsigned char>(text_.back()));
  }
  const std::string& text() const { return text_; }
  void add(unsigned c) {
    if (text_.size() + 4 <= word_bytes_max) Xapian::Unicode::append_utf8(text_, c);
  }
  void glue() { glue_ = true; }
  void end() {
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
  void replace(std::string_view text) { text_ = text; }

 private:
  void push(std::string text) {
    out_.push_back({std::move(text), glue_ && !out_.empty()});
    glue_ = false;
  }
  std::vector<Word>& out_;
  std::string text_;
  bool glue_ = false;
};

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& sorted, std::string_view word) {
  return std::binary_search(sorted.begin(), sorted.end(), word);
}

}  // namespace

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  words.reserve(text.size() / 6);
  Collector word(words);
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
    } else if (letter(c)) {
      word.add(folded(c));
    } else if (word.empty()) {
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

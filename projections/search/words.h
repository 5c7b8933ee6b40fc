#pragma once
/// How text becomes words: the same way for what a product says and for what a customer asks.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace souk::search {

/// A word in lower case and without accents: `women's` is women, `200mg` is 200 and mg, `1/2` and
/// `1.75` stay whole, `w/` is with and `w/o` is without.
struct Word {
  std::string text;    // 1 to `word_bytes_max` bytes
  bool glued = false;  // by a hyphen to the word before: e-cloth
  /// Of a script that writes no blanks between words (Chinese, Japanese, Korean, Thai, Lao, Khmer,
  /// Burmese): two letters that stand together, or one.
  bool ngram = false;
  bool inside = false;  // one letter of several: SingleLetters::too
};
inline constexpr std::size_t word_bytes_max = 64;

/// The words of `text`: what is no letter or digit parts them. Bytes that are no UTF-8 are taken
/// for Latin-1. `single_letters`: of two and more letters of a script without blanks also each one,
/// so that who asks for one finds it inside.
enum class SingleLetters : std::uint8_t { no, too };
std::vector<Word> words_of(std::string_view text, SingleLetters single_letters = SingleLetters::no);

/// The English stem. Words with digits are their own.
std::string stem_of(std::string_view word);

/// Says nothing about what is wanted: the, for, with.
bool stop_word(std::string_view word);
/// Behind it a name tells what the thing goes with, not what it is: case for phones.
bool points_elsewhere(std::string_view word);
/// What follows is not wanted, or not there: without, not.
bool negation_asked(std::string_view word);
bool negation_told(std::string_view word);

/// One word for each of `words`: whether the text says that this is not there ("without straw",
/// "no straw", "straw-free").
std::vector<bool> told_absent(const std::vector<Word>& words);
/// What a word like strapless denies: strap; empty where it denies nothing.
std::string denied_by(std::string_view word);

}  // namespace souk::search

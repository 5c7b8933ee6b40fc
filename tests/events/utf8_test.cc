#include "events/utf8.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace souk;

namespace {
/// `code` in the shortest form of `size` bytes, whether that is allowed or not.
std::string encode(std::uint32_t code, int size) {
  if (size == 1) return {static_cast<char>(code)};
  static constexpr std::uint32_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  std::string text;
  text.push_back(static_cast<char>(leads[size] | code >> (6 * (size - 1))));
  for (int i = size - 2; i >= 0; --i)
    text.push_back(static_cast<char>(0x80 | (code >> 6 * i & 0x3F)));
  return text;
}
int shortest(std::uint32_t code) {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}
}  // namespace

TEST_CASE("utf8: every scalar value is valid in its shortest form and in no other") {
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    const int size = shortest(code);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const std::string text = encode(code, size);
    if (utf8_valid(text) == surrogate) FAIL("U+" << code);
    if (utf8_valid_without_controls(text) != (!surrogate && !control)) FAIL("U+" << code);
    for (int longer = size + 1; longer <= 4; ++longer) {
      if (utf8_valid(encode(code, longer))) FAIL("overlong U+" << code << " in " << longer);
    }
    if (size > 1 && utf8_valid(text.substr(0, text.size() - 1))) FAIL("cut off U+" << code);
  }
}

TEST_CASE("utf8: what is beyond U+10FFFF, stray or unknown is not valid") {
  CHECK(utf8_valid(""));
  CHECK_FALSE(utf8_valid("\xF4\x90\x80\x80"));
  CHECK_FALSE(utf8_valid("\xF5\x80\x80\x80"));
  CHECK_FALSE(utf8_valid("\x80"));
  CHECK_FALSE(utf8_valid("\xFE"));
  CHECK_FALSE(utf8_valid("\xC3("));
  CHECK_FALSE(utf8_valid("\xE2\x82("));
}

TEST_CASE("utf8: a bad byte is found wherever it stands among plain ones") {
  for (std::size_t at = 0; at < 40; ++at) {
    std::string text(40, 'x');
    CHECK(utf8_valid(text));
    text[at] = '\xC3';
    CHECK_FALSE(utf8_valid(text));
  }
}

#include "events/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace souk {
namespace {

enum class Controls { allowed, refused };

std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

/// The size of the well-formed multi-byte character at `i`, or 0. The table is RFC 3629's: only the
/// second byte has a range of its own.
std::size_t multibyte_size(std::string_view text, std::size_t i, Controls controls) {
  const std::uint8_t lead = byte_at(text, i);
  std::size_t size = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
    if (lead == 0xC2 && controls == Controls::refused) low = 0xA0;  // C1 is U+0080 to U+009F
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3;
    if (lead == 0xE0) low = 0xA0;   // overlong
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    if (lead == 0xF0) low = 0x90;   // overlong
    if (lead == 0xF4) high = 0x8F;  // beyond U+10FFFF
  } else {
    return 0;
  }
  if (text.size() - i < size) return 0;
  if (byte_at(text, i + 1) < low || byte_at(text, i + 1) > high) return 0;
  for (std::size_t k = 2; k < size; ++k) {
    if ((byte_at(text, i + k) & 0xC0) != 0x80) return 0;
  }
  return size;
}

bool valid(std::string_view text, Controls controls) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (controls == Controls::allowed && text.size() - i >= 8) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + i, 8);
      if ((word & 0x8080808080808080ULL) == 0) {
        i += 8;
        continue;
      }
    }
    const std::uint8_t byte = byte_at(text, i);
    if (byte < 0x80) {
      if (controls == Controls::refused && (byte < 0x20 || byte == 0x7F)) return false;
      ++i;
      continue;
    }
    const std::size_t size = multibyte_size(text, i, controls);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

}  // namespace

bool utf8_valid(std::string_view text) { return valid(text, Controls::allowed); }
bool utf8_valid_without_controls(std::string_view text) { return valid(text, Controls::refused); }

}  // namespace souk

#include "events/json_text.h"

#include <array>
#include <cstddef>

namespace souk {
namespace {

/// 0: as it is; 1: \u00XX; else the letter behind the backslash.
constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 1;
  table[0x7f] = 1;
  table['"'] = '"';
  table['\\'] = '\\';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['\b'] = 'b';
  table['\f'] = 'f';
  return table;
}
constexpr std::array<char, 256> escapes = make_escapes();
constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t clean = 0;  // where the run that needs no escape began
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = escapes[byte];
    if (escape == 0) continue;
    out.append(text.substr(clean, i - clean));
    clean = i + 1;
    out += '\\';
    if (escape == 1) {
      out += "u00";
      out += hex_digits[byte >> 4];
      out += hex_digits[byte & 15];
    } else {
      out += escape;
    }
  }
  out.append(text.substr(clean));
  out += '"';
}

}  // namespace souk

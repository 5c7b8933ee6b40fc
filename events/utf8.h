#pragma once
#include <string_view>

namespace souk {

/// Whether `text` is well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond
/// U+10FFFF, nothing cut off.
bool utf8_valid(std::string_view text);

/// Whether `text` is well-formed UTF-8 without control characters (C0, DEL, C1).
bool utf8_valid_without_controls(std::string_view text);

}  // namespace souk

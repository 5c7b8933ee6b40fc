#pragma once
#include <string_view>

namespace souk {

/// Whether `text` is an http or https address: the scheme in any case, a host, no blanks and no
/// control characters. What is beyond ASCII may be percent-encoded or not.
bool is_web_address(std::string_view text);

}  // namespace souk

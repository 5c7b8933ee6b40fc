#pragma once
#include <string>
#include <string_view>

namespace souk {

/// Appends `text` as a JSON string, in quotes. UTF-8 passes as it is.
/// REQUIRES: `text` is UTF-8. Thread: any.
void append_json_string(std::string& out, std::string_view text);

}  // namespace souk

#pragma once
#include <string>
#include <string_view>

namespace souk::cli {

/// Whether there is a tag that texts of shops have: `<p>`, `<br />`, `</b>`.
bool looks_like_html(std::string_view text);

/// What a reader sees of an HTML body, as plain text: blocks on lines of their own, an empty line
/// between paragraphs, list items behind "- ", entities as characters, runs of blanks as one. What
/// is not shown (comments, scripts, styles) is left out. Unknown entities stay as they are.
std::string html_to_text(std::string_view html);

}  // namespace souk::cli

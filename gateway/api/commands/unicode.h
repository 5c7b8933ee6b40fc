#pragma once
/// What texts mean beyond their bytes. ICU stays in the .cc.
///
/// REQUIRES everywhere: UTF-8. Thread: any.
#include <string>
#include <string_view>

namespace souk {

/// A character that leaves a mark on paper: no blank of any script, no zero-width character.
bool has_visible(std::string_view text);
/// It begins or ends with a blank of any script, or with a zero-width character.
bool has_blank_end(std::string_view text);
/// What two spellings of one email address have in common: normalised (NFC), without regard to case,
/// the domain in its ASCII form (IDNA, UTS 46) without a dot at its end. Of plain ASCII it is the
/// text in lower case without that dot. Stored by its hash: never change it for a given text.
std::string email_key(std::string_view email);
/// Line breaks of Windows (CR LF) and lone CRs as LF.
std::string with_line_feeds(std::string_view text);

}  // namespace souk

#include "events/web_address.h"

#include "events/utf8.h"

namespace souk {
namespace {

/// `beginning` is in lower case.
bool begins_with(std::string_view text, std::string_view beginning) {
  if (text.size() < beginning.size()) return false;
  for (std::size_t i = 0; i < beginning.size(); ++i) {
    const bool capital = text[i] >= 'A' && text[i] <= 'Z';
    if ((capital ? text[i] - 'A' + 'a' : text[i]) != beginning[i]) return false;
  }
  return true;
}

}  // namespace

bool is_web_address(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (begins_with(text, scheme))
      return text.size() > scheme.size() && text[scheme.size()] != '/' &&
             text.find(' ') == std::string_view::npos && utf8_valid_without_controls(text);
  return false;
}

}  // namespace souk

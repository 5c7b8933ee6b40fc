#include "gateway/api/commands/unicode.h"

#include <unicode/idna.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>

#include "gateway/api/edge/text.h"

namespace souk {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_visible(UChar32 c) {
  constexpr UChar32 braille_blank = 0x2800;
  return c >= 0 && c != braille_blank && u_isgraph(c) &&
         !u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

icu::UnicodeString unicode_of(std::string_view text) {
  return icu::UnicodeString::fromUTF8({text.data(), static_cast<int>(text.size())});
}

std::string utf8_of(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

/// NFC of the folded NFC: folding may take it apart again. As it is where ICU fails.
icu::UnicodeString folded(const icu::UnicodeString& text) {
  UErrorCode error = U_ZERO_ERROR;
  const auto* nfc = icu::Normalizer2::getNFCInstance(error);
  if (U_FAILURE(error)) return text;
  auto once = nfc->normalize(text, error);
  once.foldCase();
  auto twice = nfc->normalize(once, error);
  return U_FAILURE(error) ? text : twice;
}

/// Nothing where it is no domain that IDNA knows.
std::string ascii_domain(const icu::UnicodeString& domain) {
  UErrorCode error = U_ZERO_ERROR;
  static const std::unique_ptr<const icu::IDNA> idna = [] {
    UErrorCode failed = U_ZERO_ERROR;
    return std::unique_ptr<const icu::IDNA>(
        icu::IDNA::createUTS46Instance(UIDNA_NONTRANSITIONAL_TO_ASCII, failed));
  }();
  if (idna == nullptr) return {};
  icu::IDNAInfo info;
  icu::UnicodeString out;
  idna->nameToASCII(domain, out, info, error);
  return U_FAILURE(error) || info.hasErrors() ? std::string() : utf8_of(out);
}

}  // namespace

bool has_visible(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; }))
    return true;
  const auto all = unicode_of(text);
  for (int at = 0; at < all.length(); at = all.moveIndex32(at, 1))
    if (is_visible(all.char32At(at))) return true;
  return false;
}

bool has_blank_end(std::string_view text) {
  if (text.empty()) return false;
  const auto all = unicode_of(text);
  return !is_visible(all.char32At(0)) || !is_visible(all.char32At(all.length() - 1));
}

std::string email_key(std::string_view email) {
  std::string key;
  if (is_ascii(email)) {
    key = lower_ascii(email);
  } else {
    key = utf8_of(folded(unicode_of(email)));
    const auto domain_at = key.rfind('@') + 1;
    // IDNA looks at what was typed: folding has made two letters of some (\u00df) that it keeps.
    const auto typed = email.substr(email.rfind('@') + 1);
    const auto ascii = is_ascii(typed) ? std::string() : ascii_domain(unicode_of(typed));
    if (!ascii.empty()) key.replace(domain_at, std::string::npos, ascii);
  }
  if (key.ends_with('.')) key.pop_back();
  return key;
}

std::string with_line_feeds(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      out += '\n';
    }
  }
  return out;
}

}  // namespace souk

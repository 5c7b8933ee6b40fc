#include "tools/souk/import/text_encoding.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>

#include "events/utf8.h"

namespace souk::cli {
namespace {

constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";
constexpr std::size_t looked_at_bytes = 4096;

class Converter {
 public:
  explicit Converter(const std::string& encoding) : iconv_(iconv_open("UTF-8", encoding.c_str())) {}
  ~Converter() {
    if (good()) iconv_close(iconv_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  bool good() const { return iconv_ != reinterpret_cast<iconv_t>(-1); }

  /// The place of the first byte that cannot be read; npos: all were.
  std::size_t convert(std::string& bytes, std::string& out) {
    char* in = bytes.data();
    std::size_t left = bytes.size();
    char piece[16 * 1024];
    while (left > 0) {
      char* to = piece;
      std::size_t room = sizeof piece;
      const std::size_t done = iconv(iconv_, &in, &left, &to, &room);
      out.append(piece, sizeof piece - room);
      if (done == static_cast<std::size_t>(-1) && errno != E2BIG) return bytes.size() - left;
    }
    return std::string::npos;
  }

 private:
  iconv_t iconv_;
};

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

/// The name that iconv is asked for.
std::string canonical(const std::string& encoding) {
  const std::string name = upper(encoding);
  if (name == "UTF8") return "UTF-8";
  for (const std::string_view latin :
       {"LATIN1", "LATIN-1", "ISO-8859-1", "ISO8859-1", "CP1252", "WINDOWS1252"})
    if (name == latin) return "WINDOWS-1252";
  return name;
}

/// Sequences of several bytes that are UTF-8, and bytes beyond ASCII that are not.
struct Sequences {
  std::size_t good = 0, bad = 0;
};

Sequences sequences_of(std::string_view bytes) {
  Sequences seen;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    const bool good = size == 1 || utf8_valid(bytes.substr(i, size));
    if (size > 1) ++(good ? seen.good : seen.bad);
    i += good ? size : 1;
  }
  return seen;
}

/// Text of UTF-16 that is mostly ASCII has a zero in every second byte.
std::string utf16_without_mark(std::string_view bytes) {
  const std::string_view seen = bytes.substr(0, looked_at_bytes & ~std::size_t{1});
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i] == '\0') ++(i % 2 == 0 ? even : odd);
  if (odd > seen.size() / 4 && even < odd / 8) return "UTF-16LE";
  if (even > seen.size() / 4 && odd < even / 8) return "UTF-16BE";
  return {};
}

void drop_mark(std::string& text) {
  if (text.starts_with(utf8_mark)) text.erase(0, utf8_mark.size());
}

}  // namespace

std::string guess_encoding(std::string_view bytes) {
  if (bytes.starts_with(utf8_mark)) return "UTF-8";
  if (bytes.starts_with("\xFF\xFE")) return "UTF-16LE";
  if (bytes.starts_with("\xFE\xFF")) return "UTF-16BE";
  if (std::string name = utf16_without_mark(bytes); !name.empty()) return name;
  if (utf8_valid(bytes)) return "UTF-8";
  const Sequences seen = sequences_of(bytes);
  return seen.good > seen.bad ? "UTF-8" : "WINDOWS-1252";
}

Outcome<Utf8Text> to_utf8(std::string bytes, const std::string& encoding) {
  const bool guessed = encoding.empty();
  Utf8Text result{.text = {}, .encoding = guessed ? guess_encoding(bytes) : canonical(encoding)};
  if (result.encoding == "UTF-8") {
    result.text = std::move(bytes);
    drop_mark(result.text);
    return result;
  }
  Converter converter(result.encoding);
  if (!converter.good())
    return Failure{ExitCode::usage, "--encoding: nobody knows " + encoding +
                                        "; known are utf-8, utf-16, latin1, windows-1252 and "
                                        "whatever `iconv --list` prints"};
  result.text.reserve(bytes.size() + bytes.size() / 8);
  const std::size_t bad = converter.convert(bytes, result.text);
  if (bad == std::string::npos) {
    drop_mark(result.text);
    return result;
  }
  const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<long>(bad), '\n');
  return Failure{ExitCode::refused, "byte " + std::to_string(bad + 1) + " (line " +
                                        std::to_string(line) + ") is no " + result.encoding +
                                        "; say what it is with --encoding"};
}

}  // namespace souk::cli

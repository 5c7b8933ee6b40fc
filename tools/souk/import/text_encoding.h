#pragma once
/// The bytes of a file as UTF-8, however they were written.
#include <string>
#include <string_view>

#include "tools/souk/client/failure.h"

namespace souk::cli {

struct Utf8Text {
  std::string text;      // without a byte order mark
  std::string encoding;  // what it was: "UTF-8", "UTF-16LE", "WINDOWS-1252"
};

/// What `bytes` are written in: by their byte order mark; by the zeros of UTF-16 where it has none;
/// UTF-8 where that is well formed, or at least more often than not; else Windows-1252, of which
/// Latin-1 is a part.
std::string guess_encoding(std::string_view bytes);

/// `encoding`: a name that iconv knows, in any case; empty: as guess_encoding says. Latin-1 is read
/// as Windows-1252, as browsers do. UTF-8 passes as it is, so that a bad row can be told by itself.
/// Errors: usage, an encoding that nobody knows; refused, bytes that are none of it, with the place.
Outcome<Utf8Text> to_utf8(std::string bytes, const std::string& encoding);

}  // namespace souk::cli

#include "tools/souk/import/text_encoding.h"

#include <doctest/doctest.h>

using namespace souk::cli;

namespace {

std::string utf16(std::string_view ascii, bool big) {
  std::string out;
  for (const char c : ascii) {
    if (big) out += '\0';
    out += c;
    if (!big) out += '\0';
  }
  return out;
}

std::string read(std::string bytes, const std::string& encoding = {}) {
  const auto text = to_utf8(std::move(bytes), encoding);
  REQUIRE(text);
  return text->encoding + ":" + text->text;
}

}  // namespace

TEST_CASE("encoding: byte order marks decide and go") {
  CHECK(read("\xEF\xBB\xBFsku") == "UTF-8:sku");
  CHECK(read("\xFF\xFE" + utf16("sku,name", false)) == "UTF-16LE:sku,name");
  CHECK(read("\xFE\xFF" + utf16("sku,name", true)) == "UTF-16BE:sku,name");
}

TEST_CASE("encoding: without a mark the bytes tell") {
  CHECK(read("sku,t\xC3\xA9") == "UTF-8:sku,t\xC3\xA9");
  CHECK(read("sku,t\xE9") == "WINDOWS-1252:sku,t\xC3\xA9");
  CHECK(read("\x80 5") == "WINDOWS-1252:\xE2\x82\xAC 5");
  CHECK(read(utf16("sku,name\n", false)) == "UTF-16LE:sku,name\n");
  CHECK(read(utf16("sku,name\n", true)) == "UTF-16BE:sku,name\n");
  // One bad byte in a file that is UTF-8 elsewhere spoils its own row only.
  CHECK(read("\xC3\xA9 \xC3\xA8 \xFF") == "UTF-8:\xC3\xA9 \xC3\xA8 \xFF");
}

TEST_CASE("encoding: the caller's word counts, and an unknown or wrong one is told") {
  CHECK(read("t\xE9", "latin1") == "WINDOWS-1252:t\xC3\xA9");
  CHECK(read("\xA4", "iso-8859-15") == "ISO-8859-15:\xE2\x82\xAC");
  CHECK(read(utf16("a", false), "utf-16le") == "UTF-16LE:a");
  const auto unknown = to_utf8("a", "klingon");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ExitCode::usage);
  const auto wrong = to_utf8("a\nb\x81", "windows-1252");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.starts_with("byte 4 (line 2) is no WINDOWS-1252"));
}

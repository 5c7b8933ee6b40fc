#include "gateway/http/chunked.h"

#include <doctest/doctest.h>

using souk::ChunkDecoder;
using Outcome = ChunkDecoder::Outcome;

namespace {

struct Decoded {
  Outcome outcome = Outcome::more;
  std::size_t used = 0;
  std::string body;
  bool operator==(const Decoded&) const = default;
};

/// Decodes `text` in pieces of `piece` bytes.
Decoded decode(std::string_view text, std::size_t piece, std::size_t body_bytes_max = 100) {
  ChunkDecoder decoder;
  Decoded decoded;
  while (decoded.outcome == Outcome::more && decoded.used < text.size()) {
    const auto step =
        decoder.decode(text.substr(decoded.used, piece), body_bytes_max, decoded.body);
    decoded.outcome = step.outcome;
    decoded.used += step.used;
  }
  return decoded;
}

}  // namespace

TEST_CASE("http chunked: a body is the same in pieces of any size, and what follows is left") {
  const std::string text =
      "4\r\nwiki\r\n00000A ; a=\"b\"\r\n0123456789\r\n0\r\nTrailer: ignored\r\nOther:\r\n\r\nGET /";
  const Decoded whole{Outcome::done, text.size() - 5, "wiki0123456789"};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    CHECK(decode(text, piece) == whole);
  }
}

TEST_CASE("http chunked: extensions and trailers of the grammar are passed over") {
  for (const std::string_view line :
       {"1;a", "1;a=b", "1 ;a", "1\t; a", "1;a ;b", "1;a = b", "1;a=b;c=d ; e", "1;a=\"\"",
        "1;a=\"b c;=\\\"\"", "1;a=\"\xc3\xa4\"", "1;!#$%&'*+-.^_`|~=~"}) {
    for (const std::string_view trailer :
         {"", "A:\r\n", "A: b\r\nC:\td, \xc3\xa4\r\n", "!~:::\r\n"}) {
      CAPTURE(line);
      CAPTURE(trailer);
      const std::string text = std::string(line) + "\r\nx\r\n0\r\n" + std::string(trailer) + "\r\n";
      CHECK(decode(text, 1) == Decoded{Outcome::done, text.size(), "x"});
      CHECK(decode(text, text.size()) == Decoded{Outcome::done, text.size(), "x"});
    }
  }
}

TEST_CASE("http chunked: an empty body ends at once") {
  CHECK(decode("0\r\n\r\n", 1) == Decoded{Outcome::done, 5, ""});
}

TEST_CASE("http chunked: what is not the coding is refused") {
  for (const std::string_view text : {"\r\n",
                                      "x\r\n",
                                      "-1\r\n",
                                      "+1\r\n",
                                      "0x1\r\n",
                                      ";a\r\n",
                                      "1\n",
                                      "1\rx",
                                      "1x\r\n",
                                      "1\r\nab",
                                      "1\r\na\nb",
                                      "1\r\na\rb",
                                      "1\r\na\n0\r\n\r\n",
                                      "1 \r\na\r\n0\r\n\r\n",
                                      "1\t\r\na\r\n0\r\n\r\n",
                                      "1 2\r\n",
                                      "1 x\r\n",
                                      "1;\r\n",
                                      "1; \r\n",
                                      "1;;a\r\n",
                                      "1;=\r\n",
                                      "1;=a\r\n",
                                      "1;a=\r\n",
                                      "1;a =\r\n",
                                      "1;a= \r\n",
                                      "1;a=b c\r\n",
                                      "1;a b\r\n",
                                      "1;a \r\n",
                                      "1;a=b \r\n",
                                      "1;a=b=c\r\n",
                                      "1;(\r\n",
                                      "1;a=(\r\n",
                                      "1;a=\"\r\n",
                                      "1;a=\"b\"c\r\n",
                                      "1;a=\"b\\\r\n",
                                      "1;a=\"\x01\"\r\n",
                                      "1;a,b\r\n",
                                      "1;\xc3\xa4\r\n",
                                      "0\r\nA\r\n\r\n",
                                      "0\r\nA B: c\r\n\r\n",
                                      "0\r\nA : c\r\n\r\n",
                                      "0\r\n(: c\r\n\r\n",
                                      "0\r\n\xc3\xa4: c\r\n\r\n",
                                      "0\r\nA: b\r\n folded\r\n\r\n",
                                      "0\r\nA: b\rc\r\n\r\n",
                                      "1;\x01\r\n",
                                      "1;a\nb\r\n",
                                      "0\r\nA: \x7f\r\n\r\n",
                                      "0\r\n folded\r\n\r\n",
                                      "0\r\n: v\r\n\r\n",
                                      "0\r\nA: b\n\r\n",
                                      "0\r\n\rx",
                                      "1000000000000000\r\n",
                                      "0000000000000001\r\n"}) {
    CAPTURE(text);
    CHECK(decode(text, 1).outcome == Outcome::malformed);
    CHECK(decode(text, text.size()).outcome == Outcome::malformed);
  }
}

TEST_CASE("http chunked: the limit is kept, and one past it is refused before it is read") {
  CHECK(decode("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 1, 5).outcome == Outcome::done);
  const Decoded past = decode("3\r\nabc\r\n3\r\n", 1, 5);
  CHECK(past.outcome == Outcome::too_large);
  CHECK(past.body == "abc");
  CHECK(decode("fffffffffffffff\r\n", 1, 5).outcome == Outcome::too_large);
}

TEST_CASE("http chunked: extensions and trailers have a limit together") {
  const std::size_t max = ChunkDecoder::overhead_bytes_max;
  const std::string most = "1;" + std::string(max - 5, 'e') + "\r\na\r\n0\r\nA: bc\r\n\r\n";
  CHECK(decode(most, most.size()).outcome == Outcome::done);
  const std::string more = "1;" + std::string(max - 4, 'e') + "\r\na\r\n0\r\nA: bc\r\n\r\n";
  CHECK(decode(more, more.size()).outcome == Outcome::malformed);
}

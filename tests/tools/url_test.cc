#include "tools/souk/client/url.h"

#include <doctest/doctest.h>

using souk::cli::parse_url;
using souk::cli::path_segment;
using souk::cli::Url;

TEST_CASE("url: host and port are read, with and without the scheme, 80 where none is given") {
  CHECK(parse_url("http://127.0.0.1:8080") == Url{"127.0.0.1", "8080"});
  CHECK(parse_url("http://shop.example:1/") == Url{"shop.example", "1"});
  CHECK(parse_url("http://shop.example") == Url{"shop.example", "80"});
  CHECK(parse_url("localhost:65535") == Url{"localhost", "65535"});
  CHECK(parse_url("http://[::1]:9090") == Url{"::1", "9090"});
  CHECK(parse_url("http://[::1]:9090")->text() == "http://[::1]:9090");
}

TEST_CASE("url: everything else is no url") {
  for (const char* text :
       {"", "http://", "https://a:1", "a", "http://a:0", "http://a:65536", "http://a:x",
        "http://a:", "http://a/path", "http://user@a:1", "http://a b:1", "http://[::1",
        "http://[]:1", "http://[::1]x", "http://a:1:2", "ftp://a:1", "http://a?b:1"}) {
    CAPTURE(text);
    CHECK(!parse_url(text).has_value());
  }
}

TEST_CASE("url: a segment of a path keeps unreserved characters and encodes all others") {
  CHECK(path_segment("85123A-x_y.z~") == "85123A-x_y.z~");
  CHECK(path_segment("BANK CHARGES") == "BANK%20CHARGES");
  CHECK(path_segment("a/b%41?#") == "a%2Fb%2541%3F%23");
  CHECK(path_segment("\xC3\xA4") == "%C3%A4");
  CHECK(path_segment("..") == "%2E%2E");
  CHECK(path_segment("...") == "...");
}

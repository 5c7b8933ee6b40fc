#include "gateway/http/content_coding.h"

#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include "test_server.h"

using namespace souk;
using namespace souk::test;

namespace {

std::string gzip(std::string_view plain) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
  return out;
}

struct Decoded {
  int status = 200;
  std::string body;
};

Decoded decode(std::string_view coding, std::string_view body, std::size_t bytes_max = 100'000) {
  HttpRequest request;
  request.content_encoding = coding;
  request.body = body;
  Decoded out;
  if (const auto why = decode_body(request, bytes_max, out.body)) out.status = why->status;
  return out;
}

std::string coded(std::string_view coding, std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: " + std::string(coding) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("content coding: what was compressed is what the handler sees") {
  std::string plain;
  for (int i = 0; i < 20'000; ++i) plain += static_cast<char>('a' + i * i % 23);
  for (const auto& text : {std::string("x"), plain}) {
    CHECK(decode("gzip", gzip(text)).body == text);
    CHECK(decode("X-GZip", gzip(text)).body == text);
    CHECK(decode("zstd", zstd(text)).body == text);
    CHECK(decode("gzip", gzip(text) + gzip("more")).body == text + "more");
    CHECK(decode("zstd", zstd(text) + zstd("more")).body == text + "more");
  }
  CHECK(decode("gzip", gzip("")).status == 200);
  CHECK(decode("zstd", zstd("")).status == 200);
}

TEST_CASE("content coding: a body may be as large as its limit, and a bomb is not blown up") {
  const std::string most(1'000, 'x');
  const std::string bomb = gzip(std::string(50'000'000, '\0'));
  CHECK(decode("gzip", gzip(most), 1'000).body == most);
  CHECK(decode("zstd", zstd(most), 1'000).body == most);
  CHECK(decode("gzip", gzip(most + "x"), 1'000).status == 413);
  CHECK(decode("zstd", zstd(most + "x"), 1'000).status == 413);
  const auto burst = decode("gzip", bomb, 1'000'000);
  CHECK(burst.status == 413);
  CHECK(burst.body.size() == 1'000'001);
}

TEST_CASE("content coding: broken streams are 400, other codings 415") {
  for (const auto& [coding, whole] :
       {std::pair{"gzip", gzip("some text")}, std::pair{"zstd", zstd("some text")}}) {
    CAPTURE(coding);
    for (std::size_t size = 1; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK(decode(coding, whole.substr(0, size)).status == 400);
    }
    CHECK(decode(coding, whole + "x").status == 400);
    CHECK(decode(coding, "plain text").status == 400);
    std::string bent = whole;
    bent[0] ^= 0x40;
    CHECK(decode(coding, bent).status == 400);
  }
  for (const char* coding : {"br", "deflate", "gzip, gzip", "identity, gzip", "gzip;q=1", ","})
    CHECK(decode(coding, gzip("x")).status == 415);
}

TEST_CASE("http server: a compressed request is decoded before its handler") {
  TestServer server;  // at most 1000 bytes
  Client client(server.port());
  CHECK(client.call(coded("gzip", gzip("hello"))).body == "3 /echo\nhello");
  CHECK(client.call(coded("zstd", zstd("hello"))).body == "3 /echo\nhello");
  CHECK(client.call(coded("identity", "hello")).body == "3 /echo\nhello");
  CHECK(client.call(coded("br", "")).status == 200);  // there is nothing to decode
  Answer answer = client.call(coded("br", "hello"));
  CHECK(answer.status == 415);
  CHECK(answer.headers["accept-encoding"] == "gzip, zstd");
  CHECK(client.call(coded("gzip", "hello")).status == 400);
  CHECK(client.call(coded("gzip", gzip(std::string(1'001, 'x')))).status == 413);
  const auto twice =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
      "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx";
  CHECK(client.call(twice).status == 415);
  CHECK(client.call(coded("gzip", gzip(std::string(1'000, 'x')))).status == 200);  // it stays open
}

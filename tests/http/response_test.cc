#include "gateway/http/response.h"

#include <doctest/doctest.h>

using namespace souk;

namespace {

std::string head_of(const HttpResponse& response, AfterAnswer after = AfterAnswer::keep_open) {
  std::string out;
  append_response_head(response, after, "now", out);
  return out;
}

}  // namespace

TEST_CASE("http response: the head has every field that is given, and no other") {
  HttpResponse response;
  CHECK(head_of(response) == "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
  response.status = 409;
  response.body = "{}";
  response.content_type = "application/problem+json";
  response.etag = 18446744073709551615u;
  response.cache_control = "no-store";
  response.position = "p";
  response.replayed = true;
  response.truncated = true;
  response.retry_after_s = 2;
  response.allow = "GET";
  response.location = "/v1/a%20b";
  CHECK(head_of(response, AfterAnswer::close) ==
        "HTTP/1.1 409 Conflict\r\nDate: now\r\nContent-Type: application/problem+json\r\n"
        "Content-Length: 2\r\nETag: \"18446744073709551615\"\r\nCache-Control: no-store\r\n"
        "Souk-Position: p\r\nIdempotent-Replay: true\r\nSouk-Truncated: true\r\n"
        "Retry-After: 2\r\nAllow: GET\r\nLocation: /v1/a%20b\r\n"
        "Connection: close\r\n\r\n");
}

TEST_CASE("http response: a ready answer is its fields behind the date") {
  ReadyResponse response{200, "ETag: \"3\"\r\n", "{}"};
  std::string out;
  append_response_head(response, AfterAnswer::keep_open, "now", 1'700'000'000, out);
  CHECK(out == "HTTP/1.1 200 OK\r\nDate: now\r\nETag: \"3\"\r\n\r\n");
  response.status = 304;
  response.shared = SharedUse::to_the_end_of_the_second;
  out.clear();
  append_response_head(response, AfterAnswer::close, "now", 1'700'000'000, out);
  CHECK(out ==
        "HTTP/1.1 304 Not Modified\r\nDate: now\r\nX-Accel-Expires: @1700000000\r\n"
        "ETag: \"3\"\r\nConnection: close\r\n\r\n");
}

TEST_CASE("http response: 204 and 304 say nothing of a body") {
  HttpResponse response;
  response.body = "x";
  response.status = 204;
  CHECK(head_of(response) == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
  response.status = 304;
  CHECK(head_of(response) == "HTTP/1.1 304 Not Modified\r\nDate: now\r\n\r\n");
}

TEST_CASE("http response: a value cannot break out of its line") {
  HttpResponse response;
  response.location = "/a\r\nSet-Cookie: b\x7f\xc3";
  CHECK(head_of(response).find("Location: /a??Set-Cookie: b??\r\n\r\n") != std::string::npos);
}

TEST_CASE("http response: an unknown status has a line that clients can read") {
  HttpResponse response;
  response.status = 299;
  CHECK(head_of(response).starts_with("HTTP/1.1 299 \r\n"));
}

TEST_CASE("http response: the date is an IMF-fixdate and changes with the second") {
  HttpDate date;
  CHECK(date.at(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(951827696) == "Tue, 29 Feb 2000 12:34:56 GMT");
}

#include "gateway/http/request_reader.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "test_server.h"

using namespace souk;
using Outcome = RequestReader::Outcome;

namespace {

int padding_sum = 0;

/// What came of bytes given in pieces: the requests in them, and how it ended.
struct Taken {
  std::vector<std::string> requests;
  int rejected = 0;
  std::string detail;
  RequestReader::Phase phase = RequestReader::Phase::idle;
};

Taken read(const std::string& bytes, std::size_t piece, std::size_t head_bytes_max = 16 * 1024) {
  test::EchoHandler handler;
  RequestReader reader;
  RequestHead head;
  Taken result;
  for (std::size_t at = 0; at < bytes.size();) {
    // A copy of its own, so that ASan sees a byte too many and a view that outlives its bytes.
    std::string held = bytes.substr(at, piece);
    held.reserve(held.size() + http_padding_bytes);
    const auto step = reader.read(held, head_bytes_max, handler, head);
    at += step.used;
    if (step.outcome == Outcome::rejected) {
      result.rejected = step.rejection.status;
      result.detail = step.rejection.detail;
      return result;
    }
    if (step.outcome == Outcome::request) {
      const HttpRequest& request = head.request;
      for (std::size_t i = 0; i < http_padding_bytes && !request.body.empty(); ++i) {
        padding_sum += request.body.data()[request.body.size() + i];  // readable, or ASan tells
      }
      result.requests.push_back(fmt::format("{} {} {} {}|{}", static_cast<int>(request.method),
                                            request.target, request.idempotency_key,
                                            head.keep_alive, request.body));
      reader.clear();
    }
    result.phase = reader.phase();
  }
  return result;
}

/// The status that `head` is refused with; 0 when it is taken, -1 when more is wanted.
int refusal(const std::string& head) {
  const Taken whole = read(head, head.size());
  const Taken bytewise = read(head, 1);
  CHECK(whole.rejected == bytewise.rejected);
  CHECK(whole.requests == bytewise.requests);
  if (whole.rejected != 0) return whole.rejected;
  return whole.requests.empty() ? -1 : 0;
}

const std::string start = "POST /x HTTP/1.1\r\nHost: shop\r\n";

}  // namespace

TEST_CASE("http reader: requests are the same in pieces of any size") {
  const std::string bytes =
      "GET /a?b=%20c HTTP/1.1\r\nHost: shop\r\n\r\n"
      "\r\nPOST /b HTTP/1.1\r\nhOST:shop:80\r\nidempotency-KEY:  k 1 \r\nContent-Length: 5\r\n\r\n"
      "hello"
      "PUT /c HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
      "DELETE /d HTTP/1.1\r\nHost: shop:\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n"
      "PATCH /e HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\ne"
      "GET http://shop/f?g HTTP/1.1\r\nHost: shop\r\n\r\n"
      "GET http://shop?g=/ HTTP/1.1\r\nHost: shop\r\n\r\n"
      "PUT /g HTTP/1.7\r\nHost: shop\r\nContent-Length: 2\r\n\r\nab"
      "OPTIONS * HTTP/1.1\r\nHost: shop\r\n\r\n";
  const std::vector<std::string> wanted{
      "0 /a?b=%20c  true|", "3 /b k 1 true|hello", "2 /c  true|abc",
      "5 /d  false|",       "4 /e  false|e",       "0 /f?g  true|",
      "0 ?g=/  true|",      "2 /g  true|ab",       "6 *  true|"};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    CAPTURE(piece);
    const Taken result = read(bytes, piece);
    CHECK(result.detail == "");
    CHECK(result.requests == wanted);
    CHECK(result.phase == RequestReader::Phase::idle);
  }
}

TEST_CASE("http reader: a Host is wanted once in HTTP/1.1") {
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.0\r\n\r\n") == 0);
  for (const char* bad :
       {"",        " ",         ":",       ":80",        "shop:99999", "shop:65536",
        "shop:-1", "shop:+1",   "shop:8o", "shop:80:80", "a@shop",     "[::1",
        "::1",     "[]",        "[::1]x",  "[g]",        "a[::1]",     "shop%4",
        "shop%zz", "shop,shop", "shop\"",  "[::1]:99999"}) {
    CAPTURE(bad);
    CHECK(refusal(std::string("GET / HTTP/1.1\r\nHost: ") + bad + "\r\n\r\n") == 400);
    CHECK(refusal(std::string("GET http://") + bad + "/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  }
  for (const char* good : {"shop:65535", "shop:0", "shop:00080", "shop:", "[::1]", "[::1]:8080",
                           "[v1.a:b]", "1.2.3.4:80", "sh%41p", "a_b.c-d!$&'()*+;=~"}) {
    CAPTURE(good);
    CHECK(refusal(std::string("GET / HTTP/1.1\r\nHost: ") + good + "\r\n\r\n") == 0);
  }
}

TEST_CASE("http reader: a body's length is said once and plainly") {
  CHECK(refusal(start + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal(start + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal(start + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nab") == 400);
  CHECK(refusal(start + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab") == 400);
  for (const char* bad : {"2, 2", "2,3", "+2", "-2", "0x2", "2 2", "", "two", "2;", "2.0",
                          "18446744073709551616", "99999999999999999999999"}) {
    CAPTURE(bad);
    CHECK(refusal(start + "Content-Length: " + bad + "\r\n\r\nab") == 400);
  }
  CHECK(refusal(start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  for (const char* unknown : {"gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "",
                              "identity", "xchunked", "chunked;q=1"}) {
    CAPTURE(unknown);
    CHECK(refusal(start + "Transfer-Encoding: " + unknown + "\r\n\r\n0\r\n\r\n") == 501);
  }
  CHECK(refusal(start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n") == 400);
}

TEST_CASE("http reader: ambiguous lines are refused") {
  CHECK(refusal(start + "A: b\r\n c\r\n\r\n") == 400);
  CHECK(refusal(start + "A: b\r\n\tc\r\n\r\n") == 400);
  CHECK(refusal(start + "A:\r\n b\r\n\r\n") == 400);
  CHECK(refusal(start + "A:\r\n \r\n\r\n") == 400);
  CHECK(refusal(start + "A: b\r\n \r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\n Host: a\r\n\r\n") == 400);
  CHECK(refusal(start + "A: b\nC: d\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\nHost: a\n\n") == 400);
  CHECK(refusal(start + "A: b\rC: d\r\n\r\n") == 400);
  CHECK(refusal(start + "A : b\r\n\r\n") == 400);
  CHECK(refusal(start + ": b\r\n\r\n") == 400);
  CHECK(refusal(start + "A\r\n\r\n") == 400);
  for (int c = 0; c < 0x20; ++c) {
    if (c == '\t' || c == '\r') continue;
    CAPTURE(c);
    CHECK(refusal(start + "A: b" + static_cast<char>(c) + "c\r\n\r\n") == 400);
    CHECK(refusal(start + "A" + static_cast<char>(c) + "c: b\r\n\r\n") == 400);
    std::string target = "GET /c";  // in place: g++ 12 warns of what operator+ never does
    target.back() = static_cast<char>(c);
    CHECK(refusal(target + "c HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  }
  CHECK(refusal(start + "A: b\x7f\r\n\r\n") == 400);
}

TEST_CASE("http reader: what is no request line is refused, however little of it there is") {
  for (const char* bad : {"GET\r\n\r\n",
                          "GET /\r\n\r\n",
                          "GET / \r\n\r\n",
                          "GET / HTTP/1.10\r\n\r\n",
                          "GET / HTTP/2\r\n\r\n",
                          "GET / HTTP/11.1\r\n\r\n",
                          "GET / HTTP/1,1\r\n\r\n",
                          "\nGET / HTTP/1.1\r\n",
                          "GET / HTTP/1.1\r\nHost: a\n\n",
                          "GET / HTTP/1.1\r\nHost: a\r\n\n",
                          "GET / HTTP/1.1\r\nHost: a\n",
                          "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
                          "POST * HTTP/1.1\r\nHost: a\r\n\r\n",
                          "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
                          "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n",
                          "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
                          "GET / http/1.1\r\n\r\n",
                          "GET  / HTTP/1.1\r\n\r\n",
                          "GET / HTTP/1.1 \r\n\r\n",
                          " GET / HTTP/1.1\r\n\r\n",
                          "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                          "G(T / HTTP/1.1\r\n\r\n",
                          "GET shop HTTP/1.1\r\nHost: a\r\n\r\n",
                          "CONNECT shop:80 HTTP/1.1\r\nHost: a\r\n\r\n",
                          "GET ftp://shop/ HTTP/1.1\r\nHost: a\r\n\r\n",
                          "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
                          "\x16\x03\x01\x02\x01\x01"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == 400);
  }
}

TEST_CASE("http reader: other major versions are told so, newer minor ones are served") {
  for (const char* version : {"0.9", "2.0", "3.0", "9.9", "0.0", "2.1"}) {
    CAPTURE(version);
    const std::string line = std::string("GET /a HTTP/") + version + "\r\n";
    CHECK(refusal(line + "\r\n") == 505);
    CHECK(refusal(line + "Host: a\r\n\r\n") == 505);
  }
  CHECK(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
  for (const char minor : {'2', '3', '9'}) {
    const std::string line = std::string("GET /a HTTP/1.") + minor + "\r\n";
    CHECK(refusal(line + "Host: a\r\n\r\n") == 0);
    CHECK(refusal("\r\n" + line + "Host: a\r\n\r\n") == 0);
    CHECK(refusal(line + "\r\n") == 400);  // the rules of 1.1 hold: no Host
  }
}

TEST_CASE("http reader: the one expectation that is known, in the one version that has it") {
  for (const char* other : {"tea", "", "100-continue, tea", "100", "100-continued"}) {
    CAPTURE(other);
    CHECK(refusal(start + "Expect: " + other + "\r\n\r\n") == 417);
    CHECK(refusal(std::string("GET / HTTP/1.0\r\nExpect: ") + other + "\r\n\r\n") == 0);
  }
  CHECK(refusal(start + "Expect: 100-CONTINUE\r\n\r\n") == 0);
  CHECK(refusal(start + "Expect: tea\r\nExpect: 100-continue\r\n\r\n") == 417);
}

TEST_CASE("http reader: headers with one value are not repeated; ours are ASCII") {
  for (const char* name : {"Idempotency-Key", "If-Match", "Content-Type", "Souk-Min-Position"}) {
    CAPTURE(name);
    CHECK(refusal(start + name + ": a\r\n\r\n") == 0);
    CHECK(refusal(start + name + ": a\r\n" + name + ": a\r\n\r\n") == 400);
  }
  CHECK(refusal(start + "If-Match: \xe9\r\n\r\n") == 400);
  CHECK(refusal(start + "Unknown: \xe9\r\n\r\n") == 0);
  CHECK(refusal(start + "Idempotency-Key: \xe9\r\n\r\n") == 0);  // the API judges it
}

TEST_CASE("http reader: a head at its limit is taken, and one byte more refused") {
  const std::string front = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
  const std::string most = front + std::string(1000 - front.size() - 4, 'b') + "\r\n\r\n";
  const std::string more = front + std::string(1001 - front.size() - 4, 'b') + "\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, most.size() + 1}) {
    CAPTURE(piece);
    CHECK(read(most, piece, 1000).requests.size() == 1);
    CHECK(read(more, piece, 1000).rejected == 431);
    CHECK(read("\r\n" + most, piece, 1000).requests.size() == 1);
    CHECK(read("\r\n" + more, piece, 1000).rejected == 431);
    CHECK(read(front + std::string(100'000, 'b'), piece, 1000).rejected == 431);
    CHECK(read("GET /" + std::string(100'000, 'b'), piece, 1000).rejected == 431);
  }
}

TEST_CASE("http reader: a body at its limit is taken, and one byte more refused") {
  const std::string most(1000, 'b');
  CHECK(refusal(test::post("/x", most)) == 0);
  CHECK(refusal(test::post("/x", most + "b")) == 413);
  const std::string chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
  CHECK(refusal(chunked + "3e8\r\n" + most + "\r\n0\r\n\r\n") == 0);
  CHECK(refusal(chunked + "3e7\r\n" + most.substr(1) + "\r\n2\r\nbb\r\n0\r\n\r\n") == 413);
}

TEST_CASE("http reader: behind every body there is padding, whatever its size and framing") {
  for (std::size_t size = 1; size <= 1000; ++size) {
    const std::string body(size, 'b');
    CHECK(read(test::post("/x", body), 50).requests.size() == 1);
    CHECK(read(start + fmt::format("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                                   size, body),
               50)
              .requests.size() == 1);
  }
}

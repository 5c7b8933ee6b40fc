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
      "DELETE /d HTTP/1.1\r\nHost:\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n"
      "PATCH /e HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\ne"
      "GET http://shop/f?g HTTP/1.1\r\nHost: shop\r\n\r\n"
      "OPTIONS * HTTP/1.1\r\nHost: shop\r\n\r\n";
  const std::vector<std::string> wanted{
      "0 /a?b=%20c  true|", "3 /b k 1 true|hello", "2 /c  true|abc", "5 /d  false|",
      "4 /e  false|e",      "0 /f?g  true|",       "6 *  true|"};
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
  for (const char* bad :
       {"GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.2\r\n\r\n",
        "GET / http/1.1\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n",
        " GET / HTTP/1.1\r\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n",
        "GET shop HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT shop:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET ftp://shop/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == 400);
  }
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

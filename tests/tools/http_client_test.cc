#include "tools/souk/client/http_client.h"

#include <doctest/doctest.h>

#include "tests/tools/scripted_peer.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/client/batch_sender.h"

using namespace souk::cli;
using Then = ScriptedPeer::Step::Then;

namespace {
std::string key_of(const std::string& request) {
  const std::size_t at = request.find("Idempotency-Key: ");
  return at == std::string::npos ? "" : request.substr(at + 17, request.find("\r\n", at) - at - 17);
}
std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}
}  // namespace

TEST_CASE("http client: calls share one connection, answers may come in any pieces") {
  ScriptedPeer peer(
      {{.answer = ScriptedPeer::answer("200 OK", "first", "ETag: \"7\"\r\nSouk-Position: 3:4\r\n")},
       {.answer = ScriptedPeer::answer("409 Conflict", "second", "Idempotent-Replay: true\r\n"),
        .piece = 1},
       {.answer = "HTTP/1.1 204 No Content\r\n\r\n"},
       {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"}});
  HttpClient client(peer.url());
  auto first = client.call({.target = "/a"});
  REQUIRE(first);
  CHECK(first->status == 200);
  CHECK(first->body == "first");
  CHECK(first->etag == "\"7\"");
  CHECK(first->position == "3:4");
  auto second = client.call(
      {.method = "POST", .target = "/b", .body = "{}", .content_type = "application/json"});
  REQUIRE(second);
  CHECK(second->status == 409);
  CHECK(second->body == "second");
  CHECK(second->replayed);
  CHECK(client.call({.target = "/c"})->status == 204);
  CHECK(client.call({.target = "/d"})->body == "abc");
  CHECK(peer.connections() == 1);
  CHECK(peer.requests()[0].starts_with("GET /a HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(body_of(peer.requests()[1]) == "{}");
}

TEST_CASE("http client: a connection that ended between two calls is opened again without a word") {
  ScriptedPeer peer({{.answer = ScriptedPeer::answer("200 OK", "x"), .then = Then::close},
                     {.answer = ScriptedPeer::answer("200 OK", "y", "Connection: close\r\n"),
                      .then = Then::close},
                     {.answer = ScriptedPeer::answer("200 OK", "z")}});
  HttpClient client(peer.url());
  CHECK(client.call({.target = "/"})->body == "x");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(client.call({.target = "/"})->body == "y");
  CHECK(client.call({.target = "/"})->body == "z");
  CHECK(peer.connections() == 3);
}

TEST_CASE("http client: what is lost, malformed or late is told apart") {
  ScriptedPeer peer(
      {{.answer = "", .then = Then::close},
       {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .then = Then::close},
       {.answer = "nonsense\r\n\r\n", .then = Then::close},
       {.answer = ""}});
  HttpClient client(peer.url());
  CHECK(client.call({.target = "/"}).error().kind == HttpFault::Kind::lost);
  CHECK(client.call({.target = "/"}).error().kind == HttpFault::Kind::lost);
  CHECK(client.call({.target = "/"}).error().kind == HttpFault::Kind::malformed);
  client.set_timeout_ms(150);
  CHECK(client.call({.target = "/"}).error().kind == HttpFault::Kind::timed_out);
}

TEST_CASE("http client: nobody listening is said with the address, and exits with 3") {
  Url nobody;
  { nobody = ScriptedPeer({}).url(); }
  auto answer = ApiClient(nobody).get("/healthz");
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ExitCode::unreachable);
  CHECK(answer.error().message == "cannot reach " + nobody.text() + ": Connection refused");
}

TEST_CASE("api client: a command is repeated with its key after 503 and after a lost answer") {
  ScriptedPeer peer({{.answer = ScriptedPeer::answer("503 Service Unavailable", "{}")},
                     {.answer = "", .then = Then::close},
                     {.answer = ScriptedPeer::answer("201 Created", "{\"cart_id\":\"c1\"}")}});
  auto answer = ApiClient(peer.url()).command("POST", "/v1/carts", "{}", "my key", "5");
  REQUIRE(answer);
  CHECK(answer->status == 201);
  REQUIRE(peer.requests().size() == 3);
  for (const std::string& request : peer.requests()) {
    CHECK(key_of(request) == "my key");
    CHECK(body_of(request) == "{}");
    CHECK(request.find("If-Match: \"5\"\r\n") != std::string::npos);
  }
}

TEST_CASE("api client: a refusal is an answer and is not repeated") {
  ScriptedPeer peer(
      {{.answer = ScriptedPeer::answer(
            "409 Conflict", R"({"code":"out_of_stock","detail":"none left","status":409})")}});
  auto answer = ApiClient(peer.url()).command("POST", "/v1/orders", "{}", "k");
  REQUIRE(answer);
  CHECK(answer->status == 409);
  CHECK(refused(*answer).message == "refused: out_of_stock: none left");
  CHECK(refused(*answer).code == ExitCode::refused);
}

TEST_CASE("api client: random keys differ") { CHECK(random_key() != random_key()); }

TEST_CASE("batch: what was answered with 503 goes again alone, and a replay then is no news") {
  ScriptedPeer peer(
      {{.answer = ScriptedPeer::answer(
            "200 OK", "{\"status\":200,\"replayed\":true}\n{\"status\":503}\n{\"status\":409}\n")},
       {.answer = ScriptedPeer::answer("503 Service Unavailable", "{}")},
       {.answer = "", .then = Then::close},
       {.answer = ScriptedPeer::answer("200 OK", "{\"status\":200,\"replayed\":true}\n")}});
  CommandBatch batch;
  for (const char* sku : {"A", "B", "C"})
    batch.begin("add_item").text("sku", sku).key("k").minimal().end();
  auto answers = BatchSender(peer.url()).send(batch);
  REQUIRE(answers);
  REQUIRE(answers->size() == 3);
  CHECK((*answers)[0].replayed);
  CHECK((*answers)[1].status == 200);
  CHECK_FALSE((*answers)[1].replayed);
  CHECK((*answers)[2].status == 409);
  REQUIRE(peer.requests().size() == 4);
  const std::string again =
      "{\"command\":\"add_item\",\"sku\":\"B\",\"idempotency_key\":\"k\",\"prefer\":\"minimal\"}\n";
  for (std::size_t i = 1; i < 4; ++i) CHECK(body_of(peer.requests()[i]) == again);
}

TEST_CASE("batch: an answer of the wrong length is refused, not guessed at") {
  ScriptedPeer peer({{.answer = ScriptedPeer::answer("200 OK", "{\"status\":200}\n")}});
  CommandBatch batch;
  batch.begin("a").end();
  batch.begin("b").end();
  CHECK_FALSE(BatchSender(peer.url()).send(batch).ok());
}

TEST_CASE("batch: more than a request may hold is cut into several, in order") {
  const std::size_t most = BatchSender::commands_per_request_max;
  const auto good = [](std::size_t count) {
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) lines += "{\"status\":200}\n";
    return ScriptedPeer::answer("200 OK", lines);
  };
  ScriptedPeer peer({{.answer = good(most)}, {.answer = good(1)}});
  CommandBatch batch;
  for (std::size_t i = 0; i <= most; ++i)
    batch.begin("c").number("n", static_cast<std::int64_t>(i)).end();
  auto answers = BatchSender(peer.url()).send(batch);
  REQUIRE(answers);
  CHECK(answers->size() == most + 1);
  REQUIRE(peer.requests().size() == 2);
  CHECK(body_of(peer.requests()[1]) == "{\"command\":\"c\",\"n\":4000}\n");
}

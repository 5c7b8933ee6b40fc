#include <doctest/doctest.h>
#include <fmt/format.h>

#include "test_server.h"

using namespace souk;
using namespace souk::test;

TEST_CASE("http server: a request gets its answer and the connection stays") {
  TestServer server;
  Client client(server.port());
  for (int i = 0; i < 5000; ++i) {
    const Answer answer = client.call(post("/echo", std::to_string(i)));
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body == fmt::format("3 /echo\n{}", i));
  }
  const HttpStats stats = server->stats();
  CHECK(stats.accepted == 1);
  CHECK(stats.connections == 1);
  CHECK(stats.requests == 5000);
  CHECK(stats.bytes_in > 5000 * 50);
  CHECK(stats.bytes_out > 5000 * 50);
}

TEST_CASE("http server: all headers of an answer arrive") {
  TestServer server;
  Client client(server.port());
  Answer answer = client.call(get("/answer"));
  CHECK(answer.status == 201);
  CHECK(answer.headers["etag"] == "\"7\"");
  CHECK(answer.headers["souk-position"] == "0-12");
  CHECK(answer.headers["idempotent-replay"] == "true");
  CHECK(answer.headers["retry-after"] == "3");
  CHECK(answer.headers["allow"] == "GET, PUT");
  CHECK(answer.headers["content-type"] == "application/json");
  CHECK(answer.headers["date"].ends_with(" GMT"));
  CHECK(!answer.has("evil"));
  CHECK(!answer.has("server"));
  CHECK(!answer.has("connection"));
  answer = client.call(get("/minimal"));
  CHECK(answer.status == 204);
  CHECK(!answer.has("content-length"));
  CHECK(client.call(get("/echo")).body == "0 /echo\n");  // nothing of the body went out
}

TEST_CASE("http server: the handler sees the headers it needs") {
  TestServer server;
  Client client(server.port());
  CHECK(client
            .call("GET /headers HTTP/1.1\r\nHost: a\r\nCONTENT-TYPE: t/t\r\naccept: x\r\n"
                  "Prefer: return=minimal\r\nIdempotency-Key: k\r\nIf-Match: \"3\"\r\n"
                  "If-None-Match: \"4\"\r\nSouk-Min-Position: 5\r\n\r\n")
            .body ==
        "type=truet/t accept=x prefer=return=minimal key=truek match=true\"3\" "
        "none=\"4\" position=true5");
  CHECK(client.call(get("/headers")).body ==
        "type=false accept= prefer= key=false match=false none= position=false");
  CHECK(client.call("GET /headers HTTP/1.1\r\nHost: a\r\nIdempotency-Key:\r\n\r\n").body ==
        "type=false accept= prefer= key=true match=false none= position=false");
}

TEST_CASE("http server: HEAD gets the head of the answer only") {
  TestServer server;
  Client client(server.port());
  client.send("HEAD /big?500 HTTP/1.1\r\nHost: a\r\n\r\n");
  Answer answer = client.answer(true);
  CHECK(answer.status == 200);
  CHECK(answer.headers["content-length"] == "500");
  CHECK(client.call(get("/echo")).body == "0 /echo\n");
}

TEST_CASE("http server: pipelined requests are answered in their order") {
  TestServer server;
  for (const char* path : {"/echo", "/batched"}) {
    std::string requests;
    for (int i = 0; i < 2000; ++i) requests += post(path, std::to_string(i));
    // In pieces: some come while earlier ones wait, some end in the middle of a request.
    for (const std::size_t piece : {requests.size(), std::size_t{3001}, std::size_t{701}}) {
      CAPTURE(std::string(path));
      CAPTURE(piece);
      Client client(server.port());
      std::thread sender([&] {
        for (std::size_t at = 0; at < requests.size(); at += piece) {
          client.send(std::string_view(requests).substr(at, piece));
        }
      });
      int in_order = 0;
      for (int i = 0; i < 2000; ++i) {
        in_order += client.answer().body == fmt::format("3 {}\n{}", path, i);
      }
      sender.join();
      CHECK(in_order == 2000);
    }
  }
}

TEST_CASE("http server: one exchange at a time: the next waits for the answer before") {
  TestServer server;
  Client client(server.port());
  client.send(get("/held") + post("/held", "second") + get("/echo"));
  REQUIRE(eventually([&] { return server.handler.held == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  CHECK(server.handler.held == 1);
  server.release();
  CHECK(client.answer().body == "0 /held\n");
  REQUIRE(eventually([&] { return server.handler.held == 2; }));
  server.release();
  CHECK(client.answer().body == "3 /held\nsecond");
  CHECK(client.answer().body == "0 /echo\n");
}

TEST_CASE("http server: requests that one poll brings are handed over before on_poll_end") {
  TestServer server;
  std::vector<Client> clients;
  for (int i = 0; i < 32; ++i) clients.emplace_back(server.port());
  for (int round = 0; round < 200 && server.handler.largest_batch < 2; ++round) {
    for (Client& client : clients) client.send(get("/batched"));
    for (Client& client : clients) REQUIRE(client.answer().status == 200);
  }
  CHECK(server.handler.largest_batch >= 2);
}

TEST_CASE("http server: chunked bodies, trailers and byte-by-byte senders are understood") {
  TestServer server;
  Client client(server.port());
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n";
  CHECK(client.call(request + request).body == "3 /echo\nhello!");
  CHECK(client.answer().body == "3 /echo\nhello!");
  for (const char c : request) REQUIRE(client.send({&c, 1}));
  CHECK(client.answer().body == "3 /echo\nhello!");
}

TEST_CASE("http server: Expect: 100-continue is answered before the body") {
  TestServer server;
  Client client(server.port());
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: ";
  CHECK(client.call(head + "3\r\n\r\n").status == 100);
  CHECK(client.call("abc").body == "3 /echo\nabc");
  // A body that has come already needs no permission.
  CHECK(client.call(head + "3\r\n\r\nabc").body == "3 /echo\nabc");
  CHECK(client.call(head + "1001\r\n\r\n").status == 413);
}

TEST_CASE("http server: HTTP/1.0 and Connection: close end the connection after the answer") {
  TestServer server;
  for (const char* request :
       {"GET /echo HTTP/1.0\r\n\r\n", "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /close HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    CAPTURE(request);
    Client client(server.port());
    Answer answer = client.call(request);
    CHECK(answer.status == 200);
    CHECK(answer.headers["connection"] == "close");
    CHECK(client.rest() == "");
    CHECK(client.ended_cleanly());
  }
}

TEST_CASE("http server: a client that closes its direction still gets its answer") {
  TestServer server;
  Client client(server.port());
  client.send(get("/held"));
  client.end_of_requests();
  REQUIRE(eventually([&] { return server.handler.held == 1; }));
  server.release();
  CHECK(client.answer().body == "0 /held\n");
  CHECK(client.rest() == "");
  CHECK(client.ended_cleanly());
}

TEST_CASE("http server: a client that is gone costs nothing, and its slot is not mixed up") {
  TestServer server;
  {
    Client client(server.port());
    client.send(get("/held"));
    REQUIRE(eventually([&] { return server.handler.held == 1; }));
    client.reset();
  }
  REQUIRE(eventually([&] { return server->stats().connections == 0; }));
  Client next(server.port());  // takes the slot
  next.send(post("/held", "mine"));
  REQUIRE(eventually([&] { return server.handler.held == 2; }));
  server.release();
  CHECK(next.answer().body == "3 /held\nmine");
  CHECK(server.handler.gone == 1);
}

TEST_CASE("http server: wake reaches the handler, many calls as few") {
  TestServer server;
  for (int i = 0; i < 1000; ++i) server->wake();
  REQUIRE(eventually([&] { return server.handler.wakes > 0; }));
  CHECK(server.handler.wakes <= 1000);
  const int before = server.handler.wakes;
  server->wake();
  CHECK(eventually([&] { return server.handler.wakes == before + 1; }));
  CHECK(eventually([&] { return server.handler.ticks >= 2; }));
}

TEST_CASE("http server: a wake from another thread is never lost and does not wait for the tick") {
  TestServer server;
  Client client(server.port());
  int without_a_tick = 0;
  for (int i = 0; i < 500; ++i) {
    client.send(get("/held"));
    REQUIRE(eventually([&] { return server.handler.held == i + 1; }));
    const int ticks = server.handler.ticks;
    server.release();
    REQUIRE(client.answer().status == 200);
    without_a_tick += server.handler.ticks == ticks ? 1 : 0;
  }
  CHECK(without_a_tick > 250);  // one that waited for the tick would see one each time
}

TEST_CASE("http server: it tells why it cannot listen") {
  EchoHandler handler;
  TestServer server;
  for (const std::string& address :
       {(*server).address(), std::string("127.0.0.1"), std::string("nowhere:80"),
        std::string("127.0.0.1:65536"), std::string("127.0.0.1:"), std::string("::1:80"),
        std::string("192.0.2.1:80")}) {
    CAPTURE(address);
    const auto listening = HttpServer::listen(address, false, {}, handler);
    REQUIRE(!listening.ok());
    CHECK(listening.error().kind == Fault::Kind::unavailable);
    CHECK(listening.error().what.find(address) != std::string::npos);
  }
}

TEST_CASE("http server: with reuse_port two servers share an address; IPv6 has brackets") {
  EchoHandler handler;
  const auto first = HttpServer::listen("127.0.0.1:0", true, {}, handler);
  REQUIRE(first.ok());
  CHECK(HttpServer::listen((*first)->address(), true, {}, handler).ok());
  CHECK(!HttpServer::listen((*first)->address(), false, {}, handler).ok());
  if (const auto six = HttpServer::listen("[::1]:0", false, {}, handler); six.ok()) {
    CHECK((*six)->address().starts_with("[::1]:"));
  }
}

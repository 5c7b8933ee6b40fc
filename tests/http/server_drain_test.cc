#include <doctest/doctest.h>

#include "test_server.h"

using namespace souk;
using namespace souk::test;

TEST_CASE("http drain: idle connections end, what is in flight is answered, then run returns") {
  TestServer server;
  Client idle(server.port());
  REQUIRE(idle.call(get("/echo")).status == 200);
  Client in_flight(server.port());
  in_flight.send(get("/held") + get("/echo"));
  Client half_sent(server.port());
  half_sent.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
  REQUIRE(eventually([&] { return server.handler.held == 1; }));
  REQUIRE(eventually([&] { return server->stats().connections == 3; }));
  server->drain(20'000);
  CHECK(idle.rest() == "");
  CHECK(idle.ended_cleanly());
  CHECK(!server.ended_within(100));
  CHECK(half_sent.call("bc").body == "3 /echo\nabc");
  CHECK(half_sent.rest() == "");
  CHECK(!server.ended_within(100));
  server.release();
  Answer answer = in_flight.answer();
  CHECK(answer.body == "0 /held\n");
  CHECK(answer.headers["connection"] == "close");
  CHECK(in_flight.rest() == "");  // the pipelined request is not served
  in_flight.close();
  CHECK(server.ended_within(1000));
  CHECK(server->stats().connections == 0);
}

TEST_CASE("http drain: nobody new is served, and the port is free at once") {
  TestServer server;
  Client in_flight(server.port());
  in_flight.send(get("/held"));
  REQUIRE(eventually([&] { return server.handler.held == 1; }));
  server->drain(20'000);
  REQUIRE(eventually([&] { return !Client().connect(server.port()); }));
  EchoHandler handler;
  CHECK(HttpServer::listen((*server).address(), false, {}, handler).ok());
}

TEST_CASE("http drain: the deadline ends it, and late answers do no harm") {
  TestServer server;
  Client in_flight(server.port());
  in_flight.send(get("/held"));
  REQUIRE(eventually([&] { return server.handler.held == 1; }));
  server->drain(2'000);
  CHECK(!server.ended_within(50));
  CHECK(server.ended_within(60'000));
  CHECK(in_flight.closed_within(60'000));
}

TEST_CASE("http drain: a second, shorter drain wins; before run it makes run return") {
  {
    TestServer server;
    Client in_flight(server.port());
    in_flight.send(get("/held"));
    REQUIRE(eventually([&] { return server.handler.held == 1; }));
    server->drain(60'000);
    server->drain(0);
    CHECK(server.ended_within(1000));
  }
  EchoHandler handler;
  const auto listening = HttpServer::listen("127.0.0.1:0", false, {}, handler);
  REQUIRE(listening.ok());
  (*listening)->drain(60'000);
  (*listening)->run();
}

TEST_CASE("http drain: a long answer on its way is finished first") {
  TestServer server;
  Client client(server.port(), 4096);
  client.send(get("/big?5000000"));
  REQUIRE(eventually([&] { return server->stats().requests == 1; }));
  server->drain(20'000);
  CHECK(!server.ended_within(50));
  CHECK(client.answer().body.size() == 5'000'000);
  CHECK(client.rest() == "");
  CHECK(server.ended_within(1000));
}

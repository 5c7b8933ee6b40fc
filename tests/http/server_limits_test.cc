#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "test_server.h"

using namespace souk;
using namespace souk::test;

namespace {

/// The answer to `request`, which must be the server's own, and the last of a clean connection.
Answer refused(TestServer& server, std::string_view request) {
  Client client(server.port());
  Answer answer = client.call(request);
  CHECK(answer.headers["content-type"] == "application/problem+json");
  CHECK(answer.headers["connection"] == "close");
  CHECK(client.rest() == "");
  CHECK(client.ended_cleanly());
  return answer;
}

long resident_kib() {
  std::ifstream statm("/proc/self/statm");
  long size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4;
}

}  // namespace

TEST_CASE("http limits: refusals are problems, and the connection ends in order") {
  TestServer server;
  CHECK(refused(server, "GET / HTTP/1.1\r\n\r\n").status == 400);
  CHECK(refused(server, "nonsense\r\n\r\n").status == 400);
  CHECK(refused(server,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            .status == 400);
  CHECK(refused(server, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n").status ==
        501);
  const Answer large =
      refused(server, "GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(100'000, 'b') + "\r\n\r\n");
  CHECK(large.status == 431);
  CHECK(large.body.find("headers_too_large") != std::string::npos);
  std::string noise;
  for (int i = 0; i < 256 * 8; ++i) noise.push_back(static_cast<char>(i));
  CHECK(refused(server, noise + "\r\n\r\n").status == 400);
  CHECK(server->stats().bad_requests == 5);  // 501 is no mistake of the client's
}

TEST_CASE("http limits: what is pipelined behind a refused request is not looked at") {
  TestServer server;
  CHECK(refused(server, "GET / HTTP/1.1\r\n\r\n" + get("/echo")).status == 400);
  CHECK(server->stats().requests == 0);
}

TEST_CASE("http limits: a body at the limit is taken; one past it is 413, however much is sent") {
  TestServer server({}, 1 << 20);
  Client client(server.port());
  const std::string most(1 << 20, 'b');
  CHECK(client.call(post("/echo", most)).body.size() == most.size() + 8);
  CHECK(client.call(get("/echo")).status == 200);
  CHECK(refused(server, post("/echo", most + "b")).status == 413);
  CHECK(refused(server, post("/echo", std::string(8 << 20, 'b'))).status == 413);
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "80000\r\n" + std::string(0x80000, 'b') + "\r\n";
  CHECK(client.call(chunked + chunk + chunk + "0\r\n\r\n").status == 200);
  CHECK(refused(server, chunked + chunk + chunk + "1\r\nb\r\n0\r\n\r\n" + chunk).status == 413);
}

TEST_CASE("http limits: a client that sends on for ever after its refusal is cut off") {
  TestServer server;
  Client client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n");
  const std::string more(1 << 20, 'b');
  int sent = 0;
  while (sent < 200 && client.send(more)) ++sent;
  CHECK(sent < 200);
}

TEST_CASE("http limits: a head that does not come in time is 408, whatever dribbles in") {
  HttpLimits limits;
  limits.header_timeout_ms = 150;
  TestServer server(limits);
  Client client(server.port());
  client.send("GET /echo HTTP/1.1\r\n");
  // It dribbles on until the server has enough, which each byte would put off for ever.
  for (int i = 0; i < 1000 && server->stats().timeouts == 0; ++i) {
    client.send(fmt::format("H{}: x\r\n", i % 10));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(client.answer().status == 408);
  CHECK(client.closed_within(60'000));
  CHECK(server->stats().timeouts == 1);
}

TEST_CASE("http limits: a body that does not come in time is 408; the head's time is over") {
  HttpLimits limits;
  limits.header_timeout_ms = 50;
  limits.body_timeout_ms = 400;
  TestServer server(limits);
  Client slow(server.port());
  slow.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  Client in_time(server.port());
  in_time.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(in_time.call("cde").body == "3 /echo\nabcde");
  CHECK(slow.answer().status == 408);
  CHECK(slow.closed_within(1000));
}

TEST_CASE("http limits: an idle connection is closed without a word; one that waits is not") {
  HttpLimits limits;
  limits.idle_timeout_ms = 150;
  TestServer server(limits);
  Client silent(server.port());
  Client used(server.port());
  Client waiting(server.port());
  waiting.send(get("/held"));
  CHECK(used.call(get("/echo")).status == 200);
  CHECK(silent.rest() == "");
  CHECK(silent.ended_cleanly());
  CHECK(used.rest() == "");
  CHECK(used.ended_cleanly());
  CHECK(eventually([&] { return server->stats().connections == 1; }));
  server.release();
  CHECK(waiting.answer().status == 200);
}

TEST_CASE("http limits: clients that do not take their answers are cut off") {
  HttpLimits limits;
  limits.write_timeout_ms = 300;
  TestServer server(limits);
  Client one_large(server.port(), 4096);
  one_large.send(get("/big?20000000"));
  Client many_small(server.port(), 4096);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get("/big?50000");
  many_small.send(requests);
  CHECK(eventually([&] { return server->stats().timeouts == 2; }));
  CHECK(one_large.rest().size() < 20'000'000);
  CHECK(many_small.rest().size() < 1000 * 50'000);
}

TEST_CASE("http limits: a client that takes its answer slowly gets all of it") {
  HttpLimits limits;
  limits.write_timeout_ms = 300;
  TestServer server(limits);
  Client slow(server.port(), 65536);
  slow.send(get("/big?20000000") + get("/echo"));
  for (std::size_t i = 1; i <= 10; ++i) {
    CHECK(slow.take(i * 1'500'000));
    std::this_thread::sleep_for(std::chrono::milliseconds(70));
  }
  CHECK(slow.answer().body.size() == 20'000'000);
  CHECK(slow.answer().body == "0 /echo\n");
  CHECK(server->stats().timeouts == 0);
}

TEST_CASE("http limits: all bodies together have a limit, and its end is not for ever") {
  HttpLimits limits;
  limits.buffered_bytes_max = 100'000;
  TestServer server(limits, 1 << 20);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60001\r\n\r\n";
  {
    Client first(server.port());
    first.send(head + std::string(60'000, 'b'));
    REQUIRE(eventually([&] { return server->stats().bytes_in > 60'000; }));
    Answer answer = refused(server, head + std::string(60'000, 'b'));
    CHECK(answer.status == 503);
    CHECK(answer.headers["retry-after"] == "1");
    CHECK(first.call("b").status == 200);
    first.close();
  }
  {  // those who leave in the middle count no longer
    const std::uint64_t before = server->stats().bytes_in;
    std::vector<Client> leaving;
    for (int i = 0; i < 3; ++i) {
      leaving.emplace_back(server.port());
      leaving.back().send(head + std::string(30'000, 'b'));
    }
    REQUIRE(eventually([&] { return server->stats().bytes_in > before + 90'000; }));
  }
  REQUIRE(eventually([&] { return server->stats().connections == 0; }));
  Client again(server.port());
  again.send(head + std::string(60'000, 'b'));
  CHECK(again.call("b").status == 200);
}

TEST_CASE("http limits: answers that are not taken have a limit together") {
  HttpLimits limits;
  limits.buffered_bytes_max = 30'000'000;
  TestServer server(limits);
  std::vector<Client> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(server.port(), 4096);
    clients.back().send(get("/big?20000000"));
  }
  REQUIRE(eventually([&] { return server->stats().requests == 4; }));
  CHECK(eventually([&] { return server->stats().connections == 1; }));
  CHECK(Client(server.port()).call(get("/echo")).status == 200);
}

TEST_CASE("http limits: one connection too many is told so, and a place that is free is given") {
  HttpLimits limits;
  limits.connections_max = 3;
  TestServer server(limits);
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(server.port());
  for (Client& client : clients) CHECK(client.call(get("/echo")).status == 200);
  CHECK(refused(server, get("/echo")).status == 503);
  CHECK(server->stats().refused_connections == 1);
  clients.pop_back();
  REQUIRE(eventually([&] { return server->stats().connections == 2; }));
  CHECK(Client(server.port()).call(get("/echo")).status == 200);
}

TEST_CASE("http limits: without file descriptors clients are sent away or wait; the server lives") {
  TestServer server;
  // UBSan needs descriptors for its checks inside fmt: nothing here may format.
  const auto log_level = spdlog::get_level();
  spdlog::set_level(spdlog::level::off);
  Client before(server.port());
  REQUIRE(before.call(get("/big?5")).status == 200);
  std::vector<Client> clients(7);  // have their descriptors already
  rlimit usual{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
  const auto lower = [&](int to) {
    rlimit limit = usual;
    limit.rlim_cur = static_cast<rlim_t>(to);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  };
  const int next = ::dup(0);
  ::close(next);
  lower(next);  // the reserve is all there is
  for (std::size_t i = 0; i < 5; ++i) {
    REQUIRE(clients[i].connect(server.port()));
    CHECK(clients[i].closed_within(2000));
  }
  CHECK(server->stats().accepted == 1);
  CHECK(eventually([&] { return server->stats().refused_connections == 5; }));
  lower(3);  // not even the reserve
  for (std::size_t i = 5; i < 7; ++i) {
    REQUIRE(clients[i].connect(server.port()));
    clients[i].send(get("/big?5"));
  }
  const std::clock_t cpu = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  CHECK(std::clock() - cpu < CLOCKS_PER_SEC / 5);  // it does not spin
  CHECK(before.call(get("/big?5")).status == 200);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
  spdlog::set_level(log_level);
  for (std::size_t i = 5; i < 7; ++i) CHECK(clients[i].answer().status == 200);
}

TEST_CASE("http limits: 2,000 idle connections cost little, and each still works") {
  TestServer server({}, 10'000);
  std::vector<Client> clients;
  clients.reserve(2000);
  for (int i = 0; i < 2000; ++i) clients.emplace_back(server.port());
  REQUIRE(eventually([&] { return server->stats().connections == 2000; }));
  const long before = resident_kib();
  // Requests in pieces, so that memory is used, and must be given back.
  for (Client& client : clients) client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-");
  int good = 0;
  for (Client& client : clients) {
    client.send("Length: 9000\r\n\r\n" + std::string(9000, 'b'));
    good += client.answer().body.size() == 9008;
  }
  CHECK(good == 2000);
  CHECK(resident_kib() - before < 2 * 2000);
}

// Who answers slowly, not at all, or what no provider would.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "tests/provider/support.h"

using namespace souk;
using namespace souk::test;
using namespace std::chrono_literals;

namespace {

constexpr ProviderPatience little{.request = 200ms, .record = 300ms, .pause = 20ms};

std::string http(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Whatever\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

/// Says the same to everybody who has sent a request; nothing, where that is empty.
class Impostor {
 public:
  enum class Calls { as_all, are_taken };
  explicit Impostor(std::string says, Calls calls = Calls::as_all)
      : says_(std::move(says)), calls_(calls) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Impostor() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (const int client : clients_) ::close(client);
    ::close(listener_);
  }
  ProviderAddress address() const { return {"127.0.0.1", std::to_string(port_)}; }
  std::atomic<int> heard{0};

 private:
  void run() {
    while (!ending_) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      clients_.push_back(client);
      char bytes[4096];
      if (::recv(client, bytes, sizeof bytes, 0) <= 0) continue;
      ++heard;
      const std::string says =
          bytes[0] == 'P' && calls_ == Calls::are_taken ? http(202, "{}") : says_;
      if (says.empty()) continue;
      if (::send(client, says.data(), says.size(), MSG_NOSIGNAL) < 0) continue;
      ::shutdown(client, SHUT_WR);
    }
  }
  const std::string says_;
  const Calls calls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> clients_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("remote provider: one that never answers keeps nobody waiting, and is told of") {
  Impostor silent("");
  Caller node(silent.address(), little);
  const auto start = Steady::now();
  node->call({authorise(1)});
  CHECK(Steady::now() - start < 100ms);
  REQUIRE(eventually([&] { return node->dropped() == 1; }));
  CHECK(node->away() == "no answer in time");
  const auto stopped_from = Steady::now();
  node->stop();
  CHECK(Steady::now() - stopped_from < 200ms);
  CHECK(node.take(1, 0ms).empty());
}

TEST_CASE("remote provider: a record is waited for as long as its patience says") {
  Impostor silent("");
  RemoteProvider remote(silent.address(), little);
  const auto start = Steady::now();
  const auto record = remote.record(order(1));
  REQUIRE(!record.ok());
  CHECK(record.error().kind == Fault::Kind::unavailable);
  CHECK(record.error().what.find("no answer in time") != std::string::npos);
  const auto took = Steady::now() - start;
  CHECK((took >= 290ms && took < 2s));
}

TEST_CASE("remote provider: nobody there is told of, and not asked without a pause") {
  std::string port;
  {
    Impostor gone("");
    port = gone.address().port;
  }
  Caller node({"127.0.0.1", port}, little);
  REQUIRE(eventually([&] { return node->away().has_value(); }));
  CHECK(node->away()->find("refused") != std::string::npos);
}

TEST_CASE("remote provider: rubbish is no answer, and is told of") {
  const auto wrong_word =
      R"({"answers":[{"op":"authorise","order":")" + order(1).text() +
      R"(","number":0,"kind":"done"},{"op":"steal","order":"o1","number":0,"kind":"done"}]})";
  struct Case {
    std::string says, words;
  };
  for (const Case& one : {
           Case{"SSH-2.0-OpenSSH_9.2\r\n\r\n", ""},
           Case{http(200, "<html>hello</html>"), "no provider's: the body is not JSON"},
           Case{http(200, "{}"), "no provider's: the body has no array answers"},
           Case{http(200, wrong_word), "answers[1].op"},
           Case{http(500, "oops"), "it answered 500: oops"},
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", ""},
           Case{"HTTP/1.1 200 OK\r\nX: " + std::string(64 * 1024, 'x') + "\r\n\r\n", ""},
       }) {
    CAPTURE(one.says.substr(0, 100));
    Impostor impostor(one.says, Impostor::Calls::are_taken);
    Caller node(impostor.address(), little);
    node->call({authorise(1)});
    REQUIRE(eventually([&] { return impostor.heard > 4; }));
    REQUIRE(eventually([&] {
      const auto away = node->away();
      return away && away->find(one.words) != std::string::npos;
    }));
    CHECK(node.take(1, 0ms).empty());
  }
}

TEST_CASE("remote provider: only the provider's own word says that it does not know an order") {
  {
    Impostor other(http(404, "<html>no such page</html>"));
    const auto record = RemoteProvider(other.address(), little).record(order(1));
    REQUIRE(!record.ok());
    CHECK(record.error().kind == Fault::Kind::unavailable);
  }
  {
    Impostor strange(http(200, R"({"currency":"GBP","authorised_micros":"many"})"));
    const auto record = RemoteProvider(strange.address(), little).record(order(1));
    REQUIRE(!record.ok());
    CHECK(record.error().kind == Fault::Kind::corrupt);
    CHECK(record.error().what.find("authorised_micros") != std::string::npos);
  }
  Impostor own(http(404, R"({"status":404,"code":"not_found","detail":""})"));
  const auto record = RemoteProvider(own.address(), little).record(order(1));
  REQUIRE(record.ok());
  CHECK_FALSE(record->has_value());
}

#pragma once
/// A real server on a free port with a small handler, and a client that sends raw bytes.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/http/server.h"

namespace souk::test {

/// What it answers:
///   /echo     the method, the target and the body, at once
///   /batched  the same, at the end of the poll
///   /held     the same, after `release`
///   /headers  the header fields it was given
///   /big?N    N bytes
///   /answer   201 with every header field there is
///   /minimal  204
///   /close    200 and Connection: close
class EchoHandler final : public HttpHandler {
 public:
  std::size_t body_limit(HttpMethod method, std::string_view target) override;
  void on_request(HttpServer& server, ExchangeId exchange, const HttpRequest& request) override;
  void on_poll_end(HttpServer& server) override;
  void on_wake(HttpServer& server) override;
  void on_tick(HttpServer&) override { ++ticks; }
  std::string problem(int status, std::string_view code, std::string_view detail) override;

  /// Answers all of /held. Thread: any; needs a wake.
  void release() { released_ = true; }

  std::size_t body_bytes_max = 1000;
  std::atomic<int> held{0}, wakes{0}, ticks{0}, largest_batch{0}, gone{0}, padding_sum{0};

 private:
  struct Waiting {
    ExchangeId exchange;
    std::string body;
  };
  void answer_all(HttpServer& server, std::vector<Waiting>& waiting);

  std::vector<Waiting> held_, batched_;
  std::atomic<bool> released_{false};
};

class TestServer {
 public:
  explicit TestServer(HttpLimits limits = {}, std::size_t body_bytes_max = 1000,
                      const std::string& address = "127.0.0.1:0");
  /// Stops it at once.
  ~TestServer();

  HttpServer& operator*() { return *server_; }
  HttpServer* operator->() { return server_.get(); }
  int port() const;
  void release() {
    handler.release();
    server_->wake();
  }
  /// Waits until `run` has returned; false if it has not within `ms`.
  bool ended_within(int ms);

  EchoHandler handler;

 private:
  std::unique_ptr<HttpServer> server_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

struct Answer {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool has(const std::string& name) const { return headers.count(name) > 0; }
};

/// A blocking client. Every read gives up after 5 s.
class Client {
 public:
  Client();  // not connected
  explicit Client(int port, int receive_buffer_bytes = 0);
  ~Client() { close(); }
  Client(Client&& other) noexcept : socket_(other.socket_), read_(std::move(other.read_)) {
    other.socket_ = -1;
  }
  Client& operator=(Client&&) = delete;

  bool connect(int port);
  /// False when the connection broke.
  bool send(std::string_view bytes);
  /// The next answer; `status` 0 when the connection ended, broke or was silent.
  Answer answer(bool head_only = false);
  Answer call(std::string_view bytes) {
    send(bytes);
    return answer();
  }
  /// Waits until so many bytes that no answer was made of have come.
  bool take(std::size_t bytes);
  /// Everything until the server closes. `clean` tells an orderly end from a reset or silence.
  std::string rest();
  bool ended_cleanly() const { return clean_; }
  /// True when the server has closed (or reset) the connection within `ms`.
  bool closed_within(int ms);
  void end_of_requests();  // shuts our direction down
  void reset();            // closes with RST
  void close();

 private:
  bool fill();

  int socket_ = -1;
  std::string read_;
  bool clean_ = false;
};

std::string get(std::string_view target);
std::string post(std::string_view target, std::string_view body);
/// Waits until `condition` holds, at most 5 s; returns whether it does.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 60'000 && !condition(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

}  // namespace souk::test

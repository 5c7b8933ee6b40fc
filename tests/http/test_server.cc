#include "test_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>

namespace souk::test {
namespace {

std::string described(const HttpRequest& request) {
  return fmt::format("{} {}\n{}", static_cast<int>(request.method), request.target, request.body);
}

}  // namespace

std::size_t EchoHandler::body_limit(HttpMethod, std::string_view) { return body_bytes_max; }

void EchoHandler::on_request(HttpServer& server, ExchangeId exchange, const HttpRequest& request) {
  for (std::size_t i = 0; i < 64 && !request.body.empty(); ++i) {
    padding_sum += request.body.data()[request.body.size() + i];  // readable, or ASan tells
  }
  HttpResponse response;
  response.content_type = "text/plain";
  if (request.target == "/held") {
    held_.push_back({exchange, described(request)});
    ++held;
    return;
  }
  if (request.target == "/batched") {
    batched_.push_back({exchange, described(request)});
    return;
  }
  if (request.target.starts_with("/big?")) {
    response.body.assign(std::strtoul(std::string(request.target.substr(5)).c_str(), nullptr, 10),
                         'x');
  } else if (request.target == "/headers") {
    response.body =
        fmt::format("type={}{} accept={} prefer={} key={}{} match={}{} none={} position={}{}",
                    request.has_content_type, request.content_type, request.accept, request.prefer,
                    request.has_idempotency_key, request.idempotency_key, request.has_if_match,
                    request.if_match, request.if_none_match, request.has_min_position,
                    request.souk_min_position);
  } else if (request.target == "/answer") {
    response.status = 201;
    response.content_type = "application/json";
    response.body = "{}";
    response.etag = 7;
    response.position = "0-12";
    response.replayed = true;
    response.retry_after_s = 3;
    response.allow = "GET, PUT";
    response.location = "/v1/x\r\nEvil: yes";
  } else if (request.target == "/minimal") {
    response.status = 204;
    response.etag = 9;
    response.body = "never sent";
  } else {
    response.body = described(request);
    response.close = request.target == "/close";
  }
  server.respond(exchange, std::move(response));
}

void EchoHandler::on_poll_end(HttpServer& server) {
  largest_batch = std::max<int>(largest_batch, static_cast<int>(batched_.size()));
  answer_all(server, batched_);
}

void EchoHandler::on_wake(HttpServer& server) {
  ++wakes;
  if (released_.exchange(false)) answer_all(server, held_);
}

void EchoHandler::answer_all(HttpServer& server, std::vector<Waiting>& waiting) {
  std::vector<Waiting> now;
  now.swap(waiting);
  for (Waiting& one : now) {
    if (!server.waiting(one.exchange)) ++gone;
    HttpResponse response;
    response.body = std::move(one.body);
    server.respond(one.exchange, std::move(response));
    server.respond(one.exchange, HttpResponse{});  // a second answer is ignored
  }
}

std::string EchoHandler::problem(int status, std::string_view code, std::string_view detail) {
  return fmt::format(R"({{"status":{},"code":"{}","detail":"{}"}})", status, code, detail);
}

TestServer::TestServer(HttpLimits limits, std::size_t body_bytes_max, const std::string& address) {
  handler.body_bytes_max = body_bytes_max;
  auto listening = HttpServer::listen(address, false, limits, handler);
  REQUIRE(listening.ok());
  server_ = std::move(*listening);
  thread_ = std::thread([this] {
    server_->run();
    ended_ = true;
  });
}

TestServer::~TestServer() {
  server_->drain(0);
  thread_.join();
}

int TestServer::port() const {
  const std::string address = server_->address();
  return std::stoi(address.substr(address.rfind(':') + 1));
}

bool TestServer::ended_within(int ms) {
  for (int i = 0; i < ms && !ended_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return ended_;
}

Client::Client() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{5, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Client::Client(int port, int receive_buffer_bytes) : Client() {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  }
  REQUIRE(connect(port));
}

bool Client::connect(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Client::fill() {
  std::string more(65536, '\0');
  const ssize_t got = ::recv(socket_, more.data(), more.size(), 0);
  clean_ = got == 0;
  if (got <= 0) return false;
  read_.append(more, 0, static_cast<std::size_t>(got));
  return true;
}

Answer Client::answer(bool head_only) {
  std::size_t end = 0;
  while ((end = read_.find("\r\n\r\n")) == read_.npos) {
    if (!fill()) return {};
  }
  if (!read_.starts_with("HTTP/1.1 ")) return {};  // more was sent before than there should be
  Answer answer;
  const std::string head = read_.substr(0, end + 2);
  read_.erase(0, end + 4);
  std::from_chars(head.data() + 9, head.data() + 12, answer.status);
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(':', at);
    std::string name = head.substr(at, colon - at);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    answer.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  std::size_t size = 0;
  if (!head_only && answer.has("content-length"))
    size = std::stoul(answer.headers["content-length"]);
  while (read_.size() < size) {
    if (!fill()) return {};
  }
  answer.body = read_.substr(0, size);
  read_.erase(0, size);
  return answer;
}

bool Client::take(std::size_t bytes) {
  while (read_.size() < bytes) {
    if (!fill()) return false;
  }
  return true;
}

std::string Client::rest() {
  while (fill()) {
  }
  return std::exchange(read_, {});
}

bool Client::closed_within(int ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (std::chrono::steady_clock::now() < end) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 10) > 0 && !fill()) return true;
  }
  return false;
}

void Client::end_of_requests() { ::shutdown(socket_, SHUT_WR); }

void Client::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Client::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

std::string get(std::string_view target) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: shop\r\n\r\n", target);
}

std::string post(std::string_view target, std::string_view body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: shop\r\nContent-Length: {}\r\n\r\n{}", target,
                     body.size(), body);
}

}  // namespace souk::test

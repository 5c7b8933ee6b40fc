#include "tools/souk/client/http_client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

namespace souk::cli {

namespace http = boost::beast::http;

namespace {
constexpr std::size_t read_bytes = 256 * 1024;
constexpr std::uint64_t answer_bytes_max = 512ULL * 1024 * 1024;
constexpr std::uint32_t header_bytes_max = 64 * 1024;

std::string errno_text(int error) { return std::strerror(error); }

/// Waits until `descriptor` is ready for `events`. Nothing ready in time: false.
bool wait_for(int descriptor, short events, int timeout_ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd waiting{.fd = descriptor, .events = events, .revents = 0};
    const int ready =
        ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

/// A connected, non-blocking descriptor, or -1 with errno set.
int connect_one(const addrinfo& address, int timeout_ms) {
  const int made = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                            address.ai_protocol);
  if (made < 0) return -1;
  int error = 0;
  if (::connect(made, address.ai_addr, address.ai_addrlen) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      socklen_t size = sizeof(error);
      if (!wait_for(made, POLLOUT, timeout_ms)) {
        error = ETIMEDOUT;
      } else if (::getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
      }
    }
  }
  if (error != 0) {
    ::close(made);
    errno = error;
    return -1;
  }
  const int one = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return made;
}
}  // namespace

std::string render_request(const Url& url, const HttpCall& call) {
  std::string out;
  out.reserve(256 + call.target.size() + call.body.size());
  out.append(call.method).append(" ").append(call.target).append(" HTTP/1.1\r\nHost: ");
  out.append(url.authority()).append("\r\n");
  for (const auto& [name, value] : call.headers)
    out.append(name).append(": ").append(value).append("\r\n");
  if (!call.content_type.empty()) {
    out.append("Content-Type: ").append(call.content_type);
    out.append("\r\nContent-Length: ").append(std::to_string(call.body.size())).append("\r\n");
  } else if (call.method != "GET") {
    out.append("Content-Length: 0\r\n");
  }
  out.append("\r\n");
  if (!call.content_type.empty()) out.append(call.body);
  return out;
}

struct HttpConnection::Parts {
  int descriptor = -1;
  std::string out, in;
  std::size_t sent = 0, parsed = 0;
  bool under_way = false;
  bool heard = false;
  std::optional<http::response_parser<http::string_body>> parser;
  HttpFault fault;

  ~Parts() {
    if (descriptor >= 0) ::close(descriptor);
  }
  Progress fail(HttpFault::Kind kind, std::string what) {
    fault = {kind, std::move(what)};
    under_way = false;
    return Progress::failed;
  }
  std::optional<Progress> write_some();
  std::optional<Progress> read_some();
  std::optional<Progress> parse();
};

std::optional<HttpConnection::Progress> HttpConnection::Parts::write_some() {
  while (sent < out.size()) {
    const ssize_t wrote = ::send(descriptor, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (wrote > 0) {
      sent += static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return Progress::wants_write;
    } else if (errno != EINTR) {
      // The server may have answered and closed before it took all of the body: read that first.
      if (const auto heard_now = read_some()) return heard_now;
      return fail(HttpFault::Kind::lost, "the connection was lost: " + errno_text(errno));
    }
  }
  return std::nullopt;
}

std::optional<HttpConnection::Progress> HttpConnection::Parts::parse() {
  boost::system::error_code error;
  while (parsed < in.size() && !parser->is_done()) {
    const std::size_t used =
        parser->put(boost::asio::buffer(in.data() + parsed, in.size() - parsed), error);
    parsed += used;
    if (error == http::error::need_more) break;
    if (error) return fail(HttpFault::Kind::malformed, "no HTTP answer: " + error.message());
  }
  if (parsed == in.size()) {
    in.clear();
    parsed = 0;
  }
  if (!parser->is_done()) return std::nullopt;
  under_way = false;
  return Progress::answered;
}

std::optional<HttpConnection::Progress> HttpConnection::Parts::read_some() {
  // Not at the end of `in`: to make room there would write zeros over all of it at each call.
  thread_local const auto buffer = std::make_unique_for_overwrite<char[]>(read_bytes);
  while (true) {
    const ssize_t got = ::recv(descriptor, buffer.get(), read_bytes, 0);
    const int error = errno;
    if (got > 0) {
      in.append(buffer.get(), static_cast<std::size_t>(got));
      heard = true;
      if (const auto done = parse()) return done;
      if (static_cast<std::size_t>(got) < read_bytes) return std::nullopt;
    } else if (got == 0) {
      boost::system::error_code ended;
      if (heard) parser->put_eof(ended);
      if (heard && !ended && parser->is_done()) {
        under_way = false;
        return Progress::answered;
      }
      return fail(HttpFault::Kind::lost, "the server closed the connection");
    } else if (error == EAGAIN || error == EWOULDBLOCK) {
      return std::nullopt;
    } else if (error != EINTR) {
      return fail(HttpFault::Kind::lost, "the connection was lost: " + errno_text(error));
    }
  }
}

HttpConnection::HttpConnection(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
HttpConnection::~HttpConnection() = default;

Result<std::unique_ptr<HttpConnection>, HttpFault> HttpConnection::open(const Url& url,
                                                                        int timeout_ms) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found);
      error != 0)
    return HttpFault{HttpFault::Kind::no_connection, ::gai_strerror(error)};
  int made = -1;
  for (const addrinfo* address = found; address && made < 0; address = address->ai_next)
    made = connect_one(*address, timeout_ms);
  const int error = errno;
  ::freeaddrinfo(found);
  if (made < 0) return HttpFault{HttpFault::Kind::no_connection, errno_text(error)};
  auto parts = std::make_unique<Parts>();
  parts->descriptor = made;
  return std::unique_ptr<HttpConnection>(new HttpConnection(std::move(parts)));
}

int HttpConnection::descriptor() const { return parts_->descriptor; }
const HttpFault& HttpConnection::fault() const { return parts_->fault; }
bool HttpConnection::may_have_arrived() const {
  return parts_->heard || parts_->sent == parts_->out.size();
}

HttpConnection::Progress HttpConnection::send(std::string request) {
  SOUK_ASSERT(!parts_->under_way);
  parts_->out = std::move(request);
  parts_->sent = 0;
  parts_->heard = false;
  parts_->under_way = true;
  parts_->parser.emplace();
  parts_->parser->eager(true);
  parts_->parser->body_limit(answer_bytes_max);
  parts_->parser->header_limit(header_bytes_max);
  return advance();
}

HttpConnection::Progress HttpConnection::advance() {
  if (!parts_->under_way) return Progress::idle;
  if (const auto blocked = parts_->write_some()) return *blocked;
  if (const auto done = parts_->read_some()) return *done;
  return Progress::wants_read;
}

HttpAnswer HttpConnection::take_answer() {
  auto message = parts_->parser->release();
  HttpAnswer answer;
  answer.status = static_cast<int>(message.result_int());
  answer.close = !message.keep_alive();
  const auto header = [&](std::string_view name) {
    const auto value = message[boost::beast::string_view(name.data(), name.size())];
    return std::string_view(value.data(), value.size());
  };
  answer.content_type = header("Content-Type");
  answer.etag = header("ETag");
  answer.position = header("Souk-Position");
  answer.replayed = header("Idempotent-Replay") == "true";
  answer.truncated = header("Souk-Truncated") == "true";
  const std::string_view retry = header("Retry-After");
  std::from_chars(retry.data(), retry.data() + retry.size(), answer.retry_after_s);
  answer.body = std::move(message.body());
  return answer;
}

Result<HttpAnswer, HttpFault> HttpClient::exchange(const std::string& request) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms_);
  auto progress = connection_->send(request);
  while (progress == HttpConnection::Progress::wants_read ||
         progress == HttpConnection::Progress::wants_write) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    // While a body is going out an early answer (413, 503) must be heard as well.
    const short events = progress == HttpConnection::Progress::wants_read
                             ? static_cast<short>(POLLIN)
                             : static_cast<short>(POLLIN | POLLOUT);
    if (left.count() <= 0 ||
        !wait_for(connection_->descriptor(), events, static_cast<int>(left.count()))) {
      connection_.reset();
      return HttpFault{HttpFault::Kind::timed_out,
                       "no answer within " + std::to_string(timeout_ms_ / 1000) + " s"};
    }
    progress = connection_->advance();
  }
  if (progress == HttpConnection::Progress::failed) {
    HttpFault fault = connection_->fault();
    connection_.reset();
    return fault;
  }
  HttpAnswer answer = connection_->take_answer();
  if (answer.close) connection_.reset();
  return answer;
}

Result<HttpAnswer, HttpFault> HttpClient::send(const std::string& request) {
  const bool reused = connection_ != nullptr;
  if (reused) {
    // A server that closed the idle connection has left an end of file to read: nothing was sent.
    char peeked = 0;
    const ssize_t got = ::recv(connection_->descriptor(), &peeked, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) connection_.reset();
  }
  if (!connection_) {
    auto opened = HttpConnection::open(url_, timeout_ms_);
    if (!opened) return opened.error();
    connection_ = std::move(*opened);
  }
  return exchange(request);
}

}  // namespace souk::cli

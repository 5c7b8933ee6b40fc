#include <sys/socket.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "gateway/http/content_coding.h"
#include "gateway/http/epoll_server.h"

namespace souk {
namespace {

constexpr int reads_per_poll_max = 16;  // of one connection
// Larger bodies are sent from where they are.
constexpr std::size_t copied_body_bytes_max = 16 * 1024;
// A client that has taken so much of its answer has the whole write timeout again.
constexpr std::size_t taken_bytes_min = 64 * 1024;
constexpr std::size_t linger_bytes_max = 32 * 1024 * 1024;
constexpr int linger_ms_max = 2'000;

}  // namespace

// ---- requests in ----

/// Goes on with a connection that has bytes left: first those received ahead, then the socket's.
void EpollHttpServer::resume(Connection& c) {
  if (c.state == State::reading && c.has_ahead()) {
    // Out of the connection: a handler may answer, and so close it, with its views still in use.
    std::string bytes = std::move(c.ahead);
    std::size_t used = std::exchange(c.ahead_used, 0);
    c.ahead.clear();
    bytes.reserve(bytes.size() + http_padding_bytes);
    used += feed(c, std::string_view(bytes).substr(used));
    if (used < bytes.size() && c.answering()) {
      c.ahead = std::move(bytes);
      c.ahead_used = used;
    }
  }
  if (c.readable && c.reads()) read_available(c);
}

void EpollHttpServer::resume_later(Connection& c) {
  if (c.resuming || &c == feeding_) return;
  c.resuming = true;
  resuming_.push_back(c.slot);
}

void EpollHttpServer::read_available(Connection& c) {
  for (int i = 0; i < reads_per_poll_max; ++i) {
    const ssize_t got = ::recv(c.socket.number(), in_.data(), read_bytes_max, 0);
    if (got == 0) return close(c);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return close(c);
      c.readable = false;
      return;
    }
    const auto size = static_cast<std::size_t>(got);
    counters_.bytes_in.add(size);
    // Fewer bytes than asked for: the socket is empty, and says so when there are more.
    if (size < read_bytes_max && !c.half_closed) c.readable = false;
    if (c.state == State::lingering) {
      if (!drop_input(c, size) || !c.readable) return;
      continue;
    }
    const std::string_view bytes(in_.data(), size);
    const std::size_t used = feed(c, bytes);
    if (c.state == State::closed) return;
    if (used < size && c.answering()) c.ahead.assign(bytes.substr(used));
    if (!c.reads() || !c.readable) return;
  }
  resume_later(c);
}

/// Drops what a client sends after our last answer. False when the connection is closed.
bool EpollHttpServer::drop_input(Connection& c, std::size_t bytes) {
  if (bytes <= c.linger_left_bytes) {
    c.linger_left_bytes -= bytes;
    return true;
  }
  close(c);
  return false;
}

/// Hands over the whole requests in `bytes`, until one is not answered at once. Returns how many
/// bytes were used.
std::size_t EpollHttpServer::feed(Connection& c, std::string_view bytes) {
  feeding_ = &c;
  std::size_t used = 0;
  while (c.state == State::reading && used < bytes.size()) {
    const RequestReader::Step step =
        c.reader.read(bytes.substr(used), limits_.header_bytes_max, handler_, head_);
    used += step.used;
    switch (step.outcome) {
      case RequestReader::Outcome::request:
        hand_over(c, head_);
        break;
      case RequestReader::Outcome::rejected:
        reject(c, step.rejection);
        break;
      case RequestReader::Outcome::more:
        note_progress(c);
        break;
    }
  }
  feeding_ = nullptr;
  if (c.state == State::closed) recycle(c);
  return used;
}

void EpollHttpServer::hand_over(Connection& c, const RequestHead& head) {
  counters_.requests.add(1);
  c.state = State::busy;
  ++c.exchange;
  c.deadline_ms = no_deadline;
  c.head_only = head.request.method == HttpMethod::head;
  c.close_after = !head.keep_alive;
  if (is_coded(head.request))
    hand_over_decoded(c, head.request);
  else
    handler_.on_request(*this, {c.slot, c.exchange}, head.request);
  c.reader.clear();
  recount(c);
}

/// The request has come whole: where it cannot be decoded the connection stays.
void EpollHttpServer::hand_over_decoded(Connection& c, HttpRequest request) {
  std::string body;  // for as long as the handler looks at it
  const auto limit = handler_.body_limit(request.method, request.target);
  if (const auto why = decode_body(request, limit, body)) {
    counters_.bad_requests.add(why->status < 500 ? 1 : 0);
    HttpResponse response;
    response.status = why->status;
    response.content_type = "application/problem+json";
    response.body = handler_.problem(why->status, why->code, why->detail);
    response.retry_after_s = why->status == 503 ? 1 : 0;
    if (why->status == 415) response.accept_encoding = request_codings;
    return answer(c, std::move(response));
  }
  request.body = body;
  handler_.on_request(*this, {c.slot, c.exchange}, request);
}

/// After more of a request has come, but not all of it.
void EpollHttpServer::note_progress(Connection& c) {
  recount(c);
  if (body_bytes_ > limits_.buffered_bytes_max) {
    return reject(c, {503, "overloaded", "too many large requests at once"});
  }
  if (const Phase phase = c.reader.phase(); phase != c.phase) {
    c.phase = phase;
    c.deadline_ms =
        now_ms_ + (phase == Phase::head ? limits_.header_timeout_ms : limits_.body_timeout_ms);
  }
  if (c.reader.take_expectation()) send(c, "HTTP/1.1 100 Continue\r\n\r\n", {});
}

void EpollHttpServer::recount(Connection& c) {
  body_bytes_ -= c.counted_bytes;
  c.counted_bytes = c.reader.buffered_bytes();
  body_bytes_ += c.counted_bytes;
}

// ---- answers out ----

bool EpollHttpServer::waiting(ExchangeId exchange) const {
  return exchange.slot < connections_.size() && connections_[exchange.slot].state == State::busy &&
         connections_[exchange.slot].exchange == exchange.generation;
}

void EpollHttpServer::respond(ExchangeId exchange, HttpResponse&& response) {
  if (waiting(exchange)) answer(connections_[exchange.slot], std::move(response));
}

void EpollHttpServer::respond(ExchangeId exchange, const ReadyResponse& response) {
  if (!waiting(exchange)) return;
  Connection& c = connections_[exchange.slot];
  const AfterAnswer after = begin_answer(c);
  const std::time_t now = std::time(nullptr);
  append_response_head(response, after, date_.at(now), now, out_);
  send_answer(c, response.status, response.body);
}

/// The server's own answer, and the connection's last.
void EpollHttpServer::reject(Connection& c, const Rejection& why) {
  if (why.status < 500 && why.status != 408) counters_.bad_requests.add(1);
  HttpResponse response;
  response.status = why.status;
  response.content_type = "application/problem+json";
  response.body = handler_.problem(why.status, why.code, why.detail);
  response.retry_after_s = why.status == 503 ? 1 : 0;
  c.close_after = c.linger = true;
  c.head_only = false;
  answer(c, std::move(response));
  c.reader.clear();
  recount(c);
}

void EpollHttpServer::answer(Connection& c, HttpResponse&& response) {
  c.close_after = c.close_after || response.close;
  const AfterAnswer after = begin_answer(c);
  append_response_head(response, after, date_.at(std::time(nullptr)), out_);
  send_answer(c, response.status, response.body);
}

/// Its head goes into out_, then send_answer().
AfterAnswer EpollHttpServer::begin_answer(Connection& c) {
  c.close_after = c.close_after || !accepting_;
  c.state = State::sending;
  c.deadline_ms = now_ms_ + limits_.write_timeout_ms;
  c.taken_bytes = 0;
  out_.clear();
  return c.close_after ? AfterAnswer::close : AfterAnswer::keep_open;
}

void EpollHttpServer::send_answer(Connection& c, int status, std::string_view body) {
  if (c.head_only || !status_has_body(status)) body = {};
  if (body.size() <= copied_body_bytes_max) {
    out_.append(body);
    body = {};
  }
  send(c, out_, body);
}

void EpollHttpServer::send(Connection& c, std::string_view head, std::string_view body) {
  const std::size_t before = c.output.waiting_bytes();
  const auto taken = c.output.send(c.socket.number(), head, body);
  if (!taken) return close(c);
  output_bytes_ += c.output.waiting_bytes() - before;
  // Too many clients that do not take their answers: the newest of them goes.
  if (output_bytes_ > limits_.buffered_bytes_max) return close(c);
  note_sent(c, *taken);
}

void EpollHttpServer::flush(Connection& c) {
  const std::size_t before = c.output.waiting_bytes();
  const auto taken = c.output.flush(c.socket.number());
  output_bytes_ -= before - c.output.waiting_bytes();
  if (!taken) return close(c);
  note_sent(c, *taken);
}

void EpollHttpServer::note_sent(Connection& c, std::size_t bytes) {
  counters_.bytes_out.add(bytes);
  if (c.state != State::sending) return;
  if (c.output.waiting_bytes() == 0) return after_answer(c);
  c.taken_bytes += bytes;
  if (c.taken_bytes < taken_bytes_min) return;
  c.taken_bytes = 0;  // a client that takes its answer slowly, but takes it
  c.deadline_ms = now_ms_ + limits_.write_timeout_ms;
}

void EpollHttpServer::after_answer(Connection& c) {
  if (!c.close_after && accepting_) {
    c.state = State::reading;
    c.phase = Phase::idle;
    c.deadline_ms = now_ms_ + limits_.idle_timeout_ms;
    if (c.has_ahead() || c.readable) resume_later(c);
    return;
  }
  // To close with bytes unread resets the connection, and the client may lose our answer.
  if (!c.linger && !c.readable && !c.has_ahead()) return close(c);
  ::shutdown(c.socket.number(), SHUT_WR);
  c.state = State::lingering;
  c.linger_left_bytes = linger_bytes_max;
  c.deadline_ms = now_ms_ + linger_ms_max;
  if (c.readable) resume_later(c);
}

}  // namespace souk

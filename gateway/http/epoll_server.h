#pragma once
/// The server behind http_server.h. http_server.cc has its loop and the connections' coming and
/// going, http_exchanges.cc what passes over a connection.
#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http/connection.h"
#include "gateway/http/counters.h"
#include "gateway/http/response.h"

namespace souk {

/// One thread around one epoll set. Every connection is registered once, edge-triggered, for both
/// directions, so that a request costs no system calls but its recv and send.
class EpollHttpServer final : public HttpServer {
 public:
  EpollHttpServer(Listener listener, HttpLimits limits, HttpHandler& handler)
      : handler_(handler), limits_(limits), listener_(std::move(listener)) {}

  /// Errors: unavailable.
  Status prepare();
  std::string address() const override { return listener_.address(); }
  void run() override;
  void drain(int deadline_ms) override;
  void wake() override;
  void respond(ExchangeId exchange, HttpResponse&& response) override;
  void respond(ExchangeId exchange, const ReadyResponse& response) override;
  bool waiting(ExchangeId exchange) const override;
  HttpStats stats() const override { return counters_.read(); }

 private:
  using State = Connection::State;
  using Phase = RequestReader::Phase;
  static constexpr std::size_t read_bytes_max = 64 * 1024;  // at once

  // The loop.
  void poll_sockets();
  void on_socket_event(const epoll_event& event);
  void resume_waiting();
  void tick();
  void begin_drain();
  void rouse();
  bool watch(int descriptor, std::uint32_t events, std::uint64_t token);

  // Connections come and go.
  void accept_waiting();
  void warn_exhausted();
  void open(FileDescriptor socket);
  void close(Connection& c);
  void recycle(Connection& c);
  void time_out(Connection& c);

  // Requests in.
  void resume(Connection& c);
  void resume_later(Connection& c);
  void read_available(Connection& c);
  bool drop_input(Connection& c, std::size_t bytes);
  std::size_t feed(Connection& c, std::string_view bytes);
  void hand_over(Connection& c, const RequestHead& head);
  void hand_over_decoded(Connection& c, HttpRequest request);
  void note_progress(Connection& c);
  void recount(Connection& c);

  // Answers out.
  void reject(Connection& c, const Rejection& why);
  void answer(Connection& c, HttpResponse&& response);
  AfterAnswer begin_answer(Connection& c);
  void send_answer(Connection& c, int status, std::string_view body);
  void send(Connection& c, std::string_view head, std::string_view body);
  void flush(Connection& c);
  void note_sent(Connection& c, std::size_t bytes);
  void after_answer(Connection& c);

  HttpHandler& handler_;
  const HttpLimits limits_;
  Listener listener_;
  FileDescriptor epoll_, wake_event_;
  std::deque<Connection> connections_;  // a deque: their addresses stay
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> resuming_;
  Connection* feeding_ = nullptr;  // its bytes are being read: it is recycled afterwards
  RequestHead head_;
  std::string out_;
  HttpDate date_;
  std::array<char, read_bytes_max + http_padding_bytes> in_{};
  std::int64_t now_ms_ = 0;
  std::int64_t next_tick_ms_ = 0;
  std::int64_t next_warning_ms_ = 0;
  std::size_t open_ = 0;
  std::size_t body_bytes_ = 0;    // received of requests that are not complete
  std::size_t output_bytes_ = 0;  // that clients have not taken
  bool accepting_ = true;
  bool accept_paused_ = false;
  std::atomic<bool> signalled_{false};
  std::atomic<std::int64_t> drain_until_ms_{no_deadline};
  HttpCounters counters_;
};

}  // namespace souk

#include "gateway/http/server.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "events/thread_slice.h"
#include "gateway/http/epoll_server.h"

namespace souk {
namespace {

constexpr int accepts_per_poll_max = 64;
constexpr std::size_t events_per_poll_max = 512;
constexpr std::size_t refusals_max = 64;  // open beyond connections_max, to say why
constexpr int tick_ms = 50;
constexpr int warning_interval_ms = 10'000;
constexpr std::uint64_t listener_token = ~std::uint64_t{0};
constexpr std::uint64_t wake_token = listener_token - 1;

/// Whose loop runs on this thread.
thread_local const HttpServer* running_here = nullptr;

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

// ---- the loop ----

Status EpollHttpServer::prepare() {
  epoll_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  wake_event_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  // Edge-triggered, the event's counter need not be read.
  if (!epoll_.open() || !wake_event_.open() ||
      !watch(listener_.number(), EPOLLIN, listener_token) ||
      !watch(wake_event_.number(), EPOLLIN | EPOLLET, wake_token)) {
    return Fault{Fault::Kind::unavailable, std::string("epoll: ") + std::strerror(errno)};
  }
  return Done{};
}

bool EpollHttpServer::watch(int descriptor, std::uint32_t events, std::uint64_t token) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  return ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void EpollHttpServer::run() {
  short_time_slice();
  running_here = this;
  now_ms_ = steady_ms();
  next_tick_ms_ = now_ms_ + tick_ms;
  for (;;) {
    const std::int64_t drain_until_ms = drain_until_ms_.load(std::memory_order_acquire);
    if (drain_until_ms != no_deadline) {
      if (accepting_) begin_drain();
      if (open_ == 0 || now_ms_ >= drain_until_ms) break;
    }
    poll_sockets();
    resume_waiting();
    if (now_ms_ >= next_tick_ms_) tick();
    handler_.on_poll_end(*this);
  }
  for (Connection& c : connections_) {
    if (c.state != State::closed) close(c);
  }
  running_here = nullptr;
}

void EpollHttpServer::poll_sockets() {
  const std::int64_t wait_ms = resuming_.empty() && !signalled_.load(std::memory_order_relaxed)
                                   ? std::clamp<std::int64_t>(next_tick_ms_ - now_ms_, 0, tick_ms)
                                   : 0;
  std::array<epoll_event, events_per_poll_max> events;
  const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(wait_ms));
  now_ms_ = steady_ms();
  // Answers first: they set clients free.
  if (signalled_.load(std::memory_order_relaxed) && signalled_.exchange(false)) {
    handler_.on_wake(*this);
  }
  for (int i = 0; i < count; ++i) on_socket_event(events[static_cast<std::size_t>(i)]);
}

void EpollHttpServer::on_socket_event(const epoll_event& event) {
  if (event.data.u64 == wake_token) return;
  if (event.data.u64 == listener_token) return accept_waiting();
  Connection& c = connections_[static_cast<std::uint32_t>(event.data.u64)];
  if (c.state == State::closed || c.opened != event.data.u64 >> 32) return;
  if (event.events & (EPOLLERR | EPOLLHUP)) return close(c);
  if (event.events & (EPOLLIN | EPOLLRDHUP)) c.readable = true;
  if (event.events & EPOLLRDHUP) c.half_closed = true;
  if ((event.events & EPOLLOUT) && c.output.waiting_bytes() > 0) flush(c);
  if (c.readable && c.reads()) resume(c);
}

void EpollHttpServer::resume_waiting() {
  std::vector<std::uint32_t> slots;
  slots.swap(resuming_);
  for (const std::uint32_t slot : slots) {
    connections_[slot].resuming = false;
    resume(connections_[slot]);
  }
  if (resuming_.empty()) {
    slots.clear();
    resuming_.swap(slots);  // keeps the memory
  }
}

void EpollHttpServer::tick() {
  next_tick_ms_ = now_ms_ + tick_ms;
  for (Connection& c : connections_) {
    if (now_ms_ >= c.deadline_ms) time_out(c);
  }
  if (accept_paused_ && accepting_) {
    accept_paused_ = !watch(listener_.number(), EPOLLIN, listener_token);
  }
  handler_.on_tick(*this);
}

void EpollHttpServer::begin_drain() {
  accepting_ = false;
  listener_.close();
  for (Connection& c : connections_) {
    // A request that has come already is still answered.
    if (c.idle()) read_available(c);
    if (c.idle()) close(c);
  }
}

void EpollHttpServer::drain(int deadline_ms) {
  drain_until_ms_.store(steady_ms() + deadline_ms, std::memory_order_release);
  rouse();
}

void EpollHttpServer::wake() {
  if (!signalled_.exchange(true) && running_here != this) rouse();
}

void EpollHttpServer::rouse() {
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the loop is awake.
  [[maybe_unused]] const ssize_t written = ::write(wake_event_.number(), &one, sizeof one);
}

// ---- connections come and go ----

void EpollHttpServer::accept_waiting() {
  for (int i = 0; i < accepts_per_poll_max && accepting_; ++i) {
    FileDescriptor client;
    switch (listener_.accept(client)) {
      case Listener::Outcome::accepted:
        open(std::move(client));
        break;
      case Listener::Outcome::none:
        return;
      case Listener::Outcome::gone:
        break;
      case Listener::Outcome::turned_away:
        counters_.refused_connections.add(1);
        warn_exhausted();
        break;
      case Listener::Outcome::exhausted:
        warn_exhausted();
        // Until the next tick: the listener would be reported again and again.
        ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, listener_.number(), nullptr);
        accept_paused_ = true;
        return;
    }
  }
}

void EpollHttpServer::warn_exhausted() {
  if (now_ms_ < next_warning_ms_) return;
  next_warning_ms_ = now_ms_ + warning_interval_ms;
  spdlog::warn("http cannot accept: out of file descriptors or memory connections={} address={}",
               open_, address());
}

void EpollHttpServer::open(FileDescriptor socket) {
  counters_.accepted.add(1);
  if (open_ >= limits_.connections_max + refusals_max) {
    counters_.refused_connections.add(1);
    return;
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.emplace_back().slot = free_slots_.back();
  }
  Connection& c = connections_[free_slots_.back()];
  const std::uint64_t token = (std::uint64_t{c.opened + 1} << 32) | c.slot;
  if (!watch(socket.number(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, token)) return;
  free_slots_.pop_back();
  c.socket = std::move(socket);
  ++c.opened;
  ++open_;
  counters_.connections.add(1);
  c.state = State::reading;
  c.deadline_ms = now_ms_ + limits_.idle_timeout_ms;
  if (open_ > limits_.connections_max) {
    counters_.refused_connections.add(1);
    reject(c, {503, "overloaded", "too many connections"});
  }
}

void EpollHttpServer::close(Connection& c) {
  c.socket.close();
  c.state = State::closed;
  c.deadline_ms = no_deadline;
  --open_;
  counters_.connections.subtract(1);
  if (&c != feeding_) recycle(c);
}

/// Gives the memory of a closed connection back.
void EpollHttpServer::recycle(Connection& c) {
  c.reader.clear();
  recount(c);
  output_bytes_ -= c.output.waiting_bytes();
  c.output.clear();
  std::string().swap(c.ahead);
  c.ahead_used = 0;
  c.phase = Phase::idle;
  c.readable = c.half_closed = c.linger = c.close_after = false;
  free_slots_.push_back(c.slot);
}

void EpollHttpServer::time_out(Connection& c) {
  if (c.state == State::reading && c.phase != Phase::idle) {
    counters_.timeouts.add(1);
    reject(c, {408, "request_timeout", "the request did not come in time"});
  } else {
    if (c.state == State::sending) counters_.timeouts.add(1);
    close(c);
  }
}

Result<std::unique_ptr<HttpServer>, Fault> HttpServer::listen(const std::string& address,
                                                              bool reuse_port, HttpLimits limits,
                                                              HttpHandler& handler) {
  raise_file_limit();
  const DescriptorUse use = descriptor_use();
  const std::size_t most =
      connections_within(limits.connections_max, use.open, use.limit, refusals_max);
  if (most < limits.connections_max) {
    spdlog::warn(
        "fewer connections than configured, as the process may open few files: raise its limit "
        "(ulimit -n, LimitNOFILE) connections={} configured={} files_max={} files_open={}",
        most, limits.connections_max, use.limit, use.open);
    limits.connections_max = most;
  }
  auto listener = Listener::open(address, reuse_port ? AddressUse::shared : AddressUse::alone);
  if (!listener) return listener.error();
  auto server = std::make_unique<EpollHttpServer>(std::move(*listener), limits, handler);
  if (const Status prepared = server->prepare(); !prepared) return prepared.error();
  spdlog::debug("http listening address={}", server->address());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace souk

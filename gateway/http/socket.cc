#include "gateway/http/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

namespace souk {
namespace {

constexpr int backlog = 4096;
constexpr std::size_t connections_min = 8;
// Files that the stores may open later: a quarter of all, within these.
constexpr std::size_t descriptors_for_stores_min = 64;
constexpr std::size_t descriptors_for_stores_max = 512;

Fault fault_of(const std::string& address, std::string_view what) {
  return {Fault::Kind::unavailable, fmt::format("cannot listen on {}: {}", address, what)};
}

/// A descriptor of nothing, to be closed when the process has run out of them.
FileDescriptor open_reserve() { return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

struct HostPort {
  std::string host, port;
};

/// "HOST:PORT" or "[HOST]:PORT"; empty where it is neither.
HostPort split(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == address.npos) return {};
  HostPort parts{address.substr(0, colon), address.substr(colon + 1)};
  if (parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']') {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  } else if (parts.host.find(':') != parts.host.npos) {
    return {};
  }
  std::uint16_t number = 0;  // getaddrinfo takes 65536 for 0
  const char* end = parts.port.data() + parts.port.size();
  if (const auto read = std::from_chars(parts.port.data(), end, number);
      read.ec != std::errc{} || read.ptr != end) {
    return {};
  }
  if (parts.host == "localhost") parts.host = "127.0.0.1";
  return parts;
}

/// The address that `socket` is bound to, in the form that listen_on takes.
std::string bound_address(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  auto* generic = reinterpret_cast<sockaddr*>(&bound);
  std::array<char, 64> host{}, port{};
  if (::getsockname(socket, generic, &size) != 0 ||
      ::getnameinfo(generic, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  return bound.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host.data(), port.data())
                                     : fmt::format("{}:{}", host.data(), port.data());
}

}  // namespace

void FileDescriptor::close() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Result<Listener, Fault> Listener::open(const std::string& address, AddressUse use) {
  const HostPort parts = split(address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (parts.host.empty() || parts.port.empty() ||
      ::getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &found) != 0) {
    return fault_of(address, "not an address; wanted is one like 127.0.0.1:8080 or [::1]:8080");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  Listener listener;
  listener.socket_ =
      FileDescriptor(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  listener.reserve_ = open_reserve();
  const int on = 1;
  const auto set = [&](int level, int option) {
    return ::setsockopt(listener.number(), level, option, &on, sizeof on) == 0;
  };
  // Accepted sockets inherit TCP_NODELAY.
  if (!listener.reserve_.open() || !listener.socket_.open() || !set(SOL_SOCKET, SO_REUSEADDR) ||
      !set(IPPROTO_TCP, TCP_NODELAY) ||
      (use == AddressUse::shared && !set(SOL_SOCKET, SO_REUSEPORT)) ||
      ::bind(listener.number(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(listener.number(), backlog) != 0) {
    return fault_of(address, std::strerror(errno));
  }
  listener.address_ = bound_address(listener.number());
  return listener;
}

Listener::Outcome Listener::accept(FileDescriptor& client) {
  if (!reserve_.open()) reserve_ = open_reserve();
  client = FileDescriptor(::accept4(number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (client.open()) return Outcome::accepted;
  switch (errno) {
    case EAGAIN:
      return Outcome::none;
    case EMFILE:
    case ENFILE:
      return turn_away();
    case ENOBUFS:
    case ENOMEM:
      return Outcome::exhausted;
    default:
      return Outcome::gone;
  }
}

Listener::Outcome Listener::turn_away() {
  reserve_.close();
  FileDescriptor client(::accept4(number(), nullptr, nullptr, SOCK_CLOEXEC));
  const bool taken = client.open();
  client.close();
  reserve_ = open_reserve();
  return taken && reserve_.open() ? Outcome::turned_away : Outcome::exhausted;
}

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // if it is refused, accepting copes with what there is
}

std::size_t connections_within(std::size_t wanted, std::size_t open_now, std::size_t limit,
                               std::size_t others) {
  const std::size_t growth =
      std::clamp(limit / 4, descriptors_for_stores_min, descriptors_for_stores_max);
  const std::size_t taken = open_now + growth + others;
  const std::size_t room = limit > taken ? limit - taken : 0;
  return std::min(wanted, std::max(room, connections_min));
}

DescriptorUse descriptor_use() {
  DescriptorUse use{.open = 0, .limit = SIZE_MAX};
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    use.limit = static_cast<std::size_t>(limit.rlim_cur);
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error))
    ++use.open;
  return use;
}

}  // namespace souk

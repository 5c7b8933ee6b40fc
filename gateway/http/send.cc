#include "gateway/http/send.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace souk {
namespace {

constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;

/// What came of one system call; 0: the socket takes nothing now.
template <class Call>
std::optional<std::size_t> attempt(Call call) {
  for (;;) {
    if (const ssize_t sent = call(); sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return std::nullopt;
  }
}

std::optional<std::size_t> send_both(int socket, std::string_view head, std::string_view body) {
  if (body.empty()) return attempt([&] { return ::send(socket, head.data(), head.size(), flags); });
  std::array<iovec, 2> parts{iovec{const_cast<char*>(head.data()), head.size()},
                             iovec{const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return attempt([&] { return ::sendmsg(socket, &message, flags); });
}

}  // namespace

std::optional<std::size_t> SendQueue::send(int socket, std::string_view head,
                                           std::string_view body) {
  std::optional<std::size_t> taken = 0;
  if (waiting_bytes() == 0) taken = send_both(socket, head, body);
  if (!taken || *taken == head.size() + body.size()) return taken;
  std::size_t skip = *taken;
  for (const std::string_view part : {head, body}) {
    const std::size_t skipped = std::min(skip, part.size());
    bytes_.append(part.substr(skipped));
    skip -= skipped;
  }
  return taken;
}

std::optional<std::size_t> SendQueue::flush(int socket) {
  std::size_t taken = 0;
  while (waiting_bytes() > 0) {
    const auto sent = send_both(socket, std::string_view(bytes_).substr(sent_), {});
    if (!sent) return std::nullopt;
    if (*sent == 0) return taken;
    sent_ += *sent;
    taken += *sent;
  }
  clear();
  return taken;
}

void SendQueue::clear() {
  std::string().swap(bytes_);
  sent_ = 0;
}

}  // namespace souk

#pragma once
/// Bytes on their way into one socket.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace souk {

/// Sends at once what the socket takes and keeps the rest.
class SendQueue {
 public:
  /// Sends `head` and then `body`, behind what waits already. Returns how many bytes the socket
  /// took; nothing when the connection is broken.
  std::optional<std::size_t> send(int socket, std::string_view head, std::string_view body);
  /// Sends more of what waits. Returns as `send`.
  std::optional<std::size_t> flush(int socket);
  std::size_t waiting_bytes() const { return bytes_.size() - sent_; }
  /// Forgets what waits and gives its memory back.
  void clear();

 private:
  std::string bytes_;
  std::size_t sent_ = 0;
};

}  // namespace souk

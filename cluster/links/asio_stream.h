#pragma once
/// A connection's bytes, with TLS or without. Included by asio_*.cc only.
#include <fcntl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <utility>
#include <variant>

namespace souk::cluster {

namespace asio = boost::asio;
using asio::ip::tcp;
using AsioError = boost::system::error_code;

/// No program that this process starts shall inherit the socket: the peer would not see it end.
template <class Socket>
void keep_from_children(Socket& socket) {
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

/// Handlers are called as Asio's are, also after close(). Thread: the io_context's one.
class AsioStream {
 public:
  using Tls = asio::ssl::stream<tcp::socket>;
  enum class Side : std::uint8_t { dialer, accepter };

  /// `tls`: none: plain. Outlives the stream.
  AsioStream(tcp::socket socket, asio::ssl::context* tls)
      : stream_(tls ? Either(std::in_place_type<Tls>, std::move(socket), *tls)
                    : Either(std::in_place_type<tcp::socket>, std::move(socket))) {}

  tcp::socket& socket() {
    if (Tls* secured = tls()) return secured->next_layer();
    return std::get<tcp::socket>(stream_);
  }
  /// Nothing without TLS.
  Tls* tls() { return std::get_if<Tls>(&stream_); }

  /// `handler(error)`. Requires TLS.
  template <class Handler>
  void handshake(Side side, Handler handler) {
    std::get<Tls>(stream_).async_handshake(
        side == Side::dialer ? asio::ssl::stream_base::client : asio::ssl::stream_base::server,
        std::move(handler));
  }
  /// `handler(error, bytes)`.
  template <class Handler>
  void read_some(asio::mutable_buffer into, Handler handler) {
    std::visit([&](auto& stream) { stream.async_read_some(into, std::move(handler)); }, stream_);
  }
  template <class Handler>
  void write_some(asio::const_buffer from, Handler handler) {
    std::visit([&](auto& stream) { stream.async_write_some(from, std::move(handler)); }, stream_);
  }
  void close() {
    AsioError ignored;
    socket().close(ignored);
  }

 private:
  using Either = std::variant<tcp::socket, Tls>;
  Either stream_;
};

}  // namespace souk::cluster

#pragma once
/// One connection's requests, out of bytes that come in pieces of any size. Knows no sockets.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/http/chunked.h"
#include "gateway/http/parser.h"

namespace souk {

/// What must be readable behind bytes given to RequestReader::read, and is behind a request's body.
inline constexpr std::size_t http_padding_bytes = 64;

/// A request that lies whole in the bytes given costs no memory here; only one that comes in pieces
/// is kept (its head, and its body as far as it has come).
///
/// Lifecycle: `read` until it says `request`; then `clear` before the next `read`.
class RequestReader {
 public:
  enum class Phase : std::uint8_t { idle, head, body };
  enum class Outcome : std::uint8_t { more, request, rejected };
  struct Step {
    Outcome outcome = Outcome::more;
    std::size_t used = 0;  // of the bytes given
    Rejection rejection;   // with `rejected`
  };

  /// Reads on. With `request`, `head` describes a whole one; its views last as long as both `bytes`
  /// and this reader stay as they are. With `more`, some or all bytes were used: go on while there
  /// are any left. `handler` is asked for the limit of the body once a request, when its head is
  /// complete.
  /// REQUIRES: `bytes` are not empty and have http_padding_bytes readable behind them.
  /// Limits: a head has at most `head_bytes_max` (431), a body what the handler says (413).
  Step read(std::string_view bytes, std::size_t head_bytes_max, HttpHandler& handler,
            RequestHead& head);

  /// Where the request in progress is.
  Phase phase() const { return phase_; }
  /// Bytes of a body that has begun to come in.
  std::size_t buffered_bytes() const {
    return phase_ == Phase::body ? partial_.size() - head_bytes_ : 0;
  }
  /// True once for a request whose client waits for "100 Continue" before it sends the body.
  bool take_expectation();
  /// Forgets the request and gives its memory back.
  void clear();

 private:
  Step read_head(std::string_view bytes, std::size_t head_bytes_max, HttpHandler& handler,
                 RequestHead& head);
  Step begin_body(std::string_view bytes, HttpHandler& handler, RequestHead& head);
  Step read_body(std::string_view bytes, RequestHead& head);
  bool worth_parsing(std::size_t fresh_from, std::size_t head_bytes_max) const;
  void restore(RequestHead& head);

  std::string partial_;           // the head, and behind it the body without its framing
  std::size_t parsed_bytes_ = 0;  // of partial_, when its head was last tried
  std::size_t head_bytes_ = 0;
  std::size_t body_bytes_max_ = 0;
  std::uint64_t body_left_ = 0;  // with Content-Length
  ChunkDecoder chunks_;
  BodyFraming framing_ = BodyFraming::none;
  Phase phase_ = Phase::idle;
  bool expects_continue_ = false;
};

}  // namespace souk

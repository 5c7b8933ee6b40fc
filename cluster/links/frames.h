#pragma once
/// How frames stand in the stream of a connection. On the wire: changed with `hello_magic` only.
///
///   length, 4 bytes, little endian: of what follows the kind
///   kind, 1 byte
///   that many bytes
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "events/result.h"

namespace souk::cluster {

enum class FrameKind : std::uint8_t {
  hello = 1,      // hello.h: the dialer's, then the accepter's
  refused = 2,    // words, in the place of a hello; the connection ends
  ready = 3,      // the dialer has accepted the accepter's hello: both are up
  heartbeat = 4,  // nothing
  message = 5,    // a caller's
};

inline constexpr std::size_t frame_header_bytes = 5;

void append_frame_header(std::string& to, FrameKind kind, std::size_t length);
void append_frame(std::string& to, FrameKind kind, std::string_view content);

struct Frame {
  FrameKind kind;
  std::string_view content;  // until the next call of the reader
};

/// Cuts what comes from a connection into frames. Holds a frame that is not whole yet, with memory
/// for what has come of it and as much again, not for what its header promises.
class FrameReader {
 public:
  /// `length_max`: of a frame's content.
  explicit FrameReader(std::size_t length_max) : length_max_(length_max) {}

  void set_length_max(std::size_t bytes) { length_max_ = bytes; }
  /// Where the next bytes go: never empty. Until the next call.
  std::span<char> space();
  /// The first `bytes` of space() have been filled.
  void filled(std::size_t bytes);
  /// The next frame that is whole, or nothing. Errors: corrupt: too long, or of no kind; the
  /// connection cannot be read any further.
  Result<std::optional<Frame>, Fault> next();

 private:
  std::size_t length_max_;
  std::string buffer_;
  std::size_t begin_ = 0;  // what was not cut off yet: [begin_, end_) of the buffer
  std::size_t end_ = 0;
};

}  // namespace souk::cluster

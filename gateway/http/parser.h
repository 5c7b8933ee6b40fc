#pragma once
/// The head of one HTTP/1.x request: request line and header fields, parsed strictly.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/http/server.h"

namespace souk {

/// Why the server itself answers a request. The texts are static.
struct Rejection {
  int status = 400;
  std::string_view code = "bad_request";
  std::string_view detail;
};

enum class BodyFraming : std::uint8_t { none, length, chunked };

struct RequestHead {
  HttpRequest request;   // all but the body; views into the bytes parsed
  std::size_t size = 0;  // in bytes, the empty line at its end included
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;  // with BodyFraming::length
  bool keep_alive = false;
  bool expects_continue = false;
};

enum class HeadOutcome : std::uint8_t { complete, incomplete, rejected };

/// Parses the head at the start of `bytes`; one empty line before it is skipped. `incomplete` means
/// that nothing is wrong so far. Stateless: an incomplete head is parsed again from its start.
///
/// Refused with 400: a missing (HTTP/1.1), repeated, empty or malformed Host, Content-Length with
/// Transfer-Encoding, either of them repeated, obsolete line folding, bare LF, control characters,
/// bytes outside ASCII in the target or in a header that we use (Idempotency-Key excepted), a
/// repeat of a header that must have one value, the target `*` without OPTIONS, a line too few.
/// 417: an expectation other than 100-continue. 431: no end within `size_max`. 501: a transfer
/// coding other than chunked. 505: another major version; HTTP/1.2 to 1.9 are refused with 400:
/// newer_minor_at.
HeadOutcome parse_head(std::string_view bytes, std::size_t size_max, RequestHead& head,
                       Rejection& rejection);

/// Where the minor version of a first line stands that is newer than 1.1: whoever writes `1` there
/// has the request that this server understands (RFC 9110, 6.2).
std::optional<std::size_t> newer_minor_at(std::string_view bytes);

}  // namespace souk

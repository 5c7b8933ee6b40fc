#pragma once
/// The content codings of request bodies (RFC 9110, 8.4): taken off before a handler sees them.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/http/parser.h"

namespace souk {

/// What Accept-Encoding says of requests, in an answer of 415.
inline constexpr std::string_view request_codings = "gzip, zstd";

/// Whether a body must be decoded: another coding than `identity` is named, and there is a body.
bool is_coded(const HttpRequest& request);

/// Replaces `out` by what the body is without its coding, with http_padding_bytes behind it that can
/// be read. Nothing: it is done; else why not.
///
/// Limits: stops as soon as `bytes_max` are passed (413), however small the body is; a zstd window
///         of 8 MiB at most, as RFC 9659 has it.
/// Errors: 415 another coding than gzip, x-gzip and zstd, or several; 400 a stream that is cut off,
///         broken or followed by other bytes.
std::optional<Rejection> decode_body(const HttpRequest& request, std::size_t bytes_max,
                                     std::string& out);

}  // namespace souk

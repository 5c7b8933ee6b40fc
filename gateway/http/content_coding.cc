#include "gateway/http/content_coding.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "gateway/http/request_reader.h"

namespace souk {
namespace {

constexpr std::size_t first_bytes = 64 * 1024;
constexpr int gzip_window_bits = 15 + 16;  // + 16: with gzip's head and check sum
constexpr int zstd_window_log_max = 23;

constexpr Rejection too_large{413, "too_large", "the request's body is too large once decoded"};
constexpr Rejection broken{400, "bad_request", "the body is not what its Content-Encoding says"};
constexpr Rejection no_memory{503, "overloaded", "there is no memory to decode the body"};
constexpr Rejection unknown{415, "unsupported_media_type",
                            "a body may have one Content-Encoding: gzip, zstd or identity"};

bool is_named(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

/// Room for what comes next: one byte past the limit is enough to see that it is passed.
bool grow(std::string& out, std::size_t used, std::size_t bytes_max) {
  if (used > bytes_max) return false;
  if (used == out.size()) out.resize(std::min(std::max(first_bytes, used * 2), bytes_max + 1));
  return true;
}

/// One member behind another is one stream (RFC 1952, 2.2).
std::optional<Rejection> gunzip(std::string_view body, std::size_t bytes_max, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, gzip_window_bits) != Z_OK) return no_memory;
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::size_t used = 0;
  for (;;) {
    if (!grow(out, used, bytes_max)) return too_large;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(out.size() - used);
    const int said = inflate(&stream, Z_NO_FLUSH);
    used = out.size() - stream.avail_out;
    if (said == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return broken;
    } else if (said != Z_OK && (said != Z_BUF_ERROR || stream.avail_out > 0)) {
      return said == Z_MEM_ERROR ? no_memory : broken;
    } else if (stream.avail_in == 0 && stream.avail_out > 0) {
      return broken;  // cut off
    }
  }
  if (used > bytes_max) return too_large;
  out.resize(used);
  return std::nullopt;
}

/// One frame behind another is one stream (RFC 8878, 3).
std::optional<Rejection> unzstd(std::string_view body, std::size_t bytes_max, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                        ZSTD_freeDCtx);
  if (context == nullptr) return no_memory;
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, zstd_window_log_max);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::size_t used = 0;
  for (;;) {
    if (!grow(out, used, bytes_max)) return too_large;
    ZSTD_outBuffer to{out.data(), out.size(), used};
    const std::size_t left = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(left)) return broken;
    used = to.pos;
    if (in.pos < in.size || used == out.size()) continue;
    if (left == 0) break;
    return broken;  // cut off
  }
  if (used > bytes_max) return too_large;
  out.resize(used);
  return std::nullopt;
}

}  // namespace

bool is_coded(const HttpRequest& request) {
  return !request.content_encoding.empty() && !request.body.empty() &&
         !is_named(request.content_encoding, "identity");
}

std::optional<Rejection> decode_body(const HttpRequest& request, std::size_t bytes_max,
                                     std::string& out) {
  const auto coding = request.content_encoding;
  const bool gzip = is_named(coding, "gzip") || is_named(coding, "x-gzip");
  if (!gzip && !is_named(coding, "zstd")) return unknown;
  out.clear();
  const auto why =
      gzip ? gunzip(request.body, bytes_max, out) : unzstd(request.body, bytes_max, out);
  if (!why) out.reserve(out.size() + http_padding_bytes);
  return why;
}

}  // namespace souk

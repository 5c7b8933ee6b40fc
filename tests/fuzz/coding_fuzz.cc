// Compressed bodies as clients send them: what is decoded is within its limit, whatever the bytes say, and a broken
// stream is refused in words.
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/http/content_coding.h"
#include "gateway/http/request_reader.h"

namespace {

using namespace souk;

constexpr std::size_t body_bytes_max = 64 * 1024;

void decode(std::string_view coding, std::string_view body) {
  HttpRequest request;
  request.content_encoding = coding;
  request.body = body;
  if (!is_coded(request)) return;
  std::string out;
  const auto why = decode_body(request, body_bytes_max, out);
  SOUK_ASSERT(out.size() <= body_bytes_max + (why ? 1 : 0));
  SOUK_ASSERT(!why || (why->status >= 400 && !why->detail.empty()));
  SOUK_ASSERT(why || out.capacity() >= out.size() + http_padding_bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  decode("gzip", body);
  decode("zstd", body);
  return 0;
}

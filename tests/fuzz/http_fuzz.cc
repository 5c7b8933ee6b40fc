// HTTP requests as clients send them, heads and chunks: what a connection takes from them does not
// depend on the pieces in which they come.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/http/request_reader.h"

namespace {

using namespace souk;

constexpr std::size_t head_bytes_max = 2048;
constexpr std::size_t body_bytes_max = 4096;

class Limits final : public HttpHandler {
 public:
  std::size_t body_limit(HttpMethod method, std::string_view) override {
    return method == HttpMethod::get ? 0 : body_bytes_max;
  }
  void on_request(HttpServer&, ExchangeId, const HttpRequest&) override {}
  void on_poll_end(HttpServer&) override {}
  void on_wake(HttpServer&) override {}
  void on_tick(HttpServer&) override {}
  std::string problem(int, std::string_view, std::string_view) override { return {}; }
};

struct Taken {
  std::vector<std::string> requests;
  int rejected = 0;
  bool operator==(const Taken&) const = default;
};

std::string text_of(const RequestHead& head) {
  const HttpRequest& request = head.request;
  std::string text = std::to_string(static_cast<int>(request.method));
  for (const std::string_view part :
       {request.target, request.content_type, request.accept, request.accept_encoding,
        request.prefer, request.idempotency_key, request.if_match, request.if_none_match,
        request.souk_min_position, request.body}) {
    text += '\n';
    text += part;
  }
  return text + (head.keep_alive ? "\nkeep" : "\nclose");
}

/// Pieces of `piece` bytes. As a connection does: what follows a request that closes is not read.
Taken take(std::string_view bytes, std::size_t piece) {
  Limits handler;
  RequestReader reader;
  RequestHead head;
  Taken taken;
  while (!bytes.empty()) {
    std::string held(bytes.substr(0, piece));
    const std::size_t size = held.size();
    held.append(http_padding_bytes, '\0');
    held.shrink_to_fit();
    std::string_view left(held.data(), size);
    while (!left.empty()) {
      const auto step = reader.read(left, head_bytes_max, handler, head);
      SOUK_ASSERT(step.used <= left.size());
      if (step.outcome == RequestReader::Outcome::rejected) {
        SOUK_ASSERT(step.rejection.status >= 400 && step.rejection.status < 600);
        // That it is refused must not depend on the pieces; of two things that are wrong, the one that
        // came first may be named.
        taken.rejected = 400;
        return taken;
      }
      SOUK_ASSERT(step.used > 0);
      left.remove_prefix(step.used);
      SOUK_ASSERT(reader.buffered_bytes() <= body_bytes_max);
      if (step.outcome != RequestReader::Outcome::request) continue;
      SOUK_ASSERT(head.request.body.size() <= handler.body_limit(head.request.method, {}));
      taken.requests.push_back(text_of(head));
      const bool more = head.keep_alive;
      reader.clear();
      if (!more) return taken;
    }
    bytes.remove_prefix(size);
  }
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Every head has its end, so that what is wrong with it is said in one piece as well.
  const std::string bytes = std::string(reinterpret_cast<const char*>(data), size) + "\r\n\r\n";
  const Taken whole = take(bytes, bytes.size());
  SOUK_ASSERT(take(bytes, 1) == whole);
  SOUK_ASSERT(take(bytes, 2 + static_cast<std::uint8_t>(bytes.back()) % 61) == whole);
  return 0;
}

#pragma once
/// One I/O thread's HTTP/1.1 server: strict parsing (Boost.Beast's basic_parser), keep-alive,
/// limits and timeouts on everything. It knows nothing of the shop: a handler gets whole requests
/// and answers them when it can, at most one at a time per connection.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "events/result.h"

namespace souk {

enum class HttpMethod : std::uint8_t { get, head, put, post, patch, del, options, other };

/// Views live until `on_request` returns.
struct HttpRequest {
  HttpMethod method = HttpMethod::other;
  std::string_view target;  // as sent: path and query, percent-encoded
  /// Without its content coding; has at least 64 readable bytes behind it (for simdjson).
  std::string_view body;
  std::string_view content_type, content_encoding, accept, accept_encoding, prefer, idempotency_key,
      if_match, if_none_match, souk_min_position, souk_read_level;
  bool has_idempotency_key = false, has_if_match = false, has_if_none_match = false,
       has_min_position = false, has_read_level = false, has_content_type = false;
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  // static storage; not sent without a body
  std::string body;
  std::uint64_t etag = 0;            // 0: none; sent as "N"
  std::string position;              // Souk-Position; empty: none
  bool replayed = false;             // Idempotent-Replay: true
  bool truncated = false;            // Souk-Truncated: true: there were more rows
  int retry_after_s = 0;             // 0: none
  std::string_view allow;            // Allow, of 405; static storage
  std::string_view accept_encoding;  // Accept-Encoding, of 415; static storage
  std::string location;              // empty: none
  bool close = false;                // Connection: close
  std::string_view cache_control;    // static storage; empty: none
};

/// Until when caches between us and the clients may use an answer without asking again.
enum class SharedUse : std::uint8_t {
  as_its_fields_say,
  /// nginx: to the end of this second of the wall clock (X-Accel-Expires), so that what it serves
  /// is never older than a second; its other times to live are whole seconds, rounded up.
  to_the_end_of_the_second,
};

/// An answer whose bytes are there already. Views: they must last until `respond` returns.
struct ReadyResponse {
  int status = 200;
  std::string_view fields;  // header lines, each with its CR LF; all but Date and Connection
  std::string_view body;
  SharedUse shared = SharedUse::as_its_fields_say;
};

/// Names one request that waits for its answer. A stale one (the client has gone) is harmless.
struct ExchangeId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

class HttpServer;

/// Thread: all calls on the server's I/O thread.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// The body limit for this request, asked when the headers are complete (before any of the body
  /// is read), and again of its size without its content coding. The server answers 413 itself
  /// beyond it.
  virtual std::size_t body_limit(HttpMethod method, std::string_view target) = 0;
  /// Answer with server.respond(exchange, ...) now or later.
  virtual void on_request(HttpServer& server, ExchangeId exchange, const HttpRequest& request) = 0;
  /// Everything that one poll of the sockets brought has been handed over: pass it on.
  virtual void on_poll_end(HttpServer& server) = 0;
  /// Somebody called `wake`.
  virtual void on_wake(HttpServer& server) = 0;
  /// About every 50 ms.
  virtual void on_tick(HttpServer& server) = 0;
  /// A problem+json body for an error that the server itself answers (400, 408, 413, 415, 431,
  /// 503).
  virtual std::string problem(int status, std::string_view code, std::string_view detail) = 0;
};

struct HttpLimits {
  std::size_t connections_max = 12'000;
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t buffered_bytes_max =
      256 * 1024 * 1024;           // request bodies of all connections of this server
  int header_timeout_ms = 10'000;  // from the first byte of a request to the end of its headers
  int body_timeout_ms = 30'000;    // to the end of its body
  int idle_timeout_ms = 75'000;    // between requests
  int write_timeout_ms = 30'000;   // until an answer is taken
};

struct HttpStats {  // readable from any thread
  std::uint64_t connections = 0, accepted = 0, requests = 0, bytes_in = 0, bytes_out = 0,
                refused_connections = 0, timeouts = 0, bad_requests = 0;
};

class HttpServer {
 public:
  /// `address`: "127.0.0.1:8080", "[::1]:0"; port 0 picks a free one. With `reuse_port` several
  /// servers (one per I/O thread) share the address.
  /// Errors: unavailable (in use, not ours, not an address), with words for the operator.
  static Result<std::unique_ptr<HttpServer>, Fault> listen(const std::string& address,
                                                           bool reuse_port, HttpLimits limits,
                                                           HttpHandler& handler);
  virtual ~HttpServer() = default;
  /// The address it listens on, with the real port.
  virtual std::string address() const = 0;
  /// Serves until `stop` or `drain` has finished. Thread: becomes the I/O thread.
  virtual void run() = 0;
  /// No new connections or requests; returns from `run` when every exchange is answered and sent,
  /// or `deadline_ms` has passed. Thread: any.
  virtual void drain(int deadline_ms) = 0;
  /// Leads to on_wake on the I/O thread, once for any number of calls before it. Thread: any;
  /// cheap.
  virtual void wake() = 0;
  /// Thread: I/O.
  virtual void respond(ExchangeId exchange, HttpResponse&& response) = 0;
  virtual void respond(ExchangeId exchange, const ReadyResponse& response) = 0;
  /// The client is still there. Thread: I/O.
  virtual bool waiting(ExchangeId exchange) const = 0;
  virtual HttpStats stats() const = 0;  // Thread: any
};

}  // namespace souk

#pragma once
/// A small HTTP/1.1 client: one keep-alive connection at a time. `HttpConnection` never blocks and
/// is what a load generator drives by the hundred; `HttpClient` is the blocking face of it.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events/result.h"
#include "tools/souk/client/url.h"

namespace souk::cli {

struct HttpCall {
  std::string_view method = "GET";
  std::string target;
  std::string_view body = {};  // sent only with a content type
  std::string_view content_type = {};
  std::vector<std::pair<std::string_view, std::string>> headers = {};
};

struct HttpAnswer {
  int status = 0;
  bool replayed = false;   // Idempotent-Replay: true
  bool truncated = false;  // Souk-Truncated: true
  bool close = false;      // the server ends the connection after this answer
  int retry_after_s = 0;   // 0: none
  std::string content_type, etag, position, body;
};

struct HttpFault {
  enum class Kind {
    no_connection,  // nothing was sent
    lost,           // it may or may not have happened
    timed_out,      // the same
    malformed,      // what came back was no HTTP
  };
  Kind kind = Kind::no_connection;
  std::string what;
};

/// The bytes of a request, ready to send.
std::string render_request(const Url& url, const HttpCall& call);

/// One connection that never blocks: queue a request with `send`, call `advance` when the socket is
/// ready, take the answer. At most one request is under way.
/// Thread: one at a time.
class HttpConnection {
 public:
  enum class Progress { idle, wants_read, wants_write, answered, failed };

  /// Connects within `timeout_ms`.
  static Result<std::unique_ptr<HttpConnection>, HttpFault> open(const Url& url, int timeout_ms);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  int descriptor() const;
  /// REQUIRES: no request is under way.
  Progress send(std::string request);
  /// Reads and writes what the socket takes and gives now.
  Progress advance();
  /// REQUIRES: the last progress was `answered`.
  HttpAnswer take_answer();
  /// REQUIRES: the last progress was `failed`.
  const HttpFault& fault() const;
  /// Some of the answer has come, or all of the request has gone.
  bool may_have_arrived() const;

 private:
  struct Parts;
  explicit HttpConnection(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Calls one after the other over one connection that it opens when needed. A connection that the
/// server had closed between two calls is opened again without a word.
/// Thread: one at a time.
class HttpClient {
 public:
  explicit HttpClient(Url url) : url_(std::move(url)) {}
  const Url& url() const { return url_; }
  void set_timeout_ms(int timeout_ms) { timeout_ms_ = timeout_ms; }
  Result<HttpAnswer, HttpFault> call(const HttpCall& call) {
    return send(render_request(url_, call));
  }
  /// Of a request that render_request made.
  Result<HttpAnswer, HttpFault> send(const std::string& request);

 private:
  Result<HttpAnswer, HttpFault> exchange(const std::string& request);

  Url url_;
  int timeout_ms_ = 30'000;
  std::unique_ptr<HttpConnection> connection_;
};

}  // namespace souk::cli

#pragma once
/// The shop's HTTP API as verbs use it: every command carries an idempotency key, so that a repeat
/// after a lost connection or a 503 is safe and happens by itself.
#include <functional>
#include <string>

#include "tools/souk/cli/verb.h"
#include "tools/souk/client/failure.h"
#include "tools/souk/client/http_client.h"
#include "tools/souk/client/json.h"

namespace souk::cli {

/// 32 unpredictable hexadecimal digits.
std::string random_key();

/// "cannot reach http://...: ..." with ExitCode::unreachable.
Failure unreachable(const Url& url, const HttpFault& fault);
/// "refused: out_of_stock: ..." from a problem document, or the bare status.
Failure refused(const HttpAnswer& answer);

class ApiClient {
 public:
  explicit ApiClient(const Url& url) : http_(url) {}

  /// Any status is an answer. `accept`: the type that is asked for; empty: JSON.
  /// Errors: unreachable.
  Outcome<HttpAnswer> get(const std::string& target, const std::string& accept = {});
  /// Sends a command and repeats it with the same key, up to `attempts_max` times, while it is lost
  /// on the way or answered with 429 or 503. Errors: unreachable.
  Outcome<HttpAnswer> command(std::string_view method, const std::string& target,
                              const std::string& body, const std::string& key,
                              const std::string& if_match = {});
  HttpClient& http() { return http_; }

  static constexpr int attempts_max = 6;

 private:
  HttpClient http_;
};

using Render = std::function<std::string(const Json&)>;

/// Prints the answer: the server's own JSON with --json, else what `render` makes of it. A refusal
/// goes to stderr, and with --json the problem document to stdout as well.
Outcome<ExitCode> show(const Invocation& invocation, const Outcome<HttpAnswer>& answer,
                       const Render& render);

/// GET, then `show`.
Outcome<ExitCode> read_and_show(const Invocation& invocation, const std::string& target,
                                const Render& render);
/// A command with the key and the version that the invocation names (a random key otherwise), then
/// `show`.
Outcome<ExitCode> command_and_show(const Invocation& invocation, std::string_view method,
                                   const std::string& target, const std::string& body,
                                   const Render& render);

/// The options of every command: --key and --if-match.
void add_command_options(Verb& verb);

/// Builds `{"name":value,...}`.
class JsonObject {
 public:
  JsonObject& text(std::string_view name, std::string_view value);
  /// Left out where `value` is empty.
  JsonObject& optional_text(std::string_view name, std::string_view value);
  /// `value` is JSON already.
  JsonObject& raw(std::string_view name, std::string_view value);
  std::string done() const { return members_.empty() ? "{}" : "{" + members_ + "}"; }

 private:
  std::string members_;
};

/// `12.50` or `12.50 GBP` or `GBP 12.50` as a money object. Errors: usage, naming the argument.
Outcome<std::string> money_argument(const Invocation& invocation, std::string_view name);

}  // namespace souk::cli

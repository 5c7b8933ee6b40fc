#include "tools/souk/client/api_client.h"

#include <sys/random.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <thread>

#include "events/money.h"

namespace souk::cli {

std::string random_key() {
  std::array<unsigned char, 16> bytes{};
  // Up to 256 bytes come whole and without fail once the machine has booted.
  SOUK_ASSERT(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string key;
  for (const unsigned char byte : bytes) {
    key += digits[byte >> 4];
    key += digits[byte & 15];
  }
  return key;
}

Failure unreachable(const Url& url, const HttpFault& fault) {
  return {ExitCode::unreachable, "cannot reach " + url.text() + ": " + fault.what};
}

Failure refused(const HttpAnswer& answer) {
  const auto problem = Json::parse(answer.body);
  if (!problem || (*problem)["code"].is_null())
    return {ExitCode::refused, "the server answered " + std::to_string(answer.status)};
  const Json& path = (*problem)["path"];
  std::string message = answer.status >= 500 ? "failed: " : "refused: ";
  message += (*problem)["code"].text();
  if (!path.is_null()) message += " at " + path.text();
  if (!(*problem)["detail"].text().empty()) message += ": " + (*problem)["detail"].text();
  return {ExitCode::refused, message};
}

Outcome<HttpAnswer> ApiClient::get(const std::string& target, const std::string& accept) {
  HttpCall call{.method = "GET", .target = target};
  if (!accept.empty()) call.headers.emplace_back("Accept", accept);
  for (int attempt = 1;; ++attempt) {
    auto answer = http_.call(call);
    if (answer) return std::move(*answer);
    if (answer.error().kind == HttpFault::Kind::no_connection || attempt == 2)
      return unreachable(http_.url(), answer.error());
  }
}

Outcome<HttpAnswer> ApiClient::command(std::string_view method, const std::string& target,
                                       const std::string& body, const std::string& key,
                                       const std::string& if_match) {
  HttpCall call{.method = method,
                .target = target,
                .body = body,
                .content_type = body.empty() ? "" : "application/json",
                .headers = {{"Idempotency-Key", key}}};
  if (!if_match.empty()) call.headers.emplace_back("If-Match", "\"" + if_match + "\"");
  auto pause = std::chrono::milliseconds(100);
  for (int attempt = 1;; ++attempt) {
    auto answer = http_.call(call);
    const bool again = answer
                           ? answer->status == 429 || answer->status == 503
                           : answer.error().kind != HttpFault::Kind::no_connection || attempt > 1;
    if (!again || attempt == attempts_max) {
      if (answer) return std::move(*answer);
      return unreachable(http_.url(), answer.error());
    }
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

Outcome<ExitCode> show(const Invocation& invocation, const Outcome<HttpAnswer>& answer,
                       const Render& render) {
  if (!answer) return answer.error();
  const bool good = answer->status >= 200 && answer->status < 300;
  if (invocation.json() && !answer->body.empty()) {
    std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
    if (answer->body.back() != '\n') std::fputc('\n', stdout);
  }
  if (!good) return refused(*answer);
  if (invocation.json()) return ExitCode::ok;
  const auto document = Json::parse(answer->body.empty() ? "null" : answer->body);
  if (!document) return Failure{ExitCode::refused, "the server's answer is not JSON"};
  const std::string text = render(*document);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode::ok;
}

Outcome<ExitCode> read_and_show(const Invocation& invocation, const std::string& target,
                                const Render& render) {
  return show(invocation, ApiClient(invocation.url).get(target), render);
}

Outcome<ExitCode> command_and_show(const Invocation& invocation, std::string_view method,
                                   const std::string& target, const std::string& body,
                                   const Render& render) {
  const std::string key = invocation.has("key") ? invocation.get("key") : random_key();
  if (key.empty() || key.size() > 255 ||
      key.find_first_not_of(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                            "abcdefghijklmnopqrstuvwxyz{|}~") != std::string::npos)
    return Failure{ExitCode::usage, "--key: wanted 1 to 255 printable ASCII characters"};
  return show(
      invocation,
      ApiClient(invocation.url).command(method, target, body, key, invocation.get("if-match")),
      render);
}

void add_command_options(Verb& verb) {
  verb.arguments.push_back(option(
      "key", "Idempotency key: a repeat with the same key changes nothing (default: random)"));
  verb.arguments.push_back(option("if-match", "Refuse unless this is the current version"));
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view value) {
  if (!members_.empty()) members_ += ',';
  append_json_string(members_, name);
  members_ += ':';
  members_ += value;
  return *this;
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
  return raw(name, json_string(value));
}

JsonObject& JsonObject::optional_text(std::string_view name, std::string_view value) {
  return value.empty() ? *this : text(name, value);
}

Outcome<std::string> money_argument(const Invocation& invocation, std::string_view name) {
  const std::string& given = invocation.get(name);
  std::string_view amount = given, currency = invocation.get("currency");
  if (const std::size_t blank = amount.find(' '); blank != std::string_view::npos) {
    currency = amount.substr(blank + 1);
    amount = amount.substr(0, blank);
    if (Currency::parse(amount)) std::swap(amount, currency);
  }
  if (currency.empty()) currency = "GBP";
  if (!parse_decimal(amount) || !Currency::parse(currency))
    return Failure{ExitCode::usage, std::string(name) + ": wanted an amount such as 12.50 or " +
                                        "\"12.50 GBP\", got \"" + given + "\""};
  return JsonObject{}.text("amount", amount).text("currency", currency).done();
}

}  // namespace souk::cli

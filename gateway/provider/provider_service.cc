#include "gateway/provider/provider_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/adapters/provider_wire.h"
#include "events/fault_log.h"
#include "events/json_text.h"

namespace souk {
namespace {

FaultLog records_fail("payment provider cannot read a record");

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

/// What stands between `head` and `tail` in `target`, where it is one segment.
std::optional<std::string_view> between(std::string_view target, std::string_view head,
                                        std::string_view tail) {
  if (target.size() < head.size() + tail.size() || !target.starts_with(head) ||
      !target.ends_with(tail))
    return std::nullopt;
  target.remove_prefix(head.size());
  target.remove_suffix(tail.size());
  if (target.find('/') != std::string_view::npos) return std::nullopt;
  return target;
}

HttpResponse json(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  if (status >= 400) response.content_type = "application/problem+json";
  return response;
}

bool is_client(std::string_view name) {
  return !name.empty() && name.size() <= wire::client_bytes_max &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

}  // namespace

void ProviderService::start(HttpServer& server) {
  provider_.start([this, &server](const PaymentAnswer& answer) {
    {
      const std::lock_guard lock(mutex_);
      if (heard_.size() < answers_heard_max) heard_.push_back(answer);
    }
    server.wake();
  });
}

/// What was called before `end` is answered by the provider's own repeat.
void ProviderService::end() { ending_.store(true); }

std::size_t ProviderService::body_limit(HttpMethod, std::string_view) {
  return wire::request_bytes_max;
}

void ProviderService::on_request(HttpServer& server, ExchangeId exchange,
                                 const HttpRequest& request) {
  const auto calls = between(request.target, "/clients/", "/calls");
  const auto answers = between(request.target, "/clients/", "/answers");
  const auto record = between(request.target, "/records/", "");
  const HttpMethod wanted = calls ? HttpMethod::post : HttpMethod::get;
  if ((!calls && !answers && !record) || (calls && !is_client(*calls)) ||
      (answers && !is_client(*answers)))
    return refuse(server, exchange, 404, "no_such_path", "there is nothing here");
  if (request.method != wanted) {
    HttpResponse response = json(405, problem(405, "method_not_allowed", "not this method"));
    response.allow = calls ? "POST" : "GET";
    return server.respond(exchange, std::move(response));
  }
  if (calls) return take_calls(server, exchange, request, *calls);
  if (answers) return give_answers(server, exchange, *answers);
  show_record(server, exchange, *record);
}

void ProviderService::take_calls(HttpServer& server, ExchangeId exchange,
                                 const HttpRequest& request, std::string_view name) {
  // Without it a page in somebody's browser could post here.
  if (!request.content_type.starts_with("application/json"))
    return refuse(server, exchange, 415, "unsupported_media_type", "calls are application/json");
  if (ending_) return refuse(server, exchange, 503, "unavailable", "it is about to end");
  auto decoded = wire::decode_calls(request.body);
  if (!decoded.ok()) return refuse(server, exchange, 400, "bad_calls", decoded.error().what);
  const auto client = client_of(name);
  if (!client) return refuse(server, exchange, 503, "overloaded", "too many clients");
  for (const PaymentCall& call : *decoded) remember(call.order, client);
  provider_.call(std::move(*decoded));
  server.respond(exchange, json(202, "{}"));
}

void ProviderService::give_answers(HttpServer& server, ExchangeId exchange, std::string_view name) {
  const auto client = client_of(name);
  if (!client) return refuse(server, exchange, 503, "overloaded", "too many clients");
  // Who asks again has given the first one up.
  if (client->waiting && server.waiting(*client->waiting))
    server.respond(*client->waiting, json(200, wire::encode_answers({})));
  client->waiting = exchange;
  client->waits_until_ms = ending_ ? 0 : client->seen_ms + wire::answers_wait.count();
  if (!client->answers.empty()) deliver(server, *client);
}

void ProviderService::show_record(HttpServer& server, ExchangeId exchange, std::string_view text) {
  const auto order = OrderId::parse(text);
  if (!order) return refuse(server, exchange, 400, "bad_order", "it is no id of an order");
  const auto record = provider_.record(*order);
  if (!record.ok()) {
    records_fail.failed(fmt::format("what=\"{}\"", one_line(record.error().what)));
    return refuse(server, exchange, 503, "unavailable", "the record cannot be read");
  }
  records_fail.passed();
  if (!*record)
    return refuse(server, exchange, 404, wire::unknown_order, "the order is not known here");
  server.respond(exchange, json(200, wire::encode_record(**record)));
}

void ProviderService::refuse(HttpServer& server, ExchangeId exchange, int status,
                             std::string_view code, std::string_view detail) {
  server.respond(exchange, json(status, problem(status, code, detail)));
}

std::string ProviderService::problem(int status, std::string_view code, std::string_view detail) {
  std::string body = fmt::format("{{\"status\":{},\"code\":", status);
  append_json_string(body, code);
  body += ",\"detail\":";
  append_json_string(body, detail);
  body += '}';
  return body;
}

/// The client, seen now; none where there is no room for a new one.
std::shared_ptr<ProviderService::Client> ProviderService::client_of(std::string_view name) {
  auto found = clients_.find(name);
  if (found == clients_.end()) {
    if (clients_.size() >= clients_max) return nullptr;
    found = clients_.emplace(std::string(name), std::make_shared<Client>()).first;
  }
  found->second->seen_ms = steady_ms();
  return found->second;
}

void ProviderService::remember(OrderId order, const std::shared_ptr<Client>& client) {
  if (asked_.size() >= askers_max) asked_before_ = std::exchange(asked_, {});
  asked_[order] = client;
}

/// Nobody's answers are dropped: the order's process asks again.
void ProviderService::route(const PaymentAnswer& answer) {
  std::weak_ptr<Client> asker;
  if (const auto at = asked_.find(answer.order); at != asked_.end())
    asker = at->second;
  else if (const auto before = asked_before_.find(answer.order); before != asked_before_.end())
    asker = before->second;
  const auto client = asker.lock();
  if (!client) return;
  if (client->answers.size() >= answers_kept_max) client->answers.pop_front();
  client->answers.push_back(answer);
}

/// REQUIRES: it waits.
void ProviderService::deliver(HttpServer& server, Client& client) {
  const ExchangeId exchange = *std::exchange(client.waiting, std::nullopt);
  if (!server.waiting(exchange)) return;  // it has gone; its next request gets them
  const auto count = std::min(client.answers.size(), wire::answers_per_reply_max);
  const auto end = client.answers.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<PaymentAnswer> given(client.answers.begin(), end);
  client.answers.erase(client.answers.begin(), end);
  server.respond(exchange, json(200, wire::encode_answers(given)));
}

void ProviderService::on_wake(HttpServer& server) {
  std::vector<PaymentAnswer> heard;
  {
    const std::lock_guard lock(mutex_);
    heard.swap(heard_);
  }
  for (const PaymentAnswer& answer : heard) route(answer);
  for (const auto& [name, client] : clients_)
    if (client->waiting && !client->answers.empty()) deliver(server, *client);
}

void ProviderService::on_tick(HttpServer& server) {
  const std::int64_t now_ms = steady_ms();
  for (auto at = clients_.begin(); at != clients_.end();) {
    Client& client = *at->second;
    if (client.waiting && (ending_ || now_ms >= client.waits_until_ms)) deliver(server, client);
    const bool gone = !client.waiting && now_ms - client.seen_ms > client_idle_ms_max;
    at = gone ? clients_.erase(at) : std::next(at);
  }
}

}  // namespace souk

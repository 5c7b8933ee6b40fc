#include "gateway/provider/provider_service.h"

#include <doctest/doctest.h>

#include "actors/adapters/provider_wire.h"
#include "tests/provider/support.h"

using namespace souk;
using namespace souk::test;

namespace {

/// Keeps what is answered; nothing is sent.
class FakeServer final : public HttpServer {
 public:
  std::string address() const override { return {}; }
  void run() override {}
  void drain(int) override {}
  void wake() override { ++wakes; }
  void respond(ExchangeId exchange, HttpResponse&& response) override {
    CHECK(answered.emplace(exchange.slot, std::move(response)).second);  // once each
  }
  void respond(ExchangeId, const ReadyResponse&) override {}
  bool waiting(ExchangeId exchange) const override { return !gone.contains(exchange.slot); }
  HttpStats stats() const override { return {}; }

  std::map<std::uint32_t, HttpResponse> answered;
  std::map<std::uint32_t, bool> gone;
  int wakes = 0;
};

/// Answers when it is told to.
class FakeProvider final : public PaymentProvider {
 public:
  void start(Answer answer) override { answer_ = std::move(answer); }
  void stop() override {}
  void call(std::vector<PaymentCall> calls) override {
    called.insert(called.end(), calls.begin(), calls.end());
  }
  Result<std::optional<PaymentRecord>, Fault> record(OrderId) override {
    return Fault{Fault::Kind::unavailable, "the disk"};
  }
  void answer(std::uint64_t number) {
    answer_({order(number), CallOp::authorise, 0, AnswerKind::done});
  }
  std::vector<PaymentCall> called;

 private:
  Answer answer_;
};

struct Bench {
  FakeProvider provider;
  FakeServer server;
  ProviderService service{provider};
  std::uint32_t exchanges = 0;

  Bench() { service.start(server); }
  /// The number of the exchange.
  std::uint32_t ask(HttpMethod method, const std::string& target, const std::string& body = {},
                    std::string_view type = "application/json") {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.content_type = type;
    service.on_request(server, {++exchanges, 0}, request);
    return exchanges;
  }
  std::uint32_t post(const std::string& client, std::uint64_t number) {
    return ask(HttpMethod::post, "/clients/" + client + "/calls",
               wire::encode_calls(std::vector{authorise(number)}));
  }
  std::uint32_t wait(const std::string& client) {
    return ask(HttpMethod::get, "/clients/" + client + "/answers");
  }
  int status(std::uint32_t exchange) {
    const auto at = server.answered.find(exchange);
    return at == server.answered.end() ? 0 : at->second.status;
  }
  std::size_t answers(std::uint32_t exchange) {
    REQUIRE(status(exchange) == 200);
    const auto decoded = wire::decode_answers(server.answered[exchange].body);
    REQUIRE(decoded.ok());
    return decoded->size();
  }
};

}  // namespace

TEST_CASE("provider service: what is not of the protocol is refused with words") {
  Bench b;
  const std::string calls = wire::encode_calls(std::vector{authorise(1)});
  CHECK(b.status(b.ask(HttpMethod::get, "/")) == 404);
  CHECK(b.status(b.ask(HttpMethod::get, "/clients/a/b/answers")) == 404);
  CHECK(b.status(b.ask(HttpMethod::get, "/clients//answers")) == 404);
  CHECK(b.status(b.ask(HttpMethod::get, "/clients/a%20b/answers")) == 404);
  CHECK(b.status(b.wait(std::string(wire::client_bytes_max + 1, 'a'))) == 404);
  CHECK(b.status(b.wait(std::string(wire::client_bytes_max, 'a'))) == 0);  // it waits
  CHECK(b.status(b.ask(HttpMethod::get, "/clients/a/calls")) == 405);
  CHECK(b.status(b.ask(HttpMethod::post, "/clients/a/answers")) == 405);
  CHECK(b.status(b.ask(HttpMethod::post, "/clients/a/calls", calls, "text/plain")) == 415);
  CHECK(b.status(b.ask(HttpMethod::post, "/clients/a/calls", "{}")) == 400);
  CHECK(b.status(b.ask(HttpMethod::get, "/records/o1")) == 400);
  CHECK(b.status(b.ask(HttpMethod::get, "/records/" + order(1).text())) == 503);
  CHECK(b.provider.called.empty());
  CHECK(b.status(b.ask(HttpMethod::post, "/clients/a/calls", calls)) == 202);
  CHECK(b.provider.called.size() == 1);
}

TEST_CASE("provider service: an answer goes to who asked last, at once or when it asks") {
  Bench b;
  b.post("a", 1);
  b.post("b", 2);
  const auto a = b.wait("a");
  CHECK(b.status(a) == 0);
  b.provider.answer(1);
  b.provider.answer(2);
  b.provider.answer(3);  // nobody's
  b.service.on_wake(b.server);
  CHECK(b.answers(a) == 1);
  CHECK(b.answers(b.wait("b")) == 1);
  b.post("b", 1);
  b.provider.answer(1);
  b.service.on_wake(b.server);
  CHECK(b.answers(b.wait("b")) == 1);
}

TEST_CASE("provider service: who has gone loses nothing, and who asks twice is answered twice") {
  Bench b;
  b.post("a", 1);
  const auto first = b.wait("a");
  const auto second = b.wait("a");
  CHECK(b.answers(first) == 0);
  b.server.gone[second] = true;
  b.provider.answer(1);
  b.service.on_wake(b.server);
  CHECK(b.status(second) == 0);
  CHECK(b.answers(b.wait("a")) == 1);
}

TEST_CASE("provider service: at its end nobody waits, and nothing more is taken") {
  Bench b;
  const auto waits = b.wait("a");
  b.service.on_tick(b.server);
  CHECK(b.status(waits) == 0);
  b.service.end();
  b.service.on_tick(b.server);
  CHECK(b.answers(waits) == 0);
  CHECK(b.status(b.post("a", 1)) == 503);
  CHECK(b.provider.called.empty());
}

TEST_CASE("provider service: there is room for so many clients, and for so many answers of each") {
  Bench b;
  for (std::size_t i = 0; i < ProviderService::clients_max; ++i)
    CHECK(b.status(b.post("client-" + std::to_string(i), i)) == 202);
  CHECK(b.status(b.post("one-more", 1)) == 503);
  CHECK(b.status(b.wait("one-more")) == 503);
  for (std::size_t i = 0; i <= ProviderService::answers_kept_max; ++i) b.provider.answer(7);
  b.service.on_wake(b.server);
  std::size_t kept = 0;
  while (const std::size_t more = [&] {
    const auto exchange = b.wait("client-7");
    return b.status(exchange) == 0 ? 0 : b.answers(exchange);
  }())
    kept += more;
  CHECK(kept == ProviderService::answers_kept_max);
}

#pragma once
/// A payment provider for several nodes: the port, over HTTP, as actors/adapters/provider_wire.h has it.
/// An answer goes to the client that asked last for its order: the node that has the order now.
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/ports/payment_provider.h"
#include "gateway/http/server.h"

namespace souk {

/// Lifecycle: start, while or before the server runs; end; the server drains; stop. The provider and the
///            server outlive it from start to stop.
/// Thread: but for start, end and stop, the server's.
class ProviderService final : public HttpHandler {
 public:
  static constexpr std::size_t clients_max = 256;  // a further one is answered 503
  static constexpr std::size_t answers_kept_max =
      64 * 1'024;  // for a client; older ones are dropped
  static constexpr std::size_t answers_heard_max = 256 * 1'024;  // not routed yet; more are dropped
  static constexpr std::size_t askers_max = 256 * 1'024;  // orders whose asker is known, at least
  static constexpr std::int64_t client_idle_ms_max = 60'000;  // then it has gone

  explicit ProviderService(PaymentProvider& provider) : provider_(provider) {}

  void start(HttpServer& server);
  /// Takes no more calls, and lets nobody wait. Thread: any.
  void end();
  /// No answer is taken any more. REQUIRES: the server does not run.
  void stop() { provider_.stop(); }

  std::size_t body_limit(HttpMethod method, std::string_view target) override;
  void on_request(HttpServer& server, ExchangeId exchange, const HttpRequest& request) override;
  void on_poll_end(HttpServer&) override {}
  void on_wake(HttpServer& server) override;
  void on_tick(HttpServer& server) override;
  std::string problem(int status, std::string_view code, std::string_view detail) override;

 private:
  struct Client {
    std::deque<PaymentAnswer> answers;
    std::optional<ExchangeId> waiting;
    std::int64_t waits_until_ms = 0;
    std::int64_t seen_ms = 0;
  };
  using Clients = std::map<std::string, std::shared_ptr<Client>, std::less<>>;
  using Askers = std::unordered_map<OrderId, std::weak_ptr<Client>>;

  void take_calls(HttpServer& server, ExchangeId exchange, const HttpRequest& request,
                  std::string_view client);
  void give_answers(HttpServer& server, ExchangeId exchange, std::string_view client);
  void show_record(HttpServer& server, ExchangeId exchange, std::string_view order);
  void refuse(HttpServer& server, ExchangeId exchange, int status, std::string_view code,
              std::string_view detail);
  std::shared_ptr<Client> client_of(std::string_view name);
  void remember(OrderId order, const std::shared_ptr<Client>& client);
  void route(const PaymentAnswer& answer);
  void deliver(HttpServer& server, Client& client);

  PaymentProvider& provider_;
  std::atomic<bool> ending_{false};

  std::mutex mutex_;  // guards what follows
  std::vector<PaymentAnswer> heard_;

  // The server's thread's own.
  Clients clients_;
  // Those who asked last, and those before asked_ was last full.
  Askers asked_, asked_before_;
};

}  // namespace souk

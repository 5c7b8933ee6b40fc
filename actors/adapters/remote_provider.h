#pragma once
/// A payment provider outside of the process, that several nodes call: what `souk provider` serves
/// (provider_wire.h). So an order that moves from one node to another is charged once.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "actors/ports/payment_provider.h"
#include "events/fault_log.h"

namespace souk {

struct ProviderAddress {
  std::string host;  // without the brackets of an IPv6 address
  std::string port;
  bool operator==(const ProviderAddress&) const = default;
  std::string text() const;  // HOST:PORT
};

/// `http://HOST:PORT`, also with a `/` behind it. Nothing for all else.
std::optional<ProviderAddress> parse_provider_url(std::string_view url);

struct ProviderPatience {
  std::chrono::milliseconds request{
      3'000};                               // for an answer of HTTP; for answers: answers_wait more
  std::chrono::milliseconds record{2'000};  // for all of `record`
  std::chrono::milliseconds pause{200};     // between a failed request and the next
};

/// Two connections: one sends calls, many in a request, the other waits for answers. Both are kept open
/// and are opened again when they end. What cannot be sent is dropped, with all that waits behind it:
/// whoever called repeats.
///
/// Lifecycle: `start` starts a thread, `stop` (or the destructor) ends it; may be started again.
/// Limits: calls_queued_max; more are dropped.
class RemoteProvider final : public PaymentProvider {
 public:
  static constexpr std::size_t calls_queued_max = 64 * 1024;

  explicit RemoteProvider(ProviderAddress where, ProviderPatience patience = {});
  ~RemoteProvider() override;

  void start(Answer answer) override;
  void stop() override;
  void call(std::vector<PaymentCall> calls) override;
  /// Asks on a connection of its own.
  /// Errors: unavailable (at once while the provider is `away`), corrupt (what it said is rubbish).
  /// Thread: any; waits for the network, ProviderPatience::record at most.
  Result<std::optional<PaymentRecord>, Fault> record(OrderId order) override;

  /// Why nothing comes from the provider now; none: it answers, or was not asked yet.
  /// Thread: any.
  std::optional<std::string> away() const;
  /// Calls that were not delivered, as far as is known. Thread: any.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Core;
  enum class Way : std::uint8_t { calls, answers };
  std::vector<PaymentCall> take();
  void drop_with(std::size_t undelivered);
  void failed(Way way, std::string why);
  void passed(Way way);

  const ProviderAddress where_;
  const ProviderPatience patience_;
  FaultLog faults_{"the payment provider cannot be reached"};
  std::atomic<std::uint64_t> dropped_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::deque<PaymentCall> queued_;
  std::string why_away_[2];     // by Way; empty: it works
  std::unique_ptr<Core> core_;  // between start and stop
};

}  // namespace souk

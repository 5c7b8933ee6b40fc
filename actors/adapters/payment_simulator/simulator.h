#pragma once
/// The simulated payment provider: another company, as far as the engine can tell. It has a thread
/// and a durable ledger of its own; simulator_rules.h tells what each token makes it do.
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "actors/adapters/payment_simulator/ledger.h"
#include "actors/adapters/payment_simulator/rules.h"
#include "actors/ports/payment_provider.h"
#include "events/time.h"

namespace souk {

/// Lifecycle: `start` starts the thread; `stop` (or the destructor) ends it for good; calls that are
///            queued and late answers that are pending are then forgotten: the engine asks again.
/// Invariant: an answer leaves only after what it says is synced to disk.
class PaymentSimulator final : public PaymentProvider {
 public:
  static constexpr std::size_t calls_queued_max = 256 * 1024;  // more are answered `failed`
  static constexpr std::size_t calls_per_commit_max = 16 * 1024;
  static constexpr std::size_t late_answers_max = 256 * 1024;  // more are never sent
  static constexpr std::chrono::seconds retry{1};              // of a ledger that fails
  static constexpr std::size_t accounts_cached_max = 64 * 1024;

  /// `clock` outlives the simulator.
  /// Errors: locked, corrupt, full, unsupported, unavailable.
  static Result<std::unique_ptr<PaymentSimulator>, Fault> open(const std::filesystem::path& path,
                                                               Clock& clock);
  PaymentSimulator(std::unique_ptr<SimulatorLedger> ledger, Clock& clock);
  ~PaymentSimulator() override;

  void start(Answer answer) override;
  void stop() override;
  /// Where the disk fails, every call is answered `failed`, until it works again.
  void call(std::vector<PaymentCall> calls) override;
  /// Reflects every call that was answered.
  Result<std::optional<PaymentRecord>, Fault> record(OrderId order) override;
  /// The ledger cannot be written; it is tried again by itself. Thread: any.
  bool failing() const { return ledger_->failing(); }
  SimulatorLedger& ledger() { return *ledger_; }

 private:
  using Steady = std::chrono::steady_clock;
  struct LateOrder {
    std::size_t answers = 0;  // pending
    bool cancelled = false;   // since: they turn into `declined`
  };
  struct CachedAccount {
    ProviderAccount account;
    std::uint64_t commit = 0;  // the last one that changed it
  };
  void run();
  void commit(const PaymentCall* calls, std::size_t count);
  CachedAccount* account_of(OrderId order);
  void deliver(const ProviderReply& reply);
  void deliver_late();
  void warn(const Fault& fault);

  std::unique_ptr<SimulatorLedger> ledger_;
  Clock& clock_;
  Answer answer_;  // set before the thread begins

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<PaymentCall> queued_;
  std::vector<PaymentAnswer> refused_;  // beyond calls_queued_max; bounded by it as well
  bool stopping_ = false;

  // The thread's own.
  // As the ledger has them: those used last, and those used before accounts_ was last full.
  std::unordered_map<OrderId, CachedAccount> accounts_, former_accounts_;
  std::uint64_t commits_ = 0;
  std::multimap<Steady::time_point, PaymentAnswer> late_;
  std::unordered_map<OrderId, LateOrder> late_orders_;
  std::thread thread_;
};

}  // namespace souk

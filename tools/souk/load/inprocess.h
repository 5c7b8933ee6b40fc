#pragma once
/// A whole engine in this process, on a real disk, without HTTP: for benchmarks of the engine
/// alone.
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/adapters/payment_simulator/simulator.h"
#include "actors/adapters/rocksdb_state_store.h"
#include "actors/adapters/sodium_vault.h"
#include "actors/adapters/system_clock.h"
#include "actors/host/engine.h"
#include "events/journal/rocksdb_journal.h"
#include "gateway/api/commands/presenter.h"

namespace souk::cli {

/// Lifecycle: open; submit and take answers from one thread; close() writes the checkpoint.
class InProcess final : public ReplySink {
 public:
  static Result<std::unique_ptr<InProcess>, Fault> open(const std::filesystem::path& directory,
                                                        const EngineOptions& options);
  ~InProcess() override;

  void submit(std::vector<Request>&& requests) { engine_->submit(std::move(requests)); }
  /// Blocks until there are answers.
  std::vector<Reply> take();
  void deliver(std::vector<Reply>&& replies) override;
  void close();

  const EngineCounters& counters() const { return engine_->counters(); }
  const RecoveryReport& recovery() const { return recovery_; }
  std::uint32_t shards() const { return engine_->shards(); }
  Randomness& randomness() { return randomness_; }
  /// A request of this client with a random cause.
  Request request(Op op, std::uint64_t ticket);

 private:
  InProcess() : clock_(UnixMs{}), presenter_(*Currency::parse("GBP")) {}

  SystemClock clock_;
  SystemRandomness randomness_;
  JsonPresenter presenter_;
  std::unique_ptr<RocksDbJournal> journal_;
  std::unique_ptr<RocksdbStateStore> states_;
  std::unique_ptr<SodiumVault> vault_;
  std::unique_ptr<PaymentSimulator> payments_;
  std::unique_ptr<Engine> engine_;
  RecoveryReport recovery_;
  std::uint16_t sink_ = 0;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Reply> replies_;
};

}  // namespace souk::cli

#pragma once
/// The ports of a node on this machine: a data directory with its stores, the built-in payment
/// provider, the machine's clock and randomness, documents as JSON.
#include <atomic>
#include <memory>
#include <optional>

#include "actors/adapters/data_directory.h"
#include "actors/adapters/payment_simulator/simulator.h"
#include "actors/adapters/rocksdb_state_store.h"
#include "actors/adapters/sodium_vault.h"
#include "actors/adapters/system_clock.h"
#include "events/journal/rocksdb_journal.h"
#include "gateway/api/commands/presenter.h"
#include "node/node.h"

namespace souk {

/// The machine's time, never behind the newest event of the log. Thread: any.
class MachineNodeClock final : public NodeClock {
 public:
  UnixMs now() override { return base_.now().plus_ms(ahead_ms_.load(std::memory_order_relaxed)); }
  void begin_at(UnixMs newest) override;

 private:
  SystemClock base_{UnixMs{}};
  std::atomic<std::int64_t> ahead_ms_{0};
};

struct DiskPortsOptions {
  std::filesystem::path directory;
  std::optional<std::uint32_t> shards;  // nothing: what the directory has
  Currency currency = *Currency::parse("GBP");
};

/// Lifecycle: open; the node that uses it ends before it.
class DiskPorts {
 public:
  /// Errors: those of the stores, with words for the operator.
  static Result<std::unique_ptr<DiskPorts>, Fault> open(const DiskPortsOptions& options);

  NodePorts ports() {
    return {*journal_, *states_, *vault_, *payments_, clock_, randomness_, presenter_};
  }
  const DataDirectory& directory() const { return *directory_; }
  std::uint32_t shards() const { return directory_->manifest().shards; }

 private:
  explicit DiskPorts(Currency currency) : presenter_(currency) {}

  MachineNodeClock clock_;
  SystemRandomness randomness_;
  JsonPresenter presenter_;
  std::unique_ptr<DataDirectory> directory_;  // its lock is the last to go
  std::unique_ptr<RocksDbJournal> journal_;
  std::unique_ptr<RocksdbStateStore> states_;
  std::unique_ptr<SodiumVault> vault_;
  std::unique_ptr<PaymentSimulator> payments_;
};

}  // namespace souk

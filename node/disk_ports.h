#pragma once
/// The ports of a node on this machine: a data directory with its stores, the payment provider,
/// built in or outside, the machine's clock and randomness, documents as JSON.
#include <atomic>
#include <memory>
#include <optional>

#include "actors/adapters/payment_simulator/simulator.h"
#include "actors/adapters/remote_provider.h"
#include "actors/adapters/stores.h"
#include "actors/adapters/system_clock.h"
#include "actors/ports/store_trouble.h"
#include "events/journal/group_commit.h"
#include "events/journal/scrubber.h"
#include "events/shared_log/kafka_broker.h"
#include "events/shared_log/shared_logs.h"
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
  std::optional<std::string> secret = std::nullopt;  // SodiumVault::Options
  /// The log stands in Kafka, and the directory has a copy of it. Nothing: the log is its journal.
  struct Kafka {
    KafkaOptions options;
    bool single = false;  // one broker will do
    /// Others write to the log, too: shards are followed, and given to this incarnation. 0: nobody does.
    std::uint64_t incarnation = 0;
    /// All of the log is copied before the node serves; else each shard's when it is followed.
    bool catches_up = true;
  };
  std::optional<Kafka> kafka = std::nullopt;
  /// The provider outside that is called; nothing: the built-in one, whose ledger is provider/.
  std::optional<ProviderAddress> provider = std::nullopt;
  /// Whether to stop waiting for brokers.
  std::function<bool()> give_up = [] { return false; };
};

/// Lifecycle: open; the node that uses it ends before it.
class DiskPorts {
 public:
  /// With Kafka: waits for its brokers, looks at the topic, and brings the copy up to date.
  /// Errors: those of Stores::open, with words for the operator; mismatch: the topic is not there, or
  /// its settings would lose what is acknowledged; unavailable: given up.
  static Result<std::unique_ptr<DiskPorts>, Fault> open(const DiskPortsOptions& options);

  NodePorts ports() {
    return {*logs_,         *stores_.journal, *stores_.states,
            *stores_.vault, payments(),       clock_,
            randomness_,    presenter_,       stores_.directory->manifest().id,
            nullptr};
  }
  SodiumVault& vault() { return *stores_.vault; }
  const DataDirectory& directory() const { return *stores_.directory; }
  std::uint32_t shards() const { return directory().manifest().shards; }
  /// Thread: any.
  std::vector<StoreTrouble> troubles() const;
  /// What was opened is sound: a directory of an older format is of the newest from here on.
  /// REQUIRES: the node has recovered, and does not run yet.
  Status raise_format() { return stores_.directory->raise_format(); }

 private:
  explicit DiskPorts(Currency currency) : presenter_(currency) {}
  PaymentProvider& payments() {
    if (remote_) return *remote_;
    return *simulator_;
  }
  void open_payments(const DiskPortsOptions& options);
  void begin_scrubbing();
  std::optional<StoreTrouble> provider_trouble() const;
  Status open_own_log();
  Status open_broker(const DiskPortsOptions& options, std::uint32_t shards, SharedLogName& name);
  Status open_shared_log(const DiskPortsOptions& options);

  MachineNodeClock clock_;
  SystemRandomness randomness_;
  JsonPresenter presenter_;
  Stores stores_;
  std::unique_ptr<PaymentSimulator> simulator_;  // this one,
  std::unique_ptr<RemoteProvider> remote_;       // or this
  std::unique_ptr<KafkaBroker> broker_;
  std::unique_ptr<ShardLogs> logs_;     // over the journal, or over the broker
  SharedLogs* shared_ = nullptr;        // logs_, where they are
  std::unique_ptr<Scrubber> scrubber_;  // of all stores; ends first
};

}  // namespace souk

#pragma once
/// The logs behind a broker as a journal, for who reads them and owns nothing: as they stood when it
/// was opened, without a copy on the disk.
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "events/journal/journal.h"
#include "events/shared_log/log_broker.h"

namespace souk {

/// Lifecycle: open, use. The broker outlives it. Thread: one.
class BrokerJournal final : public Journal {
 public:
  struct Patience {
    std::chrono::milliseconds silence{30'000};  // so long nothing may come
  };
  /// Asks for the ends of the logs. Errors: unavailable: the brokers do not say them in time.
  static Result<std::unique_ptr<BrokerJournal>, Fault> open(LogBroker& broker, Patience patience);
  static Result<std::unique_ptr<BrokerJournal>, Fault> open(LogBroker& broker) {
    return open(broker, Patience{});
  }

  /// Of each shard, behind its last record.
  const std::vector<Offset>& ends() const { return ends_; }
  /// Up to the end as it was. Errors: unavailable: nothing comes of what must be there.
  ///         mismatch: the log does not begin as those of Souk do, or not as the others.
  ///         corrupt: the broker does not have what was asked for, or not any more.
  Status read(ShardId shard, Offset from, const Visit& visit) override;
  /// REQUIRES: `from` is 1: brokers find a record by its offset only.
  Status scan(ShardId shard, Seq from, const Visit& visit) override;

 private:
  BrokerJournal(LogBroker& broker, Patience patience) : broker_(broker), patience_(patience) {}

  LogBroker& broker_;
  const Patience patience_;
  std::vector<Offset> ends_;
  std::optional<std::uint64_t> genesis_;  // of the logs whose first record was read
};

}  // namespace souk

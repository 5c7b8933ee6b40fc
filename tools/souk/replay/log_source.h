#pragma once
/// What `souk replay` reads: the logs of all shards as they stood when it was opened.
#include <memory>
#include <string>
#include <vector>

#include "events/journal/journal.h"
#include "events/result.h"
#include "events/shared_log/kafka_options.h"

namespace souk::cli {

class LogSource {
 public:
  virtual ~LogSource() = default;
  /// As a person names it: a directory, or a topic and its brokers.
  virtual std::string name() const = 0;
  virtual std::uint32_t shards() const = 0;
  /// About how many records the log of the shard has. Errors: corrupt, unavailable.
  virtual Result<std::uint64_t, Fault> records(ShardId shard) = 0;
  /// The records of each shard, in order. Read from its beginning.
  virtual Journal& journal() = 0;
};

using OpenedSource = Result<std::unique_ptr<LogSource>, Fault>;

/// The topic of events. Nothing is written to the brokers, and no group is joined.
/// Errors: unavailable; mismatch: no such topic, or a setting that the Kafka client refuses.
OpenedSource open_topic(const KafkaOptions& options);
/// The journal of a stopped soukd; of a node of a cluster its copy of the log.
/// Errors: those of Stores::open_read_only.
OpenedSource open_directory(const std::string& path);

}  // namespace souk::cli

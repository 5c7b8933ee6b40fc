#pragma once
/// Walks over the events of the journal that a filter lets through; knows no SQLite.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "events/log_fold.h"
#include "projections/sql/events_table.h"

namespace souk::analytics {

/// Narrows what is read; may let through too much, never too little.
struct EventFilter {
  std::int64_t shard_from = 0, shard_to = std::numeric_limits<std::int64_t>::max();
  std::int64_t seq_from = 1, seq_to = std::numeric_limits<std::int64_t>::max();
  std::vector<EntityKey> entities;  // any of them
  bool by_entity = false;           // else all
  std::optional<std::size_t> type;  // index in Payload
  bool nothing = false;             // no event can be meant
  std::string at_from;              // RFC 3339
};

/// Shard by shard, in the order of their numbers. The journal is read in pieces of bounded size,
/// and the clock of the query is looked at between them and every 256 events that are passed over.
/// Lifecycle: begin, then next until it does not find one.
class EventScan {
 public:
  enum class Found { event, end, interrupted, failed };
  /// `source` outlives this.
  explicit EventScan(EventsTable& source) : source_(source) {}
  Found begin(EventFilter filter);
  Found next();
  /// REQUIRES: the last was `failed`.
  const Fault& fault() const { return fault_; }

  // REQUIRES of these: the last was `event`.
  ShardId shard() const { return shard_; }
  Seq seq() const { return seq_; }
  const Transaction& transaction() const { return transactions_[transaction_]; }
  const Event& event() const { return transaction().events[index_]; }
  /// Of the transaction, as RFC 3339.
  const std::string& at();

 private:
  struct Record {
    Offset offset = 0;
    std::string bytes;
  };
  Status fetch();
  Found fail(const Fault& fault);
  Found next_record();
  Found find(bool there);
  bool wanted() const;
  bool step();
  void end_shard();

  EventsTable& source_;
  EventFilter filter_;
  std::vector<std::uint16_t> shards_;  // still to be read, the next one last
  ShardId shard_;
  Seq next_seq_ = 0, last_seq_ = 0;  // of the shard: what to read next, where to end
  FoldState fold_;                   // of the shard: which records count
  std::vector<Record> piece_;
  std::size_t record_ = 0;
  bool shard_ended_ = true;
  std::vector<Transaction> transactions_;
  std::size_t transaction_ = 0, index_ = 0;
  Seq seq_ = 0;
  std::string at_;
  std::uint32_t skipped_ = 0;
  Fault fault_;
};

}  // namespace souk::analytics

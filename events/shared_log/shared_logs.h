#pragma once
/// The logs of all shards in a log that other nodes write to as well (log_broker.h). The order of
/// the records in a partition is the only arbiter: who owns a shard, what counts, what is
/// acknowledged follows from it alone, and from no clock.
///
///   closed -> claim() -> CLAIMING -> READING -> OPEN -> (doubt) -> closed
///
/// A claim is a record. Once it is reported, the log is read up to it into the copy on this node's
/// disk, so that all that was in doubt is decided; the claim is granted, and the shard is open.
///
/// What is acknowledged (design/log-protocol.md, sections 3 and 5.1): a record whose report, and
/// those of all before it back to the claim, came in their order without an error at offsets
/// without a gap, from the one behind the claim on. Then no foreign record can lie between, and the
/// fold counts each of them.
///
/// Invariants, for each shard:
///   - after a report that is not the expected one nothing is acknowledged before the next claim;
///     reports of what was sent before that claim count for nothing;
///   - the copy has the records of offsets 1 to its place, and each before it is acknowledged; in the
///     place of one that does not count it has a claim that never does;
///   - a log that is not the one it was (by its first record, looked at before each claim that
///     follows a doubt) or does not go on from what the copy has (it lost its end, a record does not
///     follow from the one before) is *halted*: nothing is claimed or acknowledged any more.
///
/// Source: design/log-protocol.md; a model check showed R0 to R3 of events/log_fold.h, contiguous
/// offsets and claims to be enough.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "events/fault_log.h"
#include "events/journal/shard_log.h"
#include "events/shared_log/shared_log.h"

namespace souk {

/// The first record of each log, written when the topic is made: a claim of nobody, whose incarnation
/// is a random number. By it a node knows that a topic is still the one that it was; Kafka deletes a
/// topic and makes another of its name without a sign to those who read and write it.
struct Genesis {
  std::uint64_t number = 0;
  /// Of the secret that all nodes share; 0: not known. Stands where a claim has its node.
  std::uint64_t secret_check = 0;
  bool operator==(const Genesis&) const = default;
};
namespace genesis {
inline constexpr std::uint64_t epoch = first_epoch;
std::string record(const Genesis& genesis);
/// Nothing: it is no such record.
std::optional<Genesis> of_record(std::string_view record);
/// Of the logs behind a broker. Nothing: their first one is empty. Errors: unavailable; mismatch: it
/// begins with something else. Blocks, for seconds.
Result<std::optional<Genesis>, Fault> read(LogBroker& broker);
/// Begins each log that is empty, as those that are not; to be repeated until it succeeds. Returns
/// how they begin. Errors: as read(). Blocks, for seconds.
Result<Genesis, Fault> make(LogBroker& broker, const Genesis& genesis);
}  // namespace genesis

/// Lifecycle: open, catch_up, then start (or listen, and step by step), then stop. In a cluster logs are
/// followed (ShardLog::follow): what others write is copied as it comes, `LogListener::followed` hears
/// of it, and a transfer to this incarnation opens a log (LogListener::given).
/// Broker, copy and listener outlive it.
class SharedLogs final : public ShardLogs, private LogBroker::Listener {
 public:
  /// Errors: corrupt, unavailable: the copy.
  static Result<std::unique_ptr<SharedLogs>, Fault> open(LogBroker& broker, LogCopy& copy,
                                                         const SharedLogsOptions& options);
  ~SharedLogs() override;

  /// Looks whether the logs go on from the copy, and copies what is not here yet, of all of them or of
  /// none. `told`: now and then, with how many records of how many; false: give up. Waits for the
  /// brokers as long as it takes.
  /// Errors: mismatch   a log does not go on from the copy; in words for an operator.
  ///         unavailable   given up, or the disk. corrupt: a record is none.
  using Told = std::function<bool(std::uint64_t copied, std::uint64_t of)>;
  enum class Of : std::uint8_t { none, all };
  Status catch_up(const Told& told, Of which = Of::all);

  ShardLog& log(ShardId shard) override;
  std::size_t under_way_max() const override { return options_.under_way_max; }
  /// REQUIRES: before the first claim.
  void listen(LogListener& listener) { listener_ = &listener; }
  /// One poll of the broker, and all that follows from it. Thread: one; the logs' own, where
  /// `start` was called.
  void step(std::chrono::milliseconds patience);
  void start(LogListener& listener) override;
  /// Nothing: what is appended is on its way.
  void flush() override {}
  void stop() override;

  /// Why a shard is halted; nothing: it is not. Thread: any.
  std::optional<Fault> halted(ShardId shard) const;
  /// The first shard that is. Thread: any.
  std::optional<std::pair<ShardId, Fault>> any_halted() const;
  /// Records that were read and do not count: of deposed owners, or foreign. Thread: any.
  std::uint64_t passed_over() const { return passed_over_.load(std::memory_order_relaxed); }

 private:
  using Log = SharedLog;
  using Time = SharedLogsOptions::Clock::time_point;
  SharedLogs(LogBroker& broker, LogCopy& copy, const SharedLogsOptions& options);

  void reported(const LogBroker::Report& report) override;
  void arrived(ShardId shard, Offset offset, std::string_view bytes) override;
  void reading_failed(ShardId shard, const Fault& why) override;

  Status find_places();
  void take_asked();
  void take_claim(Log& log, Log::Asked&& asked);
  void watch_clock();
  void settle();
  /// What a step brought: into the copy, then to the listener.
  void conclude();
  Status keep();
  void tell();
  void decide_claims();
  void arrived_in(Log& log, Offset offset, std::string_view bytes);
  void doubt(Log& log, const Fault& why);
  void doubt_all(const Fault& why);
  void halt(Log& log, Fault why);
  /// Goes on with what a log waits for, once its first record is the right one.
  void proceed(Log& log);

  SharedLogsCommon common_;
  LogBroker& broker_;
  LogCopy& copy_;
  const SharedLogsOptions& options_;
  LogListener* listener_ = nullptr;
  std::vector<std::unique_ptr<Log>> logs_;

  // The stepping thread's.
  struct News {
    Batch record;                    // as it stands in the log, but for its parts
    std::vector<std::string> parts;  // the last one at the record's offset
    std::optional<Batch> whole;      // of one whose last part arrived
    enum class From : std::uint8_t { own, read, nobody } from = From::nobody;  // nobody: no events
  };
  std::vector<News> news_;
  std::vector<Log*> moved_;   // their places did
  std::vector<Log*> landed_;  // have acknowledgements to tell
  std::vector<Log*> read_;    // went on by what others wrote
  std::vector<std::pair<Log*, Fault>> doubted_;
  std::chrono::nanoseconds took_{0};  // the oldest that is acknowledged
  Time looked_at_;                    // by the clock
  Time look_again_at_;                // at the next log
  std::size_t look_again_ = 0;        // which that is
  bool sound_ = true;                 // the copy took the last write
  FaultLog copy_fails_{"the copy of the log cannot be written, its shards wait"};

  std::atomic<std::uint64_t> passed_over_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace souk

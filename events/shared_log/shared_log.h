#pragma once
/// One shard's log among the shared ones: what shared_logs.h drives, a state machine a shard. It
/// decides which report acknowledges what; SharedLogs carries its news to the copy and to who listens.
///
///   closed -> claiming -> open -> (doubt, or given away) -> closed
///
/// In a cluster one that is not open is *followed*: its records are read as they come.
#include <chrono>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "events/journal/shard_log.h"
#include "events/shared_log/log_broker.h"
#include "events/shared_log/log_copy.h"
#include "events/shared_log/shared_logs_options.h"

namespace souk {

class SharedLog;

/// What the logs of a node have in common.
struct SharedLogsCommon {
  LogBroker& broker;
  LogCopy& copy;
  const SharedLogsOptions options;
  mutable std::mutex mutex = {};
  std::vector<SharedLog*> asking = {};  // under the mutex: what they were asked was not looked at
  bool stopping = false;                // under the mutex
};

/// Thread: that of SharedLogs::step, but for what ShardLog says.
class SharedLog final : public ShardLog {
 public:
  using Time = SharedLogsOptions::Clock::time_point;
  SharedLog(SharedLogsCommon& common, ShardId shard) : common_(common), shard_(shard) {}

  LogTicket append(Batch record) override;
  void claim(std::uint64_t incarnation, ClaimDone done) override;
  void follow(bool whether) override;
  Status tail(Offset from, const Visit& visit) override {
    return common_.copy.read(shard_, from, visit);
  }
  bool alone() const override { return false; }
  std::size_t part_bytes() const override { return common_.broker.part_bytes(); }
  std::size_t under_way_max() const override { return common_.options.under_way_of_shard_max; }

  ShardId shard() const { return shard_; }
  const FoldState& place() const { return place_; }
  void set_place(FoldState&& place) { place_ = std::move(place); }

  // ---- claims ----

  struct Asked {
    std::uint64_t incarnation = 0;
    ClaimDone done;
  };
  /// What was asked for by claim(). REQUIRES: the common lock.
  std::optional<Asked> take_asked() { return std::exchange(asked_, std::nullopt); }
  /// What was asked for by follow(). REQUIRES: the common lock.
  std::optional<bool> take_asked_to_follow() {
    return std::exchange(asked_to_follow_, std::nullopt);
  }
  /// Begins, or begins anew, to claim. What was sent before counts no more.
  void begin_claim(Asked&& asked);
  void send_claim();
  void drop_claim();
  bool claims() const { return claim_.has_value(); }
  void claim_again_at(Time at) {
    if (claim_) claim_->again_at = at;
  }
  bool claim_is_due(Time now) const {
    return claim_ && claim_->again_at && now >= *claim_->again_at;
  }
  /// 0: the claim is not reported yet. REQUIRES: claims().
  Offset claimed_at() const { return claim_->offset; }
  const std::string& claim_bytes() const { return claim_->bytes; }
  /// The claim is reported, and all up to it is folded.
  bool claim_is_decided() const {
    return claim_ && claim_->offset != 0 && place_.next_offset > claim_->offset;
  }
  /// It is reported at a place that was read, and was not seen. REQUIRES: claim_is_decided().
  bool claim_is_missing() const { return claim_->seen_at == 0; }
  /// What the log says of a claim that is decided: open from here on, or somebody else's.
  /// REQUIRES: claim_is_decided(); all that is folded is in the copy.
  void decide_claim();
  /// A transfer names this node, which has no claim under way: open from here on, unless another
  /// record followed that says otherwise. REQUIRES: as decide_claim.
  std::optional<Claimed> take_over();

  // ---- appends ----

  struct Landed {
    Batch record;
    std::vector<std::string> parts;
    Time since;
  };
  /// Takes a report in. `acknowledged`: the record that it completes is in `landed`.
  enum class Heard : std::uint8_t { nothing, acknowledged, out_of_place, claim, claim_failed };
  Heard hear(const LogBroker::Report& report, Landed& landed);
  /// Moves the place behind a record of its own: contiguous offsets say that the fold counts it.
  Status pass(const Batch& record);
  std::vector<LogAck> take_acks() { return std::exchange(acks_, {}); }
  /// Nothing is acknowledged any more until the next claim is granted. Returns whether it was open.
  bool doubt();
  bool is_open();
  /// What was sent first and is not reported is older than that.
  bool overdue(Time before);

  // ---- reading ----

  /// From now on the records are read as they come whenever it is not open.
  void begin_to_follow();
  /// Only what a claim needs is read from now on.
  void end_to_follow();
  bool follows() const { return follows_; }
  /// Its first record is looked at once more, and it is read on. Does nothing where it is open.
  void look_again();
  void stop_following() {
    follows_ = false;
    stop_reading();
  }
  /// As begin_to_follow(), where it follows and reads nothing yet.
  void follow_on();
  /// All up to there is to come: it is read, after the first record was looked at.
  void await(Offset to);
  bool looks() const { return looks_; }
  void looked() {
    known_ = true;
    looks_ = false;
  }
  void read_on();
  /// It is being read from its place on.
  bool reads_on() const { return reads_ && !looks_ && reads_place_; }
  bool awaits() const { return to_ != 0; }
  Offset awaits_to() const { return to_; }
  void stop_reading();
  /// Moves the place behind a record that was read. After a fault it is where it was.
  Result<Folded, Fault> fold_next(Offset offset, std::string_view bytes);

  bool moved = false;           // its place did, in this step
  std::optional<Fault> halted;  // under the common lock; the stepping thread's to write

 private:
  static constexpr Offset all_that_comes = std::numeric_limits<Offset>::max();
  struct Sent {
    LogTicket ticket = 0;
    Batch record;
    std::vector<std::string> parts;
    std::size_t parts_heard = 0;
    Time since;
  };
  struct Claiming {
    Asked asked;
    std::uint64_t epoch = 0;
    Offset offset = 0;   // 0: not reported yet
    Offset seen_at = 0;  // where it was folded
    std::optional<Time> again_at = {};
    std::string bytes = {};
  };

  void produce(std::string_view bytes);
  bool close();
  void open();
  /// `incarnation` owns by the fold, in an epoch that it did not own before.
  bool owns_anew(std::uint64_t incarnation) const {
    return place_.incarnation == incarnation && place_.epoch > owned_epoch_;
  }

  SharedLogsCommon& common_;
  const ShardId shard_;

  FoldState place_ = shared_log_begin();
  std::uint64_t highest_ = first_epoch;  // of the epochs that were tried
  std::uint64_t owned_epoch_ = 0;        // the last one in which it was open
  std::optional<Claiming> claim_;
  bool follows_ = false;
  bool given_ = false;  // the last who was named owner was so by a transfer
  Offset to_ = 0;       // records up to there are awaited; 0: none is
  bool reads_ = false;  // at the broker
  bool reads_place_ = false;
  bool known_ = false;  // its first record was looked at, and nothing has been in doubt since
  bool looks_ = false;  // it is being looked at
  std::vector<LogAck> acks_;

  void ask();

  std::optional<Asked> asked_;           // under the common lock
  std::optional<bool> asked_to_follow_;  // under the common lock

  std::mutex mutex_;  // what appends use
  bool open_ = false;
  bool misplaced_ = false;  // a record of another epoch was appended: it is in doubt, and not sent
  LogTicket tickets_ = 0;
  std::uint64_t reign_ = 0;
  std::uint64_t sent_parts_ = 0;  // of this reign
  std::uint64_t heard_ = 0;
  Offset expected_ = 0;  // where the next must stand
  std::deque<Sent> sent_;
};

/// What a log that is being closed says to claims.
Fault log_closed();

}  // namespace souk

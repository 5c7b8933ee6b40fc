#pragma once
/// Keeps one read model up to date on a thread of its own, and rebuilds it beside the live copy.
#include <condition_variable>
#include <deque>
#include <future>
#include <thread>

#include "events/fault_log.h"
#include "projections/runner/follower.h"
#include "projections/runner/lag_meter.h"

namespace souk {

enum class ProjectionState { live, catching_up, rebuilding, paused, quarantined };
std::string_view name_of(ProjectionState state);

struct ProjectionStatus {
  std::string name;
  std::uint32_t version = 0;
  /// rebuilding: there is no copy yet that could answer; `rebuild` tells of one beside a live copy.
  /// quarantined: live, but some entities are stale.
  ProjectionState state = ProjectionState::rebuilding;
  std::vector<Seq> positions;    // by shard, what queries see
  std::uint64_t lag_events = 0;  // durable, not yet visible
  double lag_seconds = 0;        // the age of the oldest of these; at most since the start
  std::uint64_t applied = 0;     // events since the start, by the copies that answered; only grows
  double events_per_second = 0;  // of these, over the last seconds
  bool stuck = false;            // behind, and nothing came through for a while
  std::string fault;             // what stands in its way; empty: nothing
  std::vector<Stale> stale;
  struct Rebuild {
    std::uint64_t done = 0;  // events
    std::uint64_t total = 0;
    double events_per_second = 0;
  };
  std::optional<Rebuild> rebuild;
  std::string last_rebuild;  // how the last one ended; empty: none since the start
};

/// On disk: see generations.h; a generation that is not the current one is a left-over.
class ProjectionRunner {
 public:
  ProjectionRunner(ProjectionKind kind, std::filesystem::path folder, LogSource source);
  ~ProjectionRunner();

  /// Opens the copy that answers; where there is none, or it is damaged, one is built.
  /// Errors: mismatch: it knows what the log does not have. Nothing is rebuilt then: the log may
  /// have
  ///         lost its end. Everything else is tried again by the runner's thread.
  /// REQUIRES: not started.
  Status open();
  /// Opens first where `open` was not called.
  void start();
  void stop();

  const std::string& name() const { return kind_.name; }
  ProjectionStatus status() const;
  /// The copy that answers; null while the first is built. Thread: any.
  std::shared_ptr<Projection> model() const;
  /// Whether queries see all of `wanted`. Where not, the runner rests no longer: ask again soon.
  /// Thread: any.
  bool reached(const std::vector<std::pair<ShardId, Seq>>& wanted) const;

  /// Each answers with what was done, or why not. Thread: any; may wait for a step of the runner.
  using Answer = Result<std::string, Fault>;
  Answer pause();
  Answer resume();
  Answer rebuild();
  Answer cancel_rebuild();
  Answer mend(Follower::Mend how, const std::optional<EntityKey>& only);

 private:
  struct Builder;
  using Clock = std::chrono::steady_clock;
  void run();
  Status open_live();
  /// Whether the live copy is what it was when it last stood still; where not, it is built anew.
  void compare_with_seal();
  /// Where the copy has stood still for long enough, and that is new: notes what it contains.
  void seal_if_still();
  void seal();
  std::uint64_t sealed_place() const;
  void turn();
  void failed(const Fault& fault);
  void rest_after_fault();
  /// The live copy is opened again when it is time; a damaged one is rebuilt, and until then it
  /// answers what it can.
  void live_failed(const Fault& fault);
  void finish_rebuild();
  /// Where the log ends now, before a step.
  void mark_end();
  void measure();
  /// REQUIRES: mutex_. What it applied stays counted.
  std::shared_ptr<Follower> drop_live();
  std::string begin_rebuild();
  void drop_leftovers();
  Answer ask(std::function<Answer()> what);

  const ProjectionKind kind_;
  const std::filesystem::path folder_;
  const LogSource source_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};

  // The runner's thread alone.
  std::shared_ptr<Condemned> condemned_ = std::make_shared<Condemned>();
  std::uint64_t generation_ = 0;
  std::unique_ptr<Builder> builder_;
  Clock::time_point retry_at_{};
  std::chrono::milliseconds rest_after_fault_{};
  bool opened_ = false;
  std::chrono::nanoseconds worked_{};  // of the processor, since the last rest
  std::chrono::nanoseconds rest_{};    // the last
  bool paused_ = false;
  bool broken_ = false;  // the live copy failed: it takes nothing more
  bool stands_ = false;  // its disk takes no writes: it answers until it can be opened anew
  FaultLog failures_{"projection fails"};
  FaultLog rebuilds_fail_{"projection's rebuild failed"};
  int failed_opens_ = 0;
  // Seals (seal.h). What one costs is known from the last, and guessed before.
  std::uint64_t still_applied_ = 0;  // as of still_since_
  Clock::time_point still_since_{};
  bool sealed_ = false;  // as the copy stands
  std::chrono::milliseconds seal_takes_{};
  struct Sample {
    Clock::time_point at;
    std::uint64_t applied;
  };
  std::deque<Sample> samples_;

  mutable std::mutex mutex_;  // what follows
  mutable std::condition_variable changed_;
  mutable bool wanted_ = false;  // a position that was not there: no rest
  std::shared_ptr<Follower> live_;
  std::deque<std::packaged_task<Answer()>> asked_;
  ProjectionStatus shown_;
  std::uint64_t applied_before_ = 0;  // modulo 2^64: `applied`, without the live copy's own
  Clock::time_point moved_at_ = Clock::now();  // when something was last applied
  LagMeter lag_{Clock::now()};
};

}  // namespace souk

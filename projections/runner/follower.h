#pragma once
/// Reads the log into one read model, from where its checkpoint stands.
#include <atomic>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "events/journal/folded_log.h"
#include "projections/projection.h"
#include "projections/runner/ledger.h"
#include "projections/runner/recent_log.h"

namespace souk {

struct LogSource {
  Journal& journal;
  RecentLog& recent;
  Id128 directory{};  // whose log it is; zero: not said (tests)
};

/// Events at which a model threw: it may have changed something, so it was opened again; they are
/// not given to it a second time. By shard and sequence number; what it said.
using Condemned = std::map<std::pair<ShardId, Seq>, std::string>;

/// The steady clock as of the kernel's last tick.
std::chrono::steady_clock::time_point coarse_now();

/// How much a follower takes at a time, and by which clock; as they stand: what the daemon does.
struct Pace {
  std::size_t journal_events_a_step = 8'192;
  std::size_t recent_batches_a_step = 256;
  /// ... and no longer than this, however slow the model: it must be possible to stop it.
  std::chrono::milliseconds step_time{100};
  /// While it is behind, a model commits so often: what many events change is written once.
  std::size_t commit_events = 200'000;
  std::chrono::milliseconds commit_every{1'000};
  /// Asked at every batch. To some milliseconds: an exact one is a tenth of what a model costs that
  /// most batches do not concern.
  std::function<std::chrono::steady_clock::time_point()> now = coarse_now;
};

/// Deterministic: what it does depends on the log, the model and the pace alone.
/// Thread: one, unless a function says otherwise.
class Follower {
 public:
  /// Errors: as the model's open; corrupt too where its checkpoint cannot be read; mismatch where
  /// the log does not have what the model knows: the log lost its end, or is of another time.
  static Result<std::unique_ptr<Follower>, Fault> open(const ProjectionKind& kind,
                                                       const std::filesystem::path& folder,
                                                       LogSource source,
                                                       std::shared_ptr<Condemned> condemned,
                                                       const Pace& pace = {});

  enum class Place { behind, at_the_end };
  /// Reads some more, applies it and commits. Errors: of the journal or the model; the follower is
  /// then to be opened again.
  Result<Place, Fault> step();
  /// Exactly up to `targets`. REQUIRES: none is behind where it stands.
  Status run_to(const std::vector<Seq>& targets, const std::atomic<bool>& stop);
  /// Waits for the log to grow.
  void wait(std::chrono::milliseconds patience);

  enum class Mend { retry, skip };
  /// Gives the events of stale entities to the model again, or all but the first. `only`: one of
  /// them. Returns how many are no longer stale.
  Result<std::size_t, Fault> mend(Mend how, const std::optional<EntityKey>& only);

  /// Whether it was the model that failed, not the log.
  bool model_failed() const { return model_failed_; }
  /// It could not be committed, so what it shows is whole.
  bool commit_failed() const { return commit_failed_; }
  const Ledger& ledger() const { return ledger_; }
  const std::shared_ptr<Projection>& model() const { return model_; }
  std::vector<Seq> positions() const;

  /// What queries see. Thread: any.
  Seq visible(ShardId shard) const { return visible_[shard.value].load(std::memory_order_acquire); }
  std::uint64_t applied() const { return applied_.load(std::memory_order_relaxed); }
  UnixMs last_event_at() const { return {last_at_.load(std::memory_order_relaxed)}; }
  std::vector<Stale> stale() const;

 private:
  Follower(const ProjectionKind& kind, std::shared_ptr<Projection> model, Ledger ledger,
           LogSource source, std::shared_ptr<Condemned> condemned, const Pace& pace);
  Status read_journal(ShardId shard, Seq to, std::size_t events_max);
  Result<Place, Fault> read_recent();
  void leave_recent();
  Status apply(ShardId shard, const BatchHeader& header,
               const std::vector<Transaction>& transactions);
  Result<bool, Fault> apply(const RecentBatch& recent);
  Status apply(const EventAt& event);
  Result<Result<Done, Poison>, Fault> give(const EventAt& event);
  Status give_again(const Stale& stale, const EventAt& event, std::optional<Stale>& still);
  bool commit_is_due() const;
  Status commit();

  std::string name_;
  std::shared_ptr<Projection> model_;
  Ledger ledger_;
  LogSource source_;
  std::shared_ptr<Condemned> condemned_;
  std::optional<RecentLog::Reader> reader_;
  /// Read, and left for the next step by one that took too long.
  std::deque<std::shared_ptr<const RecentBatch>> unread_;
  bool more_recent_ = false;  // the last reading got all that it asked for
  bool behind_ = true;
  bool model_failed_ = false, commit_failed_ = false;
  std::size_t next_shard_ = 0;
  std::size_t uncommitted_ = 0;
  const Pace pace_;
  std::chrono::steady_clock::time_point committed_at_;

  std::vector<std::atomic<Seq>> visible_;
  std::atomic<std::uint64_t> applied_{0};
  std::atomic<std::int64_t> last_at_{0};
  mutable std::mutex stale_mutex_;
  std::vector<Stale> stale_shown_;
};

}  // namespace souk

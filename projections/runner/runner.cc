#include "projections/runner/runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "events/journal/write_probe.h"
#include "projections/runner/generations.h"
#include "projections/runner/rebuild.h"
#include "projections/runner/seal.h"

namespace souk {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int failed_opens_max = 6;  // in a row; then a copy is built anew

// A digest reads the whole copy, which takes nothing meanwhile: only where it has stood still for
// twenty times as long, and at the end where it is quick.
constexpr int seal_version = 1;  // raise it where a digest says something else of the same
constexpr milliseconds seal_still_min{500};
constexpr int seal_still_for_cost = 20;
constexpr std::uint64_t seal_events_per_ms = 50;  // a guess, before the first
constexpr milliseconds seal_at_end_max{300};

/// Reading each commit by itself costs more than it is worth, so events are gathered; the longer,
/// the more processor time was used since the last rest: a model that has caught up leaves nine
/// tenths of a core to the writers, until it is this late. A rest is at most twice the one before:
/// a single long step (a checkpoint of SQLite) makes nobody wait, sustained work does, and is then
/// a third as dear an event. Whoever asks for a position that is not there ends the gathering.
constexpr milliseconds gather_min{20};
constexpr milliseconds gather_max{1'000};
constexpr int rest_for_work = 9;
constexpr double catching_up_s = 2;  // a model that only gathers is not so late
constexpr milliseconds idle_patience{500};
constexpr milliseconds stuck_after{5'000};
constexpr milliseconds rate_over{5'000};

/// What this thread has used of the processor.
std::chrono::nanoseconds thread_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

std::string_view name_of(ProjectionState state) {
  switch (state) {
    case ProjectionState::live:
      return "live";
    case ProjectionState::catching_up:
      return "catching_up";
    case ProjectionState::rebuilding:
      return "rebuilding";
    case ProjectionState::paused:
      return "paused";
    case ProjectionState::quarantined:
      return "quarantined";
  }
  return "";
}

ProjectionRunner::ProjectionRunner(ProjectionKind kind, fs::path folder, LogSource source)
    : kind_(std::move(kind)), folder_(std::move(folder)), source_(source) {
  shown_.name = kind_.name;
  shown_.version = kind_.version;
  shown_.positions.resize(source_.recent.shards());
}

ProjectionRunner::~ProjectionRunner() { stop(); }

Status ProjectionRunner::open() {
  opened_ = true;
  const Status status = open_live();
  const bool refused = !status.ok() && status.error().kind == Fault::Kind::mismatch;
  return refused ? status : Status(Done{});
}

void ProjectionRunner::start() {
  thread_ = std::thread([this] {
    begin_thread("read", kind_.name);
    run();
  });
}

void ProjectionRunner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  source_.recent.wake();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (builder_ && builder_->thread.joinable()) builder_->thread.join();
}

void ProjectionRunner::run() {
  if (!opened_) (void)open();
  compare_with_seal();
  while (!stopping_) {
    std::packaged_task<Answer()> task;
    {
      const std::lock_guard lock(mutex_);
      if (!asked_.empty()) {
        task = std::move(asked_.front());
        asked_.pop_front();
      }
    }
    if (task.valid()) {
      task();
      continue;
    }
    turn();
  }
  if (builder_) {
    builder_->stop = true;
  } else if (live_ && !broken_ && !stands_ && !sealed_ && seal_takes_ <= seal_at_end_max &&
             live_->applied() == still_applied_) {
    seal();
  }
  const std::lock_guard lock(mutex_);
  asked_.clear();  // breaks their promises
}

Status ProjectionRunner::open_live() {
  std::error_code error;
  fs::create_directories(folder_, error);
  generation_ = current_generation(folder_);
  drop_leftovers();
  if (generation_ == 0) {
    begin_rebuild();
    return Done{};
  }
  auto opened = Follower::open(kind_, generation_folder(folder_, generation_), source_, condemned_);
  if (!opened) {
    const Fault::Kind kind = opened.error().kind;
    failed(opened.error());
    // A disk that fails or is full passes. What else keeps a copy shut (a file that is missing, of
    // another owner, a folder in its place) stays.
    const bool stays = kind == Fault::Kind::unavailable && ++failed_opens_ >= failed_opens_max;
    if (kind == Fault::Kind::corrupt || kind == Fault::Kind::unsupported || stays) {
      failed_opens_ = 0;
      begin_rebuild();
    }
    return opened.error();
  }
  failed_opens_ = 0;
  const bool old = (*opened)->ledger().version != kind_.version;
  {
    const std::lock_guard lock(mutex_);
    live_ = std::move(*opened);
    shown_.fault.clear();
  }
  if (old && !builder_) {
    spdlog::info("projection has another version and is rebuilt projection={} version={}",
                 kind_.name, kind_.version);
    begin_rebuild();
  }
  return Done{};
}

std::uint64_t ProjectionRunner::sealed_place() const {
  return stable_hash(fmt::format("{} {} ", seal_version, kind_.version) +
                     live_->model()->checkpoint());
}

void ProjectionRunner::compare_with_seal() {
  if (!live_ || live_->ledger().version != kind_.version) return;
  still_applied_ = live_->applied();
  still_since_ = Clock::now();
  sealed_ = false;
  std::uint64_t events = 0;
  for (const Seq seq : live_->positions()) events += seq;
  seal_takes_ = milliseconds(events / seal_events_per_ms);
  const auto kept = read_seal(seal_file(folder_, generation_));
  if (!kept || kept->place != sealed_place()) return;
  seal_takes_ = milliseconds(kept->took_ms);
  const auto found = live_->model()->digest();
  sealed_ = found.ok() && *found == kept->digest;
  if (sealed_ || (!found && found.error().kind != Fault::Kind::corrupt)) return;
  failed({Fault::Kind::corrupt,
          found.ok() ? kind_.name + ": it is not what it was when it last stood still"
                     : found.error().what});
  broken_ = true;
  if (!builder_) begin_rebuild();
}

void ProjectionRunner::seal_if_still() {
  const auto now = Clock::now();
  if (live_->applied() != still_applied_) {
    still_applied_ = live_->applied();
    still_since_ = now;
    sealed_ = false;
  }
  if (!sealed_ && now - still_since_ >= std::max(seal_still_min, seal_still_for_cost * seal_takes_))
    seal();
}

void ProjectionRunner::seal() {
  const auto began = Clock::now();
  sealed_ = true;  // also where it fails: not again until something has moved
  const auto digest = live_->model()->digest();
  if (!digest) return;
  seal_takes_ = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
  const Seal seal{.place = sealed_place(),
                  .digest = *digest,
                  .took_ms = static_cast<std::uint64_t>(seal_takes_.count())};
  if (auto status = write_seal(seal_file(folder_, generation_), seal); !status.ok())
    spdlog::debug("projection not sealed projection={} why=\"{}\"", kind_.name,
                  status.error().what);
}

void ProjectionRunner::failed(const Fault& fault) {
  failures_.failed(fmt::format("projection={} why=\"{}\"", kind_.name, one_line(fault.what)));
  rest_after_fault();
  const std::lock_guard lock(mutex_);
  shown_.fault = fault.what;
}

void ProjectionRunner::rest_after_fault() {
  rest_after_fault_ = std::clamp(2 * rest_after_fault_, retry_after, retry_after_max);
  retry_at_ = Clock::now() + rest_after_fault_;
}

void ProjectionRunner::live_failed(const Fault& fault) {
  failed(fault);
  const std::shared_ptr<Follower> old = [&] {
    const std::lock_guard lock(mutex_);
    broken_ = fault.kind == Fault::Kind::corrupt && live_->model_failed();
    stands_ = !broken_ && live_->commit_failed();
    return broken_ || stands_ ? nullptr : drop_live();
  }();
  if (broken_ && !builder_) begin_rebuild();
}

void ProjectionRunner::turn() {
  mark_end();
  if (builder_ && builder_->done) finish_rebuild();
  const auto idle = [this](std::chrono::nanoseconds patience, bool for_readers) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience,
                      [&] { return stopping_ || !asked_.empty() || (for_readers && wanted_); });
  };
  const bool in_time = Clock::now() >= retry_at_;
  if (in_time && !builder_ && (broken_ || stands_ || !live_)) {
    // To close it ends its answers: only where it can be opened again.
    if (const auto probe = stands_ ? probe_write(folder_) : Status(Done{}); !probe.ok()) {
      failed(probe.error());
      return measure();
    }
    {
      const std::lock_guard lock(mutex_);
      drop_live();
    }
    (void)open_live();  // it has said what fails
    compare_with_seal();
  }
  if (paused_ || !in_time || broken_ || stands_ || !live_) {
    measure();
    return idle(milliseconds(50), false);
  }
  if (const auto damage = live_->model()->damage()) {
    failed(*damage);
    broken_ = true;
    if (!builder_) begin_rebuild();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    wanted_ = false;  // whoever still waits after this step says so again
  }
  const auto used_before = thread_time();
  auto place = live_->step();
  if (!place) {
    live_failed(place.error());
    return;
  }
  failures_.passed();
  measure();
  worked_ += thread_time() - used_before;
  if (*place == Follower::Place::behind) return;
  if (!builder_) seal_if_still();
  rest_ = std::clamp<std::chrono::nanoseconds>(std::min(rest_for_work * worked_, 2 * rest_),
                                               gather_min, gather_max);
  worked_ = {};
  live_->wait(builder_ ? milliseconds(50) : idle_patience);
  idle(rest_, true);
}

std::shared_ptr<Follower> ProjectionRunner::drop_live() {
  broken_ = stands_ = false;
  if (live_) applied_before_ += live_->applied();
  return std::exchange(live_, nullptr);
}

void ProjectionRunner::mark_end() {
  std::vector<Seq> ends(source_.recent.shards());
  for (std::uint16_t s = 0; s < ends.size(); ++s) ends[s] = source_.recent.last_seq({s});
  const std::lock_guard lock(mutex_);
  lag_.mark(Clock::now(), ends);
}

void ProjectionRunner::measure() {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  if (live_) {
    const std::uint64_t applied = live_->applied();
    bool at_end = true;
    for (std::uint16_t s = 0; s < shown_.positions.size(); ++s) {
      const Seq seen = live_->visible({s});
      if (seen != shown_.positions[s]) {
        shown_.positions[s] = seen;
        moved_at_ = now;
      }
      at_end = at_end && seen >= source_.recent.last_seq({s});
    }
    lag_.reached(shown_.positions);
    if (at_end) {
      moved_at_ = now;
      if (!broken_ && !stands_) shown_.fault.clear();
      if (!broken_ && !stands_) rest_after_fault_ = {};
    }
    if (samples_.empty() || now - samples_.back().at >= milliseconds(250))
      samples_.push_back({now, applied});
    if (!samples_.empty() && samples_.front().applied > applied) samples_.clear();
    while (samples_.size() > 2 && now - samples_.front().at > rate_over) samples_.pop_front();
  }
  changed_.notify_all();
}

ProjectionStatus ProjectionRunner::status() const {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  ProjectionStatus s = shown_;
  std::uint64_t last = 0;
  for (std::uint16_t i = 0; i < s.positions.size(); ++i) {
    const Seq end = source_.recent.last_seq({i});
    last += end;
    if (live_) s.positions[i] = live_->visible({i});
    s.lag_events += end > s.positions[i] ? end - s.positions[i] : 0;
  }
  if (s.lag_events > 0) s.lag_seconds = std::chrono::duration<double>(now - lag_.as_of()).count();
  if (samples_.size() >= 2 && now - samples_.back().at < rate_over) {
    const double seconds =
        std::chrono::duration<double>(samples_.back().at - samples_.front().at).count();
    if (seconds > 0)
      s.events_per_second =
          static_cast<double>(samples_.back().applied - samples_.front().applied) / seconds;
  }
  s.applied = applied_before_ + (live_ ? live_->applied() : 0);
  if (live_) s.stale = live_->stale();
  if (builder_) {
    const std::uint64_t done = builder_->applied;
    const double seconds = std::chrono::duration<double>(now - builder_->began).count();
    s.rebuild = ProjectionStatus::Rebuild{
        .done = done,
        .total = std::max(done, last),
        .events_per_second = seconds > 0 ? static_cast<double>(done) / seconds : 0};
  }
  if (paused_)
    s.state = ProjectionState::paused;
  else if (!live_)
    s.state = ProjectionState::rebuilding;
  else if (s.lag_events > 0 && s.lag_seconds > catching_up_s)
    s.state = ProjectionState::catching_up;
  else
    s.state = s.stale.empty() ? ProjectionState::live : ProjectionState::quarantined;
  s.stuck = !paused_ && !s.rebuild && s.lag_events > 0 && now - moved_at_ > stuck_after;
  return s;
}

std::shared_ptr<Projection> ProjectionRunner::model() const {
  const std::lock_guard lock(mutex_);
  return live_ ? live_->model() : nullptr;
}

bool ProjectionRunner::reached(const std::vector<std::pair<ShardId, Seq>>& wanted) const {
  const std::lock_guard lock(mutex_);
  const bool there = live_ && std::ranges::all_of(wanted, [&](const auto& position) {
                       return live_->visible(position.first) >= position.second;
                     });
  if (!there && !std::exchange(wanted_, true)) changed_.notify_all();
  return there;
}

// ---- what operators ask ----

ProjectionRunner::Answer ProjectionRunner::ask(std::function<Answer()> what) {
  std::packaged_task<Answer()> task(std::move(what));
  auto answer = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Fault{Fault::Kind::unavailable, "the daemon is ending"};
    asked_.push_back(std::move(task));
  }
  source_.recent.wake();
  changed_.notify_all();
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return Fault{Fault::Kind::unavailable, "the daemon is ending"};
  }
}

ProjectionRunner::Answer ProjectionRunner::pause() {
  return ask([this]() -> Answer {
    const std::lock_guard lock(mutex_);
    if (std::exchange(paused_, true)) return std::string("it was paused already");
    return std::string("paused");
  });
}

ProjectionRunner::Answer ProjectionRunner::resume() {
  return ask([this]() -> Answer {
    const std::lock_guard lock(mutex_);
    moved_at_ = Clock::now();
    if (!std::exchange(paused_, false)) return std::string("it was not paused");
    return std::string("resumed");
  });
}

ProjectionRunner::Answer ProjectionRunner::rebuild() {
  return ask([this]() -> Answer {
    if (builder_) return Fault{Fault::Kind::unavailable, "a rebuild is under way: cancel it first"};
    return begin_rebuild();
  });
}

ProjectionRunner::Answer ProjectionRunner::mend(Follower::Mend how,
                                                const std::optional<EntityKey>& only) {
  return ask([this, how, only]() -> Answer {
    if (!live_ || broken_ || stands_)
      return Fault{Fault::Kind::unavailable, "there is no copy that can take events: try again"};
    const std::size_t stale = live_->ledger().stale.size();
    if (only && !live_->ledger().stale.contains(*only))
      return Fault{Fault::Kind::mismatch, only->text() + " is not stale"};
    auto mended = live_->mend(how, only);
    if (!mended) {
      live_failed(mended.error());
      return mended.error();
    }
    measure();
    return fmt::format("{} of {} stale entities are right again", *mended, only ? 1 : stale);
  });
}

}  // namespace souk

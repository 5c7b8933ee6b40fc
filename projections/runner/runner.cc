#include "projections/runner/runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "projections/runner/compare.h"
#include "projections/runner/generations.h"

namespace souk {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// Reading each commit by itself costs more than it is worth, so events are gathered; the longer,
/// the more processor time the last step took: a model that has caught up leaves nine tenths of a
/// core to the writers, until it is this late. Whoever waits for a position ends the gathering.
constexpr milliseconds gather_min{5};
constexpr milliseconds gather_max{500};
constexpr int rest_for_work = 9;
constexpr milliseconds idle_patience{500};
constexpr milliseconds retry_after{500};
constexpr milliseconds stuck_after{5'000};
constexpr milliseconds rate_over{5'000};

/// Readers give way to those who write; their threads have names that `top -H` shows.
void begin_thread(std::string_view letter, const std::string& projection) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 15);
  const std::string name = fmt::format("{}:{}", letter, projection).substr(0, 15);
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

/// What this thread has used of the processor.
std::chrono::nanoseconds thread_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::uint64_t sum(const std::vector<Seq>& seqs) {
  std::uint64_t all = 0;
  for (const Seq s : seqs) all += s;
  return all;
}

std::string_view text_of(Comparison compared) {
  switch (compared) {
    case Comparison::equal:
      return "equal to the copy before";
    case Comparison::differs:
      return "differs from the copy before";
    case Comparison::impossible:
      return "not compared: one of the copies is not sound, or has stale entities";
  }
  return "";
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

/// A second copy, built on a thread of its own.
struct ProjectionRunner::Builder {
  std::uint64_t generation = 0;
  std::vector<Seq> live_positions;  // unused while there is a live copy
  std::atomic<bool> stop{false};
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> applied{0};
  std::shared_ptr<Follower> follower;  // the thread's until done
  std::shared_ptr<Condemned> condemned = std::make_shared<Condemned>();
  std::optional<Fault> fault;
  Clock::time_point began = Clock::now();
  std::thread thread;
};

ProjectionRunner::ProjectionRunner(ProjectionKind kind, fs::path folder, LogSource source)
    : kind_(std::move(kind)), folder_(std::move(folder)), source_(source) {
  shown_.name = kind_.name;
  shown_.version = kind_.version;
  shown_.positions.resize(source_.recent.shards());
}

ProjectionRunner::~ProjectionRunner() { stop(); }

void ProjectionRunner::start() {
  thread_ = std::thread([this] {
    begin_thread("read", kind_.name);
    run();
  });
}

void ProjectionRunner::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  source_.recent.wake();
  changed_.notify_all();
  thread_.join();
}

void ProjectionRunner::run() {
  open_live();
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
    builder_->thread.join();
  }
  const std::lock_guard lock(mutex_);
  asked_.clear();  // breaks their promises
}

void ProjectionRunner::open_live() {
  std::error_code error;
  fs::create_directories(folder_, error);
  generation_ = current_generation(folder_);
  drop_leftovers();
  if (generation_ == 0) {
    begin_rebuild();
    return;
  }
  auto opened = Follower::open(kind_, generation_folder(folder_, generation_), source_, condemned_);
  if (!opened) {
    const Fault::Kind kind = opened.error().kind;
    failed(opened.error());
    if (kind == Fault::Kind::corrupt || kind == Fault::Kind::unsupported) begin_rebuild();
    return;
  }
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
}

void ProjectionRunner::failed(const Fault& fault) {
  spdlog::warn("projection fails projection={} why=\"{}\"", kind_.name, fault.what);
  retry_at_ = Clock::now() + retry_after;
  const std::lock_guard lock(mutex_);
  shown_.fault = fault.what;
}

void ProjectionRunner::turn() {
  if (builder_ && builder_->done) finish_rebuild();
  const auto idle = [this](std::chrono::nanoseconds patience, bool for_readers) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] {
      return stopping_ || !asked_.empty() || (for_readers && waiters_ > 0);
    });
  };
  const bool can_follow = !paused_ && Clock::now() >= retry_at_ && live_;
  if (!live_ && !builder_ && Clock::now() >= retry_at_) open_live();
  if (!can_follow) {
    measure();
    return idle(milliseconds(50), false);
  }
  const auto used_before = thread_time();
  auto place = live_->step();
  if (!place) {
    failed(place.error());
    {
      const std::lock_guard lock(mutex_);
      drop_live();
    }
    return;  // opened again when it is time
  }
  measure();
  if (*place == Follower::Place::behind) return;
  const auto used = thread_time() - used_before;
  live_->wait(builder_ ? milliseconds(50) : idle_patience);
  idle(std::clamp<std::chrono::nanoseconds>(rest_for_work * used, gather_min, gather_max), true);
}

std::shared_ptr<Follower> ProjectionRunner::drop_live() {
  if (live_) applied_before_ += live_->applied();
  return std::exchange(live_, nullptr);
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
    if (at_end) {
      at_end_ = moved_at_ = now;
      shown_.fault.clear();
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
  if (s.lag_events > 0) s.lag_seconds = std::chrono::duration<double>(now - at_end_).count();
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
  else if (s.lag_events > 0 && s.lag_seconds > 1)
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
  if (!live_) return false;
  for (const auto& [shard, seq] : wanted)
    if (live_->visible(shard) < seq) return false;
  return true;
}

bool ProjectionRunner::wait_for(const std::vector<std::pair<ShardId, Seq>>& wanted,
                                milliseconds patience) const {
  std::unique_lock lock(mutex_);
  ++waiters_;
  changed_.notify_all();
  const bool there = changed_.wait_for(lock, patience, [&] {
    if (!live_) return false;
    for (const auto& [shard, seq] : wanted)
      if (live_->visible(shard) < seq) return false;
    return true;
  });
  --waiters_;
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

ProjectionRunner::Answer ProjectionRunner::cancel_rebuild() {
  return ask([this]() -> Answer {
    if (!builder_) return Fault{Fault::Kind::unavailable, "no rebuild is under way"};
    if (!live_)
      return Fault{Fault::Kind::unavailable,
                   "this is the first copy: without it there is none to answer"};
    builder_->stop = true;
    builder_->thread.join();
    std::error_code error;
    fs::remove_all(generation_folder(folder_, builder_->generation), error);
    const std::lock_guard lock(mutex_);
    builder_.reset();
    shown_.last_rebuild = "cancelled";
    return std::string("cancelled; the live copy goes on");
  });
}

ProjectionRunner::Answer ProjectionRunner::mend(Follower::Mend how,
                                                const std::optional<EntityKey>& only) {
  return ask([this, how, only]() -> Answer {
    if (!live_) return Fault{Fault::Kind::unavailable, "there is no copy yet"};
    const std::size_t stale = live_->ledger().stale.size();
    if (only && !live_->ledger().stale.contains(*only))
      return Fault{Fault::Kind::mismatch, only->text() + " is not stale"};
    auto mended = live_->mend(how, only);
    if (!mended) {
      failed(mended.error());
      const std::lock_guard lock(mutex_);
      drop_live();
      return mended.error();
    }
    measure();
    return fmt::format("{} of {} stale entities are right again", *mended, only ? 1 : stale);
  });
}

// ---- rebuilding ----

std::string ProjectionRunner::begin_rebuild() {
  auto builder = std::make_unique<Builder>();
  builder->generation = generation_ + 1;
  std::error_code error;
  while (fs::exists(generation_folder(folder_, builder->generation), error)) ++builder->generation;
  Builder* b = builder.get();
  b->thread = std::thread([this, b] {
    begin_thread("build", kind_.name);
    const auto build = [&]() -> std::optional<Fault> {
      for (;;) {
        auto opened =
            Follower::open(kind_, generation_folder(folder_, b->generation), source_, b->condemned);
        if (!opened) return opened.error();
        b->follower = std::move(*opened);
        const std::uint64_t before = sum(b->follower->positions());
        std::size_t known = b->condemned->size();
        for (;;) {
          if (b->stop || stopping_) return Fault{Fault::Kind::unavailable, "it was stopped"};
          auto place = b->follower->step();
          b->applied = before + b->follower->applied();
          if (!place) {
            if (b->condemned->size() == known) return place.error();
            break;  // it threw: opened again, that event is known now
          }
          if (*place == Follower::Place::at_the_end) return std::nullopt;
        }
        known = b->condemned->size();
        b->follower.reset();
      }
    };
    b->fault = build();
    b->done = true;
    changed_.notify_all();
  });
  spdlog::info("projection is rebuilt projection={} generation={}", kind_.name, b->generation);
  const std::lock_guard lock(mutex_);
  builder_ = std::move(builder);
  return fmt::format("a second copy is built beside the live one");
}

void ProjectionRunner::finish_rebuild() {
  builder_->thread.join();
  Builder& b = *builder_;
  std::string outcome;
  std::optional<Fault> fault = std::move(b.fault);
  if (!fault && live_) {
    if (const auto compared = compare_at_one_place(*live_, *b.follower, stopping_); !compared.ok())
      fault = compared.error();
    else
      outcome = text_of(*compared);
  }
  if (!fault) {
    if (auto status = make_current(folder_, b.generation); !status.ok()) {
      fault = status.error();
      // The comparison may have left it half-way.
      const std::lock_guard lock(mutex_);
      drop_live();
    }
  }
  std::shared_ptr<Follower> old;
  {
    const std::lock_guard lock(mutex_);
    if (fault) {
      shown_.last_rebuild = "failed: " + fault->what;
    } else {
      const bool first = !live_;
      old = drop_live();
      live_ = std::move(b.follower);
      if (!first) applied_before_ -= live_->applied();  // the same events once more
      generation_ = b.generation;
      condemned_ = b.condemned;
      samples_.clear();
      shown_.last_rebuild = outcome.empty() ? "built" : outcome;
      shown_.fault.clear();
    }
    builder_.reset();
  }
  if (fault) {
    spdlog::warn("projection's rebuild failed projection={} why=\"{}\"", kind_.name, fault->what);
    retry_at_ = Clock::now() + retry_after;
  } else {
    spdlog::info("projection was rebuilt projection={} generation={} outcome=\"{}\"", kind_.name,
                 generation_, outcome);
  }
  old.reset();
  drop_leftovers();
  measure();
}

void ProjectionRunner::drop_leftovers() {
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (at->is_directory(gone) && at->path() != generation_folder(folder_, generation_))
      fs::remove_all(at->path(), gone);
  }
}

}  // namespace souk

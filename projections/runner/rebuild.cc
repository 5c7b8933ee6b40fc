// A second copy is built beside the live one, compared with it, and takes its place.
#include "projections/runner/rebuild.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "projections/runner/compare.h"
#include "projections/runner/generations.h"
#include "projections/runner/seal.h"

namespace souk {
namespace {

namespace fs = std::filesystem;

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

// Nice, but not to the last: beside two busy loops on two cores, which is a machine with a backup
// or a compiler on it, readers at 15 had not caught up 30 s after an import (a quarter of its
// orders), at 10 nearly, at 7 and at 5 they had; before what many events change was written once.
// Writers pay: p99 at 25,000 commands/s was 3.8 ms with 15 and with 10, 4.4 ms with 5 (medians of
// six runs), and orders in a burst came a tenth faster with 12 than with 7, on the same two cores.
constexpr int reader_niceness = 10;

void begin_thread(std::string_view work, const std::string& projection) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), reader_niceness);
  const std::string name = fmt::format("{}:{}", work, projection).substr(0, 15);
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

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

void ProjectionRunner::finish_rebuild() {
  builder_->thread.join();
  Builder& b = *builder_;
  std::string outcome;
  std::optional<Fault> fault = std::move(b.fault);
  if (!fault && live_ && (broken_ || stands_)) {
    outcome = text_of(Comparison::impossible);
  } else if (!fault && live_) {
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
      sealed_ = false;
      condemned_ = b.condemned;
      samples_.clear();
      shown_.last_rebuild = outcome.empty() ? "built" : outcome;
      shown_.fault.clear();
    }
    builder_.reset();
  }
  if (fault) {
    rebuilds_fail_.failed(
        fmt::format("projection={} why=\"{}\"", kind_.name, one_line(fault->what)));
    rest_after_fault();
  } else {
    rest_after_fault_ = {};
    rebuilds_fail_.passed();
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
    if (at->path().extension() == ".seal" && at->path() != seal_file(folder_, generation_))
      fs::remove(at->path(), gone);
  }
}

}  // namespace souk

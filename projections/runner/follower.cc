#include "projections/runner/follower.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>
#include <exception>

namespace souk {
namespace {

/// Beyond this it is the model that is wrong, not the events.
constexpr std::size_t stale_max = 1'000;

/// Why the log of `shard` is not the one that a model which stands at `place` has read.
std::optional<Fault> not_anchored(const ProjectionKind& kind, Journal& journal, ShardId shard,
                                  const FoldState& place) {
  const auto status =
      check_anchor(journal, shard, place.seq, place.chain, "projections/" + kind.name);
  // While the journal cannot be read a model answers as before; the next record is held against
  // the chain all the same.
  if (status.ok() || status.error().kind == Fault::Kind::unavailable) return std::nullopt;
  if (status.error().kind != Fault::Kind::mismatch) return status.error();
  return Fault{
      Fault::Kind::mismatch,
      fmt::format("{}; or delete projections/{}, to have it built anew from the journal as "
                  "it is",
                  status.error().what, kind.name)};
}

}  // namespace

std::chrono::steady_clock::time_point coarse_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

Follower::Follower(const ProjectionKind& kind, std::shared_ptr<Projection> model, Ledger ledger,
                   LogSource source, std::shared_ptr<Condemned> condemned, const Pace& pace)
    : name_(kind.name),
      model_(std::move(model)),
      ledger_(std::move(ledger)),
      source_(source),
      condemned_(std::move(condemned)),
      pace_(pace),
      committed_at_(pace_.now()),
      visible_(source.recent.shards()) {
  for (std::size_t i = 0; i < visible_.size(); ++i) visible_[i].store(ledger_.shards[i].seq);
  for (const auto& [entity, stale] : ledger_.stale) stale_shown_.push_back(stale);
}

Result<std::unique_ptr<Follower>, Fault> Follower::open(const ProjectionKind& kind,
                                                        const std::filesystem::path& folder,
                                                        LogSource source,
                                                        std::shared_ptr<Condemned> condemned,
                                                        const Pace& pace) {
  auto model = kind.open(folder);
  if (!model) return model.error();
  const std::uint32_t shards = source.recent.shards();
  Ledger ledger(kind.version, shards);
  if (const std::string stored = (*model)->checkpoint(); !stored.empty()) {
    auto decoded = decode_ledger(stored);
    if (!decoded) return decoded.error();
    ledger = std::move(*decoded);
  }
  if (!ledger.directory.zero() && ledger.directory != source.directory)
    return Fault{Fault::Kind::corrupt, kind.name + ": it belongs to the data directory " +
                                           id_text('d', ledger.directory)};
  ledger.directory = source.directory;
  if (ledger.shards.size() != shards)
    return Fault{Fault::Kind::corrupt, kind.name + ": it was made for another number of shards"};
  for (std::uint16_t s = 0; s < shards; ++s)
    if (auto fault = not_anchored(kind, source.journal, {s}, ledger.shards[s])) return *fault;
  return std::unique_ptr<Follower>(
      new Follower(kind, std::move(*model), std::move(ledger), source, std::move(condemned), pace));
}

std::vector<Seq> Follower::positions() const {
  std::vector<Seq> all;
  for (const auto& shard : ledger_.shards) all.push_back(shard.seq);
  return all;
}

std::vector<Stale> Follower::stale() const {
  const std::lock_guard lock(stale_mutex_);
  return stale_shown_;
}

void Follower::wait(std::chrono::milliseconds patience) {
  if (reader_) reader_->wait(patience);
}

// ---- reading ----

Result<Follower::Place, Fault> Follower::step() {
  if (!behind_) return read_recent();
  // Joined before the journal is read: what is committed meanwhile is not missed.
  if (!reader_) {
    reader_.emplace(source_.recent);
    next_shard_ = 0;
  }
  std::size_t room = pace_.journal_events_a_step;
  for (; next_shard_ < ledger_.shards.size(); ++next_shard_) {
    const ShardId shard{static_cast<std::uint16_t>(next_shard_)};
    const Seq end = source_.recent.last_seq(shard);
    const Seq from = ledger_.shards[next_shard_].seq;
    if (from >= end) continue;
    if (auto status = read_journal(shard, end, room); !status.ok()) return status.error();
    if (ledger_.shards[next_shard_].seq < end) break;
    const Seq read = end - from;
    if (read >= room) {
      ++next_shard_;
      break;
    }
    room -= read;
  }
  const bool through = next_shard_ == ledger_.shards.size();
  if (through || commit_is_due()) {
    if (auto status = commit(); !status.ok()) return status.error();
  }
  if (through) behind_ = false;
  return Place::behind;
}

Result<Follower::Place, Fault> Follower::read_recent() {
  bool gap = false;
  if (unread_.empty()) {
    auto run = reader_->read(pace_.recent_batches_a_step);
    gap = run.lost;
    more_recent_ = run.batches.size() == pace_.recent_batches_a_step;
    unread_.assign(std::make_move_iterator(run.batches.begin()),
                   std::make_move_iterator(run.batches.end()));
  }
  const auto stop_at = pace_.now() + pace_.step_time;
  for (bool first = true; !unread_.empty() && (first || pace_.now() < stop_at); first = false) {
    const auto recent = std::move(unread_.front());
    unread_.pop_front();
    const Batch& batch = recent->batch();
    const Ledger::Shard& at = ledger_.shards[batch.shard.value];
    if (batch.last_seq <= at.seq) continue;
    if (gap || batch.first_seq != at.seq + 1) {
      gap = true;
      break;
    }
    // A claim stands between, which nobody feeds.
    if (batch.offset != 0 && batch.offset != at.next_offset) {
      if (auto status = read_journal(batch.shard, batch.last_seq, 1); !status.ok())
        return status.error();
      continue;
    }
    if (auto applied = apply(*recent); !applied.ok()) return applied.error();
    if (!model_->wants_commit()) continue;
    if (auto status = commit(); !status.ok()) return status.error();
  }
  const bool at_the_end = !gap && unread_.empty() && !more_recent_;
  if (at_the_end || gap || commit_is_due()) {
    if (auto status = commit(); !status.ok()) return status.error();
  }
  if (gap) {
    behind_ = true;
    leave_recent();
    return Place::behind;
  }
  return at_the_end ? Place::at_the_end : Place::behind;
}

void Follower::leave_recent() {
  reader_.reset();
  unread_.clear();
}

Status Follower::read_journal(ShardId shard, Seq to, std::size_t events_max) {
  FoldState& at = ledger_.shards[shard.value];
  const Seq before = at.seq;
  const Seq stop_after = before + events_max;
  const auto stop_at = pace_.now() + pace_.step_time;
  const auto read =
      fold_log(source_.journal, shard, at,
               [&](const BatchHeader& header,
                   const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
                 if (header.last_seq() > to) return Visited::stop_before;
                 if (auto status = apply(shard, header, transactions); !status.ok())
                   return status.error();
                 const bool on = header.last_seq() < to && header.last_seq() < stop_after &&
                                 pace_.now() < stop_at && !model_->wants_commit();
                 return on ? Visited::go_on : Visited::stop;
               });
  if (!read.ok()) return read;
  // A step reads at least one record. Where there is none it would ask for ever.
  if (at.seq == before)
    return Fault{Fault::Kind::corrupt,
                 fmt::format("the log of shard {} ends at event {}, but {} were committed: "
                             "journal/ lost its end. Restore the data directory from a copy",
                             shard.value, before, to)};
  return Done{};
}

Status Follower::run_to(const std::vector<Seq>& targets, const std::atomic<bool>& stop) {
  leave_recent();
  behind_ = true;
  for (std::uint16_t s = 0; s < targets.size(); ++s) {
    while (ledger_.shards[s].seq < targets[s]) {
      if (stop) return Fault{Fault::Kind::unavailable, "it was stopped"};
      if (auto status = read_journal({s}, targets[s], pace_.journal_events_a_step); !status.ok())
        return status;
      if (!model_->wants_commit()) continue;
      if (auto status = commit(); !status.ok()) return status;
    }
  }
  return commit();
}

// ---- applying ----

Status Follower::apply(ShardId shard, const BatchHeader& header,
                       const std::vector<Transaction>& transactions) {
  Seq seq = header.first_seq;
  for (const Transaction& t : transactions) {
    for (std::size_t i = 0; i < t.events.size(); ++i) {
      const EventAt event{.shard = shard, .seq = seq++, .transaction = t, .index = i};
      if (auto status = apply(event); !status.ok()) return status;
    }
    last_at_.store(t.at.value, std::memory_order_relaxed);
  }
  uncommitted_ += header.count;
  applied_.fetch_add(header.count, std::memory_order_relaxed);
  return Done{};
}

/// What the feed brought: false where it does not count.
Result<bool, Fault> Follower::apply(const RecentBatch& recent) {
  const Batch& batch = recent.batch();
  const auto& decoded = recent.decoded();
  if (!decoded.ok()) return decoded.error();
  FoldState next = ledger_.shards[batch.shard.value];
  // A log of one writer has its records under their first events.
  const Offset offset = batch.offset != 0 ? batch.offset : batch.first_seq;
  const auto folded = fold(next, offset, decoded->header, record_payload(batch.bytes));
  if (!folded.ok()) return folded.error();
  if (folded->what != Folded::What::events) return false;
  if (auto status = apply(batch.shard, decoded->header, decoded->transactions); !status.ok())
    return status.error();
  ledger_.shards[batch.shard.value] = std::move(next);
  return true;
}

Result<Result<Done, Poison>, Fault> Follower::give(const EventAt& event) {
  const std::pair at(event.shard, event.seq);
  if (const auto found = condemned_->find(at); found != condemned_->end())
    return Result<Done, Poison>(Poison{found->second});
  try {
    return model_->apply(event);
  } catch (const std::exception& e) {
    (*condemned_)[at] = e.what();
    model_failed_ = true;
    return Fault{Fault::Kind::unavailable, fmt::format("the model failed at event {}:{}: {}",
                                                       event.shard.value, event.seq, e.what())};
  }
}

Status Follower::apply(const EventAt& event) {
  const EntityKey& entity = event.event().entity;
  if (!ledger_.stale.empty()) {
    if (auto found = ledger_.stale.find(entity); found != ledger_.stale.end()) {
      ++found->second.held;
      return Done{};
    }
  }
  const auto outcome = give(event);
  if (!outcome.ok()) return outcome.error();
  const auto& given = *outcome;
  if (given.ok()) return Done{};
  if (ledger_.stale.size() >= stale_max)
    return Fault{Fault::Kind::unavailable,
                 fmt::format("{} entities have events that it cannot take; the last: {}", stale_max,
                             given.error().why)};
  spdlog::error("event put into quarantine projection={} shard={} seq={} entity=\"{}\" why=\"{}\"",
                name_, event.shard.value, event.seq, entity.text(), given.error().why);
  ledger_.stale.emplace(entity, Stale{.shard = event.shard,
                                      .seq = event.seq,
                                      .entity = entity,
                                      .why = given.error().why,
                                      .at = event.at(),
                                      .held = 0});
  return Done{};
}

bool Follower::commit_is_due() const {
  return model_->wants_commit() || uncommitted_ >= pace_.commit_events ||
         pace_.now() - committed_at_ >= pace_.commit_every;
}

Status Follower::commit() {
  committed_at_ = pace_.now();
  if (uncommitted_ == 0) return Done{};
  if (auto status = model_->commit(encode(ledger_)); !status.ok()) {
    model_failed_ = commit_failed_ = true;
    return status;
  }
  uncommitted_ = 0;
  for (std::size_t i = 0; i < visible_.size(); ++i)
    visible_[i].store(ledger_.shards[i].seq, std::memory_order_release);
  const std::lock_guard lock(stale_mutex_);
  stale_shown_.clear();
  for (const auto& [entity, stale] : ledger_.stale) stale_shown_.push_back(stale);
  return Done{};
}

// ---- quarantine ----

/// One event of a stale entity; where the model still cannot take one, the others wait again.
Status Follower::give_again(const Stale& stale, const EventAt& event, std::optional<Stale>& still) {
  if (still) {
    ++still->held;
    return Done{};
  }
  condemned_->erase({event.shard, event.seq});
  const auto given = give(event);
  if (!given.ok()) return given.error();
  if (given->ok()) return Done{};
  still = stale;
  still->seq = event.seq;
  still->why = given->error().why;
  still->at = event.at();
  still->held = 0;
  return Done{};
}

Result<std::size_t, Fault> Follower::mend(Mend how, const std::optional<EntityKey>& only) {
  std::vector<Stale> todo;
  for (const auto& [entity, stale] : ledger_.stale)
    if (!only || *only == entity) todo.push_back(stale);
  std::size_t mended = 0;
  for (const Stale& stale : todo) {
    std::optional<Stale> still;
    const Seq to = ledger_.shards[stale.shard.value].seq;
    FoldState from = joined_before(stale.seq);
    const auto read = fold_log(
        source_.journal, stale.shard, from,
        [&](const BatchHeader& header,
            const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
          Seq seq = header.first_seq;
          for (const Transaction& t : transactions)
            for (std::size_t i = 0; i < t.events.size(); ++i, ++seq) {
              if (seq < stale.seq || seq > to || t.events[i].entity != stale.entity) continue;
              if (seq == stale.seq && how == Mend::skip) continue;
              const EventAt event{.shard = stale.shard, .seq = seq, .transaction = t, .index = i};
              if (auto status = give_again(stale, event, still); !status.ok())
                return status.error();
            }
          return seq <= to ? Visited::go_on : Visited::stop;
        });
    if (!read.ok()) return read.error();
    if (still) {
      ledger_.stale[stale.entity] = *still;
    } else {
      ledger_.stale.erase(stale.entity);
      ++mended;
    }
    ++uncommitted_;
  }
  if (auto status = commit(); !status.ok()) return status.error();
  return mended;
}

}  // namespace souk

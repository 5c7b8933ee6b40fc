#include "actors/shard/replica.h"

#include <spdlog/spdlog.h>

#include "actors/shard/fold.h"
#include "events/fault_log.h"
#include "events/limits.h"

namespace souk {

void Replica::apply(const Transaction& t, std::size_t index) {
  ++seq_;
  const EntityKey& entity = t.events[index].entity;
  mark(entity);
  with_state(entity.kind(), [&]<class State>(State*) {
    auto& hosted = residency_.make_key<State>(entity);
    if (seq_ <= hosted.seq) return;
    fold(hosted, t, index, seq_, left_);
    for (auto& one : left_)
      residency_.keep_beside(entity, beside(id_, entity, one.what, one.number),
                             std::move(one.state), seq_);
    left_.clear();
    if constexpr (std::is_same_v<State, OrderState>) {
      if (hosted.state.order.user) mark(*hosted.state.order.user);  // whose list of orders shows it
    }
    residency_.changed(hosted, seq_);
  });
}

/// Copies of the entity's documents are old from here on.
void Replica::mark(const EntityKey& entity) {
  const bool has_documents = entity.kind() != Kind::email && entity.kind() != Kind::key;
  if (context_.freshness && has_documents) context_.freshness->changed(id_, entity, seq_);
}

// ---- recovery ----

Status Replica::recover(const LogTail& tail, Offset end, RecoveryReport& report, const Saw& saw) {
  residency_.forget();
  Status status = follow(tail, {.end = end}, Active::loaded, report, saw);
  if (const Entity* e = status.ok() ? residency_.newer_than(seq_) : nullptr)
    status = Fault{Fault::Kind::mismatch,
                   "states/ has " + Residency::key_of(*e).text() + " as of event " +
                       std::to_string(e->seq) + " of shard " + std::to_string(id_.value) +
                       ", but journal/ ends at event " + std::to_string(seq_) +
                       ": it lost its end. Put the missing files back, or restore the whole data "
                       "directory from one copy"};
  if (status.ok()) {
    residency_.stored_to(seq_);
  } else {
    residency_.forget();
    seq_ = 0;
  }
  report.last_event_at = std::max(report.last_event_at, clock_.newest());
  report.last_seqs.resize(context_.options.shards);
  report.last_seqs[id_.value] = seq_;
  return status;
}

Status Replica::catch_up(const LogTail& tail, Offset end, RecoveryReport& report, const Saw& saw) {
  without_states_ = false;
  if (context_.states.generation() != residency_.generation())
    if (auto s = reopened(tail); !s.ok()) return s;
  return replay(tail, {.end = end}, report, saw);
}

Status Replica::reopened(const LogTail& tail) {
  ShardContext context = context_;
  context.freshness = nullptr;  // what is folded again changes no document
  Replica found(id_, context, clock_);
  RecoveryReport report;
  if (auto s = found.follow(tail, {.seq = residency_.stored_to()}, Active::left, report, {});
      !s.ok())
    return s;
  residency_.reopened(std::move(found.residency_));
  return Done{};
}

Status Replica::follow(const LogTail& tail, const Until& until, Active active,
                       RecoveryReport& report, const Saw& saw) {
  const std::uint64_t generation = context_.states.generation();
  states_damaged_ = false;
  without_states_ = false;
  Status status = from_checkpoint(tail, until, active, generation, report, saw);
  if (!status.ok() && states_damaged_) {
    spdlog::warn("a shard is folded from the journal alone shard={} why=\"{}\"", id_.value,
                 one_line(status.error().what));
    without_states_ = true;
    residency_.forget();
    begin_at({}, generation);
    status = replay(tail, until, report, saw);
  }
  // The marks of what is active have no generation of their own.
  if (status.ok() && context_.states.generation() != generation)
    return Fault{Fault::Kind::unavailable, "states/ was opened anew while shard " +
                                               std::to_string(id_.value) +
                                               " read it; it is read again by itself"};
  return status;
}

Status Replica::from_checkpoint(const LogTail& tail, const Until& until, Active active,
                                std::uint64_t generation, RecoveryReport& report, const Saw& saw) {
  const auto judged = [&](auto&& found) {
    states_damaged_ = !found.ok() && found.error().kind == Fault::Kind::corrupt;
    return std::move(found);
  };
  const auto checkpoint = judged(context_.states.checkpoint(id_));
  if (!checkpoint.ok()) return checkpoint.error();
  begin_at(*checkpoint, generation);
  if (auto s = find_place(*checkpoint, tail); !s.ok()) return s;
  if (active == Active::loaded) {
    const auto entities = judged(context_.states.active(id_));
    if (!entities.ok()) return entities.error();
    for (const auto& entity : *entities)
      if (auto s = load(entity); !s.ok()) return s;
    report.entities += entities->size();
  }
  return replay(tail, until, report, saw);
}

void Replica::begin_at(const Checkpoint& checkpoint, std::uint64_t generation) {
  seq_ = checkpoint.seq;
  place_ = {};
  anchor_ = 0;
  residency_.begin_at(checkpoint.seq, generation);
  clock_.saw(UnixMs{checkpoint.time_ms});
}

/// The log has the record that the checkpoint knows: the fold goes on behind it.
Status Replica::find_place(const Checkpoint& checkpoint, const LogTail& tail) {
  if (checkpoint.seq == 0) return Done{};
  // A checkpoint without an offset is of a log that has each record under its first event.
  const Seq back = limits::batch_events_max - 1;
  const Offset from = checkpoint.offset != 0      ? checkpoint.offset
                      : checkpoint.seq > back + 1 ? checkpoint.seq - back
                                                  : 1;
  const auto anchor = find_anchor(tail, from, id_, checkpoint.seq, checkpoint.chain, "states/");
  if (!anchor.ok()) return anchor.error();
  anchor_ = *anchor;
  // Claims behind the anchor that this checkpoint had seen are of no higher epoch, and are skipped.
  place_ = {.rules = checkpoint.offset != 0 ? LogRules::claims : LogRules::local,
            .epoch = checkpoint.epoch,
            .incarnation = checkpoint.incarnation,
            .seq = checkpoint.seq,
            .chain = checkpoint.chain,
            .next_offset = anchor_ + 1};
  return Done{};
}

Status Replica::load(const EntityKey& entity) {
  if (without_states_) return Done{};  // it is here, or this is its first event
  Status status = residency_.load(entity);
  states_damaged_ = !status.ok() && status.error().kind == Fault::Kind::corrupt;
  return status;
}

Status Replica::replay(const LogTail& tail, const Until& until, RecoveryReport& report,
                       const Saw& saw) {
  if (seq_ >= until.seq) return Done{};
  const LogTail to_end = [&](Offset from, const Journal::Visit& visit) -> Status {
    if (from >= until.end) return Done{};
    return tail(from, [&](Offset offset, std::string_view bytes) {
      return offset < until.end && visit(offset, bytes);
    });
  };
  FoldCounts counts;
  const Status folded = fold_log(
      to_end, id_, place_,
      [&](const BatchHeader& header,
          const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
        for (const auto& t : transactions) {
          clock_.saw(t.at);
          for (std::size_t i = 0; i < t.events.size(); ++i) {
            if (auto s = load(t.events[i].entity); !s.ok()) return s.error();
            apply(t, i);
          }
        }
        report.events += header.count;
        if (saw) saw(header);
        return seq_ < until.seq ? Visited::go_on : Visited::stop;
      },
      &counts);
  if (counts.last != 0) anchor_ = counts.last;
  report.ignored_records += counts.skipped;
  if (!folded.ok() && folded.error().kind == Fault::Kind::corrupt && !states_damaged_)
    return Fault{Fault::Kind::corrupt, folded.error().what +
                                           "; nothing was changed. Restore the data directory from "
                                           "a copy."};
  return folded;
}

}  // namespace souk

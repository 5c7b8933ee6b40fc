#include "actors/shard/replica.h"

#include <spdlog/spdlog.h>

#include "actors/shard/fold.h"
#include "events/fault_log.h"
#include "events/journal/folded_log.h"

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

Status Replica::recover(Journal& journal, RecoveryReport& report) {
  residency_.forget();
  const Status status = rebuild(journal, report);
  if (!status.ok()) {
    residency_.forget();
    seq_ = 0;
  }
  report.last_event_at = std::max(report.last_event_at, clock_.newest());
  report.last_seqs.resize(context_.options.shards);
  report.last_seqs[id_.value] = seq_;
  return status;
}

Status Replica::rebuild(Journal& journal, RecoveryReport& report) {
  if (auto s = follow(journal, report, UINT64_MAX, Active::loaded); !s.ok()) return s;
  if (const Entity* e = residency_.newer_than(seq_))
    return Fault{Fault::Kind::mismatch,
                 "states/ has " + Residency::key_of(*e).text() + " as of event " +
                     std::to_string(e->seq) + " of shard " + std::to_string(id_.value) +
                     ", but journal/ ends at event " + std::to_string(seq_) +
                     ": it lost its end. Put the missing files back, or restore the whole data "
                     "directory from one copy"};
  residency_.stored_to(seq_);
  return Done{};
}

Status Replica::reopened(Journal& journal) {
  ShardContext context = context_;
  context.freshness = nullptr;  // what is folded again changes no document
  Replica found(id_, context, clock_);
  RecoveryReport report;
  if (auto s = found.follow(journal, report, residency_.stored_to(), Active::left); !s.ok())
    return s;
  residency_.reopened(std::move(found.residency_));
  return Done{};
}

Status Replica::follow(Journal& journal, RecoveryReport& report, Seq until, Active active) {
  const std::uint64_t generation = context_.states.generation();
  states_damaged_ = false;
  without_states_ = false;
  Status status = from_checkpoint(journal, report, until, active, generation);
  if (!status.ok() && states_damaged_) {
    spdlog::warn("a shard is folded from the journal alone shard={} why=\"{}\"", id_.value,
                 one_line(status.error().what));
    without_states_ = true;
    residency_.forget();
    begin_at({.epoch = 1}, generation);
    status = replay(journal, report, until);
  }
  // What was read while the store was opened anew may be of two generations.
  if (status.ok() && context_.states.generation() != generation)
    return Fault{Fault::Kind::unavailable, "states/ was opened anew while shard " +
                                               std::to_string(id_.value) +
                                               " read it; it is read again by itself"};
  return status;
}

Status Replica::from_checkpoint(Journal& journal, RecoveryReport& report, Seq until, Active active,
                                std::uint64_t generation) {
  const auto judged = [&](auto&& found) {
    states_damaged_ = !found.ok() && found.error().kind == Fault::Kind::corrupt;
    return std::move(found);
  };
  const auto checkpoint = judged(context_.states.checkpoint(id_));
  if (!checkpoint.ok()) return checkpoint.error();
  begin_at(*checkpoint, generation);
  if (auto s = check_anchor(journal, id_, seq_, chain_, "states/"); !s.ok()) return s;
  if (active == Active::loaded) {
    const auto entities = judged(context_.states.active(id_));
    if (!entities.ok()) return entities.error();
    for (const auto& entity : *entities)
      if (auto s = load(entity); !s.ok()) return s;
    report.entities += entities->size();
  }
  return replay(journal, report, until);
}

void Replica::begin_at(const Checkpoint& checkpoint, std::uint64_t generation) {
  seq_ = checkpoint.seq;
  chain_ = checkpoint.chain;
  epoch_ = std::max<std::uint64_t>(checkpoint.epoch, 1);
  residency_.begin_at(checkpoint.seq, generation);
  clock_.saw(UnixMs{checkpoint.time_ms});
}

Status Replica::load(const EntityKey& entity) {
  if (without_states_) return Done{};  // it is here, or this is its first event
  Status status = residency_.load(entity);
  states_damaged_ = !status.ok() && status.error().kind == Fault::Kind::corrupt;
  return status;
}

Status Replica::replay(Journal& journal, RecoveryReport& report, Seq until) {
  if (seq_ >= until) return Done{};
  FoldState at{.epoch = epoch_, .seq = seq_, .chain = chain_};
  FoldCounts counts;
  Status folded = fold_log(
      journal, id_, at,
      [&](const BatchHeader& header,
          const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
        for (const auto& t : transactions) {
          clock_.saw(t.at);
          for (std::size_t i = 0; i < t.events.size(); ++i) {
            if (auto s = load(t.events[i].entity); !s.ok()) return s.error();
            apply(t, i);
          }
        }
        chain_ = header.chain;
        epoch_ = header.epoch;
        report.events += header.count;
        return seq_ < until ? Visited::go_on : Visited::stop;
      },
      &counts);
  report.ignored_records += counts.skipped;
  if (!folded.ok() && folded.error().kind == Fault::Kind::corrupt && !states_damaged_)
    return Fault{Fault::Kind::corrupt, folded.error().what +
                                           "; nothing was changed. Restore the data directory from "
                                           "a copy."};
  return folded;
}

}  // namespace souk

#include "actors/shard/replica.h"

#include "actors/shard/fold.h"
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
  auto checkpoint = context_.states.checkpoint(id_);
  if (!checkpoint.ok()) return checkpoint.error();
  seq_ = checkpoint->seq;
  chain_ = checkpoint->chain;
  epoch_ = std::max<std::uint64_t>(checkpoint->epoch, 1);
  residency_.begin_at(checkpoint->seq);
  clock_.saw(UnixMs{checkpoint->time_ms});
  auto active = context_.states.active(id_);
  if (!active.ok()) return active.error();
  for (const auto& entity : *active)
    if (auto s = residency_.load(entity); !s.ok()) return s;
  report.entities += active->size();
  return replay_tail(journal, report);
}

Status Replica::replay_tail(Journal& journal, RecoveryReport& report) {
  if (auto s = check_anchor(journal, id_, seq_, chain_, "states/"); !s.ok()) return s;
  FoldState at{.epoch = epoch_, .seq = seq_, .chain = chain_};
  FoldCounts counts;
  Status folded = fold_log(
      journal, id_, at,
      [&](const BatchHeader& header,
          const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
        for (const auto& t : transactions) {
          clock_.saw(t.at);
          for (std::size_t i = 0; i < t.events.size(); ++i) {
            if (auto s = residency_.load(t.events[i].entity); !s.ok()) return s.error();
            apply(t, i);
          }
        }
        chain_ = header.chain;
        epoch_ = header.epoch;
        report.events += header.count;
        return Visited::go_on;
      },
      &counts);
  report.ignored_records += counts.skipped;
  if (!folded.ok() && folded.error().kind == Fault::Kind::corrupt)
    return Fault{Fault::Kind::corrupt, folded.error().what +
                                           "; nothing was changed. Restore the data directory from "
                                           "a copy."};
  if (!folded.ok()) return folded;
  if (const Entity* e = residency_.newer_than(seq_))
    return Fault{Fault::Kind::mismatch,
                 "states/ has " + Residency::key_of(*e).text() + " as of event " +
                     std::to_string(e->seq) + " of shard " + std::to_string(id_.value) +
                     ", but journal/ ends at event " + std::to_string(seq_) +
                     ": it lost its end. Put the missing files back, or restore the whole data "
                     "directory from one copy"};
  return Done{};
}

}  // namespace souk

#include "actors/shard/refold.h"

#include <unordered_map>
#include <unordered_set>

#include "actors/shard/fold.h"

namespace souk {
namespace {

/// The entities that matter, and of what is kept beside them that which is asked for.
class Refold {
 public:
  Refold(ShardId shard, const std::vector<LostState>& lost) : shard_(shard) {
    for (const auto& one : lost) {
      asked_.insert(one.entity);
      followed_.insert(one.entity);
      followed_.insert(one.owners.begin(), one.owners.end());
    }
  }

  void take(const Transaction& t, std::size_t index, Seq seq) {
    const EntityKey& entity = t.events[index].entity;
    if (!followed_.contains(entity)) return;
    with_state(entity.kind(), [&]<class State>(State*) {
      auto& hosted = hosted_of<State>(id_of<State>(entity));
      hosted.seq = seq;
      fold(hosted, t, index, seq, left_);
    });
    for (auto& one : left_) {
      const KeyHash key = beside(shard_, entity, one.what, one.number);
      if (!asked_.contains(key)) continue;
      auto& hosted = hosted_of<KeyState>(key);
      hosted.seq = seq;
      hosted.state = std::move(one.state);
    }
    left_.clear();
  }

  std::optional<StoredState> state(const EntityKey& entity) {
    return with_state(entity.kind(), [&]<class State>(State*) -> std::optional<StoredState> {
      const auto* hosted = tables_.of<State>().find(id_of<State>(entity));
      if (!hosted) return std::nullopt;
      return StoredState{hosted->seq, encode(hosted->state)};
    });
  }

 private:
  template <class State>
  Hosted<State>& hosted_of(const typename HostedTraits<State>::Id& id) {
    auto& hosted = tables_.of<State>();
    if (Hosted<State>* there = hosted.find(id)) return *there;
    return hosted.add(id);
  }

  const ShardId shard_;
  std::unordered_set<EntityKey> asked_, followed_;
  Tables tables_;
  AllLeft left_;
};

}  // namespace

Result<std::vector<std::optional<StoredState>>, Fault> fold_anew(const LogTail& tail, ShardId shard,
                                                                 const std::vector<LostState>& lost,
                                                                 const std::atomic<bool>& ending) {
  Refold refold(shard, lost);
  FoldState at;
  const Status folded =
      fold_log(tail, shard, at,
               [&](const BatchHeader& header,
                   const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
                 if (ending) return Fault{Fault::Kind::unavailable, "the process ends"};
                 Seq seq = header.first_seq;
                 for (const auto& t : transactions)
                   for (std::size_t i = 0; i < t.events.size(); ++i) refold.take(t, i, seq++);
                 return Visited::go_on;
               });
  if (!folded.ok()) return folded.error();
  std::vector<std::optional<StoredState>> states;
  states.reserve(lost.size());
  for (const auto& one : lost) states.push_back(refold.state(one.entity));
  return states;
}

}  // namespace souk

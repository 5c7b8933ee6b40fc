#include "tests/simulation/disk.h"

#include "actors/shard/hosted.h"
#include "tests/simulation/trace.h"

namespace souk::simulation {
namespace {

constexpr std::size_t unsynced_puts_max = 8;

Fault unavailable(const char* what) { return {Fault::Kind::unavailable, what}; }

}  // namespace

void SimStateStore::apply(Content& content, const Put& put) {
  for (const auto& write : put.states)
    content.states[{write.shard.value, write.entity}] = {write.seq, write.attention, write.state};
  if (put.checkpoint) content.checkpoints[put.checkpoint->first.value] = put.checkpoint->second;
}

Status SimStateStore::put(const std::vector<StateWrite>& states,
                          const std::optional<std::pair<ShardId, Checkpoint>>& checkpoint,
                          std::uint64_t generation) {
  if (!powered_) return unavailable("a state was not written");
  if (std::exchange(failed_, false)) {
    keep_prefix();
    ++opened_;
  }
  if (generation != this->generation()) return unavailable("it was opened anew");
  if (world_.chance(world_.faults.put_fails)) {
    failed_ = world_.chance(50);
    return unavailable("a state was not written");
  }
  unsynced_.push_back({states, checkpoint});
  if (tracing())
    for (const auto& one : states)
      trace(world_, "store " + name + " takes " + one.entity.text() + " of event " +
                        std::to_string(one.seq) + " shard " + std::to_string(one.shard.value) +
                        " in generation " + std::to_string(generation));
  if (tracing() && checkpoint)
    trace(world_, "store " + name + " takes the checkpoint " +
                      std::to_string(checkpoint->second.seq) + " of shard " +
                      std::to_string(checkpoint->first.value));
  if (memory_ == Memory::forgets_what_left)
    std::erase_if(unsynced_.back().states, [](const StateWrite& write) {
      if (write.entity.kind() != Kind::key) return false;
      const auto key = decode_key(write.state);
      return key.ok() && !key->left.empty();
    });
  apply(current_, unsynced_.back());
  for (const auto& write : unsynced_.back().states)
    damaged_.erase({write.shard.value, write.entity});
  if (unsynced_.size() > unsynced_puts_max) {
    const auto count = static_cast<std::ptrdiff_t>(world_.below(unsynced_.size()));
    for (std::ptrdiff_t i = 0; i < count; ++i)
      apply(synced_, unsynced_[static_cast<std::size_t>(i)]);
    unsynced_.erase(unsynced_.begin(), unsynced_.begin() + count);
  }
  return Done{};
}

namespace {

std::string without_answers(Kind kind, const std::string& bytes) {
  return with_state(kind, [&](auto* null) -> std::string {
    using State = std::remove_pointer_t<decltype(null)>;
    if constexpr (requires(State s) { s.answers; }) {
      auto state = HostedTraits<State>::decode(bytes);
      SOUK_ASSERT(state.ok());
      state->answers = {};
      return encode(*state);
    } else {
      return bytes;
    }
  });
}

}  // namespace

Result<StateStore::Found, Fault> SimStateStore::get(ShardId shard, const EntityKey& entity,
                                                    Where where) {
  if (where == Where::memory && world_.chance(world_.faults.cold))
    return Found{Found::Answer::on_disk, {}, generation()};
  if (where == Where::anywhere && world_.chance(world_.faults.get_fails))
    return unavailable("a state was not read");
  const auto at = current_.states.find({shard.value, entity});
  if (at == current_.states.end()) return Found{Found::Answer::absent, {}, generation()};
  if (world_.chance(world_.faults.rots)) damaged_.insert(at->first);
  if (!damaged_.empty() && damaged_.contains(at->first))
    return Fault{Fault::Kind::corrupt, "a state is damaged"};
  Found found{Found::Answer::found, {at->second.seq, at->second.state}, generation()};
  if (memory_ == Memory::forgets_answers && phase_ == Phase::recovering)
    found.state.state = without_answers(entity.kind(), found.state.state);
  return found;
}

Result<Checkpoint, Fault> SimStateStore::checkpoint(ShardId shard) {
  const auto at = current_.checkpoints.find(shard.value);
  return at == current_.checkpoints.end() ? Checkpoint{} : at->second;
}

Result<std::vector<EntityKey>, Fault> SimStateStore::active(ShardId shard) {
  if (world_.chance(world_.faults.get_fails)) return unavailable("the active states were not read");
  std::vector<EntityKey> entities;
  for (const auto& [key, stored] : current_.states)
    if (key.first == shard.value && stored.attention == Attention::active)
      entities.push_back(key.second);
  return entities;
}

Status SimStateStore::each(ShardId shard,
                           const std::function<bool(const EntityKey&, StoredState)>& visit) {
  for (const auto& [key, stored] : current_.states)
    if (key.first == shard.value && !visit(key.second, {stored.seq, stored.state})) break;
  return Done{};
}

void SimStateStore::crash() {
  powered_ = failed_ = false;
  keep_prefix();
  ++opened_;
}

void SimStateStore::keep_prefix() {
  trace(world_, "store " + name + " is opened anew");
  const std::size_t kept = world_.below(unsynced_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) apply(synced_, unsynced_[i]);
  unsynced_.clear();
  current_ = synced_;
}

}  // namespace souk::simulation

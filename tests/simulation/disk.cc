#include "tests/simulation/disk.h"

#include "actors/shard/hosted.h"
#include "events/crc32c.h"

namespace souk::simulation {
namespace {

constexpr std::size_t frame_head_bytes = 8;
constexpr std::int64_t slow_ms_max = 3'000;
constexpr std::size_t unsynced_puts_max = 8;

template <class T>
void put_number(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
T take_number(std::string_view& in) {
  T value{};
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return value;
}

std::string frame_of(const std::vector<Batch>& batches) {
  std::string payload;
  for (const auto& batch : batches) {
    put_number(payload, batch.shard.value);
    put_number(payload, batch.first_seq);
    put_number(payload, static_cast<std::uint32_t>(batch.bytes.size()));
    payload += batch.bytes;
  }
  std::string frame;
  put_number(frame, static_cast<std::uint32_t>(payload.size()));
  put_number(frame, crc32c(payload));
  return frame + payload;
}

/// False where the frame is torn.
bool read_frame(std::string_view frame, SimJournal::Records& out) {
  if (frame.size() < frame_head_bytes) return false;
  const auto size = take_number<std::uint32_t>(frame);
  const auto checksum = take_number<std::uint32_t>(frame);
  if (frame.size() < size || crc32c(frame) != checksum) return false;
  while (!frame.empty()) {
    const auto shard = take_number<std::uint16_t>(frame);
    const auto first_seq = take_number<Seq>(frame);
    const auto bytes = take_number<std::uint32_t>(frame);
    out[{shard, first_seq}] = std::string(frame.substr(0, bytes));
    frame.remove_prefix(bytes);
  }
  return true;
}

Fault unavailable(const char* what) { return {Fault::Kind::unavailable, what}; }

}  // namespace

// ---- journal ----

void SimJournal::write(const std::vector<Batch>& batches, WriteDone done) {
  if (!powered_) return;
  if (writing_ || unsettled_)
    world_.violated("journal", "written to before the last write was settled");
  if (honesty_ == Honesty::acknowledges_early) return write_early(batches, done);
  writing_ = true;
  tail_ = frame_of(batches);
  done_ = std::move(done);
  const std::uint64_t number = ++writes_;
  const bool slow = world_.chance(world_.faults.write_slow);
  const std::int64_t delay_ms = slow ? world_.between(20, slow_ms_max) : world_.between(0, 4);
  if (delay_ms == 0) return complete(number);
  world_.after(delay_ms, [this, number] { complete(number); });
}

void SimJournal::write_early(const std::vector<Batch>& batches, const WriteDone& done) {
  const std::uint64_t number = ++writes_;
  for (const auto& batch : batches) {
    records_[{batch.shard.value, batch.first_seq}] = batch.bytes;
    unsynced_[number].push_back({batch.shard.value, batch.first_seq});
  }
  world_.after(world_.between(1, 20), [this, number] { unsynced_.erase(number); });
  done(Done{});
}

void SimJournal::complete(std::uint64_t write) {
  if (!powered_ || write != writes_ || !writing_) return;
  writing_ = false;
  const WriteDone done = std::exchange(done_, nullptr);
  if (!world_.chance(world_.faults.write_fails)) {
    read_frame(tail_, records_);
    tail_.clear();
    return done(Done{});
  }
  tear();
  unsettled_ = true;
  if (world_.chance(50)) return done(unavailable("the disk failed"));
  full_until_ms_ = world_.time_ms() + world_.between(100, 4'000);
  done(Fault{Fault::Kind::full, "the disk is full"});
}

/// What of the last write reached the disk: nothing, all, or a part.
void SimJournal::tear() {
  if (world_.chance(33)) tail_.clear();
  if (world_.chance(50)) tail_.resize(world_.below(tail_.size() + 1));
}

void SimJournal::recover_log() {
  read_frame(tail_, records_);
  tail_.clear();
  unsettled_ = closed_ = false;
}

Status SimJournal::settle() {
  if (!powered_) return unavailable("no power");
  closed_ = true;
  if (world_.time_ms() < full_until_ms_) return Fault{Fault::Kind::full, "the disk is full"};
  if (world_.chance(world_.faults.settle_fails)) return unavailable("the disk fails still");
  recover_log();
  return Done{};
}

Status SimJournal::scan(ShardId shard, Seq from, const Visit& visit) {
  if (closed_) return unavailable("closed until it is settled");
  const bool fails = world_.chance(world_.faults.scan_fails);
  std::size_t left = fails ? world_.below(4) : SIZE_MAX;
  auto at = records_.upper_bound({shard.value, from});
  if (at != records_.begin() && std::prev(at)->first.first == shard.value) {
    --at;
    const auto header = decode_batch_header(at->second);
    if (header.ok() && header->last_seq() < from) ++at;
  }
  for (; at != records_.end() && at->first.first == shard.value; ++at) {
    if (left-- == 0) break;
    if (!visit(at->first.second, at->second)) return Done{};
  }
  if (fails) return unavailable("the disk cannot be read");
  return Done{};
}

void SimJournal::crash() {
  powered_ = false;
  if (writing_) tear();
  writing_ = false;
  done_ = nullptr;
  for (const auto& [number, keys] : unsynced_)
    for (const auto& key : keys) records_.erase(key);
  unsynced_.clear();
  recover_log();
}

// ---- state store ----

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
  const std::size_t kept = world_.below(unsynced_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) apply(synced_, unsynced_[i]);
  unsynced_.clear();
  current_ = synced_;
}

}  // namespace souk::simulation

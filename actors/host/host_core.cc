#include "actors/host/host_core.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace souk {
namespace {
constexpr std::uint64_t recovery_retry_ticks = 10;  // where a shard could not be recovered
}  // namespace

HostCore::HostCore(std::uint32_t index, ShardContext context, ShardLogs& logs)
    : index_(index), context_(std::move(context)), under_way_max_(logs.under_way_max()) {
  context_.quote_now = [this](const Sku& sku) -> std::optional<Quote> {
    const ShardId id = shard_of(sku.text(), context_.options.shards);
    return owns(id) ? shard(id).quote_if_ready(sku) : std::nullopt;
  };
  for (std::uint32_t s = index; s < context_.options.shards; s += context_.options.hosts) {
    const ShardId id{static_cast<std::uint16_t>(s)};
    shards_.push_back(std::make_unique<Owner>(id, context_, output_, logs.log(id)));
  }
  remote_.resize(context_.options.hosts);
}

void HostCore::start() {
  for (auto& s : shards_) {
    if (context_.options.clustered)
      s->assign({s->id(), Assignment::What::away});
    else
      s->claim();
  }
}

void HostCore::input(Envelope&& message) {
  const ShardId id = shard_of(target_of(message.content), context_.options.shards);
  if (owns(id))
    shard(id).handle(std::move(message));
  else
    remote_[host_of(id, context_.options.hosts)].push_back(std::move(message));
}

namespace {

/// Inputs whose entities are brought into the cache together: as many as do not push each other out
/// again. Fewer than the least are hot, or not worth it.
constexpr std::size_t prefetch_max = 16;
constexpr std::size_t prefetch_min = 4;
constexpr std::size_t prefetched_lines_max = 4;

}  // namespace

template <class Inputs, class Each>
void HostCore::prefetch(Inputs& inputs, std::size_t first, const Each& each_entity) {
  const std::size_t end = std::min(inputs.size(), first + prefetch_max);
  if (end - first < prefetch_min) return;
  coming_.clear();
  for (std::size_t i = first; i < end; ++i)
    each_entity(inputs[i], [this](const EntityKey& entity) {
      const ShardId id = shard_of(entity, context_.options.shards);
      if (owns(id)) coming_.push_back({&shard(id), entity.kind(), table_hash(entity)});
    });
  for (const auto round :
       {Owner::Prefetch::chain, Owner::Prefetch::entity, Owner::Prefetch::inside}) {
    for (const Coming& one : coming_) one.owner->prefetch(one.kind, one.hash, round);
  }
}

void HostCore::input(std::vector<Request>&& requests) {
  const auto each_entity = [](const Request& r, const auto& visit) {
    visit(r.bind ? EntityKey(*r.bind) : target_of(r.op));
    if (const auto* order = std::get_if<PlaceOrder>(&r.op))
      for (std::size_t i = 0; i < std::min(order->lines.size(), prefetched_lines_max); ++i)
        visit(EntityKey(order->lines[i].sku));
  };
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i % prefetch_max == 0) prefetch(requests, i, each_entity);
    input(ShardInput(std::move(requests[i])));
  }
}

void HostCore::input(const std::vector<PaymentAnswer>& answers) {
  for (const PaymentAnswer& a : answers)
    output_.inputs.push_back({{}, ProcessAnswer{EntityKey(a.order), a}});
}

void HostCore::run_inputs() {
  const auto each_entity = [](const Envelope& e, const auto& visit) {
    visit(target_of(e.content));
  };
  while (!output_.inputs.empty()) {
    running_.clear();
    std::swap(running_, output_.inputs);
    for (std::size_t i = 0; i < running_.size(); ++i) {
      if (i % prefetch_max == 0) prefetch(running_, i, each_entity);
      Envelope& next = running_[i];
      if (links_ && is_peer_message(next.content) && links_->take(next)) continue;
      input(std::move(next));
    }
  }
  running_.clear();
}

void HostCore::end_turn() {
  run_inputs();
  if (stopping_) {
    for (auto& s : shards_) {
      if (!s->clean()) s->start_checkpoint();
      s->checkpoint_step(SIZE_MAX);
    }
  }
  cut();
}

/// While as many records are under way as there are to be, what is decided gathers.
void HostCore::cut() {
  std::size_t under_way = 0;
  if (under_way_max_ != SIZE_MAX) {
    const UnixMs slow = context_.clock.now().plus_ms(-slow_record_ms);
    for (const auto& s : shards_) under_way += s->under_way_since(slow);
  }
  std::optional<std::size_t> waits;  // the first of these
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const std::size_t at = (next_cut_ + i) % shards_.size();
    Owner& s = *shards_[at];
    if (under_way >= under_way_max_ && !s.gives()) {
      if (!waits) waits = at;
      continue;
    }
    const std::size_t before = batches_.size();
    s.cut(batches_);
    under_way += batches_.size() - before;
  }
  if (waits) next_cut_ = *waits;
}

void HostCore::landed(const std::vector<LandedRange>& ranges) {
  for (const auto& r : ranges) shard(r.shard).landed(r.first, r.last);
}

void HostCore::doubted(const std::vector<ShardId>& shards) {
  for (const ShardId id : shards) shard(id).doubted();
}

void HostCore::claimed(ShardId id, const ShardLog::Claimed& claimed) {
  Owner& s = shard(id);
  heed(s, s.claimed(claimed));
}

void HostCore::given(ShardId id, const ShardLog::Claimed& given) {
  Owner& s = shard(id);
  heed(s, s.given(given));
}

void HostCore::followed(const std::vector<ShardId>& shards) {
  for (const ShardId id : shards) shard(id).followed();
}

void HostCore::assign(const std::vector<Assignment>& assignments) {
  for (const Assignment& one : assignments)
    if (owns(one.shard)) shard(one.shard).assign(one);
}

/// Where the log could not be read it is tried again by the ticks.
void HostCore::heed(const Owner& s, const Status& read) {
  if (read.ok())
    recoveries_fail_.passed();
  else
    recoveries_fail_.failed(
        fmt::format("shard={} what=\"{}\"", s.id().value, one_line(read.error().what)));
}

void HostCore::loaded(ShardId id, const EntityKey& entity,
                      Result<std::optional<StoredState>, Fault>&& state, std::uint64_t generation) {
  Owner& s = shard(id);
  if (!knows_store(s, generation))
    s.load_failed(entity);
  else if (state.ok())
    s.loaded(entity, std::move(*state));
  else if (state.error().kind == Fault::Kind::corrupt)
    s.load_damaged(entity);
  else
    s.load_failed(entity);
}

void HostCore::folded_anew(ShardId id, const EntityKey& entity, std::uint64_t number,
                           Result<std::optional<StoredState>, Fault>&& state) {
  shard(id).folded_anew(entity, number, std::move(state));
}

/// Whether the shard knows what the store has, which may have been opened anew since it asked.
bool HostCore::knows_store(Owner& s, std::uint64_t generation) {
  if (generation <= s.replica().residency().generation()) return true;
  const auto status = s.states_reopened();
  if (status.ok()) return true;
  recoveries_fail_.failed(
      fmt::format("shard={} what=\"{}\"", s.id().value, one_line(status.error().what)));
  return false;
}

void HostCore::flushed(ShardId id, std::uint64_t round,
                       const std::vector<std::pair<EntityKey, Seq>>& written,
                       const std::optional<Checkpoint>& checkpoint, const Status& status,
                       std::uint64_t generation) {
  Owner& s = shard(id);
  const bool reopened = generation > s.replica().residency().generation();
  const bool known = knows_store(s, generation);
  if (known && status.ok() && generation == s.replica().residency().generation())
    s.states_written(round, written, checkpoint);
  else
    s.flush_failed(round);
  if (status.ok() || (reopened && known) || !stopping_ || gave_up_) return;
  gave_up_ = true;
  spdlog::warn("the last checkpoint is not complete; the next start replays more of the journal");
}

void HostCore::tick() {
  if (++ticks_ % recovery_retry_ticks == 0)
    for (auto& s : shards_)
      if (!s->owns()) heed(*s, s->retry());
  for (auto& s : shards_) s->tick();
}

bool HostCore::checkpoint_step() {
  std::size_t left = checkpoint_bytes_per_step;
  for (std::size_t looked_at = 0; looked_at < shards_.size() && left > 0; ++looked_at) {
    Owner& s = *shards_[next_checkpoint_];
    left -= std::min(left, s.checkpoint_step(left));
    if (left > 0) next_checkpoint_ = (next_checkpoint_ + 1) % shards_.size();
  }
  return std::ranges::any_of(shards_, [](const auto& s) { return s->checkpoint_waits(); });
}

bool HostCore::stopped() const {
  if (gave_up_) return true;
  for (const auto& s : shards_)
    if (s->keeps_states() && !s->clean()) return false;
  return true;
}

HostCore::Gauges HostCore::gauges() const {
  Gauges g;
  for (const auto& s : shards_) {
    const Residency& entities = s->replica().residency();
    g.entities += entities.entities();
    g.memory_bytes += entities.memory_bytes();
    g.evictions += entities.evictions();
    g.states_written += entities.states_written();
    g.loads += s->loads();
    g.checkpoints += s->checkpoints();
    g.works += s->works();
    g.suspended += s->suspended() ? 1 : 0;
  }
  return g;
}

}  // namespace souk

// Recovery, checkpoints and eviction: how a shard's entities meet the disk.
#include <algorithm>
#include <numeric>

#include "actors/shard/shard.h"
#include "events/journal/folded_log.h"

namespace souk {

// ---- states in and out ----

Status Shard::adopt(const EntityKey& key, StoredState&& stored) {
  return with_state(key.kind(), [&](auto* kind) -> Status {
    using State = std::remove_pointer_t<decltype(kind)>;
    auto state = decode_state<State>(stored.state);
    if (!state.ok())
      return Fault{Fault::Kind::corrupt,
                   "the stored state of " + key.text() + " cannot be read: " + state.error().what};
    auto& h = make<State>(id_of<State>(key));
    h.state = std::move(*state);
    h.seq = stored.seq;
    weigh(h);
    return Done{};
  });
}

/// What the table adds to an entity: the head of its chain, the allocator's rest.
constexpr std::size_t node_bytes = 24;

template <class State>
void Shard::weigh(Hosted<State>& h) {
  memory_bytes_ -= h.bytes;
  h.bytes = static_cast<std::uint32_t>(memory_of(h.state) + sizeof(Hosted<State>) - sizeof(State) +
                                       node_bytes);
  memory_bytes_ += h.bytes;
}

namespace {
/// A cart that rests keeps no room to grow: 100 of its 600 bytes.
void fit(CartState& s) {
  s.cart.lines.shrink_to_fit();
  s.cart.undo.shrink_to_fit();
  s.answers.all().shrink_to_fit();
}
template <class State>
void fit(State&) {}
}  // namespace

std::optional<StateWrite> Shard::write_of(const EntityKey& key) {
  return with_state(key.kind(), [&](auto* kind) -> std::optional<StateWrite> {
    using State = std::remove_pointer_t<decltype(kind)>;
    auto* h = find<State>(id_of<State>(key));
    if (!h || !h->dirty) return std::nullopt;
    fit(h->state);
    weigh(*h);
    return StateWrite{.shard = id_,
                      .entity = key,
                      .seq = h->seq,
                      .attention = active(key) ? Attention::active : Attention::idle,
                      .state = encode(h->state)};
  });
}

/// Has work to do or money to see to: never evicted, loaded at recovery.
bool Shard::active(const EntityKey& key) {
  switch (key.kind()) {
    case Kind::cart:
      return find<CartState>(id_of<CartState>(key))->state.cart.status == CartStatus::checking_out;
    case Kind::order: {
      const OrderId id = id_of<OrderState>(key);
      return works_.contains(id) || owes_work(find<OrderState>(id)->state.order);
    }
    case Kind::user:
      return owes_work(find<UserState>(id_of<UserState>(key))->state.user);
    case Kind::sku:
      return !find<SkuState>(id_of<SkuState>(key))->state.inventory.holds.empty();
    default:
      return false;
  }
}

Shard::Presence Shard::fetch_quietly(const EntityKey& key) {
  if (entity_of(key)) return Presence::here;
  auto found = context_.states.get(id_, key, StateStore::Where::memory);
  if (!found.ok()) return Presence::coming;
  using Lookup = StateStore::Found::Answer;
  if (found->answer == Lookup::absent) return Presence::absent;
  if (found->answer == Lookup::found && adopt(key, std::move(found->state)).ok())
    return Presence::here;
  return Presence::coming;
}

Status Shard::load_now(const EntityKey& key) {
  if (entity_of(key)) return Done{};
  auto found = context_.states.get(id_, key, StateStore::Where::anywhere);
  if (!found.ok()) return found.error();
  if (found->answer == StateStore::Found::Answer::found) return adopt(key, std::move(found->state));
  return Done{};
}

// ---- recovery ----

void Shard::forget() {
  tables_.clear();
  lru_.clear();
  memory_bytes_ = 0;
  dirty_ = 0;
  changed_.clear();
  pending_.clear();
  pending_events_ = 0;
  gated_.clear();
  parked_.clear();
  waiting_.clear();
  absent_.clear();
  quotes_.clear();
  position_waiters_.clear();
  works_.clear();
  order_waiters_.clear();
  user_waiters_.clear();
  timers_ = {};
  armed_skus_.clear();
  round_.reset();
}

Status Shard::recover(Journal& journal, RecoveryReport& report) {
  abandon();
  const std::uint64_t own_epoch = epoch_;  // never goes back: what failed in it stays refused
  const Status status = rebuild(journal, report);
  epoch_ = std::max(epoch_, own_epoch);
  readable_ = status.ok();
  if (!status.ok()) {
    forget();
    last_seq_ = committed_ = 0;
  }
  cut_seq_ = committed_ = last_seq_;
  report.last_event_at = std::max(report.last_event_at, time_);  // before a clock is read
  checkpoint_at_ = now();
  report.last_seqs.resize(context_.options.shards);
  report.last_seqs[id_.value] = last_seq_;
  return status;
}

Status Shard::rebuild(Journal& journal, RecoveryReport& report) {
  auto checkpoint = context_.states.checkpoint(id_);
  if (!checkpoint.ok()) return checkpoint.error();
  last_seq_ = cut_seq_ = committed_ = checkpoint_seq_ = checkpoint->seq;
  chain_ = checkpoint->chain;
  epoch_ = std::max<std::uint64_t>(checkpoint->epoch, 1);
  time_ = std::max(time_, UnixMs{checkpoint->time_ms});
  auto active_entities = context_.states.active(id_);
  if (!active_entities.ok()) return active_entities.error();
  for (const auto& entity : *active_entities)
    if (auto s = load_now(entity); !s.ok()) return s;
  report.entities += active_entities->size();
  return replay_tail(journal, report);
}

Status Shard::replay_tail(Journal& journal, RecoveryReport& report) {
  if (auto s = check_anchor(journal, id_, last_seq_, chain_, "states/"); !s.ok()) return s;
  FoldState at{.epoch = epoch_, .seq = last_seq_, .chain = chain_};
  FoldCounts counts;
  Status folded = fold_log(
      journal, id_, at,
      [&](const BatchHeader& header,
          const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
        for (const auto& t : transactions) {
          time_ = std::max(time_, t.at);
          for (std::size_t i = 0; i < t.events.size(); ++i) {
            if (auto s = load_now(t.events[i].entity); !s.ok()) return s.error();
            apply(t, i, ++last_seq_);
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
  for (const Entity* e = lru_.oldest(); e; e = e->newer)
    if (e->seq > last_seq_)
      return Fault{Fault::Kind::mismatch,
                   "states/ has " + key_of(*e).text() + " as of event " + std::to_string(e->seq) +
                       " of shard " + std::to_string(id_.value) + ", but journal/ ends at event " +
                       std::to_string(last_seq_) +
                       ": it lost its end. Put the missing files back, or restore the whole data "
                       "directory from one copy"};
  return Done{};
}

void Shard::resume(Epoch epoch) {
  if (epoch == Epoch::next) ++epoch_;
  suspended_ = false;
  std::vector<OrderId> orders;
  tables_.of<OrderState>().each([&](const Hosted<OrderState>& h) {
    if (owes_work(h.state.order)) orders.push_back(h.id);
  });
  std::sort(orders.begin(), orders.end());
  for (const auto& id : orders) start_work(id, Checkout::Start::recovered);
  std::vector<UserId> users;
  tables_.of<UserState>().each([&](const Hosted<UserState>& h) {
    if (owes_work(h.state.user)) users.push_back(h.id);
  });
  std::sort(users.begin(), users.end());
  for (const auto& id : users) user_effects(id);
  tables_.of<SkuState>().each([&](const Hosted<SkuState>& h) {
    if (auto due = next_expiry(h.state.inventory)) arm_expiry(h.id, *due);
  });
}

void Shard::failed(std::uint64_t epoch) {
  if (suspended_ || epoch != epoch_) return;
  suspended_ = true;
  abandon();
  last_seq_ = cut_seq_ = committed_;
}

/// Forgets all; whoever waits for something hears `unavailable`.
void Shard::abandon() {
  std::vector<Request> clients;
  std::vector<QuoteWanted> quotes;
  const auto drop = [&](ShardInput& input) {
    if (auto* r = std::get_if<Request>(&input)) {
      if (r->reply_to.who == ReplyTo::Who::client) clients.push_back(std::move(*r));
    } else if (auto* wanted = std::get_if<QuoteWanted>(&input)) {
      quotes.push_back(std::move(*wanted));
    } else if (auto* ready = std::get_if<QuoteReady>(&input)) {
      quotes.push_back({ready->sku, ready->target});
    }
  };
  for (auto& g : gated_) {
    if (auto* r = std::get_if<std::pair<std::uint16_t, Reply>>(&g.what)) {
      Reply reply{.ticket = r->second.ticket,
                  .code = ReplyCode::unavailable,
                  .op = r->second.op,
                  .shard = id_};
      output_.replies.emplace_back(r->first, std::move(reply));
    } else if (auto* input = std::get_if<ShardInput>(&g.what)) {
      drop(*input);
    }
  }
  for (auto& [target, inputs] : parked_)
    for (auto& input : inputs) drop(input);
  for (auto& w : position_waiters_) clients.push_back(std::move(w.request));
  for (auto& [id, waiters] : order_waiters_)
    for (auto& w : waiters) clients.push_back(std::move(w.request));
  for (auto& [id, waiters] : user_waiters_)
    for (auto& w : waiters) clients.push_back(std::move(w.request));
  forget();
  for (const auto& r : clients) answer(r, reply_to(r, ReplyCode::unavailable), 0);
  for (auto& q : quotes)
    output_.inputs.emplace_back(std::move(q));  // asked again of what recovery finds
}

// ---- checkpoints ----

void Shard::start_checkpoint() {
  if (round_ || suspended_) return;
  round_.emplace(
      Round{.number = ++rounds_,
            .at = {.seq = cut_seq_, .chain = chain_, .epoch = epoch_, .time_ms = time_.value},
            .todo = {}});
  // In the store's order: a memtable takes neighbours at a fraction of the cost.
  std::vector<EntityKey> keys;
  keys.reserve(changed_.size());
  for (Entity* e : changed_) {
    e->listed = false;
    if (e->dirty) keys.push_back(key_of(*e));
  }
  changed_.clear();
  std::vector<std::uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, std::ranges::greater{},
                    [&](std::uint32_t i) -> const EntityKey& { return keys[i]; });
  round_->todo.reserve(keys.size());
  for (const std::uint32_t i : order) round_->todo.push_back(keys[i]);
}

EntityKey Shard::key_of(const Entity& e) {
  return with_state(e.kind, [&](auto* kind) {
    using State = std::remove_pointer_t<decltype(kind)>;
    return EntityKey(static_cast<const Hosted<State>&>(e).id);
  });
}

std::size_t Shard::checkpoint_step(std::size_t bytes_max) {
  if (!checkpoint_waits()) return 0;
  ShardOutput::Flush flush{.shard = id_, .round = round_->number, .states = {}, .checkpoint = {}};
  std::size_t bytes = 0;
  while (!round_->todo.empty() && bytes < bytes_max) {
    bytes += checkpoint_bytes_per_state;
    if (auto write = write_of(round_->todo.back())) {
      bytes += write->state.size();
      flush.states.push_back(std::move(*write));
    }
    round_->todo.pop_back();
  }
  counts_.states_written += flush.states.size();
  if (round_->todo.empty() &&
      round_->flushes == 0) {  // a flush that fails must leave no mark behind it
    flush.checkpoint = round_->at;
    round_->mark_sent = true;
  } else if (flush.states.empty()) {
    return bytes;
  }
  ++round_->flushes;
  gate(last_seq_, {.what = std::move(flush)});
  return bytes;
}

void Shard::states_written(std::uint64_t round,
                           const std::vector<std::pair<EntityKey, Seq>>& written,
                           const std::optional<Checkpoint>& checkpoint) {
  for (const auto& [key, seq] : written) {
    Entity* e = entity_of(key);
    if (!e || !e->dirty || e->seq != seq) continue;
    e->dirty = false;
    --dirty_;
  }
  if (!round_ || round_->number != round) return;
  --round_->flushes;
  if (!checkpoint) return;
  checkpoint_seq_ = checkpoint->seq;
  checkpoint_at_ = now();
  ++counts_.checkpoints;
  round_.reset();
}

void Shard::flush_failed(std::uint64_t round) {
  if (!round_ || round_->number != round) return;
  round_.reset();
  for (Entity* e = lru_.oldest(); e; e = e->newer) {
    if (!e->dirty || e->listed) continue;
    e->listed = true;
    changed_.push_back(e);
  }
}

void Shard::evict() {
  const std::size_t budget = context_.options.memory_bytes / context_.options.shards;
  if (memory_bytes_ <= budget) return;
  std::size_t looked_at = 0;
  for (Entity* e = lru_.oldest(); e && memory_bytes_ > budget && looked_at < evict_looks_per_tick;
       ++looked_at) {
    Entity* newer = e->newer;
    const EntityKey key = key_of(*e);
    if (e->dirty) start_checkpoint();
    if (e->used || e->dirty || e->listed || e->seq > committed_ || active(key) ||
        parked_.contains(key)) {
      e->used = false;
      lru_.touch(*e);  // it comes round again
    } else {
      ++counts_.evictions;
      memory_bytes_ -= e->bytes;
      lru_.remove(*e);
      with_state(key.kind(), [&](auto* kind) {
        using State = std::remove_pointer_t<decltype(kind)>;
        tables_.of<State>().erase(id_of<State>(key));
      });
    }
    e = newer;
  }
}

}  // namespace souk

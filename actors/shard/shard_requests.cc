// Requests on their way in: what each needs, and where it waits until that is there.
#include <algorithm>

#include "actors/shard/shard.h"

namespace souk {

// ---- requests in ----

void Shard::handle(ShardInput&& input) {
  if (auto* r = std::get_if<Request>(&input)) return handle_request(std::move(*r));
  process(std::move(input));
}

void Shard::prefetch(const CartId& cart, Prefetch round) const {
  const auto& carts = tables_.of<CartState>();
  round == Prefetch::chain ? carts.prefetch_chain(cart) : carts.prefetch_entity(cart);
}

void Shard::handle_request(Request&& request) {
  if (!readable_ || (suspended_ && !is_read(request.op))) {
    answer(request, reply_to(request, ReplyCode::unavailable), 0);
    return;
  }
  if (is_read(request.op) && request.min_seq > committed_) {
    const UnixMs until = now().plus_ms(limits::position_wait_ms);
    position_waiters_.push_back({std::move(request), until});
    return;
  }
  process(std::move(request));
}

void Shard::process(ShardInput&& input) {
  if (auto* ready = std::get_if<QuoteReady>(&input)) return quote_ready(std::move(*ready));
  if (auto* wanted = std::get_if<QuoteWanted>(&input); wanted && !readable_) {
    output_.inputs.emplace_back(QuoteReady{wanted->target, wanted->sku, std::nullopt});
    return;
  }
  if (!parked_.empty() && !draining_) {
    auto queue = parked_.find(target_of(input));
    if (queue != parked_.end()) {
      queue->second.push_back(std::move(input));
      return;
    }
  }
  if (!park_unless_ready(input)) return;
  std::visit(Overloaded{
                 [&](Request& r) { return is_read(r.op) ? read(r) : command(r); },
                 [&](ProcessAnswer& a) { process_answer(std::move(a)); },
                 [&](QuoteWanted& q) { quote_wanted(q); },
                 [](QuoteReady&) {},
             },
             input);
}

void Shard::quote_wanted(const QuoteWanted& wanted) {
  QuoteReady ready{.target = wanted.target, .sku = wanted.sku, .quote = Quote{}};
  auto* h = find<SkuState>(wanted.sku);
  if (h && h->state.product.defined) {
    const Product& p = h->state.product;
    ready.quote = Quote{.standing = p.active ? Quote::Standing::on_sale : Quote::Standing::inactive,
                        .name = p.name,
                        .price = p.price};
  }
  const Seq seq = h ? h->catalogue_seq : 0;
  if (seq <= committed_)
    output_.inputs.emplace_back(std::move(ready));
  else
    gate(seq, {.what = ShardInput(std::move(ready))});
}

void Shard::quote_ready(QuoteReady&& ready) {
  auto asked = quotes_.find(ready.target);
  if (asked == quotes_.end()) return;  // who asked does not wait any more
  if (ready.quote) {
    auto at = asked->second.by_sku.find(ready.sku);
    if (at == asked->second.by_sku.end() || at->second) return;
    at->second = std::move(ready.quote);
    if (--asked->second.missing == 0) drain(ready.target);
    return;
  }
  quotes_.erase(asked);
  auto queue = parked_.find(ready.target);
  if (queue == parked_.end() || queue->second.empty()) return;
  const ShardInput head = std::move(queue->second.front());
  queue->second.pop_front();
  if (const auto* r = std::get_if<Request>(&head))
    answer(*r, reply_to(*r, ReplyCode::unavailable), 0);
  drain(ready.target);
}

/// The entities that must be in memory (or known to be absent) before `input` can be decided.
void Shard::needs_of(const ShardInput& input, std::vector<EntityKey>& out) {
  out.push_back(target_of(input));
  const auto* r = std::get_if<Request>(&input);
  if (!r) return;
  const auto creation = [&](const EntityKey& id, const std::optional<UserId>& user,
                            const Id128& raw) {
    if (r->bind)  // the same key may have created the same thing for a guest
      out.emplace_back(id.kind() == Kind::cart ? EntityKey(CartId{r->bind->raw})
                                               : EntityKey(OrderId{r->bind->raw}));
    else if (user)
      out.emplace_back(*user), out.push_back(id);
    else if (r->key_hash)
      out.emplace_back(KeyHash{raw});
  };
  if (const auto* open = std::get_if<OpenCart>(&r->op))
    creation(open->cart, open->user, open->cart.raw);
  if (const auto* place = std::get_if<PlaceOrder>(&r->op))
    creation(place->order, place->user, place->order.raw);
  if (const auto* back = std::get_if<AcceptReturn>(&r->op))
    creation(back->order, back->user, back->order.raw);
  if (const auto* out_of = std::get_if<CheckOut>(&r->op)) {
    auto* cart = find<CartState>(out_of->cart);
    if (cart && cart->state.cart.user) out.emplace_back(*cart->state.cart.user);
    if (r->key_hash) out.emplace_back(out_of->order);
  }
  if (const auto* list = std::get_if<GetUserOrders>(&r->op)) {
    if (auto* user = find<UserState>(list->user)) {
      for (const auto& order : orders_page(user->state.user, *list).ids) out.emplace_back(order);
    }
  }
}

bool Shard::park_unless_ready(ShardInput& input) {
  // What most inputs need is their one target, and it is here.
  thread_local std::vector<EntityKey> needs;
  for (std::size_t round = 0; round < 2; ++round) {  // what was fetched may name more
    needs.clear();
    needs_of(input, needs);
    for (const auto& need : needs) {
      switch (fetch(need)) {
        case Presence::here:
        case Presence::absent:
          break;
        case Presence::coming:
          waiting_[need].push_back(target_of(input));
          park(std::move(input));
          return false;
      }
    }
    const auto* r = std::get_if<Request>(&input);
    if (!r ||
        !(std::holds_alternative<CheckOut>(r->op) || std::holds_alternative<GetUserOrders>(r->op)))
      break;
  }
  return true;
}

void Shard::park(ShardInput&& input) {
  const EntityKey target = target_of(input);
  parked_[target].push_front(std::move(input));
}

Shard::Presence Shard::fetch(const EntityKey& key) {
  if (Entity* e = entity_of(key)) {
    touch(*e);
    return Presence::here;
  }
  if (waiting_.contains(key)) return Presence::coming;
  if (!absent_.empty() && absent_.contains(key)) return Presence::absent;
  auto found = context_.states.get(id_, key, StateStore::Where::memory);
  if (found.ok()) {
    using Lookup = StateStore::Found::Answer;
    if (found->answer == Lookup::absent) return Presence::absent;
    if (found->answer == Lookup::found && adopt(key, std::move(found->state)).ok())
      return Presence::here;
  }
  ++counts_.loads;
  output_.loads.emplace_back(id_, key);
  return Presence::coming;
}

void Shard::loaded(const EntityKey& key, std::optional<StoredState>&& state) {
  auto at = waiting_.find(key);
  if (at == waiting_.end()) return;  // asked for before a recovery
  const std::vector<EntityKey> targets = std::move(at->second);
  waiting_.erase(at);
  if (state && !entity_of(key)) {
    if (!adopt(key, std::move(*state)).ok()) return load_failed_for(targets);
  }
  if (!entity_of(key)) absent_.insert(key);
  for (const auto& target : targets) drain(target);
  if (parked_.empty()) absent_.clear();
}

void Shard::load_failed(const EntityKey& key) {
  auto at = waiting_.find(key);
  if (at == waiting_.end()) return;
  const std::vector<EntityKey> targets = std::move(at->second);
  waiting_.erase(at);
  load_failed_for(targets);
}

void Shard::load_failed_for(const std::vector<EntityKey>& targets) {
  for (const auto& target : targets) {
    auto queue = parked_.find(target);
    if (queue == parked_.end()) continue;
    std::deque<ShardInput> inputs = std::move(queue->second);
    parked_.erase(queue);
    quotes_.erase(target);
    for (auto& input : inputs) {
      if (auto* r = std::get_if<Request>(&input))
        answer(*r, reply_to(*r, ReplyCode::unavailable), 0);
      if (auto* wanted = std::get_if<QuoteWanted>(&input))
        output_.inputs.emplace_back(QuoteReady{wanted->target, wanted->sku, std::nullopt});
    }
  }
}

void Shard::drain(const EntityKey& target) {
  const bool outer = draining_;
  draining_ = true;
  for (;;) {
    auto queue = parked_.find(target);
    if (queue == parked_.end()) break;
    if (queue->second.empty()) {
      parked_.erase(queue);
      break;
    }
    ShardInput input = std::move(queue->second.front());
    queue->second.pop_front();
    const std::size_t left = queue->second.size();
    process(std::move(input));
    queue = parked_.find(target);
    if (queue == parked_.end() || queue->second.size() > left) break;  // it waits again
    quotes_.erase(target);  // a price is read anew for each command
  }
  draining_ = outer;
}

}  // namespace souk

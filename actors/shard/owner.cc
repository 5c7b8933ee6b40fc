#include "actors/shard/owner.h"

#include "actors/ports/op_role.h"
#include "actors/shard/needs.h"
#include "actors/shard/order_commands.h"
#include "actors/shard/shared_names.h"
#include "actors/shard/sku_commands.h"
#include "actors/shard/user_commands.h"
#include "events/limits.h"

namespace souk {

EntityKey target_of(const ShardInput& input) {
  return std::visit(
      Overloaded{
          [](const Request& r) { return r.bind ? EntityKey(*r.bind) : target_of(r.op); },
          [](const ProcessAnswer& a) { return a.entity; },
          [](const QuoteWanted& q) { return EntityKey(q.sku); },
          [](const QuoteReady& q) { return q.target; },
      },
      input);
}

Owner::Owner(ShardId id, const ShardContext& context, ShardOutput& output, ShardLog& log)
    : id_(id),
      context_(context),
      output_(output),
      log_(log),
      clock_(context.clock),
      outbox_(id, clock_, output),
      replica_(id, context, clock_),
      entities_(replica_.residency()),
      recorder_(context, clock_, replica_, log.part_bytes()),
      gate_(output, outbox_,
            log.alone() ? CommitGate::Barriers::passed : CommitGate::Barriers::awaited),
      undecided_(gate_),
      responder_(id, context.presenter, entities_, gate_),
      desk_{id, context, clock_, entities_, recorder_, gate_, responder_, undecided_},
      quotes_(context, clock_, outbox_),
      stock_(desk_, timers_),
      orders_(desk_, timers_),
      users_(desk_, timers_),
      admission_(desk_, orders_, users_),
      reads_(context.presenter, entities_, responder_) {}

// ---- inputs ----

void Owner::handle(ShardInput&& input) {
  auto* request = std::get_if<Request>(&input);
  if (!request || goes_on(*request)) process(std::move(input));
}

void Owner::handle(Envelope&& message) {
  if (elsewhere() && !answers_here(message.content))
    return output_.strays.push_back(std::move(message));
  if (is_peer_message(message.content)) {
    if (peers_.admit(message.from) == PeerEpochs::Admits::no) return;
    clock_.saw(message.from.at);
  }
  handle(std::move(message.content));
}

/// Whether it is to be processed now; else it was answered, or waits.
bool Owner::goes_on(Request& request) {
  const bool here = answers_here(request);
  if (elsewhere() && !here) {
    stray(std::move(request));
    return false;
  }
  const bool reads = is_read(request.op);
  // In a cluster another may have written since: what is read here would wait for the claim as well.
  if (!owns() && !here && (!reads || context_.options.clustered)) {
    hold(std::move(request));
    return false;
  }
  if (!readable_) {
    responder_.unavailable(request);
    return false;
  }
  if (!reads || request.min_seq <= gate_.committed()) return true;
  const UnixMs until = clock_.now().plus_ms(limits::position_wait_ms);
  waiting_.wait_for_position(std::move(request), until);
  return false;
}

/// It waits for the claim.
void Owner::hold(Request&& request) {
  if (request.reply_to.who != ReplyTo::Who::client) return;  // the process asks again
  if (undecided_.hold(std::move(request), clock_.now()) == Undecided::Held::yes) return;
  if (context_.options.clustered)
    stray(std::move(request));
  else
    responder_.answer(request, ReplyCode::not_done, 0);
}

/// Another node may own the shard by now, and who asked has time yet.
void Owner::stray(Request&& request) {
  if (request.reply_to.who == ReplyTo::Who::client)
    output_.strays.push_back({{}, ShardInput(std::move(request))});
}

void Owner::process(ShardInput&& input) {
  if (auto* ready = std::get_if<QuoteReady>(&input)) return quote_came(std::move(*ready));
  if (auto* wanted = std::get_if<QuoteWanted>(&input); wanted && !readable_) {
    outbox_.send(QuoteReady{wanted->target, wanted->sku, std::nullopt});
    return;
  }
  if (waiting_.queue_behind(input) == WaitingRoom::Queued::yes) return;
  const EntityKey target = target_of(input);
  if (park_unless_ready(input, target) == Ready::no) return;
  std::visit(Overloaded{
                 [&](Request& r) { request(r, target); },
                 [&](ProcessAnswer& a) { answered(a); },
                 [&](QuoteWanted& q) { quote_wanted(q); },
                 [](QuoteReady&) {},
             },
             input);
}

void Owner::request(Request& request, const EntityKey& target) {
  const bool reads = is_read(request.op);
  if (reads)
    reads_.read(request);
  else if (request.bind)
    bind_key(desk_, request);
  else if (role_of_op(request.op) == OpRole::command)
    command(request);
  else if (target.kind() == Kind::email)
    email_step(desk_, request);
  else
    stock_.step(request, target);
  // Who handed it on, to wait somewhere, has left an empty one.
  undecided_.asked(std::move(request), reads ? 0 : recorder_.last_seq());
}

void Owner::command(Request& request) {
  if (admission_.admit(request) == Admission::Admitted::no) return;
  Handled handled = Handled::done;
  switch (target_of(request.op).kind()) {
    case Kind::sku:
      sku_command(desk_, request);
      break;
    case Kind::user:
      user_command(desk_, users_, request);
      break;
    case Kind::cart:
      handled = cart_command(desk_, quotes_, orders_, request);
      break;
    case Kind::order:
      handled = order_command(desk_, quotes_, orders_, request);
      break;
    default:
      SOUK_ASSERT(false);
  }
  if (handled == Handled::waits) waiting_.park(std::exchange(request, Request{}));
}

void Owner::answered(const ProcessAnswer& a) {
  if (!acts()) return;  // asked for again once it owns
  if (a.entity.kind() == Kind::user) {
    const UserId id = id_of<UserState>(a.entity);
    if (const auto* email = std::get_if<EmailAnswer>(&a.answer)) return users_.answered(id, *email);
    if (const auto* keys = std::get_if<KeysDestroyed>(&a.answer)) return users_.answered(id, *keys);
    return;
  }
  const OrderId id = id_of<OrderState>(a.entity);
  if (const auto* stock = std::get_if<StockAnswer>(&a.answer)) return orders_.answered(id, *stock);
  if (const auto* payment = std::get_if<PaymentAnswer>(&a.answer))
    return orders_.answered(id, *payment);
  if (const auto* keys = std::get_if<KeysDestroyed>(&a.answer)) return orders_.answered(id, *keys);
}

void Owner::prefetch(Kind kind, std::uint64_t hash, Prefetch round) const {
  with_state(kind, [&]<class State>(State*) {
    const auto& table = entities_.table<State>();
    switch (round) {
      case Prefetch::chain:
        return table.prefetch_chain(hash);
      case Prefetch::entity:
        return table.prefetch_entity(hash);
      case Prefetch::inside:
        return table.prefetch_inside(hash);
    }
  });
}

// ---- loads ----

Owner::Ready Owner::park_unless_ready(ShardInput& input, const EntityKey& target) {
  if (Entity* here = needs_target_alone(input) ? entities_.entity_of(target) : nullptr) {
    entities_.touch(*here);
    return Ready::yes;
  }
  // What most inputs need is their one target, and it is here.
  thread_local std::vector<EntityKey> needs;
  for (std::size_t before = 0;; before = needs.size()) {
    needs.clear();
    const Again again = needs_of(input, entities_, clock_, needs);
    for (const auto& need : needs) {
      if (fetch(need) == Ready::yes) continue;
      waiting_.wait_for_load(need, target);
      waiting_.park(std::move(input));
      return Ready::no;
    }
    if (again == Again::no || needs.size() == before) break;
    if (again == Again::with_target && !entities_.entity_of(needs.front())) break;
  }
  return Ready::yes;
}

Owner::Ready Owner::fetch(const EntityKey& key) {
  if (Entity* e = entities_.entity_of(key)) {
    entities_.touch(*e);
    return Ready::yes;
  }
  if (waiting_.loading(key)) return Ready::no;
  if (entities_.look(key) != Presence::elsewhere) return Ready::yes;
  ++loads_;
  output_.loads.emplace_back(id_, key);
  return Ready::no;
}

void Owner::loaded(const EntityKey& key, std::optional<StoredState>&& state) {
  if (!waiting_.loading(key)) return;  // asked for before a recovery
  if (state && !entities_.entity_of(key) && !entities_.adopt(key, std::move(*state)).ok())
    return load_damaged(key);
  arrived(key);
}

/// It is in memory now, or known to be absent.
void Owner::arrived(const EntityKey& key) {
  const std::vector<EntityKey> targets = waiting_.take_targets(key);
  if (!entities_.entity_of(key)) entities_.note_absent(key);
  for (const auto& target : targets) drain(target);
  if (waiting_.empty()) entities_.forget_absent();
}

void Owner::load_damaged(const EntityKey& key) {
  if (!waiting_.loading(key)) return;
  if (entities_.entity_of(key)) return arrived(key);
  refolds_[key] = ++refolds_sent_;
  output_.refolds.push_back({id_, {key, waiting_.targets(key)}, refolds_sent_});
}

void Owner::folded_anew(const EntityKey& key, std::uint64_t number,
                        Result<std::optional<StoredState>, Fault>&& state) {
  const auto asked = refolds_.find(key);
  if (asked == refolds_.end() || asked->second != number) return;  // before a recovery
  refolds_.erase(asked);
  if (!state.ok()) return load_failed(key);
  if (*state && !entities_.entity_of(key)) {
    if (!entities_.adopt(key, std::move(**state)).ok()) return load_failed(key);
    entities_.rewrite(key);
  }
  arrived(key);
}

void Owner::load_failed(const EntityKey& key) { give_up(waiting_.take_targets(key)); }

/// What waits for these targets hears that they cannot be read.
void Owner::give_up(const std::vector<EntityKey>& targets) {
  for (const auto& target : targets) {
    quotes_.drop(target);
    for (auto& input : waiting_.take_queue(target)) {
      if (const auto* r = std::get_if<Request>(&input)) responder_.unavailable(*r);
      if (const auto* wanted = std::get_if<QuoteWanted>(&input))
        outbox_.send(QuoteReady{wanted->target, wanted->sku, std::nullopt});
    }
  }
}

void Owner::drain(const EntityKey& target) {
  waiting_.drain(
      target, [&](ShardInput&& input) { process(std::move(input)); },
      [&] { quotes_.drop(target); });
}

// ---- prices ----

namespace {
Quote quote_of(const Product& p) {
  if (!p.defined) return {};
  return {.standing = p.active ? Quote::Standing::on_sale : Quote::Standing::inactive,
          .name = p.name,
          .price = p.price};
}
}  // namespace

void Owner::quote_wanted(const QuoteWanted& wanted) {
  QuoteReady ready{.target = wanted.target, .sku = wanted.sku, .quote = Quote{}};
  const auto* h = entities_.find<SkuState>(wanted.sku);
  if (h) ready.quote = quote_of(h->state.product);
  gate_.leave(h ? h->catalogue_seq : 0, ShardInput(std::move(ready)));
}

void Owner::quote_came(QuoteReady&& ready) {
  const EntityKey target = ready.target;
  const Quotes::Came came = quotes_.came(std::move(ready));
  if (came == Quotes::Came::failed) give_up_quote(target);
  if (came == Quotes::Came::complete) drain(target);
}

void Owner::give_up_quote(const EntityKey& target) {
  const auto first = waiting_.take_first(target);
  if (!first) return;
  if (const auto* r = std::get_if<Request>(&*first)) responder_.unavailable(*r);
  drain(target);
}

std::optional<Quote> Owner::quote_if_ready(const Sku& sku) {
  if (!readable_ || (context_.options.clustered && !acts())) return std::nullopt;
  auto* h = entities_.find<SkuState>(sku);
  if (!h) {
    if (entities_.look(sku) == Presence::elsewhere) return std::nullopt;
    h = entities_.find<SkuState>(sku);
    if (!h) return Quote{};
  }
  if (h->catalogue_seq > gate_.committed()) return std::nullopt;
  entities_.touch(*h);
  return quote_of(h->state.product);
}

// ---- time ----

void Owner::tick() {
  const UnixMs time = clock_.now();
  while (const auto entity = timers_.take_due(time)) fire(*entity, time);
  for (const auto& read : waiting_.take_late(time))
    responder_.answer(read, ReplyCode::position_not_reached, 0);
  for (const auto& target : quotes_.take_late(time)) give_up_quote(target);
  give_up_the_late(time);
  if (owns() && !under_way_.empty() && time >= under_way_.front().since.plus_ms(append_overdue_ms))
    doubted();
  if (standing_ == Standing::follows && assigned_ && claim_again_at_ != UnixMs{} &&
      time >= claim_again_at_)
    claim();
  if (!keeps_states()) return;
  const EngineOptions& options = context_.options;
  if (!entities_.in_round() && entities_.dirty() > 0 &&
      (last_seq() - entities_.checkpoint_seq() >= options.checkpoint_events ||
       time >= checkpoint_at_.plus_ms(options.checkpoint_ms)))
    start_checkpoint();
  const auto stays = [&](const Entity& e, const EntityKey& key) {
    return e.seq > gate_.committed() || active(key) || waiting_.waits(key);
  };
  if (entities_.evict(options.memory_bytes / options.shards, stays) == Residency::NeedsRound::yes)
    start_checkpoint();
}

void Owner::fire(const EntityKey& entity, UnixMs time) {
  if (entity.kind() == Kind::sku) {
    if (acts()) stock_.expire(id_of<SkuState>(entity), time);
  } else if (entity.kind() == Kind::user) {
    using enum UserProcesses::Effects;
    users_.timer(id_of<UserState>(entity), acts() ? sent : held);
  } else {
    using enum OrderProcesses::Effects;
    orders_.timer(id_of<OrderState>(entity), time, acts() ? sent : held);
  }
}

// ---- checkpoints ----

bool Owner::active(const EntityKey& key) {
  switch (key.kind()) {
    case Kind::cart: {
      const Cart& cart = entities_.find<CartState>(id_of<CartState>(key))->state.cart;
      return cart.status == CartStatus::checking_out;
    }
    case Kind::order: {
      const OrderId id = id_of<OrderState>(key);
      return orders_.working(id) || owes_work(entities_.find<OrderState>(id)->state.order);
    }
    case Kind::user:
      return owes_work(entities_.find<UserState>(id_of<UserState>(key))->state.user);
    case Kind::sku:
      return !entities_.find_key<SkuState>(key)->state.inventory.holds.empty();
    default:
      return false;
  }
}

void Owner::start_checkpoint() {
  if (keeps_states()) entities_.start_round(recorder_.mark());
}

std::size_t Owner::checkpoint_step(std::size_t bytes_max) {
  if (!checkpoint_waits()) return 0;
  ShardOutput::Flush flush;
  const std::size_t bytes = entities_.round_step(
      bytes_max, [&](const EntityKey& key) { return active(key); }, flush);
  if (!flush.states.empty() || flush.checkpoint) gate_.leave_in_order(last_seq(), std::move(flush));
  return bytes;
}

void Owner::states_written(std::uint64_t round,
                           const std::vector<std::pair<EntityKey, Seq>>& written,
                           const std::optional<Checkpoint>& checkpoint) {
  if (entities_.written(round, written, checkpoint) == Residency::RoundEnded::no) return;
  checkpoint_at_ = clock_.now();
  ++checkpoints_;
}

}  // namespace souk

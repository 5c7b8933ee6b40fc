#include "actors/shard/owner.h"

#include <algorithm>

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

Owner::Owner(ShardId id, const ShardContext& context, ShardOutput& output)
    : id_(id),
      context_(context),
      output_(output),
      clock_(context.clock),
      outbox_(id, clock_, output),
      replica_(id, context, clock_),
      entities_(replica_.residency()),
      recorder_(context, clock_, replica_),
      gate_(output, outbox_),
      responder_(id, context.presenter, entities_, gate_),
      desk_{id, context, clock_, entities_, recorder_, gate_, responder_},
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
  if (is_peer_message(message.content)) {
    if (peers_.admit(message.from) == PeerEpochs::Admits::no) return;
    clock_.saw(message.from.at);
  }
  handle(std::move(message.content));
}

/// Whether it is to be processed now; else it was answered, or waits.
bool Owner::goes_on(Request& request) {
  const bool reads = is_read(request.op);
  if (!readable_ || (suspended_ && !reads)) {
    responder_.unavailable(request);
    return false;
  }
  if (!reads || request.min_seq <= gate_.committed()) return true;
  const UnixMs until = clock_.now().plus_ms(limits::position_wait_ms);
  waiting_.wait_for_position(std::move(request), until);
  return false;
}

void Owner::process(ShardInput&& input) {
  if (auto* ready = std::get_if<QuoteReady>(&input)) return quote_came(std::move(*ready));
  if (auto* wanted = std::get_if<QuoteWanted>(&input); wanted && !readable_) {
    outbox_.send(QuoteReady{wanted->target, wanted->sku, std::nullopt});
    return;
  }
  if (waiting_.queue_behind(input) == WaitingRoom::Queued::yes) return;
  if (park_unless_ready(input) == Ready::no) return;
  std::visit(Overloaded{
                 [&](Request& r) { request(r); },
                 [&](ProcessAnswer& a) { answered(a); },
                 [&](QuoteWanted& q) { quote_wanted(q); },
                 [](QuoteReady&) {},
             },
             input);
}

void Owner::request(Request& request) {
  if (is_read(request.op)) return reads_.read(request);
  if (request.bind) return bind_key(desk_, request);
  if (role_of_op(request.op) == OpRole::command) return command(request);
  target_of(request.op).kind() == Kind::email ? email_step(desk_, request) : stock_.step(request);
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
  if (handled == Handled::waits) waiting_.park(std::move(request));
}

void Owner::answered(const ProcessAnswer& a) {
  if (suspended_) return;  // asked for again after resume()
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
}

void Owner::prefetch(const EntityKey& entity, Prefetch round) const {
  with_state(entity.kind(), [&]<class State>(State*) {
    const auto& table = entities_.table<State>();
    const TableKey<State> key = table_key<State>(entity);
    switch (round) {
      case Prefetch::chain:
        return table.prefetch_chain(key);
      case Prefetch::entity:
        return table.prefetch_entity(key);
      case Prefetch::inside:
        return table.prefetch_inside(key);
    }
  });
}

// ---- loads ----

Owner::Ready Owner::park_unless_ready(ShardInput& input) {
  // What most inputs need is their one target, and it is here.
  thread_local std::vector<EntityKey> needs;
  for (std::size_t before = 0;; before = needs.size()) {
    needs.clear();
    const Again again = needs_of(input, entities_, clock_, needs);
    for (const auto& need : needs) {
      if (fetch(need) == Ready::yes) continue;
      waiting_.wait_for_load(need, target_of(input));
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
  if (!readable_) return std::nullopt;
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

// ---- commits ----

void Owner::committed(Seq seq, std::uint64_t epoch) {
  if (epoch != recorder_.epoch() || suspended_ || seq <= gate_.committed()) return;
  gate_.commit(seq);
  for (auto& read : waiting_.take_reached(seq)) handle(std::move(read));
}

void Owner::failed(std::uint64_t epoch) {
  if (suspended_ || epoch != recorder_.epoch()) return;
  suspended_ = true;
  abandon();
  recorder_.drop(gate_.committed());
}

/// Forgets all; what waits for something hears `unavailable`.
void Owner::abandon() {
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
  for (auto& effect : gate_.take_all()) {
    if (auto* r = std::get_if<AddressedReply>(&effect)) {
      Reply reply{.ticket = r->second.ticket,
                  .code = ReplyCode::unavailable,
                  .op = r->second.op,
                  .shard = id_};
      output_.replies.emplace_back(r->first, std::move(reply));
    } else if (auto* input = std::get_if<ShardInput>(&effect)) {
      drop(*input);
    }
  }
  for (auto& input : waiting_.take_all()) drop(input);
  for (auto& request : orders_.abandon()) clients.push_back(std::move(request));
  for (auto& request : users_.abandon()) clients.push_back(std::move(request));
  refolds_.clear();
  quotes_.clear();
  stock_.forget();
  timers_.clear();
  entities_.forget();
  for (const auto& r : clients) responder_.unavailable(r);
  for (auto& q : quotes) outbox_.send(std::move(q));  // of what recovery finds
}

Status Owner::recover(Journal& journal, RecoveryReport& report) {
  abandon();
  const Status status = replica_.recover(journal, report);
  readable_ = status.ok();
  recorder_.begin();
  outbox_.begin(recorder_.epoch());
  gate_.begin_at(recorder_.cut_seq());
  checkpoint_at_ = clock_.now();
  return status;
}

void Owner::resume(Epoch epoch) {
  if (epoch == Epoch::next) recorder_.next_epoch();
  outbox_.begin(recorder_.epoch());
  suspended_ = false;
  orders_.resume();
  users_.resume();
  stock_.resume();
}

// ---- time ----

void Owner::tick() {
  const UnixMs time = clock_.now();
  while (const auto entity = timers_.take_due(time)) fire(*entity, time);
  for (const auto& read : waiting_.take_late(time))
    responder_.answer(read, ReplyCode::position_not_reached, 0);
  for (const auto& target : quotes_.take_late(time)) give_up_quote(target);
  if (suspended_) return;
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
    if (!suspended_) stock_.expire(id_of<SkuState>(entity), time);
  } else if (entity.kind() == Kind::user) {
    using enum UserProcesses::Effects;
    users_.timer(id_of<UserState>(entity), suspended_ ? held : sent);
  } else {
    using enum OrderProcesses::Effects;
    orders_.timer(id_of<OrderState>(entity), time, suspended_ ? held : sent);
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
  if (!suspended_) entities_.start_round(recorder_.mark());
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

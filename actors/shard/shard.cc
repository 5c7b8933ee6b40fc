#include "actors/shard/shard.h"

#include <algorithm>

#include "events/event_codec.h"
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

Shard::Shard(ShardId id, const ShardContext& context, ShardOutput& output)
    : id_(id),
      context_(context),
      output_(output),
      checkout_({.hold_ms = context.options.hold_ms,
                 .payment_retry_ms = context.options.payment_retry_ms,
                 .payment_deadline_ms = context.options.payment_deadline_ms}) {}

Shard::~Shard() = default;

UnixMs Shard::now() {
  time_ = std::max(time_, context_.clock.now());
  return time_;
}

std::size_t Shard::entities() const { return tables_.size(); }

// ---- tables ----

template <class State>
Hosted<State>* Shard::find(const typename HostedTraits<State>::Id& id) {
  return tables_.of<State>().find(id);
}

template <class State>
Hosted<State>& Shard::make(const typename HostedTraits<State>::Id& id) {
  if (Hosted<State>* there = find<State>(id)) return *there;
  if (!absent_.empty()) absent_.erase(EntityKey(id));
  Hosted<State>& hosted = tables_.of<State>().add(id);
  hosted.bytes = static_cast<std::uint32_t>(memory_of(hosted.state) + sizeof(Entity) + 64);
  memory_bytes_ += hosted.bytes;
  lru_.push(hosted);
  return hosted;
}

#define SOUK_INSTANTIATE(S)                                       \
  template Hosted<S>* Shard::find<S>(const HostedTraits<S>::Id&); \
  template Hosted<S>& Shard::make<S>(const HostedTraits<S>::Id&);
SOUK_INSTANTIATE(UserState)
SOUK_INSTANTIATE(SkuState)
SOUK_INSTANTIATE(CartState)
SOUK_INSTANTIATE(OrderState)
SOUK_INSTANTIATE(EmailState)
SOUK_INSTANTIATE(KeyState)
#undef SOUK_INSTANTIATE

Entity* Shard::entity_of(const EntityKey& key) {
  return with_state(key.kind(), [&](auto* kind) -> Entity* {
    return find<std::remove_pointer_t<decltype(kind)>>(
        id_of<std::remove_pointer_t<decltype(kind)>>(key));
  });
}

void Shard::touch(Entity& entity) { entity.used = true; }

void Shard::changed(Entity& entity, Seq seq) {
  entity.seq = seq;
  if (!entity.dirty) {
    entity.dirty = true;
    ++dirty_;
  }
  if (!entity.listed) {
    entity.listed = true;
    changed_.push_back(&entity);
  }
  entity.used = true;
}

// ---- recording ----

void Shard::record(const Cause& cause, std::vector<Event>&& events) {
  SOUK_ASSERT(!events.empty() && !suspended_);
  Transaction& t = pending_.emplace_back(Transaction{.at = now(),
                                                     .cause = cause.cause,
                                                     .correlation = cause.correlation,
                                                     .key_hash = cause.key_hash,
                                                     .request_hash = cause.request_hash,
                                                     .outcome = cause.outcome,
                                                     .events = std::move(events)});
  for (std::size_t i = 0; i < t.events.size(); ++i) apply(t, i, ++last_seq_);
  pending_events_ += t.events.size();
}

namespace {

/// The last event of the entity that the command addressed: with it goes the answer.
bool closes_answer(const Transaction& t, std::size_t index) {
  if (t.key_hash == 0 || t.events[index].entity != t.events[0].entity) return false;
  for (std::size_t i = index + 1; i < t.events.size(); ++i)
    if (t.events[i].entity == t.events[0].entity) return false;
  return true;
}

/// `detail`: of a refusal with illegal_state, the status; of a user's answer, awaits_address.
Answer answer_of(const Transaction& t, Version version, std::uint8_t detail) {
  Answer a{.key_hash = t.key_hash,
           .request_hash = t.request_hash,
           .at_ms = t.at.value,
           .version = static_cast<std::uint32_t>(version),
           .outcome = t.outcome};
  if (const auto* refused = std::get_if<CommandRefused>(&t.events[0].payload)) {
    a.refusal = refused->reason;
    if (refused->reason == Refusal::illegal_state) a.detail = detail;
  } else if (t.events[0].entity.kind() == Kind::user) {
    a.detail = detail;
  }
  return a;
}

bool asks_for_address(const Transaction& t) {
  return std::any_of(t.events.begin(), t.events.end(), [](const Event& e) {
    return std::holds_alternative<UserRegistered>(e.payload) ||
           std::holds_alternative<EmailChangeRequested>(e.payload);
  });
}

constexpr std::size_t undo_trim_steps = 32;

void keep_figures(SkuState& s, const StockFigures& figures) {
  s.figures.push_back(figures);
  if (s.figures.size() > 2 * limits::answers_per_entity_max)
    s.figures.erase(s.figures.begin(), s.figures.begin() + static_cast<std::ptrdiff_t>(
                                                               limits::answers_per_entity_max));
}

}  // namespace

void Shard::apply_to_cart(const Transaction& t, std::size_t index, Seq seq) {
  auto& h = make<CartState>(id_of<CartState>(t.events[index].entity));
  if (seq <= h.seq) return;
  Cart& cart = h.state.cart;
  Answers& answers = h.state.answers;
  cart = evolve(std::move(cart), t.events[index].payload);
  if (closes_answer(t, index)) answers.keep(answer_of(t, cart.version, 0));
  if (cart.undo.size() >
      limits::cart_undo_max)  // many commands without a key since the last with one
    answers.drop_older_than(cart.undo[cart.undo.size() / 2].version);
  // Of many not one at each event: taking one from the front moves all the others.
  if (cart.undo.size() < undo_trim_steps ||
      cart.undo.size() > answers.all().size() + undo_trim_steps)
    trim_undo(cart, answers.oldest_version(cart.version));
  changed(h, seq);
}

void Shard::apply_to_sku(const Transaction& t, std::size_t index, Seq seq) {
  const Payload& payload = t.events[index].payload;
  auto& h = make<SkuState>(id_of<SkuState>(t.events[index].entity));
  if (seq <= h.seq) return;
  SkuState& s = h.state;
  const Version product_before = s.product.version;
  advance(s.product, payload);
  advance(s.inventory, payload, t.at);
  if (s.product.version != product_before) h.catalogue_seq = seq;
  if (closes_answer(t, index)) {
    const bool product = std::holds_alternative<ProductDefined>(payload) ||
                         std::holds_alternative<ProductTakenOffSale>(payload) ||
                         std::holds_alternative<CommandNoted>(payload);
    const Version version = product ? s.product.version : s.inventory.version;
    s.answers.keep(answer_of(t, version, 0));
    if (!product)
      keep_figures(s, {.on_hand = s.inventory.on_hand,
                       .reserved = s.inventory.reserved,
                       .version = static_cast<std::uint32_t>(version)});
  }
  changed(h, seq);
}

void Shard::apply_to_user(const Transaction& t, std::size_t index, Seq seq) {
  auto& h = make<UserState>(id_of<UserState>(t.events[index].entity));
  if (seq <= h.seq) return;
  UserState& s = h.state;
  const Payload& payload = t.events[index].payload;
  s.user = evolve(std::move(s.user), payload);
  if (closes_answer(t, index))
    s.answers.keep(answer_of(t, s.user.version,
                             asks_for_address(t) ? Answer::awaits_address : std::uint8_t{0}));
  if (std::holds_alternative<EmailAssigned>(payload)) s.answers.address_assigned(s.user.version);
  if (std::holds_alternative<EmailRefused>(payload)) s.answers.address_refused();
  trim_profiles(s.user, s.answers.oldest_version(s.user.version));
  changed(h, seq);
}

/// Whoever keeps a document of `entity` has an old one now.
void Shard::mark(const EntityKey& entity, Seq seq) {
  const bool has_documents = entity.kind() != Kind::email && entity.kind() != Kind::key;
  if (context_.freshness && has_documents) context_.freshness->changed(id_, entity, seq);
}

void Shard::apply(const Transaction& t, std::size_t index, Seq seq) {
  const Event& event = t.events[index];
  mark(event.entity, seq);
  switch (event.entity.kind()) {
    case Kind::cart:
      return apply_to_cart(t, index, seq);
    case Kind::sku:
      return apply_to_sku(t, index, seq);
    case Kind::user:
      return apply_to_user(t, index, seq);
    case Kind::order: {
      auto& h = make<OrderState>(id_of<OrderState>(event.entity));
      if (seq <= h.seq) return;
      advance(h.state.order, event.payload, t.at);
      if (closes_answer(t, index))
        h.state.answers.keep(
            answer_of(t, h.state.order.version, static_cast<std::uint8_t>(h.state.order.status)));
      if (h.state.order.user) mark(*h.state.order.user, seq);  // whose list of orders shows it
      return changed(h, seq);
    }
    case Kind::email: {
      auto& h = make<EmailState>(id_of<EmailState>(event.entity));
      if (seq <= h.seq) return;
      h.state.owner = evolve(h.state.owner, event.payload);
      return changed(h, seq);
    }
    case Kind::key: {
      auto& h = make<KeyState>(id_of<KeyState>(event.entity));
      if (seq <= h.seq) return;
      h.state.key = evolve(h.state.key, event.payload, t.at);
      return changed(h, seq);
    }
    case Kind::none:
      break;
  }
  SOUK_ASSERT(false);
}

void Shard::cut(std::vector<Batch>& out) {
  std::size_t from = 0;
  while (from < pending_.size()) {
    const std::size_t to = record_end(pending_, from);
    std::vector<Transaction> part;
    if (from == 0 && to == pending_.size())
      part.swap(pending_);
    else
      part.assign(std::make_move_iterator(pending_.begin() + static_cast<std::ptrdiff_t>(from)),
                  std::make_move_iterator(pending_.begin() + static_cast<std::ptrdiff_t>(to)));
    BatchHeader header{.epoch = epoch_,
                       .incarnation = context_.incarnation,
                       .first_seq = cut_seq_ + 1,
                       .at = time_,
                       .chain = chain_};
    std::string bytes = encode_batch(header, part);
    chain_ = header.chain;
    out.push_back({.shard = id_,
                   .first_seq = header.first_seq,
                   .last_seq = header.last_seq(),
                   .epoch = epoch_,
                   .chain = chain_,
                   .bytes = std::move(bytes)});
    cut_seq_ = header.last_seq();
    from = to;
    if (pending_.empty()) break;
  }
  pending_.clear();
  pending_events_ = 0;
  SOUK_ASSERT(cut_seq_ == last_seq_);
}

// ---- commits ----

void Shard::gate(Seq seq, Gated&& gated) {
  gated.seq = gated_.empty() ? seq : std::max(seq, gated_.back().seq);
  gated_.push_back(std::move(gated));
  if (gated_.front().seq <= committed_) release();
}

void Shard::release() {
  while (!gated_.empty() && gated_.front().seq <= committed_) {
    std::visit(
        Overloaded{
            [&](std::pair<std::uint16_t, Reply>& r) { output_.replies.push_back(std::move(r)); },
            [&](ShardInput& i) { output_.inputs.push_back(std::move(i)); },
            [&](PaymentCall& c) { output_.payments.push_back(std::move(c)); },
            [&](std::pair<EntityKey, std::vector<PersonId>>& d) {
              output_.keys_to_destroy.push_back(std::move(d));
            },
            [&](ShardOutput::Flush& f) { output_.flushes.push_back(std::move(f)); },
        },
        gated_.front().what);
    gated_.pop_front();
  }
}

void Shard::committed(Seq seq, std::uint64_t epoch) {
  if (epoch != epoch_ || suspended_ || seq <= committed_) return;
  committed_ = seq;
  release();
  if (position_waiters_.empty()) return;
  std::vector<PositionWaiter> waiters;
  waiters.swap(position_waiters_);
  for (auto& w : waiters) {
    if (w.request.min_seq > committed_)
      position_waiters_.push_back(std::move(w));
    else
      handle(std::move(w.request));
  }
}

// ---- answers out ----

Reply Shard::reply_to(const Request& request, ReplyCode code) const {
  return {.ticket = request.reply_to.ticket,
          .code = code,
          .op = static_cast<std::uint8_t>(request.op.index()),
          .entity = target_of(request.op),
          .shard = id_,
          .seq = committed_};
}

void Shard::answer(const Request& request, Reply&& reply, Seq depends_on) {
  switch (request.reply_to.who) {
    case ReplyTo::Who::nobody:
      return;
    case ReplyTo::Who::client:
      reply.seq = std::max(depends_on, committed_);  // all up to there is in what was read
      if (depends_on <= committed_)                  // owes nothing to what is gated
        output_.replies.emplace_back(request.reply_to.sink, std::move(reply));
      else
        gate(depends_on, {.what = std::make_pair(request.reply_to.sink, std::move(reply))});
      return;
    case ReplyTo::Who::process: {
      ProcessAnswer a{.entity = request.reply_to.entity};
      if (const auto* claim = std::get_if<ClaimEmail>(&request.op))
        a.answer = EmailAnswer{claim->email, request.op.index(), reply.code};
      else if (const auto* release = std::get_if<FreeEmail>(&request.op))
        a.answer = EmailAnswer{release->email, request.op.index(), reply.code};
      else
        a.answer = StockAnswer{.op = request.op.index(),
                               .sku = Sku::trusted(target_of(request.op).id()),
                               .code = reply.code,
                               .refusal = reply.refusal};
      if (reply.code == ReplyCode::unavailable) return;  // the process asks again by its timer
      gate(depends_on, {.what = ShardInput(std::move(a))});
      return;
    }
  }
}

}  // namespace souk

// What each command and read does to the entities of a shard.
#include <algorithm>

#include "actors/shard.h"

namespace souk {
namespace {

CommandId step_id(const OrderId& order, std::size_t op, std::uint32_t number) {
  CommandId id = order.raw;  // attempt-independent: the same step has the same name
  id.bytes[14] = static_cast<std::uint8_t>(id.bytes[14] ^ (op + 1));
  id.bytes[15] = static_cast<std::uint8_t>(id.bytes[15] ^ number);
  return id;
}

std::vector<Event> events_of(const EntityKey& entity, const Facts& facts) {
  std::vector<Event> events;
  events.reserve(facts.size());
  for (const auto& fact : facts) events.push_back({entity, fact});
  return events;
}

StockFigures figures_of(const Inventory& i) {
  return {.on_hand = i.on_hand,
          .reserved = i.reserved,
          .version = static_cast<std::uint32_t>(i.version)};
}

}  // namespace

// ---- what all commands share ----

bool Shard::answered_before(Request& request, const Answers& answers, Seq seq) {
  if (request.key_hash == 0) return false;
  const Answer* before = answers.find(request.key_hash, now());
  if (!before) return false;
  if (before->request_hash != request.request_hash)
    answer(request, reply_to(request, ReplyCode::idempotency_conflict), seq);
  else
    replay(request, *before, seq);
  return true;
}

void Shard::replay(Request& request, const Answer& before, Seq seq) {
  if (before.outcome == Outcome::refused || before.refusal != Refusal::none) {
    Reply reply = reply_to(request, ReplyCode::refused);
    reply.refusal = before.refusal;
    reply.detail = before.detail;
    reply.replayed = true;
    return answer(request, std::move(reply), seq);
  }
  if (const auto* c = std::get_if<CheckOut>(&request.op))
    return wait_for_check_out(std::move(request), c->order, seq, Replayed::yes);
  if (const auto* c = std::get_if<PlaceOrder>(&request.op))
    return wait_for_check_out(std::move(request), c->order, seq, Replayed::yes);
  if (request.op.index() >= Op(RegisterUser{}).index() &&
      request.op.index() <= Op(EraseUser{}).index())
    return wait_for_user(
        std::move(request), before.version, Replayed::yes,
        before.detail == Answer::awaits_address ? Awaits::address : Awaits::nothing);
  respond(request, before.outcome == Outcome::created ? ReplyCode::created : ReplyCode::ok,
          before.version, seq, Replayed::yes);
}

bool Shard::version_differs(Request& request, Version version, Seq seq) {
  if (!request.if_match || *request.if_match == version) return false;
  answer(request, reply_to(request, ReplyCode::version_mismatch), seq);
  return true;
}

void Shard::refuse(Request& request, const EntityKey& entity, Refused refused, Remember remember) {
  if (request.key_hash != 0 && remember == Remember::yes)
    record({.cause = request.cause,
            .correlation = request.correlation,
            .key_hash = request.key_hash,
            .request_hash = request.request_hash,
            .outcome = Outcome::refused},
           {{entity, CommandRefused{refused.reason}}});
  Reply reply = reply_to(request, ReplyCode::refused);
  reply.refusal = refused.reason;
  reply.detail = refused.detail;
  const Entity* e = entity_of(entity);
  answer(request, std::move(reply), e ? e->seq : 0);
}

bool Shard::decided(Request& request, const EntityKey& entity, const Decision& decision,
                    Outcome outcome, std::vector<Event>&& more) {
  if (!decision.ok()) {
    refuse(request, entity, decision.error(), Remember::yes);
    return false;
  }
  std::vector<Event> events = events_of(entity, *decision);
  if (events.empty() && request.key_hash != 0) events.push_back({entity, CommandNoted{}});
  for (auto& e : more) events.push_back(std::move(e));
  if (!events.empty())
    record({.cause = request.cause,
            .correlation = request.correlation,
            .key_hash = request.key_hash,
            .request_hash = request.request_hash,
            .outcome = outcome},
           std::move(events));
  return true;
}

void Shard::respond(Request& request, ReplyCode code, Version version, Seq seq, Replayed replayed) {
  Reply reply = reply_to(request, code);
  reply.version = version;
  reply.replayed = replayed == Replayed::yes;
  if (const auto* get = std::get_if<GetOrder>(&request.op))
    reply.currency = find<OrderState>(get->order)->state.order.currency;
  if (request.wants == Wants::body || code == ReplyCode::created)
    render(request, version, reply.body);
  answer(request, std::move(reply), seq);
}

/// The document that answers `request`, as it was at `version`.
void Shard::render(const Request& request, Version version, Body& out) {
  const Presenter& p = context_.presenter;
  const auto sku = [&](const Sku& s) -> const SkuState& { return find<SkuState>(s)->state; };
  const auto cart = [&](const CartId& id) {
    const Cart& c = find<CartState>(id)->state.cart;
    if (c.version == version) return p.cart(id, c, out);
    p.cart(id, as_of(c, version), out);
  };
  const auto stock = [&](const Sku& s) {
    const SkuState& state = sku(s);
    for (const auto& f : state.figures)
      if (f.version == version) return p.stock(s, f, out);
    p.stock(s, figures_of(state.inventory), out);
  };
  const auto order = [&](const OrderId& id) {
    p.order(id, find<OrderState>(id)->state.order, version, out);
  };
  std::visit(Overloaded{
                 [&](const PutProduct& c) {
                   Product then = evolve(Product{}, Payload(c.definition));
                   then.version = version;
                   p.product(c.sku, then, stock_not_shown,
                             out);  // it is not a function of the version
                 },
                 [&](const DelistProduct& c) { p.delisted(c.sku, version, out); },
                 [&](const ReceiveStock& c) { stock(c.sku); },
                 [&](const AdjustStock& c) { stock(c.sku); },
                 [&](const GetProduct& c) {
                   p.product(c.sku, sku(c.sku).product, sku(c.sku).inventory.available(), out);
                 },
                 [&](const GetStock& c) { p.stock(c.sku, figures_of(sku(c.sku).inventory), out); },
                 [&](const RegisterUser& c) { p.user_created(c.user, out); },
                 [&](const UpdateUser& c) {
                   p.user(c.user, profile_at(find<UserState>(c.user)->state.user, version), out);
                 },
                 [&](const GetUser& c) {
                   p.user(c.user, find<UserState>(c.user)->state.user.profile, out);
                 },
                 [&](const OpenCart& c) {
                   p.cart_created(c.cart, as_of(find<CartState>(c.cart)->state.cart, version), out);
                 },
                 [&](const AddItem& c) { cart(c.cart); },
                 [&](const SetItem& c) { cart(c.cart); },
                 [&](const RemoveItem& c) { cart(c.cart); },
                 [&](const GetCart& c) { cart(c.cart); },
                 [&](const CancelOrder& c) { order(c.order); },
                 [&](const ShipOrder& c) { order(c.order); },
                 [&](const DeliverOrder& c) { order(c.order); },
                 [&](const ReturnOrder& c) { order(c.order); },
                 [&](const RefundOrder& c) { order(c.order); },
                 [&](const AcceptReturn& c) { order(c.order); },
                 [&](const GetOrder& c) { order(c.order); },
                 [](const auto&) {},
             },
             request.op);
}

void Shard::not_found(Request& request) {
  const Entity* e = entity_of(target_of(request.op));  // there, but erased or without a definition
  answer(request, reply_to(request, ReplyCode::not_found), e ? e->seq : 0);
}

// ---- dispatch ----

void Shard::command(Request& request) {
  if (request.bind) return bind_key(request);
  switch (target_of(request.op).kind()) {
    case Kind::sku:
      return request.reply_to.who == ReplyTo::Who::process ? stock_step(request)
                                                           : sku_command(request);
    case Kind::user:
      return user_command(request);
    case Kind::email:
      return email_step(request);
    case Kind::cart:
      return cart_command(request);
    case Kind::order:
      return order_command(request);
    default:
      SOUK_ASSERT(false);
  }
}

void Shard::read(Request& request) {
  const auto found = [&](const Entity& e, Version version) {
    respond(request, ReplyCode::ok, version, e.seq, Replayed::no);
  };
  std::visit(Overloaded{
                 [&](const GetProduct& q) {
                   auto* h = find<SkuState>(q.sku);
                   if (!h || !h->state.product.defined) return not_found(request);
                   found(*h, h->state.product.version);
                 },
                 [&](const GetStock& q) {
                   auto* h = find<SkuState>(q.sku);
                   if (!h || !(h->state.product.defined || h->state.inventory.known))
                     return not_found(request);
                   found(*h, h->state.inventory.version);
                 },
                 [&](const GetUser& q) {
                   auto* h = find<UserState>(q.user);
                   if (!h || h->state.user.status != UserStatus::active) return not_found(request);
                   found(*h, h->state.user.version);
                 },
                 [&](const GetUserOrders& q) { user_orders(request, q); },
                 [&](const GetCart& q) {
                   auto* h = find<CartState>(q.cart);
                   if (!h || h->state.cart.status == CartStatus::none) return not_found(request);
                   found(*h, h->state.cart.version);
                 },
                 [&](const GetOrder& q) {
                   auto* h = find<OrderState>(q.order);
                   if (!h || h->state.order.status == OrderStatus::none) return not_found(request);
                   found(*h, h->state.order.version);
                 },
                 [](const auto&) { SOUK_ASSERT(false); },
             },
             request.op);
}

Shard::OrdersPage Shard::orders_page(const User& user, const GetUserOrders& query) {
  OrdersPage page;
  std::size_t end = user.orders.size();
  if (query.before) {
    auto at = std::find(user.orders.begin(), user.orders.end(), *query.before);
    end = static_cast<std::size_t>(at - user.orders.begin());
    if (at == user.orders.end()) end = 0;
  }
  for (std::size_t i = end; i > 0 && page.ids.size() < query.limit; --i)
    page.ids.push_back(user.orders[i - 1]);
  page.more = end > page.ids.size();
  return page;
}

void Shard::user_orders(Request& request, const GetUserOrders& query) {
  auto* h = find<UserState>(query.user);
  const auto known = [](const User& u) {
    return u.status == UserStatus::active || u.status == UserStatus::erased;
  };
  if (!h || !known(h->state.user)) return not_found(request);
  const OrdersPage page = orders_page(h->state.user, query);
  std::vector<std::pair<OrderId, const Order*>> orders;
  Seq seq = h->seq;
  for (const auto& id : page.ids) {
    auto* order = find<OrderState>(id);
    if (!order) continue;
    orders.emplace_back(id, &order->state.order);
    seq = std::max(seq, order->seq);
  }
  Reply reply = reply_to(request, ReplyCode::ok);
  context_.presenter.user_orders(query.user, orders, page.more ? More::yes : More::no, reply.body);
  answer(request, std::move(reply), seq);
}

// ---- products and stock ----

void Shard::sku_command(Request& request) {
  const EntityKey entity = target_of(request.op);
  const Sku sku = Sku::trusted(entity.id());
  static const SkuState nothing;
  auto* h = find<SkuState>(sku);
  const Seq seq = h ? h->seq : 0;
  const SkuState& state = h ? h->state : nothing;
  if (answered_before(request, state.answers, seq)) return;
  const bool about_product = std::holds_alternative<PutProduct>(request.op) ||
                             std::holds_alternative<DelistProduct>(request.op);
  if (version_differs(request, about_product ? state.product.version : state.inventory.version,
                      seq))
    return;

  if (const auto* put = std::get_if<PutProduct>(&request.op)) {
    const Outcome outcome = state.product.defined ? Outcome::ok : Outcome::created;
    if (!decided(request, entity, decide(state.product, *put), outcome)) return;
    const auto& after = *find<SkuState>(sku);
    return respond(request, outcome == Outcome::created ? ReplyCode::created : ReplyCode::ok,
                   after.state.product.version, after.seq, Replayed::no);
  }
  if (const auto* delist = std::get_if<DelistProduct>(&request.op)) {
    if (!state.product.defined) return not_found(request);
    if (!decided(request, entity, decide(state.product, *delist), Outcome::ok)) return;
    const auto& after = *find<SkuState>(sku);
    return respond(request, ReplyCode::ok, after.state.product.version, after.seq, Replayed::no);
  }
  if (!state.product.defined)
    return refuse(request, entity, {Refusal::unknown_product}, Remember::no);
  const Decision decision = std::holds_alternative<ReceiveStock>(request.op)
                                ? decide(state.inventory, std::get<ReceiveStock>(request.op))
                                : decide(state.inventory, std::get<AdjustStock>(request.op));
  if (!decided(request, entity, decision, Outcome::ok)) return;
  const auto& after = *find<SkuState>(sku);
  respond(request, ReplyCode::ok, after.state.inventory.version, after.seq, Replayed::no);
}

/// A step of some order's check-out: reserve, claim, sell, release, return.
void Shard::stock_step(Request& request) {
  const EntityKey entity = target_of(request.op);
  auto* h = find<SkuState>(Sku::trusted(entity.id()));
  static const SkuState nothing;
  const SkuState& state = h ? h->state : nothing;
  std::uint32_t number = 0;
  OrderId order;
  const Decision decision =
      std::visit(Overloaded{
                     [&](const ReserveStock& c) {
                       order = c.order;
                       return decide(state.inventory, state.product, c, now());
                     },
                     [&](const ReturnStock& c) {
                       order = c.order;
                       number = c.number;
                       return decide(state.inventory, c);
                     },
                     [&](const ClaimStock& c) {
                       order = c.order;
                       return decide(state.inventory, c);
                     },
                     [&](const SellStock& c) {
                       order = c.order;
                       return decide(state.inventory, c);
                     },
                     [&](const ReleaseStock& c) {
                       order = c.order;
                       return decide(state.inventory, c);
                     },
                     [](const auto&) -> Decision { return Refused{}; },
                 },
                 request.op);
  StockAnswer result{.op = request.op.index(), .sku = Sku::trusted(entity.id())};
  if (!decision.ok()) {
    result.code = ReplyCode::refused;
    result.refusal = decision.error().reason;
    if (result.refusal == Refusal::price_changed)
      result.price_change = PriceChange{Item(result.sku, state.product.name), state.product.price};
  } else if (!decision->empty()) {
    record({.cause = step_id(order, request.op.index(), number), .correlation = order.raw},
           events_of(entity, *decision));
    h = find<SkuState>(result.sku);
    if (std::holds_alternative<ReserveStock>(request.op))
      arm_expiry(result.sku, std::get<StockReserved>((*decision)[0]).expires_at);
  }
  gate(h ? h->seq : 0,
       {.what = ShardInput(ProcessAnswer{request.reply_to.entity, std::move(result)})});
}

// ---- users ----

void Shard::user_command(Request& request) {
  const EntityKey entity = target_of(request.op);
  const UserId id = id_of<UserState>(entity);
  static const UserState nothing;
  auto* h = find<UserState>(id);
  const Seq seq = h ? h->seq : 0;
  const UserState& state = h ? h->state : nothing;
  if (answered_before(request, state.answers, seq)) return;
  const bool registers = std::holds_alternative<RegisterUser>(request.op);
  if (registers &&
      state.user.status != UserStatus::none) {  // its key is older than what we remember
    const Awaits awaits =
        state.user.status == UserStatus::registering ? Awaits::address : Awaits::nothing;
    return wait_for_user(std::move(request), state.user.version, Replayed::yes, awaits);
  }
  if (!registers && state.user.status != UserStatus::active) return not_found(request);
  if (version_differs(request, state.user.version, seq)) return;
  const Decision decision =
      std::visit(Overloaded{
                     [&](const RegisterUser& c) { return decide(state.user, c); },
                     [&](const UpdateUser& c) { return decide(state.user, c); },
                     [&](const EraseUser& c) { return decide(state.user, c); },
                     [](const auto&) -> Decision { return Refused{}; },
                 },
                 request.op);
  if (!decided(request, entity, decision, registers ? Outcome::created : Outcome::ok)) return;
  const User& user = find<UserState>(id)->state.user;
  const auto* update = std::get_if<UpdateUser>(&request.op);
  const bool asks_for_address = registers || (update && update->email && user.pending);
  const Version version = user.version;
  user_effects(id);
  wait_for_user(std::move(request), version, Replayed::no,
                asks_for_address ? Awaits::address : Awaits::nothing);
}

void Shard::email_step(Request& request) {
  const EntityKey entity = target_of(request.op);
  const EmailHash id = id_of<EmailState>(entity);
  auto* h = find<EmailState>(id);
  const EmailOwner owner = h ? h->state.owner : EmailOwner{};
  const Decision decision = std::holds_alternative<ClaimEmail>(request.op)
                                ? decide(owner, std::get<ClaimEmail>(request.op))
                                : decide(owner, std::get<FreeEmail>(request.op));
  if (decision.ok() && !decision->empty())
    record({.cause = request.cause, .correlation = request.correlation},
           events_of(entity, *decision));
  h = find<EmailState>(id);
  answer(request, reply_to(request, decision.ok() ? ReplyCode::ok : ReplyCode::refused),
         h ? h->seq : 0);
}

/// First half of a creation with a key on a user's shard: the key belongs to that creation alone.
void Shard::bind_key(Request& request) {
  const KeyHash key = *request.bind;
  const EntityKey target = target_of(request.op);
  auto* bound = find<KeyState>(key);
  const EntityKey twin =
      target.kind() == Kind::cart ? EntityKey(CartId{key.raw}) : EntityKey(OrderId{key.raw});
  const bool is_twin = twin == target;  // the user's shard is the key's own
  const auto fresh = [&] {
    return !bound || bound->state.key.target.kind() == Kind::none ||
           now().value - bound->state.key.at_ms > limits::answer_kept_ms;
  };
  const bool same = bound && bound->state.key.target == target &&
                    bound->state.key.request_hash == request.request_hash;
  const Entity* other = is_twin ? nullptr : entity_of(twin);
  if (other || (!fresh() && !same)) {
    const Seq seq = std::max(bound ? bound->seq : 0, other ? other->seq : 0);
    return answer(request, reply_to(request, ReplyCode::idempotency_conflict), seq);
  }
  if (fresh())
    record({.cause = request.cause, .correlation = request.correlation},
           {{EntityKey(key), KeyBound{target, request.request_hash}}});
  bound = find<KeyState>(key);
  request.bind.reset();
  gate(bound->seq, {.what = ShardInput(std::move(request))});
}

/// A guest's creation with a key that a user's creation was bound to.
bool Shard::bound_elsewhere(Request& request, const Id128& raw, const std::optional<UserId>& user) {
  if (user || request.key_hash == 0) return false;
  auto* bound = find<KeyState>(KeyHash{raw});
  if (!bound || bound->state.key.target.kind() == Kind::none ||
      now().value - bound->state.key.at_ms > limits::answer_kept_ms)
    return false;
  answer(request, reply_to(request, ReplyCode::idempotency_conflict), bound->seq);
  return true;
}

bool Shard::unknown_user(Request& request, const std::optional<UserId>& user) {
  if (!user) return false;
  auto* h = find<UserState>(*user);
  if (h && h->state.user.status == UserStatus::active) return false;
  Reply reply = reply_to(request, ReplyCode::refused);
  reply.refusal = Refusal::unknown_user;
  answer(request, std::move(reply), h ? h->seq : 0);
  return true;
}

// ---- carts ----

std::optional<Quote> Shard::quote_for(const EntityKey& target, const Sku& sku) {
  if (!quotes_.empty()) {
    auto at = quotes_.find(target);
    if (at != quotes_.end()) {
      auto quote = at->second.by_sku.find(sku);
      if (quote != at->second.by_sku.end()) return quote->second;
    }
  }
  if (auto quote = context_.quote_now(sku)) return quote;
  Quotes& asked = quotes_[target];
  asked.by_sku.emplace(sku, std::nullopt);
  ++asked.missing;
  output_.inputs.emplace_back(QuoteWanted{sku, target});
  return std::nullopt;
}

void Shard::cart_command(Request& request) {
  const EntityKey entity = target_of(request.op);
  const CartId id = id_of<CartState>(entity);
  static const CartState nothing;
  auto* h = find<CartState>(id);
  const Seq seq = h ? h->seq : 0;
  const CartState& state = h ? h->state : nothing;
  if (answered_before(request, state.answers, seq)) return;

  if (const auto* open = std::get_if<OpenCart>(&request.op)) {
    if (bound_elsewhere(request, open->cart.raw, open->user)) return;
    if (state.cart.status != CartStatus::none)  // its key is older than what we remember
      return respond(request, ReplyCode::created, state.cart.version, seq, Replayed::yes);
    if (unknown_user(request, open->user)) return;
    if (!decided(request, entity, decide(state.cart, *open), Outcome::created)) return;
    const auto& after = *find<CartState>(id);
    return respond(request, ReplyCode::created, after.state.cart.version, after.seq, Replayed::no);
  }
  if (state.cart.status == CartStatus::none) return not_found(request);
  if (version_differs(request, state.cart.version, seq)) return;
  if (const auto* c = std::get_if<CheckOut>(&request.op)) return check_out(request, *c);

  const Sku* sku = nullptr;
  if (const auto* c = std::get_if<AddItem>(&request.op)) sku = &c->sku;
  if (const auto* c = std::get_if<SetItem>(&request.op)) sku = c->quantity > 0 ? &c->sku : nullptr;
  std::optional<Quote> quote = sku ? quote_for(entity, *sku) : std::make_optional(Quote{});
  if (!quote) return park(std::move(request));
  const Decision decision =
      std::visit(Overloaded{
                     [&](const AddItem& c) { return decide(state.cart, c, *quote); },
                     [&](const SetItem& c) { return decide(state.cart, c, *quote); },
                     [&](const RemoveItem& c) { return decide(state.cart, c); },
                     [](const auto&) -> Decision { return Refused{}; },
                 },
                 request.op);
  if (!quotes_.empty()) quotes_.erase(entity);
  if (!decided(request, entity, decision, Outcome::ok)) return;
  respond(request, ReplyCode::ok, state.cart.version, find<CartState>(id)->seq, Replayed::no);
}

void Shard::check_out(Request& request, const CheckOut& command) {
  auto& h = *find<CartState>(command.cart);
  const Cart& cart = h.state.cart;
  if (auto* placed = find<OrderState>(command.order);
      placed && placed->state.order.status != OrderStatus::none)
    return wait_for_check_out(std::move(request), command.order, placed->seq, Replayed::yes);
  const Decision decision = start_check_out(cart, command.order);
  std::vector<Event> more;
  if (decision.ok()) {
    OrderPlaced placed{.cart = command.cart,
                       .user = cart.user,
                       .currency = cart.currency,
                       .total = cart.total,
                       .payment_method = command.payment.method,
                       .payment_token = command.payment.token,
                       .sealed_address = command.sealed_address,
                       .occurred_at = command.occurred_at,
                       .country = command.country};
    placed.lines.reserve(cart.lines.size());
    for (const auto& line : cart.lines)
      placed.lines.push_back({line.item, line.quantity, line.unit_price, line.pricing});
    more.push_back({command.order, std::move(placed)});
    if (cart.user) more.push_back({*cart.user, UserOrdered{command.order}});
  }
  const OrderId order = command.order;
  if (request.correlation.zero()) request.correlation = order.raw;
  if (!decided(request, command.cart, decision, Outcome::ok, std::move(more))) return;
  start_work(order, Checkout::Start::fresh);
  wait_for_check_out(std::move(request), order, last_seq_, Replayed::no);
}

// ---- orders ----

void Shard::place_order(Request& request, const PlaceOrder& command) {
  const EntityKey entity(command.order);
  auto* h = find<OrderState>(command.order);
  if (bound_elsewhere(request, command.order.raw, command.user)) return;
  if (h && h->state.order.status != OrderStatus::none)
    return wait_for_check_out(std::move(request), command.order, h->seq, Replayed::yes);
  if (unknown_user(request, command.user)) return;
  OrderPlaced placed{.user = command.user,
                     .payment_method = command.payment.method,
                     .payment_token = command.payment.token,
                     .sealed_address = command.sealed_address,
                     .occurred_at = command.occurred_at,
                     .country = command.country};
  placed.lines.reserve(command.lines.size());
  Refusal refusal = Refusal::none;
  bool complete = true;
  for (const auto& line : command.lines) {
    auto quote = quote_for(entity, line.sku);
    if (!quote) {
      complete = false;
      continue;  // ask for all that is missing at once
    }
    if (!complete || refusal != Refusal::none) continue;
    if (quote->standing == Quote::Standing::unknown)
      refusal = Refusal::unknown_product;
    else if (quote->standing == Quote::Standing::inactive)
      refusal = Refusal::inactive_product;
    else if (!placed.currency.none() && quote->price.currency != placed.currency)
      refusal = Refusal::currency_mismatch;
    if (refusal != Refusal::none) continue;
    placed.currency = quote->price.currency;
    auto total = multiply(quote->price.amount, line.quantity);
    if (total) total = add(placed.total, *total);
    if (!total) {
      refusal = Refusal::amount_too_large;
      continue;
    }
    placed.total = *total;
    placed.lines.push_back(
        {Item(line.sku, quote->name), line.quantity, quote->price.amount, Pricing::catalogue});
  }
  if (!complete) return park(std::move(request));
  if (!quotes_.empty()) quotes_.erase(entity);
  if (refusal != Refusal::none) return refuse(request, entity, {refusal}, Remember::yes);
  std::vector<Event> more;
  if (command.user) more.push_back({*command.user, UserOrdered{command.order}});
  const OrderId order = command.order;
  if (request.correlation.zero()) request.correlation = order.raw;
  Facts facts;
  facts.emplace_back(std::move(placed));
  if (!decided(request, entity, Decision(std::move(facts)), Outcome::ok, std::move(more))) return;
  start_work(order, Checkout::Start::fresh);
  wait_for_check_out(std::move(request), order, last_seq_, Replayed::no);
}

void Shard::accept_return(Request& request, const AcceptReturn& command) {
  const EntityKey entity(command.order);
  if (bound_elsewhere(request, command.order.raw, command.user)) return;
  auto* h = find<OrderState>(command.order);
  if (h && h->state.order.status != OrderStatus::none)
    return respond(request, ReplyCode::created, 1, h->seq, Replayed::yes);
  if (unknown_user(request, command.user)) return;
  ReturnAccepted accepted{
      .user = command.user, .reference = command.reference, .occurred_at = command.occurred_at};
  Refusal refusal = Refusal::none;
  bool complete = true;
  for (const auto& line : command.lines) {
    auto quote = quote_for(entity, line.sku);
    if (!quote) complete = false;
    if (!complete || refusal != Refusal::none) continue;
    if (quote->standing == Quote::Standing::unknown) refusal = Refusal::unknown_product;
    accepted.currency = line.unit_price->currency;
    auto value = multiply(line.unit_price->amount, line.quantity);
    if (value) value = add(accepted.value, *value);
    if (!value) refusal = Refusal::amount_too_large;
    if (refusal != Refusal::none) continue;
    accepted.value = *value;
    accepted.lines.push_back(
        {Item(line.sku, quote->name), line.quantity, line.unit_price->amount, Pricing::fixed});
  }
  if (!complete) return park(std::move(request));
  if (!quotes_.empty()) quotes_.erase(entity);
  if (refusal != Refusal::none) return refuse(request, entity, {refusal}, Remember::yes);
  const OrderId order = command.order;
  if (request.correlation.zero()) request.correlation = order.raw;
  Facts facts;
  facts.emplace_back(std::move(accepted));
  std::vector<Event> more;
  if (command.user) more.push_back({*command.user, UserOrdered{order}});
  if (!decided(request, entity, Decision(std::move(facts)), Outcome::created, std::move(more)))
    return;
  const Version version = find<OrderState>(order)->state.order.version;
  start_work(order, Checkout::Start::fresh);
  wait_for_order(std::move(request), order, version, Replayed::no);
}

void Shard::order_command(Request& request) {
  const EntityKey entity = target_of(request.op);
  const OrderId id = id_of<OrderState>(entity);
  static const OrderState nothing;
  auto* h = find<OrderState>(id);
  const Seq seq = h ? h->seq : 0;
  const OrderState& state = h ? h->state : nothing;
  if (answered_before(request, state.answers, seq)) return;
  if (const auto* c = std::get_if<PlaceOrder>(&request.op)) return place_order(request, *c);
  if (const auto* c = std::get_if<AcceptReturn>(&request.op)) return accept_return(request, *c);
  if (state.order.status == OrderStatus::none) return not_found(request);
  if (version_differs(request, state.order.version, seq)) return;
  const Decision decision =
      std::visit(Overloaded{
                     [&](const CancelOrder& c) { return decide(state.order, c); },
                     [&](const ShipOrder& c) { return decide(state.order, c); },
                     [&](const DeliverOrder& c) { return decide(state.order, c); },
                     [&](const ReturnOrder& c) { return decide(state.order, c); },
                     [&](const RefundOrder& c) { return decide(state.order, c); },
                     [](const auto&) -> Decision { return Refused{}; },
                 },
                 request.op);
  if (!decided(request, entity, decision, Outcome::ok)) return;
  const Version version = state.order.version;
  start_work(id, Checkout::Start::fresh);
  wait_for_order(std::move(request), id, version, Replayed::no);
}

std::optional<Quote> Shard::quote_if_ready(const Sku& sku) {
  if (!readable_) return std::nullopt;
  auto* h = find<SkuState>(sku);
  if (!h) {
    if (fetch_quietly(sku) == Presence::coming) return std::nullopt;
    h = find<SkuState>(sku);
    if (!h) return Quote{};
  }
  if (h->catalogue_seq > committed_) return std::nullopt;
  touch(*h);
  const Product& p = h->state.product;
  if (!p.defined) return Quote{};
  return Quote{.standing = p.active ? Quote::Standing::on_sale : Quote::Standing::inactive,
               .name = p.name,
               .price = p.price};
}

}  // namespace souk

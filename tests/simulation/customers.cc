#include "tests/simulation/customers.h"

namespace souk::simulation {
namespace {

const Currency gbp = *Currency::parse("GBP");

std::optional<UserId> some_user(World& world, const Shop& shop) {
  if (shop.users.empty() || world.chance(40)) return std::nullopt;
  return world.pick(shop.users);
}

}  // namespace

PaymentMethod some_payment(World& world) {
  static const std::vector<std::string> tokens = {"ok",      "ok",       "",        "ok",
                                                  "decline", "slow:700", "slow:40", "lost:50",
                                                  "error:1", "error:3",  "twice"};
  return {"simulated", world.pick(tokens)};
}

// ---- an order after it was placed ----

std::string OrderKeeper::status() const { return shop_.orders.at(order_).told; }

std::optional<Op> OrderKeeper::next() {
  if (!busy()) return std::nullopt;
  if (status() == "pending" || world_.chance(15)) return GetOrder{order_};
  if (status() == "rejected" || steps_-- <= 0) {
    order_ = {};
    return std::nullopt;
  }
  if (world_.chance(8)) return EraseOrder{order_};  // a member's is refused
  const std::string now = status();
  if (world_.chance(10)) return DeliverOrder{order_};  // legal or not
  if (now == "confirmed" && world_.chance(60)) return ShipOrder{order_};
  if (now == "confirmed") return CancelOrder{order_};
  if (now == "shipped" && world_.chance(50)) return DeliverOrder{order_};
  if (world_.chance(30)) {
    std::optional<Money> amount;
    if (world_.chance(70)) amount = Money{Micros{world_.between(1, 900) * 10'000}, gbp};
    return RefundOrder{order_, amount};
  }
  ReturnOrder back{.order = order_, .lines = {}, .occurred_at = {}};
  if (world_.chance(70)) {
    const auto& [sku, quantity] = *shop_.orders.at(order_).lines.begin();
    back.lines.push_back({Sku::trusted(sku), world_.between(1, quantity), std::nullopt});
  }
  return back;
}

void OrderKeeper::answered(const Op& op, const Reply& reply) {
  PromisedOrder& order = shop_.orders.at(order_);
  if (reply.code == ReplyCode::ok) {
    if (const std::string status = word_of(reply.body.json, "status"); !status.empty())
      order.told = status;
    if (std::holds_alternative<CancelOrder>(op)) ++order.cancelled;
    if (std::holds_alternative<ShipOrder>(op)) ++order.shipped;
    if (std::holds_alternative<DeliverOrder>(op)) ++order.delivered;
    if (std::holds_alternative<ReturnOrder>(op)) ++order.returns;
    if (std::holds_alternative<RefundOrder>(op)) ++order.refunds;
    if (std::holds_alternative<EraseOrder>(op)) {
      order.erased = true;
      if (vault_.seal(EntityKey(order_), "x").ok())
        world_.violated("erasure of an order",
                        EntityKey(order_).text() + " was told of before its key was gone");
    }
  } else if (reply.code == ReplyCode::not_found) {
    world_.violated("P1", EntityKey(order_).text() + " was placed and is not found");
  }
}

// ---- shoppers ----

std::optional<Request> Shopper::next() {
  if (auto op = keeper_.next()) {
    const bool reads = is_read(*op);
    return ask(std::move(*op), reads ? Key::none : Key::fresh);
  }
  if (cart_.raw.zero()) {
    if (carts_left_-- <= 0) return std::nullopt;
    return open_cart();
  }
  if (world().chance(10)) return ask(GetCart{cart_}, Key::none);
  if (changes_left_-- > 0) return change_cart();
  if (check_outs_left_-- > 0) return check_out();
  cart_ = {};  // abandoned, or sold
  return next();
}

Request Shopper::open_cart() {
  const auto user = some_user(world(), shop());
  const Creation made = next_creation("cart", user);
  Request request = ask(OpenCart{CartId{made.id}, user, world().chance(50) ? gbp : Currency{}});
  request.bind = made.bind;
  return request;
}

Request Shopper::change_cart() {
  const Sku& sku = world().pick(shop().skus);
  const auto kind = world().between(0, 9);
  Request request;
  if (kind < 6) {
    AddItem add{cart_, sku, world().between(1, 3), std::nullopt};
    request = ask(std::move(add));
  } else if (kind < 8) {
    request = ask(SetItem{cart_, sku, world().between(0, 4)});
  } else {
    request = ask(RemoveItem{cart_, sku}, world().chance(30) ? Key::none : Key::fresh);
  }
  // A change without a key must be one that may be repeated, and who repeats it with If-Match after
  // a lost answer cannot tell his own change from another's.
  if (request.key_hash != 0 && world().chance(20))
    request.preconditions = if_version(world().chance(80) ? version_ : version_ + 7);
  return request;
}

Request Shopper::check_out() {
  std::string key = next_key();
  key += cart_.raw.view();
  const OrderId order{
      shop().on_shard(street_.vault.keyed_hash128("order of cart", key), cart_.shard())};
  CheckOut command{.cart = cart_,
                   .order = order,
                   .payment = some_payment(world()),
                   .sealed_address = {},
                   .occurred_at = {}};
  if (world().chance(30)) {
    (void)street_.vault.ensure({EntityKey(order)});
    if (auto sealed = street_.vault.seal(EntityKey(order), "{\"street\":\"1\"}"); sealed.ok())
      command.sealed_address = *sealed;
  }
  Request request = ask(std::move(command));
  request.wait_final = world().chance(50);
  return request;
}

void Shopper::answered(const Request& request, const Reply& reply) {
  if (keeper_.busy()) return keeper_.answered(request.op, reply);
  if (const auto* open = std::get_if<OpenCart>(&request.op)) {
    if (reply.code != ReplyCode::created) return;
    cart_ = open->cart;
    version_ = reply.version;
    shop().carts[cart_];
    changes_left_ = world().between(1, 5);
    check_outs_left_ = world().between(0, 2);
    return;
  }
  if (reply.code == ReplyCode::not_found)
    return world().violated("P1", EntityKey(cart_).text() + " was opened and is not found");
  if (reply.version != 0) version_ = reply.version;
  if (reply.code != ReplyCode::ok && reply.code != ReplyCode::accepted) return;
  Quantities& lines = shop().carts[cart_];
  if (const auto* add = std::get_if<AddItem>(&request.op)) lines[add->sku.text()] += add->quantity;
  if (const auto* set = std::get_if<SetItem>(&request.op)) {
    lines[set->sku.text()] = set->quantity;
    if (set->quantity == 0) lines.erase(set->sku.text());
  }
  if (const auto* remove = std::get_if<RemoveItem>(&request.op)) lines.erase(remove->sku.text());
  if (const auto* out = std::get_if<CheckOut>(&request.op)) {
    auto& order = shop().orders[out->order];
    order.lines = lines;
    order.told = word_of(reply.body.json, "status");
    keeper_.take(out->order, world().between(0, 4));
    if (world().chance(50)) changes_left_ = 1;
  }
}

// ---- buyers ----

std::optional<Request> Buyer::next() {
  if (auto op = keeper_.next()) {
    const bool reads = is_read(*op);
    return ask(std::move(*op), reads ? Key::none : Key::fresh);
  }
  if (orders_left_-- <= 0) return std::nullopt;
  const auto user = some_user(world(), shop());
  return world().chance(15) ? accept_return(user) : place_order(user);
}

Request Buyer::place_order(const std::optional<UserId>& user) {
  const Creation made = next_creation("order", user);
  PlaceOrder command{.order = OrderId{made.id},
                     .user = user,
                     .lines = {},
                     .payment = some_payment(world()),
                     .sealed_address = {},
                     .occurred_at = {}};
  for (auto n = world().between(1, 3); n > 0; --n)
    command.lines.push_back({world().pick(shop().skus), world().between(1, 3)});
  const EntityKey person = user ? EntityKey(*user) : EntityKey(command.order);
  if (!user && world().chance(30)) (void)street_.vault.ensure({person});
  if (auto sealed = street_.vault.seal(person, "{\"street\":\"2\"}"); sealed.ok())
    command.sealed_address = *sealed;
  Request request = ask(std::move(command));
  request.bind = made.bind;
  request.wait_final = world().chance(50);
  return request;
}

Request Buyer::accept_return(const std::optional<UserId>& user) {
  const Creation made = next_creation("return", user);
  AcceptReturn command{
      .order = OrderId{made.id}, .user = user, .lines = {}, .reference = "C1", .occurred_at = {}};
  command.lines.push_back(
      {world().pick(shop().skus), world().between(1, 2), Money{Micros{1'000'000}, gbp}});
  Request request = ask(std::move(command));
  request.bind = made.bind;
  return request;
}

void Buyer::answered(const Request& request, const Reply& reply) {
  if (keeper_.busy()) return keeper_.answered(request.op, reply);
  const bool yes = reply.code == ReplyCode::ok || reply.code == ReplyCode::created ||
                   reply.code == ReplyCode::accepted;
  if (!yes) return;
  if (const auto* place = std::get_if<PlaceOrder>(&request.op)) {
    auto& order = shop().orders[place->order];
    for (const auto& line : place->lines) order.lines[line.sku.text()] += line.quantity;
    order.told = word_of(reply.body.json, "status");
    keeper_.take(place->order, world().between(0, 4));
  }
  if (const auto* back = std::get_if<AcceptReturn>(&request.op)) {
    auto& order = shop().orders[back->order];
    for (const auto& line : back->lines) order.lines[line.sku.text()] += line.quantity;
    order.told = "returned";
  }
}

}  // namespace souk::simulation

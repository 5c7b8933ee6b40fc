#include "tests/simulation/staff.h"

namespace souk::simulation {
namespace {

const Currency gbp = *Currency::parse("GBP");
constexpr std::int64_t pence_micros = 10'000;

template <class Map>
auto& some_of(World& world, const Map& map) {
  return *std::next(map.begin(), static_cast<std::ptrdiff_t>(world.below(map.size())));
}

}  // namespace

// ---- keepers ----

Keeper::Keeper(std::string name, const Street& street, Task task, std::int64_t steps)
    : Client(std::move(name), street), task_(task), steps_left_(steps) {
  if (task_ != Task::fills_shelves) return;
  for (const auto& sku : shop().skus) {
    if (sku.text() == "ghost") continue;
    script_.emplace_back(product(sku, sku.text() == "gift" ? 0 : world().between(1, 2'000)));
    script_.emplace_back(ReceiveStock{sku, world().between(3, 30), "opening"});
  }
}

PutProduct Keeper::product(const Sku& sku, std::int64_t pence) const {
  PutProduct put{.sku = sku, .definition = {}};
  put.definition.name = "Name of " + sku.text();
  put.definition.category = {"all", "of it"};
  put.definition.attributes = {{"size", "1"}};
  put.definition.price = Money{Micros{pence * pence_micros}, gbp};
  return put;
}

Op Keeper::change() {
  const Sku& sku = world().pick(shop().skus);
  const auto kind = world().between(0, 11);
  if (kind < 3) return ReceiveStock{sku, world().between(1, 9), "more"};
  if (kind < 5)
    return AdjustStock{sku, world().chance(50) ? world().between(1, 5) : -world().between(1, 5),
                       "counted"};
  if (kind < 6) return GetStock{sku};
  if (kind < 7) return GetProduct{sku};
  if (sku.text() == "ghost") return GetProduct{sku};
  if (kind < 8) return DelistProduct{sku};
  return product(sku, sku.text() == "gift" ? 0 : world().between(1, 2'000));
}

std::optional<Request> Keeper::next() {
  if (task_ == Task::fills_shelves) {
    if (script_.empty()) {
      shop().open = true;
      return std::nullopt;
    }
    Op op = std::move(script_.front());
    script_.pop_front();
    return ask(std::move(op));
  }
  if (steps_left_-- <= 0) return std::nullopt;
  Op op = task_ == Task::delivers ? ReceiveStock{shop().skus.front(), 1, "one more"} : change();
  const bool reads = is_read(op);
  return ask(std::move(op), reads ? Key::none : Key::fresh);
}

void Keeper::answered(const Request& request, const Reply& reply) {
  if (reply.code != ReplyCode::ok) return;
  if (const auto* receive = std::get_if<ReceiveStock>(&request.op))
    shop().stock[receive->sku.text()].received += receive->quantity;
  if (const auto* adjust = std::get_if<AdjustStock>(&request.op))
    shop().stock[adjust->sku.text()].adjusted += adjust->delta;
}

// ---- members ----

Sealed Member::seal(const UserId& user, std::string_view plain) {
  (void)street_.vault.ensure({EntityKey(user)});
  auto sealed = street_.vault.seal(EntityKey(user), plain);
  return sealed.ok() ? *sealed : Sealed{};
}

std::optional<PendingEmail> Member::some_email(const UserId& user) {
  const std::string& email = world().pick(shop().emails);
  return PendingEmail{EmailHash{shop().on_own_shard(street_.vault.keyed_hash128("email", email))},
                      seal(user, email)};
}

std::optional<Request> Member::next() {
  if (steps_left_-- <= 0) return std::nullopt;
  if (user_.raw.zero()) {
    const UserId user{next_creation("user", std::nullopt).id};
    const auto email = some_email(user);
    return ask(RegisterUser{user, email->hash, email->sealed, seal(user, "Ann"), "GB"});
  }
  if (steps_left_ == 0 && world().chance(50)) {
    shop().erasing.insert(user_);
    street_.referee.forgets(user_);
    return ask(EraseUser{user_});
  }
  if (world().chance(30)) return ask(GetUser{user_}, Key::none);
  UpdateUser update{user_, std::nullopt, std::nullopt, std::nullopt};
  if (world().chance(50)) update.email = some_email(user_);
  if (world().chance(50))
    update.sealed_name = seal(user_, "Ann " + std::to_string(world().between(1, 9)));
  if (world().chance(50)) update.country = world().chance(50) ? "GB" : "FR";
  return ask(std::move(update));
}

void Member::answered(const Request& request, const Reply& reply) {
  if (const auto* registered = std::get_if<RegisterUser>(&request.op);
      registered && reply.code == ReplyCode::created) {
    user_ = registered->user;
    shop().users.push_back(user_);
  }
  if (const auto* erase = std::get_if<EraseUser>(&request.op); erase && reply.code == ReplyCode::ok)
    shop().erased.insert(erase->user);
  if (reply.code == ReplyCode::not_found && !shop().erasing.contains(user_))
    world().violated("P1", EntityKey(user_).text() + " was welcomed and is not found");
}

// ---- readers ----

std::optional<Request> Reader::next() {
  if (steps_left_-- <= 0) return std::nullopt;
  Op op = GetStock{world().pick(shop().skus)};
  const auto kind = world().between(0, 5);
  if (kind == 0 && !shop().carts.empty()) op = GetCart{some_of(world(), shop().carts).first};
  if (kind == 1 && !shop().orders.empty()) op = GetOrder{some_of(world(), shop().orders).first};
  if (kind == 2) op = GetProduct{world().pick(shop().skus)};
  if (kind == 3 && !shop().users.empty())
    op = GetUserOrders{world().pick(shop().users), std::nullopt, 3};
  if (kind == 4 && !shop().users.empty()) op = GetUser{world().pick(shop().users)};
  Request request = ask(std::move(op), Key::none);
  const auto& positions = street_.referee.positions();
  const auto known = positions.find(shard_of(target_of(request.op), shop().shards).value);
  if (known != positions.end() && world().chance(50)) request.min_seq = known->second;
  return request;
}

void Reader::answered(const Request& request, const Reply& reply) {
  if (reply.code != ReplyCode::not_found) return;
  const EntityKey target = target_of(request.op);
  if (target.kind() == Kind::cart || target.kind() == Kind::order)
    world().violated("P1", target.text() + " was promised and is not found");
}

}  // namespace souk::simulation

#include "gateway/api/commands/command.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "gateway/api/commands/countries.h"
#include "gateway/api/commands/unicode.h"
#include "gateway/api/edge/limits.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

Id128 on_shard(Id128 id, ShardId shard) {
  id.bytes[0] = static_cast<std::uint8_t>(shard.value >> 8);
  id.bytes[1] = static_cast<std::uint8_t>(shard.value & 0xff);
  return id;
}

Id128 on_own_shard(const Id128& id, std::uint32_t shards) {
  return on_shard(id, shard_of(id.view(), shards));
}

Currency currency_of(std::string_view text) { return Currency::parse(text).value_or(Currency{}); }

Money money_of(const CommandInput& input, FieldId id) {
  const auto& value = input.fields.at(id);
  return {Micros{value.number}, currency_of(value.text)};
}

std::string text_of(const CommandInput& input, FieldId id) {
  return input.fields.has(id) ? std::string(input.fields.at(id).text) : std::string{};
}

std::optional<std::string> optional_text(const CommandInput& input, FieldId id) {
  if (!input.fields.has(id)) return std::nullopt;
  return std::string(input.fields.at(id).text);
}

Sku sku_of(const CommandInput& input) { return Sku::trusted(input.fields.at(FieldId::sku).text); }

std::optional<UserId> user_of(const CommandInput& input) {
  if (!input.fields.has(FieldId::user_id)) return std::nullopt;
  return input.fields.user;
}

std::optional<UnixMs> time_of(const CommandInput& input) {
  if (!input.fields.has(FieldId::occurred_at)) return std::nullopt;
  return UnixMs{input.fields.at(FieldId::occurred_at).number};
}

PaymentMethod payment_of(const CommandInput& input) {
  return {text_of(input, FieldId::method), text_of(input, FieldId::token)};
}

PutProduct put_product_of(const CommandInput& input) {
  PutProduct command{sku_of(input), {}};
  auto& product = command.definition;
  product.name = text_of(input, FieldId::name);
  product.description = with_line_feeds(text_of(input, FieldId::description));
  product.brand = text_of(input, FieldId::brand);
  product.category.assign(input.category.begin(), input.category.end());
  for (const auto& [name, value] : input.attributes)
    product.attributes.push_back({std::string(name), std::string(value)});
  product.images.assign(input.images.begin(), input.images.end());
  product.barcode = text_of(input, FieldId::barcode);
  product.group = text_of(input, FieldId::group);
  for (const auto& [name, value] : input.options)
    product.options.push_back({std::string(name), std::string(value)});
  product.price = money_of(input, FieldId::price);
  product.active =
      !input.fields.has(FieldId::active) || input.fields.at(FieldId::active).number != 0;
  return command;
}

std::vector<ReturnLine> return_lines_of(const CommandInput& input) {
  std::vector<ReturnLine> lines;
  lines.reserve(input.lines.size());
  for (const auto& line : input.lines) {
    ReturnLine taken{Sku::trusted(line.sku), line.quantity, std::nullopt};
    if (line.priced) taken.unit_price = Money{line.price, currency_of(line.currency)};
    lines.push_back(std::move(taken));
  }
  return lines;
}

std::vector<PlaceOrderLine> order_lines_of(const CommandInput& input) {
  std::vector<PlaceOrderLine> lines;
  lines.reserve(input.lines.size());
  for (const auto& line : input.lines) lines.push_back({Sku::trusted(line.sku), line.quantity});
  return lines;
}

/// The member `country` of the address stands in clear too: analytics go by it.
std::string country_of_address(const CommandInput& input) {
  if (!input.fields.has(FieldId::shipping_address)) return {};
  thread_local simdjson::dom::parser parser;
  std::string_view country;
  if (parser.parse(input.address)["country"].get(country) != simdjson::SUCCESS) return {};
  if (country.size() > limits::country_bytes_max || has_control(country)) return {};
  return address_country(country);
}

bool check_address(const CommandInput& input, Problem& problem) {
  auto why = why_no_country(country_of_address(input));
  if (why.empty()) return true;
  problem = invalid_request("shipping_address.country", std::move(why));
  return false;
}

std::optional<std::string> country_of_user(const CommandInput& input) {
  if (!input.fields.has(FieldId::country)) return std::nullopt;
  return user_country(input.fields.at(FieldId::country).text);
}

/// The address waits for its seal, where there is one.
void seal_address(const CommandInput& input, const EntityKey& person, PreparedCommand& out) {
  if (!input.fields.has(FieldId::shipping_address)) return;
  out.seal = SealWork{person, std::nullopt, std::nullopt, input.address};
}

}  // namespace

EntityKey address_person(OrderId order, bool from_cart, const std::optional<UserId>& user) {
  return from_cart || !user ? EntityKey(order) : EntityKey(*user);
}

Id128 id_of_key(const Vault& vault, std::string_view purpose, std::string_view key,
                std::uint32_t shards) {
  return on_own_shard(vault.keyed_hash128(purpose, key), shards);
}

OrderId order_of_check_out(const Vault& vault, CartId cart, std::string_view key) {
  std::string bytes(cart.raw.view());
  bytes += key;
  return {on_shard(vault.keyed_hash128("order of cart", bytes), cart.shard())};
}

EmailHash email_hash(const Vault& vault, std::string_view email, std::uint32_t shards) {
  return {on_own_shard(vault.keyed_hash128("email", email_key(email)), shards)};
}

CommandBuilder::CommandBuilder(const Vault& vault, Randomness& randomness, std::uint32_t shards)
    : vault_(vault), randomness_(randomness), shards_(shards) {
  randomness_.fill(cause_state_, sizeof cause_state_);
  cause_state_[0] |= 1;  // xoroshiro must not start at zero
}

/// xoroshiro128+: the cause of a command names it, it guards nothing.
Id128 CommandBuilder::cheap_random() {
  const auto rotate = [](std::uint64_t x, int k) { return x << k | x >> (64 - k); };
  Id128 id;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t a = cause_state_[0];
    std::uint64_t b = cause_state_[1];
    const std::uint64_t next = a + b;
    b ^= a;
    cause_state_[0] = rotate(a, 24) ^ b ^ (b << 16);
    cause_state_[1] = rotate(b, 37);
    std::memcpy(id.bytes.data() + half * 8, &next, 8);
  }
  return id;
}

bool CommandBuilder::check_shards(const CommandShape& shape, const CommandInput& input,
                                  Problem& problem) const {
  for (const auto& field : shape.fields) {
    if (!input.fields.has(field.id)) continue;
    std::optional<ShardId> shard;
    if (field.type == FieldType::user_id) shard = input.fields.user.shard();
    if (field.type == FieldType::cart_id) shard = input.fields.cart.shard();
    if (field.type == FieldType::order_id) shard = input.fields.order.shard();
    if (!shard || shard->value < shards_) continue;
    problem = field.place == Place::path ? not_found("there is nothing with this id")
                                         : invalid_request(std::string(field.name), "is not an id");
    return false;
  }
  return true;
}

Id128 CommandBuilder::created(std::string_view purpose, const CommandInput& input,
                              const Conditions& conditions, PreparedCommand& out) {
  const auto user = user_of(input);
  Id128 id;
  if (conditions.key.empty()) {
    id = on_own_shard(randomness_.id128(), shards_);
  } else {
    id = id_of_key(vault_, purpose, conditions.key, shards_);
    // The key alone decides, whoever the user is: its own shard must agree first. There a guest's
    // creation with this key has this very id.
    if (user) out.request.bind = KeyHash{id};
  }
  return user ? on_shard(id, user->shard()) : id;
}

OrderId CommandBuilder::check_out_id(CartId cart, const Conditions& conditions) {
  if (!conditions.key.empty()) return order_of_check_out(vault_, cart, conditions.key);
  return {on_shard(randomness_.id128(), cart.shard())};
}

Op CommandBuilder::make_op(const CommandShape& shape, const CommandInput& input,
                           const Conditions& conditions, PreparedCommand& out) {
  const auto& fields = input.fields;
  switch (shape.action) {
    case Action::put_product:
      return put_product_of(input);
    case Action::delist_product:
      return DelistProduct{sku_of(input)};
    case Action::receive_stock:
      return ReceiveStock{sku_of(input), fields.at(FieldId::quantity).number,
                          text_of(input, FieldId::reference)};
    case Action::adjust_stock:
      return AdjustStock{sku_of(input), fields.at(FieldId::delta).number,
                         text_of(input, FieldId::reason)};
    case Action::register_user:
      return register_user(input, conditions, out);
    case Action::update_user:
      return update_user(input, out);
    case Action::erase_user:
      return EraseUser{fields.user};
    case Action::open_cart:
      return OpenCart{CartId{created("cart", input, conditions, out)}, user_of(input),
                      currency_of(text_of(input, FieldId::currency))};
    case Action::add_item: {
      AddItem command{fields.cart, sku_of(input), fields.at(FieldId::quantity).number, {}};
      if (fields.has(FieldId::unit_price))
        command.unit_price = money_of(input, FieldId::unit_price);
      return command;
    }
    case Action::set_item:
      return SetItem{fields.cart, sku_of(input), fields.at(FieldId::quantity).number};
    case Action::remove_item:
      return RemoveItem{fields.cart, sku_of(input)};
    default:
      return make_order_op(shape, input, conditions, out);
  }
}

Op CommandBuilder::make_order_op(const CommandShape& shape, const CommandInput& input,
                                 const Conditions& conditions, PreparedCommand& out) {
  const auto& fields = input.fields;
  switch (shape.action) {
    case Action::check_out: {
      const auto order = check_out_id(fields.cart, conditions);
      seal_address(input, address_person(order, true, std::nullopt), out);
      return CheckOut{fields.cart, order,          payment_of(input),
                      {},          time_of(input), country_of_address(input)};
    }
    case Action::place_order: {
      const OrderId order{created("order", input, conditions, out)};
      seal_address(input, address_person(order, false, user_of(input)), out);
      return PlaceOrder{order, user_of(input), order_lines_of(input),    payment_of(input),
                        {},    time_of(input), country_of_address(input)};
    }
    case Action::cancel_order:
      return CancelOrder{fields.order};
    case Action::ship_order:
      return ShipOrder{fields.order};
    case Action::deliver_order:
      return DeliverOrder{fields.order};
    case Action::return_order:
      return ReturnOrder{fields.order, return_lines_of(input), time_of(input)};
    case Action::refund_order: {
      RefundOrder command{fields.order, std::nullopt};
      if (fields.has(FieldId::amount)) command.amount = money_of(input, FieldId::amount);
      return command;
    }
    case Action::erase_order:
      return EraseOrder{fields.order};
    case Action::accept_return:
      return AcceptReturn{OrderId{created("return", input, conditions, out)}, user_of(input),
                          return_lines_of(input), text_of(input, FieldId::reference),
                          time_of(input)};
    default:
      break;
  }
  SOUK_ASSERT(!"not a command");
  return GetProduct{};
}

Op CommandBuilder::register_user(const CommandInput& input, const Conditions& conditions,
                                 PreparedCommand& out) {
  const UserId user{created("user", input, conditions, out)};
  out.seal = SealWork{user, optional_text(input, FieldId::email),
                      optional_text(input, FieldId::name), std::nullopt};
  const auto hash = email_hash(vault_, input.fields.at(FieldId::email).text, shards_);
  return RegisterUser{user, hash, {}, {}, country_of_user(input).value_or("")};
}

Op CommandBuilder::update_user(const CommandInput& input, PreparedCommand& out) {
  const auto& fields = input.fields;
  UpdateUser command{fields.user, {}, {}, country_of_user(input)};
  if (fields.has(FieldId::email))
    command.email = PendingEmail{email_hash(vault_, fields.at(FieldId::email).text, shards_), {}};
  if (fields.has(FieldId::name)) command.sealed_name = Sealed{};
  if (command.email || command.sealed_name)
    out.seal = SealWork{fields.user, optional_text(input, FieldId::email),
                        optional_text(input, FieldId::name), std::nullopt};
  return command;
}

/// SKUs with a blank at an end look like others: products that have one go on, but no new one gets it.
void CommandBuilder::spare_old_sku(const CommandInput& input, PreparedCommand& out) const {
  if (!has_blank_end(input.fields.at(FieldId::sku).text)) return;
  auto& asked = out.request.preconditions;
  Preconditions with_it = asked ? *asked : Preconditions{};
  if (with_it.match != Preconditions::Of::nothing) return;  // it must be there already
  with_it.match = Preconditions::Of::any;
  asked = std::make_shared<const Preconditions>(std::move(with_it));
  out.creates_nothing = true;
}

bool CommandBuilder::build(const CommandShape& shape, const CommandInput& input,
                           const Conditions& conditions, PreparedCommand& out, Problem& problem) {
  if (!check_shards(shape, input, problem) || !check_address(input, problem)) return false;
  out.request.op = make_op(shape, input, conditions, out);
  out.request.cause = cheap_random();
  out.request.preconditions = conditions.preconditions;
  if (shape.action == Action::put_product) spare_old_sku(input, out);
  out.request.wait_final = conditions.wait_final;
  // A dropped body need not be written at all; only what a creation answers is.
  if (shape.minimal == Minimal::drops_body) out.request.wants = conditions.wants;
  if (!conditions.key.empty()) {
    out.request.key_hash = vault_.keyed_hash(conditions.key);
    out.request.request_hash = vault_.keyed_hash(canonical_bytes(shape, input));
  }
  return true;
}

}  // namespace souk

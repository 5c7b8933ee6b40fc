#include "tests/shard/request_samples.h"

#include <limits>

namespace souk::shard_test {
namespace requests {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

// ---- values ----

std::string bytes_of(Pick& pick, std::size_t min, std::size_t max) {
  std::string bytes(pick.size(min, max), '\0');
  for (auto& byte : bytes) byte = static_cast<char>(pick.number(0, 255));
  return bytes;
}
std::string letters(Pick& pick, std::size_t min, std::size_t max) {
  std::string text(pick.size(min, max), 'x');
  for (std::size_t i = 0; i < std::min<std::size_t>(text.size(), 8); ++i)
    text[i] = static_cast<char>(pick.number('a', 'z'));
  return text;
}
/// With a character of two bytes, where there is room.
std::string words(Pick& pick, std::size_t min, std::size_t max) {
  std::string text = letters(pick, min, max);
  if (text.size() >= 2) text.replace(text.size() - 2, 2, "\xC3\xA9");
  return text;
}
template <class Id>
Id id_of(Pick& pick) {
  Id made;
  for (auto& byte : made.raw.bytes) byte = static_cast<std::uint8_t>(pick.number(0, 255));
  return made;
}
Sku sku_of(Pick& pick) { return *Sku::parse(words(pick, 1, limits::sku_bytes_max)); }
Currency currency_of(Pick& pick) {
  return *Currency::parse(pick.number(0, 1) == 0 ? "GBP" : "JPY");
}
Money price_of(Pick& pick, std::int64_t min = 0) {
  return {{pick.number(min, limits::price_micros_max)}, currency_of(pick)};
}
std::int64_t quantity_of(Pick& pick, std::int64_t min = 1) {
  return pick.number(min, limits::quantity_max);
}
Sealed sealed_of(Pick& pick) { return {bytes_of(pick, 0, limits::address_bytes_max + 40)}; }
std::string country_of(Pick& pick) { return words(pick, 0, 64); }
template <class Make>
auto maybe(Pick& pick, Make make) -> std::optional<decltype(make(pick))> {
  if (!pick.there()) return std::nullopt;
  return make(pick);
}
template <class Make>
auto some(Pick& pick, std::size_t min, std::size_t max, Make make) {
  std::vector<decltype(make(pick))> all(pick.size(min, max));
  for (auto& one : all) one = make(pick);
  return all;
}
std::optional<UnixMs> time_of(Pick& pick) {
  return maybe(pick, [](Pick& p) { return UnixMs{p.number(0, 253'402'300'799'999)}; });
}
std::vector<Attribute> attributes_of(Pick& pick, std::size_t max) {
  std::vector<Attribute> all;
  const std::size_t size = pick.size(0, max);
  for (std::size_t i = 0; i < size; ++i) {
    const std::string first{static_cast<char>('!' + i)};  // ascending
    all.push_back({first + words(pick, 0, limits::attribute_name_bytes_max - 1),
                   words(pick, 0, limits::attribute_value_bytes_max)});
  }
  return all;
}

// ---- commands ----

void fill(PutProduct& c, Pick& pick) {
  c.sku = sku_of(pick);
  auto& p = c.definition;
  p.name = words(pick, 1, limits::name_bytes_max);
  if (pick.there()) p.description = "\n" + words(pick, 0, limits::description_bytes_max - 1);
  p.brand = words(pick, 0, limits::brand_bytes_max);
  p.category = some(pick, 0, limits::category_depth_max,
                    [](Pick& x) { return words(x, 1, limits::category_bytes_max); });
  p.attributes = attributes_of(pick, limits::attributes_max);
  p.price = price_of(pick);
  p.active = !pick.there();
  p.images = some(pick, 0, limits::images_max, [](Pick& x) {
    return "https://a.example/" + letters(x, 0, limits::image_bytes_max - 18);
  });
  if (pick.there()) p.barcode = "4006381333931";
  if (pick.there()) p.group = sku_of(pick).text();
  p.options = attributes_of(pick, limits::options_max);
}
void fill(DelistProduct& c, Pick& pick) { c.sku = sku_of(pick); }
void fill(ReceiveStock& c, Pick& pick) {
  c = {sku_of(pick), quantity_of(pick), words(pick, 0, limits::reference_bytes_max)};
}
void fill(AdjustStock& c, Pick& pick) {
  const std::int64_t delta = quantity_of(pick, -limits::quantity_max);
  c = {sku_of(pick), delta == 0 ? 1 : delta, words(pick, 1, limits::reference_bytes_max)};
}
void fill(RegisterUser& c, Pick& pick) {
  c = {id_of<UserId>(pick), id_of<EmailHash>(pick), sealed_of(pick), sealed_of(pick),
       country_of(pick)};
}
void fill(UpdateUser& c, Pick& pick) {
  c = {id_of<UserId>(pick),
       maybe(pick,
             [](Pick& p) {
               return PendingEmail{id_of<EmailHash>(p), sealed_of(p)};
             }),
       maybe(pick, sealed_of), maybe(pick, country_of)};
}
void fill(EraseUser& c, Pick& pick) { c.user = id_of<UserId>(pick); }
void fill(OpenCart& c, Pick& pick) {
  c = {id_of<CartId>(pick), maybe(pick, id_of<UserId>), {}};
  if (pick.there()) c.currency = currency_of(pick);
}
void fill(AddItem& c, Pick& pick) {
  c = {id_of<CartId>(pick), sku_of(pick), quantity_of(pick),
       maybe(pick, [](Pick& p) { return price_of(p); })};
}
void fill(SetItem& c, Pick& pick) { c = {id_of<CartId>(pick), sku_of(pick), quantity_of(pick, 0)}; }
void fill(RemoveItem& c, Pick& pick) { c = {id_of<CartId>(pick), sku_of(pick)}; }
template <class Command>
void fill_purchase(Command& c, Pick& pick) {
  c.order = id_of<OrderId>(pick);
  c.payment = {letters(pick, 0, limits::payment_token_bytes_max),
               letters(pick, 0, limits::payment_token_bytes_max)};
  c.sealed_address = sealed_of(pick);
  c.occurred_at = time_of(pick);
  c.country = country_of(pick);
}
void fill(CheckOut& c, Pick& pick) {
  c.cart = id_of<CartId>(pick);
  fill_purchase(c, pick);
}
void fill(PlaceOrder& c, Pick& pick) {
  c.user = maybe(pick, id_of<UserId>);
  c.lines = some(pick, 1, limits::cart_lines_max, [](Pick& p) {
    return PlaceOrderLine{sku_of(p), quantity_of(p)};
  });
  fill_purchase(c, pick);
}
void fill(CancelOrder& c, Pick& pick) { c.order = id_of<OrderId>(pick); }
void fill(ShipOrder& c, Pick& pick) { c.order = id_of<OrderId>(pick); }
void fill(DeliverOrder& c, Pick& pick) { c.order = id_of<OrderId>(pick); }
void fill(ReturnOrder& c, Pick& pick) {
  c.order = id_of<OrderId>(pick);
  c.lines = some(pick, 0, limits::cart_lines_max, [](Pick& p) {
    return ReturnLine{sku_of(p), quantity_of(p), maybe(p, [](Pick& q) { return price_of(q); })};
  });
  c.occurred_at = time_of(pick);
}
void fill(RefundOrder& c, Pick& pick) {
  c = {id_of<OrderId>(pick), maybe(pick, [](Pick& p) { return price_of(p, 1); })};
}
void fill(AcceptReturn& c, Pick& pick) {
  c.order = id_of<OrderId>(pick);
  c.user = maybe(pick, id_of<UserId>);
  const Currency currency = currency_of(pick);
  c.lines = some(pick, 1, limits::cart_lines_max, [&](Pick& p) {
    return ReturnLine{sku_of(p), quantity_of(p), Money{price_of(p).amount, currency}};
  });
  c.reference = words(pick, 0, limits::reference_bytes_max);
  c.occurred_at = time_of(pick);
}
void fill(EraseOrder& c, Pick& pick) { c.order = id_of<OrderId>(pick); }
void fill(GetProduct& c, Pick& pick) { c.sku = sku_of(pick); }
void fill(GetStock& c, Pick& pick) { c.sku = sku_of(pick); }
void fill(GetUser& c, Pick& pick) { c.user = id_of<UserId>(pick); }
void fill(GetUserOrders& c, Pick& pick) {
  c = {id_of<UserId>(pick), maybe(pick, id_of<OrderId>),
       static_cast<std::size_t>(pick.number(1, limits::user_orders_page_max))};
}
void fill(GetCart& c, Pick& pick) { c.cart = id_of<CartId>(pick); }
void fill(GetOrder& c, Pick& pick) { c.order = id_of<OrderId>(pick); }

template <std::size_t at>
void fill_op(std::size_t index, Op& op, Pick& pick) {
  using Operation = std::variant_alternative_t<at, Op>;
  if constexpr (role_of<Operation> != OpRole::step)
    if (index == at) fill(op.emplace<at>(), pick);
}

Preconditions preconditions_of(Pick& pick) {
  Preconditions asked;
  asked.match = static_cast<Preconditions::Of>(pick.number(0, 2));
  asked.none_match = static_cast<Preconditions::Of>(pick.number(0, 2));
  const auto version = [](Pick& p) { return static_cast<Version>(p.number(0, int64_max)); };
  asked.matches = some(pick, 0, 4'096, version);
  asked.none_matches = some(pick, 0, 4'096, version);
  return asked;
}

EntityKey entity_of(Pick& pick) {
  switch (static_cast<Kind>(pick.number(0, 6))) {
    case Kind::none:
      return {};
    case Kind::user:
      return id_of<UserId>(pick);
    case Kind::sku:
      return sku_of(pick);
    case Kind::cart:
      return id_of<CartId>(pick);
    case Kind::order:
      return id_of<OrderId>(pick);
    case Kind::email:
      return id_of<EmailHash>(pick);
    case Kind::key:
      return id_of<KeyHash>(pick);
  }
  return {};
}

}  // namespace requests

std::vector<std::size_t> client_ops() {
  std::vector<std::size_t> all;
  [&]<std::size_t... at>(std::index_sequence<at...>) {
    ((role_of<std::variant_alternative_t<at, Op>> != OpRole::step ? all.push_back(at) : void()),
     ...);
  }
  (std::make_index_sequence<op_count>{});
  return all;
}

Request make_request(std::size_t index, Pick& pick) {
  using namespace requests;
  Request request;
  [&]<std::size_t... at>(std::index_sequence<at...>) {
    (fill_op<at>(index, request.op, pick), ...);
  }
  (std::make_index_sequence<op_count>{});
  SOUK_ASSERT(request.op.index() == index);
  request.cause = id_of<OrderId>(pick).raw;
  if (pick.there()) request.correlation = id_of<OrderId>(pick).raw;
  request.key_hash = static_cast<std::uint64_t>(pick.number(0, int64_max)) * 2 + 1;
  request.request_hash = static_cast<std::uint64_t>(pick.number(0, int64_max));
  if (pick.there())
    request.preconditions = std::make_shared<const Preconditions>(preconditions_of(pick));
  request.wants = static_cast<Wants>(pick.number(0, 1));
  request.intent = static_cast<Intent>(pick.number(0, 1));
  request.wait_final = pick.there();
  const bool binds = std::holds_alternative<OpenCart>(request.op) ||
                     std::holds_alternative<PlaceOrder>(request.op) ||
                     std::holds_alternative<AcceptReturn>(request.op);
  if (binds) request.bind = maybe(pick, id_of<KeyHash>);
  request.min_seq = static_cast<Seq>(pick.number(0, int64_max));
  return request;
}

Reply make_reply(Pick& pick) {
  using namespace requests;
  Reply reply;
  reply.code = static_cast<ReplyCode>(pick.number(0, 12));
  reply.refusal = static_cast<Refusal>(pick.number(0, 27));
  reply.detail = static_cast<std::uint8_t>(pick.number(0, 7));
  reply.replayed = pick.there();
  reply.op = static_cast<std::uint8_t>(pick.number(0, op_count - 1));
  reply.entity = entity_of(pick);
  reply.version = static_cast<Version>(pick.number(0, int64_max));
  reply.beside_version = static_cast<Version>(pick.number(0, int64_max));
  reply.shard = ShardId{static_cast<std::uint16_t>(pick.number(0, limits::shards_max - 1))};
  reply.seq = static_cast<Seq>(pick.number(0, int64_max));
  reply.also_on = some(pick, 0, limits::shards_max, [](Pick& p) {
    return ShardId{static_cast<std::uint16_t>(p.number(0, limits::shards_max - 1))};
  });
  if (pick.there()) reply.currency = currency_of(pick);
  reply.body.json = bytes_of(pick, 0, 100'000);
  std::int64_t offset = 0;
  const auto end = static_cast<std::int64_t>(reply.body.json.size());
  reply.body.sealed = some(pick, 0, 200, [&](Pick& p) {
    offset = p.number(offset, end);
    return SealedMember{static_cast<std::size_t>(offset), entity_of(p), sealed_of(p), p.there()};
  });
  return reply;
}

}  // namespace souk::shard_test

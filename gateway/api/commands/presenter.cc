#include "gateway/api/commands/presenter.h"

#include "events/json_writer.h"
#include "gateway/api/commands/command.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

/// What documents are made of.
class ObjectWriter : public JsonObject {
 public:
  using JsonObject::JsonObject;
  void version(Version value) { number("version", std::uint64_t{value}); }
  void truth(std::string_view name, std::int64_t value) { JsonObject::truth(name, value != 0); }
  void money(std::string_view name, Micros amount, Currency currency) {
    append_money(key(name), amount, currency);
  }
  void time(std::string_view name, UnixMs at) { append_time(key(name), at); }
};

/// An id is plain ASCII: no escapes.
template <class Id>
void id_member(ObjectWriter& object, std::string_view name, const Id& id) {
  object.plain(name, id.text());
}

/// Whether the opened text is JSON already.
enum class Raw { no, yes };

void sealed_member(ObjectWriter& object, std::string_view name, const EntityKey& person,
                   const Sealed& sealed, Raw raw, Body& out) {
  if (sealed.bytes.empty()) return;
  object.key(name);
  out.sealed.push_back({out.json.size(), person, sealed, raw == Raw::yes});
}

void attributes_member(ObjectWriter& object, std::string_view name,
                       const std::vector<Attribute>& attributes) {
  if (attributes.empty()) return;
  ObjectWriter members(object.key(name));
  for (const auto& attribute : attributes) {
    // A name is the client's own word: it must be escaped.
    std::string escaped;
    append_json_string(escaped, attribute.name);
    members.text(std::string_view(escaped).substr(1, escaped.size() - 2), attribute.value);
  }
  members.end();
}

std::string_view cart_status_text(CartStatus status) {
  switch (status) {
    case CartStatus::none:
      return "none";
    case CartStatus::open:
      return "open";
    case CartStatus::checking_out:
      return "checking_out";
    case CartStatus::ordered:
      return "ordered";
  }
  return "none";
}

std::string_view payment_status_text(PaymentStatus status) {
  switch (status) {
    case PaymentStatus::none:
      return "none";
    case PaymentStatus::authorised:
      return "authorised";
    case PaymentStatus::captured:
      return "captured";
    case PaymentStatus::voided:
      return "voided";
    case PaymentStatus::refunded:
      return "refunded";
    case PaymentStatus::declined:
      return "none";
  }
  return "none";
}

/// A line's total cannot overflow: the rules refuse what would.
Micros line_total(Micros unit_price, std::int64_t quantity) {
  return multiply(unit_price, quantity).value_or(Micros{INT64_MAX});
}

struct OrderMoment {
  OrderStatus status = OrderStatus::none;
  PaymentStatus payment = PaymentStatus::none;
};

OrderMoment moment_of(const Order& order, Version version) {
  OrderMoment moment;
  for (const auto& step : order.history) {
    if (step.version > version) break;
    moment = {step.status, step.payment};
  }
  return moment;
}

void order_payment(const Order& order, const OrderMoment& moment, std::string& json) {
  ObjectWriter payment(json);
  payment.text("status", payment_status_text(moment.payment));
  // How much came back in part is the provider's record to tell (GET /v1/payments/{order_id}): an
  // older version of the order could not say it again, and a repeat must get the same bytes.
  if (moment.payment == PaymentStatus::refunded)
    payment.money("refunded", order.payment.captured, order.currency);
  payment.end();
}

void order_history(const Order& order, Version version, std::string& json) {
  json += '[';
  for (const auto& step : order.history) {
    if (step.version > version) break;
    if (json.back() != '[') json += ',';
    ObjectWriter entry(json);
    entry.time("at", UnixMs{step.at_ms});
    entry.text("event", order_step_text(step.what));
    entry.end();
  }
  json += ']';
}

}  // namespace

void JsonPresenter::product(const Sku& sku, const Product& product, std::int64_t available,
                            Body& out) const {
  ObjectWriter object(out.json);
  object.text("sku", sku.text());
  object.text("name", product.name);
  if (!product.description.empty()) object.text("description", product.description);
  if (!product.brand.empty()) object.text("brand", product.brand);
  auto& json = object.key("category");
  json += '[';
  for (const auto& level : product.category) {
    if (json.back() != '[') json += ',';
    append_json_string(json, level);
  }
  json += ']';
  object.money("price", product.price.amount, product.price.currency);
  attributes_member(object, "attributes", product.attributes);
  if (!product.barcode.empty()) object.text("barcode", product.barcode);
  if (!product.group.empty()) object.text("group", product.group);
  attributes_member(object, "options", product.options);
  if (!product.images.empty())
    append_list(object.key("images"), product.images,
                [&](const std::string& image) { append_json_string(json, image); });
  object.truth("active", product.active ? 1 : 0);
  if (available >= 0) object.number("available", available);
  object.version(product.version);
  object.end();
}

void JsonPresenter::delisted(const Sku& sku, Version version, Body& out) const {
  ObjectWriter object(out.json);
  object.text("sku", sku.text());
  object.truth("active", 0);
  object.version(version);
  object.end();
}

void JsonPresenter::stock(const Sku& sku, const StockFigures& figures, Body& out) const {
  ObjectWriter object(out.json);
  object.text("sku", sku.text());
  object.number("on_hand", figures.on_hand);
  object.number("reserved", figures.reserved);
  object.number("available", figures.on_hand - figures.reserved);
  object.version(figures.version);
  object.end();
}

void JsonPresenter::user(UserId id, const UserProfile& profile, Body& out) const {
  ObjectWriter object(out.json);
  id_member(object, "user_id", id);
  sealed_member(object, "email", id, profile.sealed_email, Raw::no, out);
  sealed_member(object, "name", id, profile.sealed_name, Raw::no, out);
  if (!profile.country.empty()) object.text("country", profile.country);
  object.version(profile.version);
  object.end();
}

void JsonPresenter::user_created(UserId id, Body& out) const {
  ObjectWriter object(out.json);
  id_member(object, "user_id", id);
  object.end();
}

void JsonPresenter::user_orders(UserId, const std::vector<std::pair<OrderId, const Order*>>& page,
                                More more, Body& out) const {
  ObjectWriter object(out.json);
  auto& json = object.key("orders");
  json += '[';
  for (const auto& [id, order] : page) {
    if (json.back() != '[') json += ',';
    ObjectWriter entry(json);
    id_member(entry, "order_id", id);
    entry.text("status", order_status_text(order->status));
    entry.money("total", order->total, shown(order->currency));
    entry.time("placed_at", order->placed_at);
    entry.end();
  }
  json += ']';
  if (more == More::yes && !page.empty()) id_member(object, "next", page.back().first);
  object.end();
}

void JsonPresenter::cart(CartId id, const Cart& cart, Body& out) const {
  out.json.reserve(out.json.size() + 256 + cart.lines.size() * 192);
  const auto currency = shown(cart.currency);
  ObjectWriter object(out.json);
  id_member(object, "cart_id", id);
  object.text("status", cart_status_text(cart.status));
  if (cart.user) id_member(object, "user_id", *cart.user);
  object.text("currency", currency.text());
  auto& json = object.key("lines");
  json += '[';
  for (const auto& line : cart.lines) {
    if (json.back() != '[') json += ',';
    ObjectWriter entry(json);
    entry.text("sku", line.item.sku().text());
    entry.text("name", line.item.name());
    entry.number("quantity", line.quantity);
    entry.money("unit_price", line.unit_price, currency);
    entry.money("total", line_total(line.unit_price, line.quantity), currency);
    entry.end();
  }
  json += ']';
  object.money("total", cart.total, currency);
  object.version(cart.version);
  if (cart.status != CartStatus::open && !cart.order.raw.zero())
    id_member(object, "order_id", cart.order);
  object.end();
}

void JsonPresenter::cart_created(CartId id, const Cart&, Body& out) const {
  ObjectWriter object(out.json);
  id_member(object, "cart_id", id);
  object.text("status", cart_status_text(CartStatus::open));
  object.end();
}

void JsonPresenter::order_lines(const Order& order, Version version, std::string& json) const {
  const auto currency = shown(order.currency);
  const auto returned = returned_by_line(order, version);
  json += '[';
  for (std::size_t i = 0; i < order.lines.size(); ++i) {
    const auto& line = order.lines[i];
    if (i > 0) json += ',';
    ObjectWriter entry(json);
    entry.text("sku", line.item.sku().text());
    entry.text("name", line.item.name());
    entry.number("quantity", line.quantity);
    entry.money("unit_price", line.unit_price, currency);
    entry.money("total", line_total(line.unit_price, line.quantity), currency);
    if (returned[i] > 0) entry.number("returned", returned[i]);
    entry.end();
  }
  json += ']';
}

void JsonPresenter::adjustments(const Order& order, std::string& json) const {
  append_list(json, order.adjustments, [&](const Adjustment& adjustment) {
    ObjectWriter entry(json);
    entry.text("kind", adjustment_text(adjustment.kind));
    entry.text("label", "Rounding to what can be paid");
    entry.money("amount", adjustment.amount, shown(order.currency));
    entry.end();
  });
}

void JsonPresenter::order(OrderId id, const Order& order, Version version, Body& out) const {
  out.json.reserve(out.json.size() + 512 + order.lines.size() * 192);
  const auto moment = moment_of(order, version);
  ObjectWriter object(out.json);
  id_member(object, "order_id", id);
  if (order.cart) id_member(object, "cart_id", *order.cart);
  if (order.user) id_member(object, "user_id", *order.user);
  object.text("status", order_status_text(moment.status));
  if (moment.status == OrderStatus::rejected) object.text("reason", refusal_code(order.reason));
  order_lines(order, version, object.key("lines"));
  adjustments(order, object.key("adjustments"));
  object.money("total", order.total, shown(order.currency));
  order_payment(order, moment, object.key("payment"));
  object.time("placed_at", order.placed_at);
  if (order.occurred_at) object.time("occurred_at", *order.occurred_at);
  sealed_member(object, "shipping_address", address_person(id, order.cart.has_value(), order.user),
                order.sealed_address, Raw::yes, out);
  order_history(order, version, object.key("history"));
  object.version(version);
  object.end();
}

void JsonPresenter::check_out(OrderId id, OrderStatus status, Refusal reason, Body& out) const {
  ObjectWriter object(out.json);
  id_member(object, "order_id", id);
  object.text("status", order_status_text(status));
  if (status == OrderStatus::rejected && reason != Refusal::none)
    object.text("reason", refusal_code(reason));
  object.end();
}

}  // namespace souk

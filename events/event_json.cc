#include "events/event_json.h"

#include <algorithm>

#include "events/json_writer.h"

namespace souk {

const std::array<std::string_view, std::variant_size_v<Payload>> event_type_names = {
    "command_refused",
    "command_noted",
    "user_registered",
    "user_profile_changed",
    "email_change_requested",
    "email_assigned",
    "email_refused",
    "former_email_freed",
    "user_erased",
    "personal_key_destroyed",
    "user_ordered",
    "email_taken",
    "email_freed",
    "key_bound",
    "product_defined",
    "product_taken_off_sale",
    "stock_received",
    "stock_adjusted",
    "stock_reserved",
    "stock_claimed",
    "stock_sold",
    "reservation_released",
    "reservation_expired",
    "stock_returned",
    "cart_opened",
    "item_added",
    "item_quantity_set",
    "item_removed",
    "check_out_started",
    "cart_reopened",
    "cart_ordered",
    "order_placed",
    "order_confirmed",
    "order_rejected",
    "order_settled",
    "order_cancelled",
    "order_shipped",
    "order_delivered",
    "order_returned",
    "return_accepted",
    "return_restocked",
    "payment_authorised",
    "payment_declined",
    "payment_captured",
    "payment_voided",
    "refund_requested",
    "payment_refunded",
    "order_erased",
};

namespace {

constexpr char hex[] = "0123456789abcdef";

/// With padding.
void append_base64(std::string& out, std::string_view bytes) {
  static constexpr char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? letters[group >> (18 - 6 * k) & 0x3F] : '=';
  }
}

/// Writes the members of one object; whatever is not set is left out.
class Members : public JsonObject {
 public:
  Members(std::string& out, SealedMembers sealed) : JsonObject(out), out_(out), sealed_(sealed) {}
  ~Members() { end(); }

  void flag(std::string_view name, bool value) { truth(name, value); }
  void amount(std::string_view name, Micros value) { text(name, to_decimal(value)); }
  void money(std::string_view name, Micros amount_of, const Currency& currency) {
    Members inner(key(name), sealed_);
    inner.amount("amount", amount_of);
    inner.text("currency", currency.text());
  }
  void money(std::string_view name, const Money& value) {
    money(name, value.amount, value.currency);
  }
  template <char Tag>
  void id(std::string_view name, const EntityId<Tag>& value) {
    text(name, value.text());
  }
  template <char Tag>
  void id(std::string_view name, const std::optional<EntityId<Tag>>& value) {
    if (value) text(name, value->text());
  }
  void time(std::string_view name, UnixMs value) { text(name, to_rfc3339(value)); }
  void time(std::string_view name, const std::optional<UnixMs>& value) {
    if (value) time(name, *value);
  }
  void hash(std::string_view name, std::uint64_t value) { plain(name, hex_text(value)); }
  void sealed(std::string_view name, const Sealed& value) {
    if (sealed_ == SealedMembers::left_out || value.bytes.empty()) return;
    key(name) += '"';
    append_base64(out_, value.bytes);
    out_ += '"';
  }
  /// `each(member, element)` writes one element's object.
  template <class Elements, class Each>
  void objects(std::string_view name, const Elements& elements, const Each& each) {
    key(name) += '[';
    bool first = true;
    for (const auto& element : elements) {
      if (!first) out_ += ',';
      first = false;
      Members inner(out_, sealed_);
      each(inner, element);
    }
    out_ += ']';
  }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    key(name) += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_ += ',';
      append_json_string(out_, values[i]);
    }
    out_ += ']';
  }

 private:
  std::string& out_;
  const SealedMembers sealed_;
};

std::string_view pricing_text(Pricing pricing) {
  return pricing == Pricing::fixed ? "fixed" : "catalogue";
}

void put_item(Members& m, const Item& item) {
  m.text("sku", item.sku().text());
  m.text("name", item.name());
}

void put_lines(Members& m, const std::vector<OrderLine>& lines) {
  m.objects("lines", lines, [](Members& line, const OrderLine& l) {
    put_item(line, l.item);
    line.number("quantity", l.quantity);
    line.amount("unit_price", l.unit_price);
    line.text("pricing", pricing_text(l.pricing));
  });
}

// ---- one for each event; those without members have none ----

template <class E>
void put(Members&, const E&) {
  static_assert(std::is_empty_v<E>, "an event with members says what they are");
}
void put(Members& m, const CommandRefused& e) { m.text("reason", refusal_code(e.reason)); }
void put(Members& m, const OrderRejected& e) { m.text("reason", refusal_code(e.reason)); }

void put(Members& m, const UserRegistered& e) {
  m.id("email_hash", e.email);
  m.sealed("sealed_email", e.sealed_email);
  m.sealed("sealed_name", e.sealed_name);
  m.text("country", e.country);
}
void put(Members& m, const UserProfileChanged& e) {
  m.flag("name_changed", e.sealed_name.has_value());
  if (e.sealed_name) m.sealed("sealed_name", *e.sealed_name);
  if (e.country) m.text("country", *e.country);
}
void put(Members& m, const EmailChangeRequested& e) {
  m.id("email_hash", e.email);
  m.sealed("sealed_email", e.sealed_email);
}
void put(Members& m, const FormerEmailFreed& e) { m.id("email_hash", e.email); }
void put(Members& m, const UserOrdered& e) { m.id("order_id", e.order); }
void put(Members& m, const EmailTaken& e) { m.id("user_id", e.user); }
void put(Members& m, const EmailFreed& e) { m.id("user_id", e.user); }
void put(Members& m, const KeyBound& e) {
  m.text("target_type", kind_name(e.target.kind()));
  m.text("target", entity_id_text(e.target));
  m.hash("request_hash", e.request_hash);
}

void put_attributes(Members& m, std::string_view name, const std::vector<Attribute>& attributes) {
  m.objects(name, attributes, [](Members& one, const Attribute& a) {
    one.text("name", a.name);
    one.text("value", a.value);
  });
}
void put(Members& m, const ProductDefined& e) {
  m.text("name", e.name);
  m.text("description", e.description);
  m.text("brand", e.brand);
  m.texts("category", e.category);
  put_attributes(m, "attributes", e.attributes);
  m.money("price", e.price);
  m.flag("active", e.active);
  if (!e.images.empty()) m.texts("images", e.images);
  if (!e.barcode.empty()) m.text("barcode", e.barcode);
  if (!e.group.empty()) m.text("group", e.group);
  if (!e.options.empty()) put_attributes(m, "options", e.options);
}
void put(Members& m, const StockReceived& e) {
  m.number("quantity", e.quantity);
  m.text("reference", e.reference);
}
void put(Members& m, const StockAdjusted& e) {
  m.number("delta", e.delta);
  m.text("reason", e.reason);
}
void put(Members& m, const StockReserved& e) {
  m.id("order_id", e.order);
  m.number("quantity", e.quantity);
  m.time("expires_at", e.expires_at);
}
void put(Members& m, const StockClaimed& e) { m.id("order_id", e.order); }
template <class E>
void put_moved(Members& m, const E& e) {
  m.id("order_id", e.order);
  m.number("quantity", e.quantity);
}
void put(Members& m, const StockSold& e) { put_moved(m, e); }
void put(Members& m, const ReservationReleased& e) { put_moved(m, e); }
void put(Members& m, const ReservationExpired& e) { put_moved(m, e); }
void put(Members& m, const StockReturned& e) {
  m.id("order_id", e.order);
  m.number("number", e.number);
  m.number("quantity", e.quantity);
}

void put(Members& m, const CartOpened& e) {
  m.id("user_id", e.user);
  if (!e.currency.none()) m.text("currency", e.currency.text());
}
template <class E>
void put_quantity(Members& m, const E& e) {
  put_item(m, e.item);
  m.number("quantity", e.quantity);
  m.money("unit_price", e.unit_price);
  m.text("pricing", pricing_text(e.pricing));
}
void put(Members& m, const ItemAdded& e) { put_quantity(m, e); }
void put(Members& m, const ItemQuantitySet& e) { put_quantity(m, e); }
void put(Members& m, const ItemRemoved& e) { m.text("sku", e.sku.text()); }
void put(Members& m, const CheckOutStarted& e) { m.id("order_id", e.order); }
void put(Members& m, const CartReopened& e) {
  m.id("order_id", e.order);
  m.objects("price_changes", e.price_changes, [](Members& one, const PriceChange& change) {
    put_item(one, change.item);
    one.money("unit_price", change.unit_price);
  });
}
void put(Members& m, const CartOrdered& e) { m.id("order_id", e.order); }

void put(Members& m, const OrderPlaced& e) {
  m.id("cart_id", e.cart);
  m.id("user_id", e.user);
  m.text("currency", e.currency.text());
  put_lines(m, e.lines);
  m.amount("total", e.total);
  m.text("payment_method", e.payment_method);
  m.sealed("sealed_address", e.sealed_address);
  m.time("occurred_at", e.occurred_at);
  if (!e.country.empty()) m.text("country", e.country);
  if (e.adjustments.empty()) return;
  m.objects("adjustments", e.adjustments, [&](Members& one, const Adjustment& a) {
    one.text("kind", adjustment_text(a.kind));
    one.amount("amount", a.amount);
  });
}
void put(Members& m, const OrderReturned& e) {
  m.number("number", e.number);
  m.objects("lines", e.lines, [](Members& line, const ReturnedLine& l) {
    line.number("line", l.line);
    line.number("quantity", l.quantity);
    line.amount("unit_price", l.unit_price);
  });
  m.amount("value", e.value);
  m.time("occurred_at", e.occurred_at);
  m.text("goods", e.goods == Goods::restocked ? "restocked" : "kept_off_sale");
}
void put(Members& m, const ReturnAccepted& e) {
  m.id("user_id", e.user);
  m.text("currency", e.currency.text());
  put_lines(m, e.lines);
  m.amount("value", e.value);
  m.text("reference", e.reference);
  m.time("occurred_at", e.occurred_at);
  if (!e.country.empty()) m.text("country", e.country);
}
void put(Members& m, const ReturnRestocked& e) { m.number("number", e.number); }
void put(Members& m, const PaymentAuthorised& e) { m.amount("amount", e.amount); }
void put(Members& m, const PaymentCaptured& e) { m.amount("amount", e.amount); }
template <class E>
void put_refund(Members& m, const E& e) {
  m.number("number", e.number);
  m.amount("amount", e.amount);
  m.time("occurred_at", e.occurred_at);
}
void put(Members& m, const RefundRequested& e) { put_refund(m, e); }
void put(Members& m, const PaymentRefunded& e) { put_refund(m, e); }

template <char Tag>
std::optional<EntityKey> parsed(std::string_view id) {
  const auto parsed_id = EntityId<Tag>::parse(id);
  if (!parsed_id) return std::nullopt;
  return EntityKey(*parsed_id);
}

template <char Tag>
std::string id_text_of(const EntityKey& entity) {
  const auto raw = Id128::from_bytes(entity.id());
  return raw ? EntityId<Tag>{*raw}.text() : std::string();
}

}  // namespace

std::string_view adjustment_text(Adjustment::Kind kind) {
  switch (kind) {
    case Adjustment::Kind::rounding:
      return "rounding";
  }
  return "other";
}

std::string_view event_type_text(const Payload& payload) {
  return event_type_names[payload.index()];
}

std::optional<std::size_t> parse_event_type(std::string_view name) {
  const auto found = std::ranges::find(event_type_names, name);
  if (found == event_type_names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - event_type_names.begin());
}

std::string entity_id_text(const EntityKey& entity) {
  switch (entity.kind()) {
    case Kind::user:
      return id_text_of<'u'>(entity);
    case Kind::cart:
      return id_text_of<'c'>(entity);
    case Kind::order:
      return id_text_of<'o'>(entity);
    case Kind::email:
      return id_text_of<'e'>(entity);
    case Kind::key:
      return id_text_of<'k'>(entity);
    case Kind::sku:
      return std::string(entity.id());
    case Kind::none:
      break;
  }
  return {};
}

std::optional<EntityKey> parse_entity(Kind kind, std::string_view id) {
  switch (kind) {
    case Kind::user:
      return parsed<'u'>(id);
    case Kind::cart:
      return parsed<'c'>(id);
    case Kind::order:
      return parsed<'o'>(id);
    case Kind::email:
      return parsed<'e'>(id);
    case Kind::key:
      return parsed<'k'>(id);
    case Kind::sku:
      if (const auto sku = Sku::parse(id)) return EntityKey(*sku);
      return std::nullopt;
    case Kind::none:
      break;
  }
  return std::nullopt;
}

std::string_view outcome_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::created:
      return "created";
    case Outcome::refused:
      return "refused";
  }
  return {};
}

std::string hex_text(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += hex[byte >> 4];
    out += hex[byte & 0xF];
  }
  return out;
}

std::string hex_text(std::uint64_t number) {
  std::string digits(16, '0');
  for (std::size_t i = 16; i-- > 0; number >>= 4) digits[i] = hex[number & 0xF];
  return digits;
}

void append_event_json(std::string& out, const Payload& payload, SealedMembers sealed) {
  Members members(out, sealed);
  std::visit([&](const auto& e) { put(members, e); }, payload);
}

std::string event_json(const Payload& payload) {
  std::string out;
  append_event_json(out, payload);
  return out;
}

void append_event_line(std::string& out, ShardId shard, Seq seq, const Transaction& transaction,
                       const Event& event, SealedMembers sealed) {
  JsonObject line(out);
  line.number("shard", shard.value);
  line.number("seq", seq);
  line.plain("at", to_rfc3339(transaction.at));
  line.plain("type", event_type_text(event.payload));
  line.plain("entity_type", kind_name(event.entity.kind()));
  line.text("entity", entity_id_text(event.entity));
  line.plain("cause", hex_text(transaction.cause.view()));
  line.plain("correlation", hex_text(transaction.correlation.view()));
  if (transaction.key_hash != 0)
    line.plain("idempotency", hex_text(transaction.key_hash));
  else
    line.null("idempotency");
  line.plain("outcome", outcome_text(transaction.outcome));
  append_event_json(line.key("data"), event.payload, sealed);
  line.end();
}

}  // namespace souk

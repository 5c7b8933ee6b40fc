// From requests to schema/peers.capnp. Each command is taken apart member by member: one that gets
// another member, or a new one, does not compile until it is sent.
#include "actors/ports/op_role.h"
#include "actors/shard/peer_wire.h"
#include "actors/shard/request_codec.h"

namespace souk {
namespace {

using namespace wire;

/// Writes `from` into the list that `init(size)` makes; an empty one stays null.
template <class From, class Init, class Put>
void put_list(const From& from, Init init, Put put) {
  if (from.empty()) return;
  auto list = init(static_cast<unsigned>(from.size()));
  for (unsigned i = 0; i < list.size(); ++i) put(list, i, from[i]);
}
template <class Init>
void put_texts(const std::vector<std::string>& texts, Init init) {
  put_list(texts, init, [](auto& list, unsigned i, const auto& one) { list.set(i, as_text(one)); });
}
template <class Init>
void put_attributes(const std::vector<Attribute>& attributes, Init init) {
  put_list(attributes, init, [](auto& list, unsigned i, const auto& one) {
    const auto& [name, value] = one;
    list[i].setName(as_text(name));
    list[i].setValue(as_text(value));
  });
}
template <class Init>
void put_versions(const std::vector<Version>& versions, Init init) {
  put_list(versions, init, [](auto& list, unsigned i, Version one) { list.set(i, one); });
}
void put_line(schema::NodeLine::Builder to, const PlaceOrderLine& line) {
  const auto& [sku, quantity] = line;
  to.setSku(as_text(sku));
  to.setQuantity(quantity);
}
void put_line(schema::NodeLine::Builder to, const ReturnLine& line) {
  const auto& [sku, quantity, unit_price] = line;
  to.setSku(as_text(sku));
  to.setQuantity(quantity);
  if (unit_price) write(to.initUnitPrice(), *unit_price);
}
template <class Lines, class Init>
void put_lines(const Lines& lines, Init init) {
  put_list(lines, init, [](auto& list, unsigned i, const auto& one) { put_line(list[i], one); });
}
template <class Builder>
void put_time(Builder to, const std::optional<UnixMs>& at) {
  to.setOccurredAtSet(at.has_value());
  if (at) to.setOccurredAt(at->value);
}
void put_purchase(schema::NodePurchase::Builder to, const OrderId& order,
                  const PaymentMethod& payment, const Sealed& sealed_address,
                  const std::optional<UnixMs>& occurred_at, const std::string& country) {
  const auto& [method, token] = payment;
  to.setOrder(as_data(order));
  to.setMethod(as_text(method));
  to.setToken(as_text(token));
  to.setSealedAddress(as_data(sealed_address));
  to.setCountry(as_text(country));
  put_time(to, occurred_at);
}

/// The union of NodeRequest, one alternative of Op after the other.
struct CommandWriter {
  schema::NodeRequest::Builder to;

  // ---- products and stock ----
  void operator()(const PutProduct& c) {
    const auto& [sku, definition] = c;
    const auto& [name, description, brand, category, attributes, price, active, images, barcode,
                 group, options] = definition;
    auto b = to.initPutProduct();
    b.setSku(as_text(sku));
    b.setName(as_text(name));
    b.setDescription(as_text(description));
    b.setBrand(as_text(brand));
    put_texts(category, [&](unsigned size) { return b.initCategory(size); });
    put_attributes(attributes, [&](unsigned size) { return b.initAttributes(size); });
    write(b.initPrice(), price);
    b.setActive(active);
    put_texts(images, [&](unsigned size) { return b.initImages(size); });
    b.setBarcode(as_text(barcode));
    b.setGroup(as_text(group));
    put_attributes(options, [&](unsigned size) { return b.initOptions(size); });
  }
  void operator()(const DelistProduct& c) {
    const auto& [sku] = c;
    to.initDelistProduct().setSku(as_text(sku));
  }
  void operator()(const ReceiveStock& c) {
    const auto& [sku, quantity, reference] = c;
    auto b = to.initReceiveStock();
    b.setSku(as_text(sku));
    b.setQuantity(quantity);
    b.setReference(as_text(reference));
  }
  void operator()(const AdjustStock& c) {
    const auto& [sku, delta, reason] = c;
    auto b = to.initAdjustStock();
    b.setSku(as_text(sku));
    b.setDelta(delta);
    b.setReason(as_text(reason));
  }

  // ---- users ----
  void operator()(const RegisterUser& c) {
    const auto& [user, email, sealed_email, sealed_name, country] = c;
    auto b = to.initRegisterUser();
    b.setUser(as_data(user));
    b.setEmail(as_data(email));
    b.setSealedEmail(as_data(sealed_email));
    b.setSealedName(as_data(sealed_name));
    b.setCountry(as_text(country));
  }
  void operator()(const UpdateUser& c) {
    const auto& [user, email, sealed_name, country] = c;
    auto b = to.initUpdateUser();
    b.setUser(as_data(user));
    if (email) {
      const auto& [hash, sealed] = *email;
      b.setEmail(as_data(hash));
      b.setSealedEmail(as_data(sealed));
    }
    if (sealed_name) b.setSealedName(as_data(*sealed_name));
    if (country) b.setCountry(as_text(*country));
  }
  void operator()(const EraseUser& c) {
    const auto& [user] = c;
    to.initEraseUser().setUser(as_data(user));
  }

  // ---- carts ----
  void operator()(const OpenCart& c) {
    const auto& [cart, user, currency] = c;
    auto b = to.initOpenCart();
    b.setCart(as_data(cart));
    if (user) b.setUser(as_data(*user));
    b.setCurrency(CurrencyText(currency));
  }
  void operator()(const AddItem& c) {
    const auto& [cart, sku, quantity, unit_price] = c;
    auto b = to.initAddItem();
    b.setCart(as_data(cart));
    b.setSku(as_text(sku));
    b.setQuantity(quantity);
    if (unit_price) write(b.initUnitPrice(), *unit_price);
  }
  void operator()(const SetItem& c) {
    const auto& [cart, sku, quantity] = c;
    auto b = to.initSetItem();
    b.setCart(as_data(cart));
    b.setSku(as_text(sku));
    b.setQuantity(quantity);
  }
  void operator()(const RemoveItem& c) {
    const auto& [cart, sku] = c;
    auto b = to.initRemoveItem();
    b.setCart(as_data(cart));
    b.setSku(as_text(sku));
  }
  void operator()(const CheckOut& c) {
    const auto& [cart, order, payment, sealed_address, occurred_at, country] = c;
    auto b = to.initCheckOut();
    b.setCart(as_data(cart));
    put_purchase(b.initPurchase(), order, payment, sealed_address, occurred_at, country);
  }

  // ---- orders ----
  void operator()(const PlaceOrder& c) {
    const auto& [order, user, lines, payment, sealed_address, occurred_at, country] = c;
    auto b = to.initPlaceOrder();
    if (user) b.setUser(as_data(*user));
    put_lines(lines, [&](unsigned size) { return b.initLines(size); });
    put_purchase(b.initPurchase(), order, payment, sealed_address, occurred_at, country);
  }
  void operator()(const CancelOrder& c) {
    const auto& [order] = c;
    to.initCancelOrder().setOrder(as_data(order));
  }
  void operator()(const ShipOrder& c) {
    const auto& [order] = c;
    to.initShipOrder().setOrder(as_data(order));
  }
  void operator()(const DeliverOrder& c) {
    const auto& [order] = c;
    to.initDeliverOrder().setOrder(as_data(order));
  }
  void operator()(const ReturnOrder& c) {
    const auto& [order, lines, occurred_at] = c;
    put_return(to.initReturnOrder(), order, lines, occurred_at);
  }
  void operator()(const RefundOrder& c) {
    const auto& [order, amount] = c;
    auto b = to.initRefundOrder();
    b.setOrder(as_data(order));
    if (amount) write(b.initAmount(), *amount);
  }
  void operator()(const AcceptReturn& c) {
    const auto& [order, user, lines, reference, occurred_at] = c;
    auto b = to.initAcceptReturn();
    if (user) b.setUser(as_data(*user));
    b.setReference(as_text(reference));
    put_return(b.initGoods(), order, lines, occurred_at);
  }
  void operator()(const EraseOrder& c) {
    const auto& [order] = c;
    to.initEraseOrder().setOrder(as_data(order));
  }

  // ---- reads ----
  void operator()(const GetProduct& c) {
    const auto& [sku] = c;
    to.initGetProduct().setSku(as_text(sku));
  }
  void operator()(const GetStock& c) {
    const auto& [sku] = c;
    to.initGetStock().setSku(as_text(sku));
  }
  void operator()(const GetUser& c) {
    const auto& [user] = c;
    to.initGetUser().setUser(as_data(user));
  }
  void operator()(const GetUserOrders& c) {
    const auto& [user, before, limit] = c;
    auto b = to.initGetUserOrders();
    b.setUser(as_data(user));
    if (before) b.setBefore(as_data(*before));
    b.setLimit(static_cast<std::uint16_t>(limit));
  }
  void operator()(const GetCart& c) {
    const auto& [cart] = c;
    to.initGetCart().setCart(as_data(cart));
  }
  void operator()(const GetOrder& c) {
    const auto& [order] = c;
    to.initGetOrder().setOrder(as_data(order));
  }

  /// Steps of processes are sent in envelopes.
  template <class Step>
  requires(role_of<Step> == OpRole::step) void operator()(const Step&) { SOUK_ASSERT(false); }

 private:
  static void put_return(schema::NodeReturn::Builder b, const OrderId& order,
                         const std::vector<ReturnLine>& lines,
                         const std::optional<UnixMs>& occurred_at) {
    b.setOrder(as_data(order));
    put_lines(lines, [&](unsigned size) { return b.initLines(size); });
    put_time(b, occurred_at);
  }
};

void put_preconditions(schema::NodePreconditions::Builder to, const Preconditions& asked) {
  const auto& [match, none_match, matches, none_matches] = asked;
  to.setMatch(static_cast<std::uint8_t>(match));
  to.setNoneMatch(static_cast<std::uint8_t>(none_match));
  put_versions(matches, [&](unsigned size) { return to.initMatches(size); });
  put_versions(none_matches, [&](unsigned size) { return to.initNoneMatches(size); });
}

}  // namespace

std::string encode(const Request& request) {
  SOUK_ASSERT(request.reply_to.who != ReplyTo::Who::process);
  return encoded([&](capnp::MessageBuilder& builder) {
    const auto& [op, reply_to, cause, correlation, key_hash, request_hash, preconditions, wants,
                 intent, wait_final, bind, min_seq, level, begun] = request;
    auto to = builder.initRoot<schema::NodeRequest>();
    to.setCause(as_data(cause.view()));
    if (!correlation.zero()) to.setCorrelation(as_data(correlation.view()));
    to.setKeyHash(key_hash);
    to.setRequestHash(request_hash);
    if (preconditions) put_preconditions(to.initPreconditions(), *preconditions);
    to.setWants(static_cast<std::uint8_t>(wants));
    to.setIntent(static_cast<std::uint8_t>(intent));
    to.setWaitFinal(wait_final);
    if (bind) to.setBind(as_data(*bind));
    to.setMinSeq(min_seq);
    (void)level;  // who is asked is the owner
    (void)begun;  // whoever sends it knows
    std::visit(CommandWriter{to}, op);
  });
}

}  // namespace souk

// From schema/events.capnp to events: every byte is checked here, so that rules may trust them.
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>
#include <schema/events.capnp.h>

#include <cstring>

#include "events/event_codec.h"

namespace souk {
namespace {

/// Thrown here and caught in `decode_payload`, as Cap'n Proto's own are.
struct Refused {
  Fault fault;
};
[[noreturn]] void refuse_corrupt(const char* what) {
  throw Refused{{Fault::Kind::corrupt, std::string("stored event: ") + what}};
}
[[noreturn]] void refuse_newer(const char* what) {
  throw Refused{{Fault::Kind::unsupported,
                 std::string("stored event: ") + what + " that this version does not know"}};
}

std::string_view view(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
std::string_view view(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
std::string words(capnp::Text::Reader text) { return std::string(view(text)); }
Sealed sealed(capnp::Data::Reader data) { return {std::string(view(data))}; }

Id128 id128(capnp::Data::Reader data) {
  const auto id = Id128::from_bytes(view(data));
  if (!id) refuse_corrupt("an id is not 16 bytes");
  return *id;
}
template <class Id>
Id id_of(capnp::Data::Reader data) {
  return Id{id128(data)};
}
template <class Id>
std::optional<Id> optional_id(capnp::Data::Reader data) {
  if (data.size() == 0) return std::nullopt;
  return Id{id128(data)};
}
Sku sku_of(std::string_view text) {
  auto sku = Sku::parse(text);
  if (!sku) refuse_corrupt("a SKU is malformed");
  return *std::move(sku);
}
Currency currency_of(capnp::Text::Reader text) {
  if (text.size() == 0) return {};
  const auto currency = Currency::parse(view(text));
  if (!currency) refuse_corrupt("a currency is malformed");
  return *currency;
}
Money money_of(schema::Money::Reader from) {
  return {{from.getMicros()}, currency_of(from.getCurrency())};
}
Pricing pricing_of(std::uint8_t raw) {
  if (raw > static_cast<std::uint8_t>(Pricing::fixed)) refuse_newer("a kind of pricing");
  return static_cast<Pricing>(raw);
}
Goods goods_of(std::uint8_t raw) {
  if (raw > static_cast<std::uint8_t>(Goods::kept_off_sale))
    refuse_newer("a way of returned goods");
  return static_cast<Goods>(raw);
}
Adjustment::Kind adjustment_kind_of(std::uint8_t raw) {
  if (raw == 0) refuse_corrupt("an adjustment has no kind");
  if (raw > static_cast<std::uint8_t>(Adjustment::Kind::rounding))
    refuse_newer("a kind of adjustment");
  return static_cast<Adjustment::Kind>(raw);
}
Refusal refusal_of(std::uint16_t raw) {
  if (raw > static_cast<std::uint16_t>(Refusal::of_a_user)) refuse_newer("a refusal");
  return static_cast<Refusal>(raw);
}
Outcome outcome_of(std::uint8_t raw) {
  if (raw > static_cast<std::uint8_t>(Outcome::refused)) refuse_newer("an outcome");
  return static_cast<Outcome>(raw);
}
EntityKey entity_of(std::uint8_t raw_kind, capnp::Data::Reader id) {
  if (raw_kind == static_cast<std::uint8_t>(Kind::none)) refuse_corrupt("an entity has no kind");
  if (raw_kind > static_cast<std::uint8_t>(Kind::key)) refuse_newer("a kind of entity");
  const auto kind = static_cast<Kind>(raw_kind);
  if (kind == Kind::sku) return EntityKey(sku_of(view(id)));
  return EntityKey(kind, id128(id).view());
}

// ---- user ----
UserRegistered user_registered(schema::UserRegistered::Reader e) {
  return {id_of<EmailHash>(e.getEmail()), sealed(e.getSealedEmail()), sealed(e.getSealedName()),
          words(e.getCountry())};
}
UserProfileChanged user_profile_changed(schema::UserProfileChanged::Reader e) {
  UserProfileChanged changed;
  if (e.getNameSet()) changed.sealed_name = sealed(e.getSealedName());
  if (e.getCountrySet()) changed.country = words(e.getCountry());
  return changed;
}
EmailChangeRequested email_change_requested(schema::EmailChangeRequested::Reader e) {
  return {id_of<EmailHash>(e.getEmail()), sealed(e.getSealedEmail())};
}
KeyBound key_bound(schema::KeyBound::Reader e) {
  return {entity_of(e.getKind(), e.getId()), e.getRequestHash()};
}

// ---- product and inventory ----
std::vector<Attribute> attributes_of(capnp::List<schema::Attribute>::Reader list) {
  std::vector<Attribute> attributes;
  for (const auto attribute : list)
    attributes.push_back({words(attribute.getName()), words(attribute.getValue())});
  return attributes;
}
ProductDefined product_defined(schema::ProductDefined::Reader e) {
  ProductDefined product;
  product.name = words(e.getName());
  product.description = words(e.getDescription());
  product.brand = words(e.getBrand());
  for (const auto part : e.getCategory()) product.category.push_back(words(part));
  product.attributes = attributes_of(e.getAttributes());
  product.price = money_of(e.getPrice());
  product.active = e.getActive();
  for (const auto image : e.getImages()) product.images.push_back(words(image));
  product.barcode = words(e.getBarcode());
  product.group = words(e.getGroup());
  product.options = attributes_of(e.getOptions());
  return product;
}
StockReserved stock_reserved(schema::StockReserved::Reader e) {
  return {id_of<OrderId>(e.getOrder()), e.getQuantity(), {e.getExpiresAt()}};
}
template <class Moved>
Moved moved(schema::StockMoved::Reader e) {
  return {id_of<OrderId>(e.getOrder()), e.getQuantity()};
}
StockReturned stock_returned(schema::StockReturned::Reader e) {
  return {id_of<OrderId>(e.getOrder()), e.getNumber(), e.getQuantity()};
}

// ---- cart ----
template <class ItemEvent>
ItemEvent item_event(schema::Item::Reader e) {
  return {Item(sku_of(view(e.getSku())), words(e.getName())), e.getQuantity(),
          Money{{e.getMicros()}, currency_of(e.getCurrency())}, pricing_of(e.getPricing())};
}
CartReopened cart_reopened(schema::CartReopened::Reader e) {
  CartReopened reopened{id_of<OrderId>(e.getOrder()), {}};
  for (const auto change : e.getPriceChanges()) {
    reopened.price_changes.push_back({Item(sku_of(view(change.getSku())), words(change.getName())),
                                      money_of(change.getPrice())});
  }
  return reopened;
}

// ---- order and payment ----
std::vector<OrderLine> order_lines(capnp::List<schema::OrderLine>::Reader list) {
  std::vector<OrderLine> lines;
  lines.reserve(list.size());
  for (const auto line : list) {
    lines.push_back({Item(sku_of(view(line.getSku())), words(line.getName())),
                     line.getQuantity(),
                     {line.getMicros()},
                     pricing_of(line.getPricing())});
  }
  return lines;
}
template <class Reader>
std::optional<UnixMs> occurred_at(Reader e) {
  if (!e.getOccurredAtSet()) return std::nullopt;
  return UnixMs{e.getOccurredAt()};
}
OrderPlaced order_placed(schema::OrderPlaced::Reader e) {
  OrderPlaced order;
  order.cart = optional_id<CartId>(e.getCart());
  order.user = optional_id<UserId>(e.getUser());
  order.currency = currency_of(e.getCurrency());
  order.lines = order_lines(e.getLines());
  order.total = {e.getTotal()};
  order.payment_method = words(e.getPaymentMethod());
  order.payment_token = words(e.getPaymentToken());
  order.sealed_address = sealed(e.getSealedAddress());
  order.occurred_at = occurred_at(e);
  order.country = words(e.getCountry());
  for (const auto adjustment : e.getAdjustments())
    order.adjustments.push_back(
        {adjustment_kind_of(adjustment.getKind()), {adjustment.getMicros()}});
  return order;
}
OrderReturned order_returned(schema::OrderReturned::Reader e) {
  OrderReturned returned{e.getNumber(), {}, {e.getValue()}, occurred_at(e), goods_of(e.getGoods())};
  for (const auto line : e.getLines()) {
    returned.lines.push_back({line.getLine(), line.getQuantity(), {line.getMicros()}});
  }
  return returned;
}
ReturnAccepted return_accepted(schema::ReturnAccepted::Reader e) {
  return {optional_id<UserId>(e.getUser()),
          currency_of(e.getCurrency()),
          order_lines(e.getLines()),
          {e.getValue()},
          words(e.getReference()),
          occurred_at(e),
          words(e.getCountry())};
}
template <class RefundEvent>
RefundEvent refund(schema::Refund::Reader e) {
  return {e.getNumber(), {e.getMicros()}, occurred_at(e)};
}

// Longer than a function should be: one line for each event.
Payload payload_of(schema::Event::Reader e) {
  using Is = schema::Event::Which;
  switch (e.which()) {
    case Is::COMMAND_REFUSED:
      return CommandRefused{refusal_of(e.getCommandRefused().getReason())};
    case Is::COMMAND_NOTED:
      return CommandNoted{};
    case Is::USER_REGISTERED:
      return user_registered(e.getUserRegistered());
    case Is::USER_PROFILE_CHANGED:
      return user_profile_changed(e.getUserProfileChanged());
    case Is::EMAIL_CHANGE_REQUESTED:
      return email_change_requested(e.getEmailChangeRequested());
    case Is::EMAIL_ASSIGNED:
      return EmailAssigned{};
    case Is::EMAIL_REFUSED:
      return EmailRefused{};
    case Is::FORMER_EMAIL_FREED:
      return FormerEmailFreed{id_of<EmailHash>(e.getFormerEmailFreed())};
    case Is::USER_ERASED:
      return UserErased{};
    case Is::PERSONAL_KEY_DESTROYED:
      return PersonalKeyDestroyed{};
    case Is::USER_ORDERED:
      return UserOrdered{id_of<OrderId>(e.getUserOrdered())};
    case Is::EMAIL_TAKEN:
      return EmailTaken{id_of<UserId>(e.getEmailTaken())};
    case Is::EMAIL_FREED:
      return EmailFreed{id_of<UserId>(e.getEmailFreed())};
    case Is::KEY_BOUND:
      return key_bound(e.getKeyBound());
    case Is::PRODUCT_DEFINED:
      return product_defined(e.getProductDefined());
    case Is::PRODUCT_TAKEN_OFF_SALE:
      return ProductTakenOffSale{};
    case Is::STOCK_RECEIVED:
      return StockReceived{e.getStockReceived().getQuantity(),
                           words(e.getStockReceived().getReference())};
    case Is::STOCK_ADJUSTED:
      return StockAdjusted{e.getStockAdjusted().getDelta(),
                           words(e.getStockAdjusted().getReason())};
    case Is::STOCK_RESERVED:
      return stock_reserved(e.getStockReserved());
    case Is::STOCK_CLAIMED:
      return StockClaimed{id_of<OrderId>(e.getStockClaimed())};
    case Is::STOCK_SOLD:
      return moved<StockSold>(e.getStockSold());
    case Is::RESERVATION_RELEASED:
      return moved<ReservationReleased>(e.getReservationReleased());
    case Is::RESERVATION_EXPIRED:
      return moved<ReservationExpired>(e.getReservationExpired());
    case Is::STOCK_RETURNED:
      return stock_returned(e.getStockReturned());
    case Is::CART_OPENED:
      return CartOpened{optional_id<UserId>(e.getCartOpened().getUser()),
                        currency_of(e.getCartOpened().getCurrency())};
    case Is::ITEM_ADDED:
      return item_event<ItemAdded>(e.getItemAdded());
    case Is::ITEM_QUANTITY_SET:
      return item_event<ItemQuantitySet>(e.getItemQuantitySet());
    case Is::ITEM_REMOVED:
      return ItemRemoved{sku_of(view(e.getItemRemoved()))};
    case Is::CHECK_OUT_STARTED:
      return CheckOutStarted{id_of<OrderId>(e.getCheckOutStarted())};
    case Is::CART_REOPENED:
      return cart_reopened(e.getCartReopened());
    case Is::CART_ORDERED:
      return CartOrdered{id_of<OrderId>(e.getCartOrdered())};
    case Is::ORDER_PLACED:
      return order_placed(e.getOrderPlaced());
    case Is::ORDER_CONFIRMED:
      return OrderConfirmed{};
    case Is::ORDER_REJECTED:
      return OrderRejected{refusal_of(e.getOrderRejected())};
    case Is::ORDER_SETTLED:
      return OrderSettled{};
    case Is::ORDER_CANCELLED:
      return OrderCancelled{};
    case Is::ORDER_SHIPPED:
      return OrderShipped{};
    case Is::ORDER_DELIVERED:
      return OrderDelivered{};
    case Is::ORDER_RETURNED:
      return order_returned(e.getOrderReturned());
    case Is::RETURN_ACCEPTED:
      return return_accepted(e.getReturnAccepted());
    case Is::RETURN_RESTOCKED:
      return ReturnRestocked{e.getReturnRestocked()};
    case Is::PAYMENT_AUTHORISED:
      return PaymentAuthorised{{e.getPaymentAuthorised()}};
    case Is::PAYMENT_DECLINED:
      return PaymentDeclined{};
    case Is::PAYMENT_CAPTURED:
      return PaymentCaptured{{e.getPaymentCaptured()}};
    case Is::PAYMENT_VOIDED:
      return PaymentVoided{};
    case Is::REFUND_REQUESTED:
      return refund<RefundRequested>(e.getRefundRequested());
    case Is::PAYMENT_REFUNDED:
      return refund<PaymentRefunded>(e.getPaymentRefunded());
    case Is::ORDER_ERASED:
      return OrderErased{};
  }
  refuse_newer("a kind of event");
}

Transaction transaction_of(schema::Transaction::Reader from) {
  Transaction transaction;
  transaction.at = {from.getAt()};
  transaction.cause = id128(from.getCause());
  const auto correlation = from.getCorrelation();
  transaction.correlation = correlation.size() == 0 ? transaction.cause : id128(correlation);
  transaction.key_hash = from.getKeyHash();
  transaction.request_hash = from.getRequestHash();
  transaction.outcome = outcome_of(from.getOutcome());
  const auto events = from.getEvents();
  if (events.size() == 0) refuse_corrupt("a transaction has no events");
  if (events.size() > limits::batch_events_max) refuse_corrupt("a transaction has too many events");
  transaction.events.reserve(events.size());
  for (const auto event : events) {
    transaction.events.push_back({entity_of(event.getKind(), event.getId()), payload_of(event)});
  }
  return transaction;
}

std::vector<Transaction> transactions_of(kj::ArrayPtr<const capnp::word> words) {
  capnp::ReaderOptions options;
  // An honest message is read once. The slack is for lists that are asked for twice; what points
  // at the same bytes over and over runs into it.
  options.traversalLimitInWords = 4 * words.size() + 1024;
  capnp::FlatArrayMessageReader message(words, options);
  if (message.getEnd() != words.end()) refuse_corrupt("bytes are left over");
  const auto list = message.getRoot<schema::Batch>().getTransactions();
  if (list.size() > limits::batch_events_max) refuse_corrupt("too many transactions");
  std::vector<Transaction> transactions;
  transactions.reserve(list.size());
  for (const auto transaction : list) transactions.push_back(transaction_of(transaction));
  return transactions;
}

}  // namespace

Result<std::vector<Transaction>, Fault> decode_payload(std::string_view payload) {
  constexpr std::size_t word_bytes = sizeof(capnp::word);
  if (payload.empty() || payload.size() % word_bytes != 0) {
    return Fault{Fault::Kind::corrupt, "stored event: the message is cut off"};
  }
  try {
    const std::size_t count = payload.size() / word_bytes;
    if (reinterpret_cast<std::uintptr_t>(payload.data()) % alignof(capnp::word) == 0) {
      return transactions_of({reinterpret_cast<const capnp::word*>(payload.data()), count});
    }
    auto aligned = kj::heapArray<capnp::word>(count);
    std::memcpy(aligned.begin(), payload.data(), payload.size());
    return transactions_of(aligned);
  } catch (const Refused& refused) {
    return refused.fault;
  } catch (const kj::Exception& exception) {
    return Fault{Fault::Kind::corrupt,
                 std::string("stored event: ") + exception.getDescription().cStr()};
  }
}

}  // namespace souk

// From events to schema/events.capnp. One `put` for each event, in the order of events/event.h.
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/io.h>
#include <schema/events.capnp.h>

#include <algorithm>
#include <cstring>

#include "events/event_codec.h"

namespace souk {
namespace {

using EventBuilder = schema::Event::Builder;

capnp::Data::Reader blob(std::string_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
template <char Tag>
capnp::Data::Reader blob(const EntityId<Tag>& id) {
  return blob(id.raw.view());
}
template <char Tag>
capnp::Data::Reader blob(const std::optional<EntityId<Tag>>& id) {
  return id ? blob(id->raw.view()) : capnp::Data::Reader{};
}
capnp::Data::Reader blob(const Sealed& sealed) { return blob(sealed.bytes); }
capnp::Text::Reader text(const std::string& words) { return {words.c_str(), words.size()}; }
capnp::Text::Reader text(const Sku& sku) { return text(sku.text()); }

/// A currency's letters with the zero behind them that Text wants.
class CurrencyText {
 public:
  explicit CurrencyText(Currency currency) : size_(currency.text().size()) {
    currency.text().copy(letters_, size_);
  }
  operator capnp::Text::Reader() const { return {letters_, size_}; }

 private:
  std::size_t size_;
  char letters_[4] = {};
};

void put_money(schema::Money::Builder to, const Money& money) {
  to.setMicros(money.amount.value);
  if (!money.currency.none()) to.setCurrency(CurrencyText(money.currency));
}

void put(EventBuilder to, const CommandRefused& e) {
  to.initCommandRefused().setReason(static_cast<std::uint16_t>(e.reason));
}
void put(EventBuilder to, const CommandNoted&) { to.setCommandNoted(); }

// ---- user ----
void put(EventBuilder to, const UserRegistered& e) {
  auto b = to.initUserRegistered();
  b.setEmail(blob(e.email));
  b.setSealedEmail(blob(e.sealed_email));
  b.setSealedName(blob(e.sealed_name));
  b.setCountry(text(e.country));
}
void put(EventBuilder to, const UserProfileChanged& e) {
  auto b = to.initUserProfileChanged();
  if (e.sealed_name) {
    b.setNameSet(true);
    b.setSealedName(blob(*e.sealed_name));
  }
  if (e.country) {
    b.setCountrySet(true);
    b.setCountry(text(*e.country));
  }
}
void put(EventBuilder to, const EmailChangeRequested& e) {
  auto b = to.initEmailChangeRequested();
  b.setEmail(blob(e.email));
  b.setSealedEmail(blob(e.sealed_email));
}
void put(EventBuilder to, const EmailAssigned&) { to.setEmailAssigned(); }
void put(EventBuilder to, const EmailRefused&) { to.setEmailRefused(); }
void put(EventBuilder to, const FormerEmailFreed& e) { to.setFormerEmailFreed(blob(e.email)); }
void put(EventBuilder to, const UserErased&) { to.setUserErased(); }
void put(EventBuilder to, const PersonalKeyDestroyed&) { to.setPersonalKeyDestroyed(); }
void put(EventBuilder to, const UserOrdered& e) { to.setUserOrdered(blob(e.order)); }
void put(EventBuilder to, const EmailTaken& e) { to.setEmailTaken(blob(e.user)); }
void put(EventBuilder to, const EmailFreed& e) { to.setEmailFreed(blob(e.user)); }
void put(EventBuilder to, const KeyBound& e) {
  auto b = to.initKeyBound();
  b.setKind(static_cast<std::uint8_t>(e.target.kind()));
  b.setId(blob(e.target.id()));
  b.setRequestHash(e.request_hash);
}

// ---- product and inventory ----
void put_attributes(capnp::List<schema::Attribute>::Builder to,
                    const std::vector<Attribute>& attributes) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setName(text(attributes[i].name));
    to[i].setValue(text(attributes[i].value));
  }
}
void put(EventBuilder to, const ProductDefined& e) {
  auto b = to.initProductDefined();
  b.setName(text(e.name));
  b.setDescription(text(e.description));
  b.setBrand(text(e.brand));
  auto category = b.initCategory(static_cast<unsigned>(e.category.size()));
  for (unsigned i = 0; i < category.size(); ++i) category.set(i, text(e.category[i]));
  put_attributes(b.initAttributes(static_cast<unsigned>(e.attributes.size())), e.attributes);
  put_money(b.initPrice(), e.price);
  b.setActive(e.active);
  if (!e.images.empty()) {
    auto images = b.initImages(static_cast<unsigned>(e.images.size()));
    for (unsigned i = 0; i < images.size(); ++i) images.set(i, text(e.images[i]));
  }
  if (!e.barcode.empty()) b.setBarcode(text(e.barcode));
  if (!e.group.empty()) b.setGroup(text(e.group));
  if (!e.options.empty())
    put_attributes(b.initOptions(static_cast<unsigned>(e.options.size())), e.options);
}
void put(EventBuilder to, const ProductTakenOffSale&) { to.setProductTakenOffSale(); }
void put(EventBuilder to, const StockReceived& e) {
  auto b = to.initStockReceived();
  b.setQuantity(e.quantity);
  b.setReference(text(e.reference));
}
void put(EventBuilder to, const StockAdjusted& e) {
  auto b = to.initStockAdjusted();
  b.setDelta(e.delta);
  b.setReason(text(e.reason));
}
void put(EventBuilder to, const StockReserved& e) {
  auto b = to.initStockReserved();
  b.setOrder(blob(e.order));
  b.setQuantity(e.quantity);
  b.setExpiresAt(e.expires_at.value);
}
void put(EventBuilder to, const StockClaimed& e) { to.setStockClaimed(blob(e.order)); }
template <class Moved>
void put_moved(schema::StockMoved::Builder to, const Moved& e) {
  to.setOrder(blob(e.order));
  to.setQuantity(e.quantity);
}
void put(EventBuilder to, const StockSold& e) { put_moved(to.initStockSold(), e); }
void put(EventBuilder to, const ReservationReleased& e) {
  put_moved(to.initReservationReleased(), e);
}
void put(EventBuilder to, const ReservationExpired& e) {
  put_moved(to.initReservationExpired(), e);
}
void put(EventBuilder to, const StockReturned& e) {
  auto b = to.initStockReturned();
  b.setOrder(blob(e.order));
  b.setNumber(e.number);
  b.setQuantity(e.quantity);
}

// ---- cart ----
void put(EventBuilder to, const CartOpened& e) {
  auto b = to.initCartOpened();
  b.setUser(blob(e.user));
  if (!e.currency.none()) b.setCurrency(CurrencyText(e.currency));
}
template <class ItemEvent>
void put_item(schema::Item::Builder to, const ItemEvent& e) {
  to.setSku(text(e.item.sku()));
  to.setName(text(e.item.name()));
  to.setQuantity(e.quantity);
  to.setMicros(e.unit_price.amount.value);
  if (!e.unit_price.currency.none()) to.setCurrency(CurrencyText(e.unit_price.currency));
  to.setPricing(static_cast<std::uint8_t>(e.pricing));
}
void put(EventBuilder to, const ItemAdded& e) { put_item(to.initItemAdded(), e); }
void put(EventBuilder to, const ItemQuantitySet& e) { put_item(to.initItemQuantitySet(), e); }
void put(EventBuilder to, const ItemRemoved& e) { to.setItemRemoved(text(e.sku)); }
void put(EventBuilder to, const CheckOutStarted& e) { to.setCheckOutStarted(blob(e.order)); }
void put(EventBuilder to, const CartReopened& e) {
  auto b = to.initCartReopened();
  b.setOrder(blob(e.order));
  auto changes = b.initPriceChanges(static_cast<unsigned>(e.price_changes.size()));
  for (unsigned i = 0; i < changes.size(); ++i) {
    changes[i].setSku(text(e.price_changes[i].item.sku()));
    changes[i].setName(text(e.price_changes[i].item.name()));
    put_money(changes[i].initPrice(), e.price_changes[i].unit_price);
  }
}
void put(EventBuilder to, const CartOrdered& e) { to.setCartOrdered(blob(e.order)); }

// ---- order and payment ----
void put_lines(capnp::List<schema::OrderLine>::Builder to, const std::vector<OrderLine>& lines) {
  for (unsigned i = 0; i < to.size(); ++i) {
    auto line = to[i];
    line.setSku(text(lines[i].item.sku()));
    line.setName(text(lines[i].item.name()));
    line.setQuantity(lines[i].quantity);
    line.setMicros(lines[i].unit_price.value);
    line.setPricing(static_cast<std::uint8_t>(lines[i].pricing));
  }
}
template <class Builder>
void put_occurred(Builder to, const std::optional<UnixMs>& occurred_at) {
  if (!occurred_at) return;
  to.setOccurredAtSet(true);
  to.setOccurredAt(occurred_at->value);
}
void put(EventBuilder to, const OrderPlaced& e) {
  auto b = to.initOrderPlaced();
  b.setCart(blob(e.cart));
  b.setUser(blob(e.user));
  if (!e.currency.none()) b.setCurrency(CurrencyText(e.currency));
  put_lines(b.initLines(static_cast<unsigned>(e.lines.size())), e.lines);
  b.setTotal(e.total.value);
  b.setPaymentMethod(text(e.payment_method));
  b.setPaymentToken(text(e.payment_token));
  b.setSealedAddress(blob(e.sealed_address));
  put_occurred(b, e.occurred_at);
  if (!e.country.empty()) b.setCountry(text(e.country));
  if (e.adjustments.empty()) return;
  auto adjustments = b.initAdjustments(static_cast<unsigned>(e.adjustments.size()));
  for (unsigned i = 0; i < adjustments.size(); ++i) {
    adjustments[i].setKind(static_cast<std::uint8_t>(e.adjustments[i].kind));
    adjustments[i].setMicros(e.adjustments[i].amount.value);
  }
}
void put(EventBuilder to, const OrderConfirmed&) { to.setOrderConfirmed(); }
void put(EventBuilder to, const OrderRejected& e) {
  to.setOrderRejected(static_cast<std::uint16_t>(e.reason));
}
void put(EventBuilder to, const OrderSettled&) { to.setOrderSettled(); }
void put(EventBuilder to, const OrderCancelled&) { to.setOrderCancelled(); }
void put(EventBuilder to, const OrderShipped&) { to.setOrderShipped(); }
void put(EventBuilder to, const OrderDelivered&) { to.setOrderDelivered(); }
void put(EventBuilder to, const OrderReturned& e) {
  auto b = to.initOrderReturned();
  b.setNumber(e.number);
  auto lines = b.initLines(static_cast<unsigned>(e.lines.size()));
  for (unsigned i = 0; i < lines.size(); ++i) {
    lines[i].setLine(e.lines[i].line);
    lines[i].setQuantity(e.lines[i].quantity);
    lines[i].setMicros(e.lines[i].unit_price.value);
  }
  b.setValue(e.value.value);
  put_occurred(b, e.occurred_at);
  b.setGoods(static_cast<std::uint8_t>(e.goods));
}
void put(EventBuilder to, const ReturnAccepted& e) {
  auto b = to.initReturnAccepted();
  b.setUser(blob(e.user));
  if (!e.currency.none()) b.setCurrency(CurrencyText(e.currency));
  put_lines(b.initLines(static_cast<unsigned>(e.lines.size())), e.lines);
  b.setValue(e.value.value);
  b.setReference(text(e.reference));
  put_occurred(b, e.occurred_at);
  if (!e.country.empty()) b.setCountry(text(e.country));
}
void put(EventBuilder to, const ReturnRestocked& e) { to.setReturnRestocked(e.number); }
void put(EventBuilder to, const PaymentAuthorised& e) { to.setPaymentAuthorised(e.amount.value); }
void put(EventBuilder to, const PaymentDeclined&) { to.setPaymentDeclined(); }
void put(EventBuilder to, const PaymentCaptured& e) { to.setPaymentCaptured(e.amount.value); }
void put(EventBuilder to, const PaymentVoided&) { to.setPaymentVoided(); }
template <class RefundEvent>
void put_refund(schema::Refund::Builder to, const RefundEvent& e) {
  to.setNumber(e.number);
  to.setMicros(e.amount.value);
  put_occurred(to, e.occurred_at);
}
void put(EventBuilder to, const RefundRequested& e) { put_refund(to.initRefundRequested(), e); }
void put(EventBuilder to, const PaymentRefunded& e) { put_refund(to.initPaymentRefunded(), e); }
void put(EventBuilder to, const OrderErased&) { to.setOrderErased(); }

void put_transaction(schema::Transaction::Builder to, const Transaction& transaction) {
  to.setAt(transaction.at.value);
  to.setCause(blob(transaction.cause.view()));
  if (transaction.correlation != transaction.cause) {
    to.setCorrelation(blob(transaction.correlation.view()));
  }
  to.setKeyHash(transaction.key_hash);
  to.setRequestHash(transaction.request_hash);
  to.setOutcome(static_cast<std::uint8_t>(transaction.outcome));
  auto events = to.initEvents(static_cast<unsigned>(transaction.events.size()));
  for (unsigned i = 0; i < events.size(); ++i) {
    auto event = events[i];
    event.setKind(static_cast<std::uint8_t>(transaction.events[i].entity.kind()));
    event.setId(blob(transaction.events[i].entity.id()));
    std::visit([&](const auto& e) { put(event, e); }, transaction.events[i].payload);
  }
}

/// The memory in which this thread builds messages: always zero between two. It grows to what the
/// thread's largest message took, so that nearly all have one segment.
class Scratch {
 public:
  kj::ArrayPtr<capnp::word> words() { return words_.asPtr(); }
  void fit(std::size_t words) {
    if (words <= words_.size() || words_.size() == words_max) return;
    words_ = zeros(std::min(std::max(words, 2 * words_.size()), words_max));
  }

 private:
  static constexpr std::size_t words_first = 8 * 1024;
  static constexpr std::size_t words_max = 128 * 1024;
  static kj::Array<capnp::word> zeros(std::size_t count) {
    auto words = kj::heapArray<capnp::word>(count);
    std::memset(words.asBytes().begin(), 0, words.asBytes().size());
    return words;
  }
  kj::Array<capnp::word> words_ = zeros(words_first);
};

}  // namespace

void append_payload(std::string& out, const std::vector<Transaction>& transactions) {
  thread_local Scratch scratch;
  std::size_t words = 0;
  {
    capnp::MallocMessageBuilder message(scratch.words());  // zeroes what it used when it goes
    auto list = message.initRoot<schema::Batch>().initTransactions(
        static_cast<unsigned>(transactions.size()));
    for (unsigned i = 0; i < list.size(); ++i) put_transaction(list[i], transactions[i]);

    words = capnp::computeSerializedSizeInWords(message);
    const std::size_t before = out.size();
    out.resize(before + words * sizeof(capnp::word));
    kj::ArrayOutputStream stream(kj::arrayPtr(reinterpret_cast<kj::byte*>(out.data()) + before,
                                              words * sizeof(capnp::word)));
    capnp::writeMessage(stream, message);
  }
  scratch.fit(words);
}

}  // namespace souk

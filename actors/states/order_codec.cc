/// The stored form of an order with its payment.
#include "actors/states/state_codec.h"
#include "actors/states/stored_form.h"

namespace souk {
namespace {

void write(schema::StoredOrderLine::Builder to, const OrderLine& line) {
  to.setSku(stored::text(line.item.sku().text()));
  to.setName(stored::text(line.item.name()));
  to.setQuantity(line.quantity);
  to.setMicros(line.unit_price.value);
  to.setPricing(static_cast<std::uint8_t>(line.pricing));
}
OrderLine read(schema::StoredOrderLine::Reader from) {
  return {.item = stored::item(from.getSku(), from.getName()),
          .quantity = from.getQuantity(),
          .unit_price = {from.getMicros()},
          .pricing = stored::enumerator(from.getPricing(), Pricing::fixed)};
}

void write(schema::StoredPayment::Builder to, const Payment& payment) {
  to.setStatus(static_cast<std::uint8_t>(payment.status));
  to.setRefunds(payment.refunds);
  to.setCaptured(payment.captured.value);
  to.setRefundPromised(payment.refund_promised.value);
  to.setRefunded(payment.refunded.value);
  stored::write_list(
      payment.due, [&](unsigned n) { return to.initDue(n); },
      [](schema::StoredRefund::Builder b, const RefundDue& due) {
        b.setNumber(due.number);
        b.setMicros(due.amount.value);
        b.setOccurredAtSet(due.occurred_at.has_value());
        b.setOccurredAt(due.occurred_at.value_or(UnixMs{}).value);
      });
}
Payment read(schema::StoredPayment::Reader from) {
  Payment payment;
  payment.status = stored::enumerator(from.getStatus(), PaymentStatus::declined);
  payment.refunds = from.getRefunds();
  payment.captured = {from.getCaptured()};
  payment.refund_promised = {from.getRefundPromised()};
  payment.refunded = {from.getRefunded()};
  stored::read_list(payment.due, from.getDue(), [](schema::StoredRefund::Reader due) {
    RefundDue read{.number = due.getNumber(), .amount = {due.getMicros()}};
    if (due.getOccurredAtSet()) read.occurred_at = UnixMs{due.getOccurredAt()};
    return read;
  });
  return payment;
}

void write(schema::StoredReturn::Builder to, const OrderReturn& back) {
  to.setNumber(back.number);
  to.setVersion(back.version);
  to.setRestocked(back.restocked);
  to.setValue(back.value.value);
  stored::write_list(
      back.lines, [&](unsigned n) { return to.initLines(n); },
      [](schema::StoredReturnedLine::Builder b, const ReturnedLine& line) {
        b.setLine(line.line);
        b.setQuantity(line.quantity);
        b.setMicros(line.unit_price.value);
      });
}
OrderReturn read(schema::StoredReturn::Reader from) {
  OrderReturn back;
  back.number = from.getNumber();
  back.version = from.getVersion();
  back.restocked = from.getRestocked();
  back.value = {from.getValue()};
  stored::read_list(back.lines, from.getLines(), [](schema::StoredReturnedLine::Reader line) {
    return ReturnedLine{
        .line = line.getLine(), .quantity = line.getQuantity(), .unit_price = {line.getMicros()}};
  });
  return back;
}

void write(schema::StoredStep::Builder to, const OrderStep& step) {
  to.setWhat(static_cast<std::uint8_t>(step.what));
  to.setStatus(static_cast<std::uint8_t>(step.status));
  to.setPayment(static_cast<std::uint8_t>(step.payment));
  to.setVersion(step.version);
  to.setAt(step.at_ms);
}
OrderStep read(schema::StoredStep::Reader from) {
  stored::check(from.getWhat() >= static_cast<std::uint8_t>(OrderStep::What::placed));
  return {.what = stored::enumerator(from.getWhat(), OrderStep::What::erased),
          .status = stored::enumerator(from.getStatus(), OrderStatus::returned),
          .payment = stored::enumerator(from.getPayment(), PaymentStatus::declined),
          .version = from.getVersion(),
          .at_ms = from.getAt()};
}

void write(schema::OrderState::Builder to, const OrderState& state) {
  const Order& order = state.order;
  to.setStatus(static_cast<std::uint8_t>(order.status));
  to.setSettled(order.settled);
  to.setErased(order.erased);
  to.setKeyToDestroy(order.key_to_destroy);
  to.setReason(static_cast<std::uint16_t>(order.reason));
  to.setOccurredAtSet(order.occurred_at.has_value());
  to.setOccurredAt(order.occurred_at.value_or(UnixMs{}).value);
  if (order.cart) to.setCart(stored::as_data(order.cart->raw.view()));
  if (order.user) to.setUser(stored::as_data(order.user->raw.view()));
  if (!order.currency.none()) to.setCurrency(stored::text(std::string(order.currency.text())));
  stored::write_list(
      order.lines, [&](unsigned n) { return to.initLines(n); },
      [](auto b, const OrderLine& line) { write(b, line); });
  to.setTotal(order.total.value);
  if (!order.payment_method.empty()) to.setPaymentMethod(stored::text(order.payment_method));
  if (!order.payment_token.empty()) to.setPaymentToken(stored::text(order.payment_token));
  if (!order.sealed_address.bytes.empty()) {
    to.setSealedAddress(stored::as_data(order.sealed_address));
  }
  to.setPlacedAt(order.placed_at.value);
  if (order.payment != Payment{}) write(to.initPayment(), order.payment);
  stored::write_list(
      order.returns, [&](unsigned n) { return to.initReturns(n); },
      [](auto b, const OrderReturn& back) { write(b, back); });
  stored::write_list(
      order.history, [&](unsigned n) { return to.initHistory(n); },
      [](auto b, const OrderStep& step) { write(b, step); });
  to.setVersion(order.version);
  stored::write_list(
      order.adjustments, [&](unsigned n) { return to.initAdjustments(n); },
      [](schema::StoredAdjustment::Builder b, const Adjustment& adjustment) {
        b.setKind(static_cast<std::uint8_t>(adjustment.kind));
        b.setMicros(adjustment.amount.value);
      });
  stored::write_answers(to, state.answers);
}

void read(schema::OrderState::Reader from, OrderState& state) {
  Order& order = state.order;
  order.status = stored::enumerator(from.getStatus(), OrderStatus::returned);
  order.settled = from.getSettled();
  order.erased = from.getErased();
  order.key_to_destroy = from.getKeyToDestroy();
  order.reason = static_cast<Refusal>(from.getReason());
  if (from.getOccurredAtSet()) order.occurred_at = UnixMs{from.getOccurredAt()};
  order.cart = stored::optional_id<CartId>(from.getCart());
  order.user = stored::optional_id<UserId>(from.getUser());
  order.currency = stored::currency(from.getCurrency());
  stored::read_list(order.lines, from.getLines(), [](auto line) { return read(line); });
  order.total = {from.getTotal()};
  order.payment_method = stored::string(from.getPaymentMethod());
  order.payment_token = stored::string(from.getPaymentToken());
  order.sealed_address = stored::sealed(from.getSealedAddress());
  order.placed_at = {from.getPlacedAt()};
  order.payment = read(from.getPayment());
  stored::read_list(order.returns, from.getReturns(), [](auto back) { return read(back); });
  count_returned(order);
  stored::read_list(order.history, from.getHistory(), [](auto step) { return read(step); });
  order.version = from.getVersion();
  stored::read_list(
      order.adjustments, from.getAdjustments(), [](schema::StoredAdjustment::Reader from_list) {
        return Adjustment{stored::enumerator(from_list.getKind(), Adjustment::Kind::rounding),
                          {from_list.getMicros()}};
      });
  stored::read_answers(from, state.answers);
}

}  // namespace

std::string encode(const OrderState& state) {
  return stored::pack([&](schema::State::Builder root) { write(root.initOrder(), state); });
}

Result<OrderState, Fault> decode_order(std::string_view bytes) {
  OrderState state;
  const auto fault = stored::unpack(bytes, schema::State::ORDER, [&](schema::State::Reader root) {
    read(root.getOrder(), state);
  });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const OrderState& state) {
  const Order& order = state.order;
  std::size_t bytes = sizeof(state) + stored::heap_of(order.lines) +
                      stored::heap_of(order.payment_method) + stored::heap_of(order.payment_token) +
                      stored::heap_of(order.sealed_address) + stored::heap_of(order.payment.due) +
                      stored::heap_of(order.returns) + stored::heap_of(order.returned) +
                      stored::heap_of(order.history) + stored::heap_of(order.adjustments) +
                      stored::heap_of(state.answers);
  for (const auto& back : order.returns) bytes += stored::heap_of(back.lines);
  return bytes;
}

}  // namespace souk

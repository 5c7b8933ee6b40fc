#include "domain/payment/payment.h"

#include <algorithm>

#include "domain/decision.h"
#include "events/limits.h"

namespace souk {
namespace {

void apply(Payment& payment, const PaymentAuthorised&) {
  payment.status = PaymentStatus::authorised;
}
void apply(Payment& payment, const PaymentDeclined&) { payment.status = PaymentStatus::declined; }
void apply(Payment& payment, const PaymentCaptured& e) {
  payment.status = PaymentStatus::captured;
  payment.captured = e.amount;
}
void apply(Payment& payment, const PaymentVoided&) { payment.status = PaymentStatus::voided; }
void apply(Payment& payment, const RefundRequested& e) {
  payment.due.push_back({.number = e.number, .amount = e.amount, .occurred_at = e.occurred_at});
  payment.refund_promised.value += e.amount.value;
  payment.refunds = std::max(payment.refunds, e.number);
}
void apply(Payment& payment, const PaymentRefunded& e) {
  std::erase_if(payment.due, [&](const RefundDue& due) { return due.number == e.number; });
  payment.refunded.value += e.amount.value;
  if (payment.captured.value > 0 && payment.refunded == payment.captured) {
    payment.status = PaymentStatus::refunded;
  }
}
template <class E>
void apply(Payment&, const E&) {}  // events of others

}  // namespace

Decision request_refund(const Payment& payment, Micros amount, std::optional<UnixMs> occurred_at) {
  if (payment.captured.value <= 0) return Refused{Refusal::illegal_state};
  if (amount.value <= 0) return Facts{};
  if (amount.value > payment.captured.value - payment.refund_promised.value) {
    return Refused{Refusal::refund_too_large};
  }
  if (payment.refunds >= limits::refunds_per_order_max) return Refused{Refusal::too_many_steps};
  return facts_of(
      RefundRequested{.number = payment.refunds + 1, .amount = amount, .occurred_at = occurred_at});
}

void advance(Payment& payment, const Payload& event) {
  std::visit([&](const auto& e) { apply(payment, e); }, event);
}

Payment evolve(Payment payment, const Payload& event) {
  advance(payment, event);
  return payment;
}

}  // namespace souk

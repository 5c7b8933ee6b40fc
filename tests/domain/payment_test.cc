#include "domain/payment/payment.h"

#include "events/limits.h"
#include "tests/domain/scenario.h"

using namespace souk;
using namespace souk::test;

namespace {

Payment captured(std::string_view amount) {
  return fold(Payment{}, {PaymentAuthorised{micros(amount)}, PaymentCaptured{micros(amount)}});
}
Refusal refusal_of(const Decision& decision) {
  REQUIRE_FALSE(decision.ok());
  return decision.error().reason;
}

}  // namespace

TEST_CASE("payment: it goes from none to authorised to captured, or to voided or declined") {
  CHECK(fold(Payment{}, {PaymentAuthorised{micros("5")}}).status == PaymentStatus::authorised);
  CHECK(captured("5").status == PaymentStatus::captured);
  CHECK(captured("5").captured == micros("5"));
  CHECK(fold(Payment{}, {PaymentAuthorised{micros("5")}, PaymentVoided{}}).status ==
        PaymentStatus::voided);
  CHECK(fold(Payment{}, {PaymentDeclined{}}).status == PaymentStatus::declined);
}

TEST_CASE("payment: what was never captured cannot be paid back") {
  CHECK(refusal_of(request_refund(Payment{}, micros("1"))) == Refusal::illegal_state);
  const auto authorised = fold(Payment{}, {PaymentAuthorised{micros("5")}});
  CHECK(refusal_of(request_refund(authorised, micros("1"))) == Refusal::illegal_state);
}

TEST_CASE("payment: refunds are numbered and come to what was captured and not more") {
  Payment payment = captured("5");
  CHECK(refusal_of(request_refund(payment, micros("5.000001"))) == Refusal::refund_too_large);
  const auto first = request_refund(payment, micros("2"));
  REQUIRE(first.ok());
  CHECK(*first == Facts{RefundRequested{1, micros("2")}});
  payment = fold(payment, *first);
  CHECK(refusal_of(request_refund(payment, micros("3.000001"))) == Refusal::refund_too_large);
  const auto second = request_refund(payment, micros("3"));
  REQUIRE(second.ok());
  CHECK(*second == Facts{RefundRequested{2, micros("3")}});
  payment = fold(payment, *second);
  CHECK(payment.due == std::vector<RefundDue>{{1, micros("2")}, {2, micros("3")}});
  CHECK(payment.refund_promised == micros("5"));
}

TEST_CASE("payment: it is refunded once the provider has confirmed every piece") {
  Payment payment =
      fold(captured("5"), {RefundRequested{1, micros("2")}, RefundRequested{2, micros("3")},
                           PaymentRefunded{2, micros("3")}});
  CHECK(payment.status == PaymentStatus::captured);
  CHECK(payment.due == std::vector<RefundDue>{{1, micros("2")}});
  payment = fold(payment, {PaymentRefunded{1, micros("2")}});
  CHECK(payment.status == PaymentStatus::refunded);
  CHECK(payment.refunded == micros("5"));
  CHECK(payment.due.empty());
  CHECK(refusal_of(request_refund(payment, micros("1"))) == Refusal::refund_too_large);
}

TEST_CASE("payment: nothing to pay back is already true") {
  CHECK(request_refund(captured("5"), Micros{0})->empty());
}

TEST_CASE("payment: the last refund of an order is allowed, the next is one step too many") {
  Payment payment = captured("1000");
  for (std::size_t i = 0; i < limits::refunds_per_order_max; ++i) {
    const auto refund = request_refund(payment, micros("1"));
    REQUIRE(refund.ok());
    payment = fold(payment, *refund);
  }
  CHECK(payment.refunds == limits::refunds_per_order_max);
  CHECK(refusal_of(request_refund(payment, micros("1"))) == Refusal::too_many_steps);
}

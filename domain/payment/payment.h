#pragma once
/// The payment of an order as the order knows it. Rules only. The provider's own record is
/// elsewhere (provider.h), and this must come to agree with it.
#include "domain/decision.h"

namespace souk {

enum class PaymentStatus : std::uint8_t {  // stored
  none = 0,
  authorised = 1,
  captured = 2,
  voided = 3,
  refunded = 4,  // all of it
  declined = 5,  // shown as none
};

struct RefundDue {
  std::uint32_t number = 0;
  Micros amount;
  std::optional<UnixMs> occurred_at = std::nullopt;  // of the return that it pays for
  bool operator==(const RefundDue&) const = default;
};

struct Payment {
  PaymentStatus status = PaymentStatus::none;
  Micros captured;
  Micros refund_promised;      // all refunds that were requested
  Micros refunded;             // those that the provider confirmed
  std::uint32_t refunds = 0;   // numbers given out
  std::vector<RefundDue> due;  // requested, not confirmed
  bool operator==(const Payment&) const = default;
};

/// Refusals: illegal_state where nothing was captured; refund_too_large beyond what was captured
/// and not promised back yet; too_many_steps past limits::refunds_per_order_max.
Decision request_refund(const Payment& payment, Micros amount,
                        std::optional<UnixMs> occurred_at = std::nullopt);
Payment evolve(Payment payment, const Payload& event);
/// The same, where it stands: nothing is moved.
void advance(Payment& payment, const Payload& event);

}  // namespace souk

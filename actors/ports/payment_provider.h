#pragma once
/// The payment provider's port. The provider's side of the story is durable and its own: calls are
/// repeated with the same idempotency key until they are answered.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "events/ids.h"
#include "events/money.h"
#include "events/result.h"

namespace souk {

struct PaymentCall {
  /// `cancel`: whatever stands, nothing may be kept: voids an authorisation, refunds a capture, and
  /// refuses any later authorisation of the same order. `capture` takes what was authorised.
  enum class Op : std::uint8_t { authorise = 1, capture = 2, cancel = 3, refund = 4 };  // stored
  Op op = Op::authorise;
  OrderId order;
  std::uint32_t number =
      0;  // of a refund, within the order; else 0. (order, op, number) is the idempotency key
  Micros amount;  // authorise, capture, refund
  Currency currency;
  std::string method;
  std::string token;
};

struct PaymentAnswer {
  enum class Kind : std::uint8_t {
    done = 1,      // it is so, durably (also on a repeat)
    declined = 2,  // final: the provider will not
    failed = 3,    // nothing known; call again with the same key
  };
  OrderId order;
  PaymentCall::Op op = PaymentCall::Op::authorise;
  std::uint32_t number = 0;
  Kind kind = Kind::failed;
};

/// What the provider has on record for an order.
struct PaymentRecord {
  Currency currency;
  Micros authorised, captured, voided, refunded;
  std::uint64_t calls = 0;
};

/// Lifecycle: calls may come at any time; answers only between start and stop.
class PaymentProvider {
 public:
  virtual ~PaymentProvider() = default;
  using Answer = std::function<void(const PaymentAnswer&)>;
  /// From here on answers go to `answer`, on a thread of the provider's or within `call`; it must
  /// not block. Calls that came before are taken up now. REQUIRES: not started, or stopped since.
  virtual void start(Answer answer) = 0;
  /// No answer is given after it returns. REQUIRES: not called from `answer`.
  virtual void stop() = 0;
  /// Sends the calls. Each answer comes through the function given to `start`: once, late, twice or
  /// never.
  /// Thread: any; never blocks.
  virtual void call(std::vector<PaymentCall> calls) = 0;
  /// Nothing where the provider has never heard of the order.
  /// Thread: any; may read the disk.
  virtual Result<std::optional<PaymentRecord>, Fault> record(OrderId order) = 0;
};

}  // namespace souk

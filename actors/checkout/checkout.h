#pragma once
/// Check-out: the process manager that takes an order from placed to final and beyond (returns,
/// refunds), whatever is killed on the way. No CAF, disk or clock: answers and time come in, facts
/// and effects go out.
///
///   reserving --all yes--> authorising --done--> claiming --all yes--> capturing --done-->
///   CONFIRMED
///       | any no               | no                 | lost               | no
///       +----------------------+--------------------+--------------------+--> REJECTED(reason)
///   CONFIRMED -> selling (holds become sales)           -> SETTLED
///   REJECTED  -> unwinding (release holds, cancel pay)  -> SETTLED
///   SETTLED   -> restocking what was returned, refunding what is due; then nothing is owed
///
/// Durable are only the order's events. What stands in `OrderWork` is forgotten by a crash, and
/// then the stage that the order's state implies starts again from its beginning: every effect is
/// safe to repeat (a hold is known by its order, a payment call by its key), so nothing happens
/// twice.
#include <deque>
#include <vector>

#include "actors/ports/payment_provider.h"
#include "actors/ports/request.h"
#include "domain/order/order.h"

namespace souk {

struct CheckoutTimes {
  std::int64_t hold_ms = 0;
  std::int64_t payment_retry_ms = 0;
  std::int64_t payment_deadline_ms = 0;
};

/// One SKU of the order: all its lines together.
struct OrderPart {
  Sku sku;
  std::int64_t quantity = 0;
  std::optional<Money> expected_price;  // of its catalogue line
  bool answered = false;
  Refusal refusal = Refusal::none;
  std::optional<PriceChange> price_change;
};

struct OrderWork {
  enum class Stage : std::uint8_t {
    reserving,
    authorising,
    claiming,
    capturing,
    selling,
    unwinding,
    restocking,
    refunding,
    idle
  };
  Stage stage = Stage::idle;
  std::vector<OrderPart> parts;
  std::vector<std::uint32_t> by_sku;  // places in `parts`, sorted by SKU; empty where they are few
  std::size_t unanswered = 0;         // parts
  bool payment_touched = false;       // the provider may have heard of this order
  bool payment_unanswered = false;
  std::uint32_t attempt = 0;  // of the payment call under way
  std::uint32_t number = 0;   // of the return or refund under way
  UnixMs deadline;            // of authorising and capturing
  UnixMs retry_at;            // when unanswered effects are sent again
};

/// What a shard of a SKU answered to the process.
struct StockAnswer {
  std::size_t op = 0;  // index in Op of the command that it answers
  Sku sku;
  ReplyCode code = ReplyCode::ok;  // ok, refused or unavailable
  std::uint32_t number = 0;        // of ReturnStock: which of the order's returns
  Refusal refusal = Refusal::none;
  std::optional<PriceChange> price_change;  // of price_changed
};

/// What to do now. Facts come first; effects with `after_commit` leave once they are durable.
struct Advance {
  Facts facts;                             // of the order
  std::vector<PriceChange> price_changes;  // with OrderRejected
  std::vector<Op> stock;
  std::vector<PaymentCall> payments;
  bool after_commit = true;
};

class Checkout {
 public:
  explicit Checkout(CheckoutTimes times) : times_(times) {}

  /// Starts (or, after recovery, starts again) what `order` owes. `recovered`: what was sent before
  /// is not known.
  enum class Start : std::uint8_t { fresh, recovered };
  Advance begin(OrderId id, const Order& order, OrderWork& work, UnixMs now, Start start) const;
  /// An answer that is not waited for (late, or a repeat) leads to nothing.
  Advance on_stock(OrderId id, const Order& order, OrderWork& work, const StockAnswer& answer,
                   UnixMs now) const;
  Advance on_payment(OrderId id, const Order& order, OrderWork& work, const PaymentAnswer& answer,
                     UnixMs now) const;
  /// Call when `work.retry_at` has come.
  Advance on_timer(OrderId id, const Order& order, OrderWork& work, UnixMs now) const;

 private:
  Advance confirm(OrderId id, const Order& order, OrderWork& work, UnixMs now) const;
  Advance reject(OrderId id, const Order& order, OrderWork& work, Refusal reason, Refusal payment,
                 UnixMs now) const;
  void settle(OrderId id, const Order& order, OrderWork& work, UnixMs now, Advance& out) const;
  /// What `out` is about to tell of the order, and its state does not show yet.
  struct Done {
    std::uint32_t refund = 0, restocked = 0;  // their numbers
  };
  void follow_up(OrderId id, const Order& order, OrderWork& work, UnixMs now, Advance& out,
                 Done done) const;
  void send_parts(OrderId id, OrderWork& work, UnixMs now, Advance& out) const;
  void call_payment(OrderId id, const Order& order, OrderWork& work, UnixMs now,
                    Advance& out) const;
  void authorise(OrderId id, const Order& order, OrderWork& work, UnixMs now, Advance& out) const;
  void claim(OrderId id, OrderWork& work, UnixMs now, Advance& out) const;
  void capture(OrderId id, const Order& order, OrderWork& work, UnixMs now, Advance& out) const;

  CheckoutTimes times_;
};

}  // namespace souk

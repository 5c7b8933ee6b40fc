#pragma once
/// An order. Rules only.
///
///   pending -> confirmed -> shipped -> delivered -> returned (when every piece came back)
///           -> rejected     `-> cancelled
///
/// A return is possible from shipped and delivered, in parts; a refund alone changes no status.
#include "domain/decision.h"
#include "domain/payment/payment.h"

namespace souk {

enum class OrderStatus : std::uint8_t {  // stored
  none = 0,
  pending = 1,
  confirmed = 2,
  rejected = 3,
  shipped = 4,
  delivered = 5,
  cancelled = 6,
  returned = 7,
};
std::string_view order_status_text(OrderStatus status);

/// One step in the life of an order, as `history` shows it.
struct OrderStep {
  enum class What : std::uint8_t {  // stored
    placed = 1,
    payment_authorised = 2,
    payment_declined = 3,
    confirmed = 4,
    payment_captured = 5,
    rejected = 6,
    payment_voided = 7,
    settled = 8,
    cancelled = 9,
    shipped = 10,
    delivered = 11,
    returned = 12,
    restocked = 13,
    refund_requested = 14,
    refunded = 15,
    return_accepted = 16,
    erased = 17,
  };
  What what = What::placed;
  OrderStatus status = OrderStatus::none;       // after it
  PaymentStatus payment = PaymentStatus::none;  // after it
  std::uint32_t version = 0;
  std::int64_t at_ms = 0;
  bool operator==(const OrderStep&) const = default;
};
std::string_view order_step_text(OrderStep::What what);

struct OrderReturn {
  std::uint32_t number = 0;
  std::uint32_t version = 0;
  bool restocked = false;  // or not to be restocked
  std::vector<ReturnedLine> lines;
  Micros value;
  bool operator==(const OrderReturn&) const = default;
};

struct Order {
  OrderStatus status = OrderStatus::none;
  Refusal reason = Refusal::none;  // rejected
  bool settled = false;            // the check-out owes nothing any more
  bool erased = false;             // a guest's: what it said of a person
  bool key_to_destroy = false;     // of that
  std::optional<CartId> cart;
  std::optional<UserId> user;
  Currency currency;
  std::vector<OrderLine> lines;
  Micros total;  // of the lines and the adjustments: what is paid
  std::vector<Adjustment> adjustments;
  std::string payment_method, payment_token;
  Sealed sealed_address;
  std::optional<UnixMs> occurred_at;
  UnixMs placed_at;
  Payment payment;
  std::vector<OrderReturn> returns;
  /// Pieces of each line that came back in `returns`; empty before the first. Not stored: see
  /// count_returned.
  std::vector<std::int64_t> returned;
  std::vector<OrderStep> history;
  Version version = 0;
  bool operator==(const Order&) const = default;
};

struct PlaceOrderLine {
  Sku sku;
  std::int64_t quantity = 0;
  bool operator==(const PlaceOrderLine&) const = default;
};
struct PaymentMethod {
  std::string method;  // "simulated"
  std::string token;
};
/// Buy now.
struct PlaceOrder {
  OrderId order;
  std::optional<UserId> user;
  std::vector<PlaceOrderLine> lines;  // 1 to limits::cart_lines_max
  PaymentMethod payment;
  Sealed sealed_address;
  std::optional<UnixMs> occurred_at;
  std::string country = {};  // of the address
};
struct CheckOut {
  CartId cart;
  OrderId order;  // the id that it will have
  PaymentMethod payment;
  Sealed sealed_address;
  std::optional<UnixMs> occurred_at;
  std::string country = {};  // of the address
};
struct CancelOrder {
  OrderId order;
};
struct ShipOrder {
  OrderId order;
};
struct DeliverOrder {
  OrderId order;
};
struct ReturnLine {
  Sku sku;
  std::int64_t quantity = 0;
  std::optional<Money> unit_price;  // paid back per piece; none: what was paid
};
struct ReturnOrder {
  OrderId order;
  /// Go back into stock. Empty: everything that is still out comes back, but nothing is said of
  /// what is fit to sell again: it stays out of stock until it is received.
  std::vector<ReturnLine> lines;
  std::optional<UnixMs> occurred_at;
};
struct RefundOrder {
  OrderId order;
  std::optional<Money> amount;  // none: all that was not paid back yet
};
/// What a guest's order says of a person becomes unreadable for ever.
struct EraseOrder {
  OrderId order;
};
/// A return without an order of ours.
struct AcceptReturn {
  OrderId order;  // the id that it will have
  std::optional<UserId> user;
  std::vector<ReturnLine> lines;  // each with a unit_price, all of one currency
  std::string reference;
  std::optional<UnixMs> occurred_at;
};

/// REQUIRES of all: the order is there. Refusal: illegal_state with the status (OrderStatus).
Decision decide(const Order& order,
                const CancelOrder& command);  // from confirmed; refunds what was captured
/// From confirmed. Also: paid_back, where all the money was.
Decision decide(const Order& order, const ShipOrder& command);
Decision decide(const Order& order, const DeliverOrder& command);  // from shipped
/// Also: unknown_line, return_too_large (more than is still out), above_price_paid,
/// currency_mismatch, before_sale, too_many_steps. Lines of one SKU are filled in their order; where
/// a price is given, those that cost as much, then those that cost more.
/// Facts: OrderReturned and, where money is due, RefundRequested: never more than was captured and
/// is not promised back yet, so that after a goodwill refund a return pays what is left.
Decision decide(const Order& order, const ReturnOrder& command);
Decision decide(const Order& order,
                const RefundOrder& command);  // currency_mismatch, request_refund's

/// In any status. Refusal: of_a_user, who is erased as a user.
Decision decide(const Order& order, const EraseOrder& command);

/// Pieces of each line that came back, by returns up to `version`. Costs as much as the lines and
/// the returns after `version`.
std::vector<std::int64_t> returned_by_line(const Order& order, Version version);
/// Makes `returned` what `returns` say: for those who bring an order back from its stored form.
void count_returned(Order& order);
/// Work that the order still owes the world: then the shard keeps it in memory and at it.
bool owes_work(const Order& order);
/// Of that, what the check-out does: all but destroying a key.
bool owes_check_out(const Order& order);

/// `at`: the transaction's time.
Order evolve(Order order, const Payload& event, UnixMs at);
/// The same, where it stands: nothing is moved.
void advance(Order& order, const Payload& event, UnixMs at);

}  // namespace souk

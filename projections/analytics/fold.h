#pragma once
/// What each event changes. Checks first, changes after: an event that cannot be taken has changed
/// nothing.
#include "projections/analytics/store.h"
#include "projections/projection.h"

namespace souk::analytics {

class Fold {
 public:
  using Folded = Result<Done, Poison>;
  explicit Fold(Store& store) : store_(store) {}

  /// Throws SqliteError where a row cannot be fetched.
  Folded apply(const EventAt& event);

 private:
  struct Context {
    const EntityKey& entity;
    std::int64_t at = 0;  // clamped
  };
  // Of users.
  Folded on(const Context& c, const UserRegistered& e);
  Folded on(const Context& c, const UserProfileChanged& e);
  Folded on(const Context& c, const UserErased& e);
  // Of SKUs.
  Folded on(const Context& c, const ProductDefined& e);
  Folded on(const Context& c, const ProductTakenOffSale& e);
  Folded on(const Context& c, const StockReceived& e);
  Folded on(const Context& c, const StockAdjusted& e);
  Folded on(const Context& c, const StockReserved& e);
  Folded on(const Context& c, const StockSold& e);
  Folded on(const Context& c, const ReservationReleased& e);
  Folded on(const Context& c, const ReservationExpired& e);
  Folded on(const Context& c, const StockReturned& e);
  // Of carts.
  Folded on(const Context& c, const CartOpened& e);
  Folded on(const Context& c, const ItemAdded& e);
  Folded on(const Context& c, const ItemQuantitySet& e);
  Folded on(const Context& c, const ItemRemoved& e);
  Folded on(const Context& c, const CheckOutStarted& e);
  Folded on(const Context& c, const CartReopened& e);
  Folded on(const Context& c, const CartOrdered& e);
  // Of orders.
  Folded on(const Context& c, const OrderPlaced& e);
  Folded on(const Context& c, const OrderConfirmed& e);
  Folded on(const Context& c, const OrderRejected& e);
  Folded on(const Context& c, const OrderCancelled& e);
  Folded on(const Context& c, const OrderShipped& e);
  Folded on(const Context& c, const OrderDelivered& e);
  Folded on(const Context& c, const OrderReturned& e);
  Folded on(const Context& c, const ReturnAccepted& e);
  Folded on(const Context& c, const PaymentRefunded& e);
  // All others say nothing that is counted.
  template <class E>
  Folded on(const Context&, const E&) {
    return Done{};
  }

  Folded move_status(const Context& c, OrderStage status);
  Folded move_stock(const Context& c, std::int64_t ProductRow::*count, std::int64_t quantity,
                    std::int64_t on_hand, std::int64_t reserved);
  template <class E>
  Folded change_lines(const Context& c, const E& e);
  void relocate(const UserId& user, const std::string& country);
  void book(const OrderRow& order, std::int64_t at, const Sums& sums);
  std::int64_t country_of(const OrderRow& order);

  Store& store_;
};

}  // namespace souk::analytics

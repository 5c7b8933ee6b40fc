#pragma once
/// Documents: states of the engine as the JSON that clients read.
#include "actors/ports/request.h"

namespace souk {

/// Thread: any; it keeps no state.
class JsonPresenter final : public Presenter {
 public:
  /// `unfixed`: the currency shown where nothing has fixed one yet (the total of an empty cart).
  explicit JsonPresenter(Currency unfixed) : unfixed_(unfixed) {}

  /// A negative `available` (stock_not_shown) is left out.
  void product(const Sku& sku, const Product& product, std::int64_t available,
               Body& out) const override;
  void delisted(const Sku& sku, Version version, Body& out) const override;
  void stock(const Sku& sku, const StockFigures& figures, Body& out) const override;
  void user(UserId id, const UserProfile& profile, Body& out) const override;
  void user_created(UserId id, Body& out) const override;
  void user_orders(UserId id, const std::vector<std::pair<OrderId, const Order*>>& page, More more,
                   Body& out) const override;
  void cart(CartId id, const Cart& cart, Body& out) const override;
  /// Only what never changes, so that a repeat gets the same bytes.
  void cart_created(CartId id, const Cart& cart, Body& out) const override;
  void order(OrderId id, const Order& order, Version version, Body& out) const override;
  void check_out(OrderId id, OrderStatus status, Refusal reason, Body& out) const override;

 private:
  Currency shown(Currency currency) const { return currency.none() ? unfixed_ : currency; }
  void adjustments(const Order& order, std::string& json) const;
  void order_lines(const Order& order, Version version, std::string& json) const;
  Currency unfixed_;
};

}  // namespace souk

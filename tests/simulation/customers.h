#pragma once
/// Those who buy.
#include "tests/simulation/client.h"

namespace souk::simulation {

/// Follows one order to its end and then asks for more or less sensible steps.
class OrderKeeper {
 public:
  OrderKeeper(World& world, Shop& shop, Vault& vault) : world_(world), shop_(shop), vault_(vault) {}
  void take(const OrderId& order, std::int64_t steps) {
    order_ = order;
    steps_ = steps;
  }
  bool busy() const { return !order_.raw.zero(); }
  /// The next step, or none: done with this order.
  std::optional<Op> next();
  /// `reply` to a step or to GetOrder.
  void answered(const Op& op, const Reply& reply);
  /// The last status seen.
  std::string status() const;

 private:
  World& world_;
  Shop& shop_;
  Vault& vault_;
  OrderId order_;
  std::int64_t steps_ = 0;
};

PaymentMethod some_payment(World& world);

/// Fills carts and checks them out.
class Shopper final : public Client {
 public:
  Shopper(std::string name, const Street& street, std::int64_t carts)
      : Client(std::move(name), street),
        carts_left_(carts),
        keeper_(street.world, street.shop, street.vault) {}

 protected:
  std::optional<Request> next() override;
  void answered(const Request& request, const Reply& reply) override;

 private:
  Request open_cart();
  Request change_cart();
  Request check_out();

  std::int64_t carts_left_;
  std::int64_t changes_left_ = 0, check_outs_left_ = 0;
  CartId cart_;  // zero: none
  Version version_ = 0;
  OrderKeeper keeper_;
};

/// Buys at once, and brings back what was never bought here.
class Buyer final : public Client {
 public:
  Buyer(std::string name, const Street& street, std::int64_t orders)
      : Client(std::move(name), street),
        orders_left_(orders),
        keeper_(street.world, street.shop, street.vault) {}

 protected:
  std::optional<Request> next() override;
  void answered(const Request& request, const Reply& reply) override;

 private:
  Request place_order(const std::optional<UserId>& user);
  Request accept_return(const std::optional<UserId>& user);

  std::int64_t orders_left_;
  OrderKeeper keeper_;
};

}  // namespace souk::simulation

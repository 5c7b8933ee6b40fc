#pragma once
/// Reads by id, of committed and tentative state alike: the answer leaves when what it shows is
/// durable.
#include <vector>

#include "actors/shard/responder.h"

namespace souk {

/// The orders of a user that a page shows.
struct OrdersPage {
  std::vector<OrderId> ids;  // newest first
  bool more = false;
};
OrdersPage orders_page(const User& user, const GetUserOrders& query);

class Reads {
 public:
  Reads(const Presenter& presenter, Residency& entities, Responder& responder)
      : presenter_(presenter), entities_(entities), responder_(responder) {}
  /// REQUIRES: is_read(request.op); what it shows is in memory, or is not at all.
  void read(const Request& request);

 private:
  void user_orders(const Request& request, const GetUserOrders& query);

  const Presenter& presenter_;
  Residency& entities_;
  Responder& responder_;
};

}  // namespace souk

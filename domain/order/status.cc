#include "domain/order/order.h"

namespace souk {

std::string_view order_status_text(OrderStatus status) {
  switch (status) {
    case OrderStatus::none:
      return "none";
    case OrderStatus::pending:
      return "pending";
    case OrderStatus::confirmed:
      return "confirmed";
    case OrderStatus::rejected:
      return "rejected";
    case OrderStatus::shipped:
      return "shipped";
    case OrderStatus::delivered:
      return "delivered";
    case OrderStatus::cancelled:
      return "cancelled";
    case OrderStatus::returned:
      return "returned";
  }
  return "none";
}

}  // namespace souk

#include "events/refusal.h"

namespace souk {
namespace {

struct Words {
  std::string_view code;
  std::string_view detail;
};

Words words_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return {"none", "Nothing was refused."};
    case Refusal::out_of_stock:
      return {"out_of_stock", "There is not enough stock of this item."};
    case Refusal::cart_closed:
      return {"cart_closed", "The cart is no longer open."};
    case Refusal::cart_empty:
      return {"cart_empty", "The cart has no lines."};
    case Refusal::illegal_state:
      return {"illegal_state", "This cannot be done in the state that the resource is in."};
    case Refusal::unknown_product:
      return {"unknown_product", "There is no product with this SKU."};
    case Refusal::inactive_product:
      return {"inactive_product", "The product is not on sale."};
    case Refusal::price_changed:
      return {"price_changed", "The price of an item has changed since it was put into the cart."};
    case Refusal::email_taken:
      return {"email_taken", "The email address belongs to another user."};
    case Refusal::too_many_lines:
      return {"too_many_lines", "The cart has as many lines as it may."};
    case Refusal::quantity_too_large:
      return {"quantity_too_large", "The quantity is larger than one line may have."};
    case Refusal::amount_too_large:
      return {"amount_too_large", "The amount is larger than can be accounted for."};
    case Refusal::currency_mismatch:
      return {"currency_mismatch", "The price is in another currency than the rest."};
    case Refusal::unknown_user:
      return {"unknown_user", "There is no such user."};
    case Refusal::unknown_line:
      return {"unknown_line", "There is no line with this SKU."};
    case Refusal::return_too_large:
      return {"return_too_large", "More pieces would be returned than were sold."};
    case Refusal::refund_too_large:
      return {"refund_too_large", "More would be paid back than was paid."};
    case Refusal::payment_declined:
      return {"payment_declined", "The payment provider declined the payment."};
    case Refusal::payment_unavailable:
      return {"payment_unavailable", "The payment provider did not answer in time."};
    case Refusal::expired:
      return {"expired", "It took too long, and what was held has expired."};
    case Refusal::ambiguous_line:
      return {"ambiguous_line", "Several lines have this SKU at different prices."};
    case Refusal::stock_limit:
      return {"stock_limit", "The stock would be below zero or larger than can be counted."};
    case Refusal::too_many_steps:
      return {"too_many_steps", "The resource has as many returns or refunds as it may."};
    case Refusal::above_price_paid:
      return {"above_price_paid", "More would be paid back for a piece than was paid for it."};
    case Refusal::before_sale:
      return {"before_sale", "The return would be dated before its sale."};
    case Refusal::paid_back:
      return {"paid_back", "All that was paid for the order has been paid back."};
    case Refusal::of_a_user:
      return {"of_a_user", "The order belongs to a user: erase the user."};
  }
  return {"refused", "The request was refused."};  // a newer writer's word
}

}  // namespace

std::string_view refusal_code(Refusal refusal) { return words_of(refusal).code; }
std::string_view refusal_detail(Refusal refusal) { return words_of(refusal).detail; }

}  // namespace souk

#pragma once
#include <cstdint>
#include <string_view>

namespace souk {

/// Why the business says no. Stored in the log with the idempotency key of the command: append
/// only, never renumber. The words that clients see are in `refusal_code`.
enum class Refusal : std::uint16_t {
  none = 0,
  out_of_stock = 1,
  cart_closed = 2,
  cart_empty = 3,
  illegal_state = 4,  // `detail` is the status that it is in
  unknown_product = 5,
  inactive_product = 6,
  price_changed = 7,
  email_taken = 8,
  too_many_lines = 9,
  quantity_too_large = 10,
  amount_too_large = 11,
  currency_mismatch = 12,
  unknown_user = 13,
  unknown_line = 14,
  return_too_large = 15,
  refund_too_large = 16,
  payment_declined = 18,
  payment_unavailable = 19,
  expired = 20,
  ambiguous_line = 21,
  stock_limit = 22,
  too_many_steps = 23,
  above_price_paid = 24,
  before_sale = 25,
  paid_back = 26,
  of_a_user = 27,
};

/// The stable machine word, e.g. `out_of_stock`.
std::string_view refusal_code(Refusal refusal);
/// One sentence for a person.
std::string_view refusal_detail(Refusal refusal);

}  // namespace souk

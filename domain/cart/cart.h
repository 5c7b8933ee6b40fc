#pragma once
/// A cart. Rules only.
#include "domain/answers.h"
#include "domain/decision.h"

namespace souk {

enum class CartStatus : std::uint8_t {
  none = 0,
  open = 1,
  checking_out = 2,
  ordered = 3
};  // stored

struct CartLine {
  Item item;
  Micros unit_price;
  std::int32_t quantity = 0;
  Pricing pricing = Pricing::catalogue;
  bool operator==(const CartLine&) const = default;
};

/// How to get from `version` back to the version before: as little as that takes.
struct CartUndo {
  enum class What : std::uint8_t {  // stored
    drop_line,
    restore_line,
    insert_line,
    status,
    drop_currency,
    restore_currency,
  };
  std::uint32_t version = 0;
  std::uint16_t line = 0;  // its index
  What what = What::drop_line;
  CartStatus status = CartStatus::none;  // status
  CartLine before;                       // restore_line, insert_line
  OrderId order;                         // status
  Currency currency;                     // restore_currency
  bool operator==(const CartUndo&) const = default;
};

struct Cart {
  CartStatus status = CartStatus::none;
  Currency currency;
  std::optional<UserId> user;
  OrderId order;  // zero unless checking_out or ordered
  std::vector<CartLine> lines;
  Micros total;
  Version version = 0;
  std::vector<CartUndo> undo;  // oldest first; only as far back as an answer may need
  bool operator==(const Cart&) const = default;
};

struct OpenCart {
  CartId cart;
  std::optional<UserId> user;
  Currency currency;
};
/// What the catalogue says of a SKU now.
struct Quote {
  enum class Standing : std::uint8_t { unknown, inactive, on_sale } standing = Standing::unknown;
  std::string name;
  Money price;
};
struct AddItem {
  CartId cart;
  Sku sku;
  std::int64_t quantity = 0;        // 1 to limits::quantity_max
  std::optional<Money> unit_price;  // a merchant's: fixed, a line of its own
};
/// 0 removes.
struct SetItem {
  CartId cart;
  Sku sku;
  std::int64_t quantity = 0;  // 0 to limits::quantity_max
};
struct RemoveItem {
  CartId cart;
  Sku sku;
};

/// REQUIRES of all but OpenCart: the cart is there (status is not none).
Decision decide(const Cart& cart, const OpenCart& command);
/// Refusals: cart_closed (not open), unknown_product, inactive_product, currency_mismatch,
/// too_many_lines, quantity_too_large (of the line), amount_too_large (of the total).
Decision decide(const Cart& cart, const AddItem& command, const Quote& quote);
/// As AddItem; sets the catalogue line, or the one fixed line where there is only that;
/// ambiguous_line where there are several fixed lines and no other.
Decision decide(const Cart& cart, const SetItem& command, const Quote& quote);
/// No line of the SKU: already true. Refusal: cart_closed.
Decision decide(const Cart& cart, const RemoveItem& command);
/// Refusals: cart_closed, cart_empty.
Decision start_check_out(const Cart& cart, OrderId order);

/// The cart after `event`; moves, so that a long cart costs no copy.
Cart evolve(Cart cart, const Payload& event);
/// Forgets how to undo what no answer needs any more.
void trim_undo(Cart& cart, Version oldest_needed);
/// The cart as it was at `version`. REQUIRES: an answer with that version is still kept.
Cart as_of(const Cart& cart, Version version);

}  // namespace souk

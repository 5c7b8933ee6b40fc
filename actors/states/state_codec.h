#pragma once
/// What a shard hosts, and its stored form: a version byte (1), then schema/states.capnp packed.
/// The same state gives the same bytes.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "domain/answers.h"
#include "domain/cart/cart.h"
#include "domain/inventory/inventory.h"
#include "domain/order/order.h"
#include "domain/product/product.h"
#include "domain/user/user.h"
#include "events/result.h"

namespace souk {

struct SkuState {
  Product product;
  Inventory inventory;
  Answers answers;
  std::vector<StockFigures> figures;  // one per kept answer that needs it, by version
  bool operator==(const SkuState&) const = default;
};
struct UserState {
  User user;
  Answers answers;
  bool operator==(const UserState&) const = default;
};
struct CartState {
  Cart cart;
  Answers answers;
  bool operator==(const CartState&) const = default;
};
struct OrderState {
  Order order;
  Answers answers;
  bool operator==(const OrderState&) const = default;
};
struct EmailState {
  EmailOwner owner;
  bool operator==(const EmailState&) const = default;
};
struct KeyState {
  BoundKey key;
  bool operator==(const KeyState&) const = default;
};

/// Thread: any.
std::string encode(const SkuState& state);
std::string encode(const UserState& state);
std::string encode(const CartState& state);
std::string encode(const OrderState& state);
std::string encode(const EmailState& state);
std::string encode(const KeyState& state);

/// Errors: unsupported (a newer version byte); corrupt for all else that `encode` cannot have made.
/// Thread: any.
Result<SkuState, Fault> decode_sku(std::string_view bytes);
Result<UserState, Fault> decode_user(std::string_view bytes);
Result<CartState, Fault> decode_cart(std::string_view bytes);
Result<OrderState, Fault> decode_order(std::string_view bytes);
Result<EmailState, Fault> decode_email(std::string_view bytes);
Result<KeyState, Fault> decode_key(std::string_view bytes);

/// About what the state takes in memory: itself and what it owns on the heap. The texts of items
/// are shared by all and not counted. Costs no walk over the lines of a cart or an order. Units:
/// bytes.
std::size_t memory_of(const SkuState& state);
std::size_t memory_of(const UserState& state);
std::size_t memory_of(const CartState& state);
std::size_t memory_of(const OrderState& state);
std::size_t memory_of(const EmailState& state);
std::size_t memory_of(const KeyState& state);

}  // namespace souk

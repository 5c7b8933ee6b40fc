#pragma once
/// What a shard hosts, and its stored form: a version byte (1), then schema/states.capnp packed.
/// The same state gives the same bytes.
#include <cstddef>
#include <optional>
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
/// An answer that its entity has no room for any more, with what a repeat shows of the entity.
struct LeftAnswer {
  Answer answer;
  std::optional<StockFigures> figures = {};
  std::optional<UserProfile> profile = {};
  Version page = 0;  // of a cart: the page's newest version; 0: none
  bool operator==(const LeftAnswer&) const = default;
};
/// What is known beside other entities for 24 hours: the creation that a key is bound to, or an
/// answer that left, or a page of a cart, of which one answer or another can be rendered.
/// `key.at_ms` says from when on it counts.
struct KeyState {
  BoundKey key;
  std::vector<LeftAnswer> left = {};  // one at most
  std::vector<Cart> page = {};        // one at most
  bool operator==(const KeyState&) const = default;
};
/// Where it is found: at its entity's shard, under a hash of whose it is. `number`: of an answer the
/// key's hash, of a page its newest version.
enum class Beside : std::uint8_t { answer = 1, page = 2 };
KeyHash beside(ShardId shard, const EntityKey& entity, Beside what, std::uint64_t number);

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

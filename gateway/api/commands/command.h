#pragma once
/// From what a client said to what the engine is asked: ids, keys, hashes.
#include <cstdint>
#include <optional>
#include <string>

#include "actors/host/engine.h"
#include "actors/ports/request.h"
#include "actors/ports/vault.h"
#include "gateway/api/commands/input.h"
#include "gateway/api/edge/headers.h"

namespace souk {

/// Personal data that must be sealed before the command may go to the engine.
struct SealWork {
  EntityKey person;
  std::optional<std::string> email, name, address;
};

struct PreparedCommand {
  Request request;  // sealed members still empty
  std::optional<SealWork> seal;
  /// A product whose SKU no new one may have: version_mismatch says that there is none.
  bool creates_nothing = false;
};

/// Whose key seals the shipping address of an order: the user's where they bought at once; the
/// order's own where it came from a cart (whose user is not known at the edge) or is a guest's.
EntityKey address_person(OrderId order, bool from_cart, const std::optional<UserId>& user);

/// The id that a creation with this idempotency key has, always: a keyed hash of the key, its first
/// two bytes the shard of that hash.
/// `purpose`: "user", "cart", "order" or "return".
Id128 id_of_key(const Vault& vault, std::string_view purpose, std::string_view key,
                std::uint32_t shards);
/// The id of the order that a check-out of this cart with this key makes; on the cart's shard.
OrderId order_of_check_out(const Vault& vault, CartId cart, std::string_view key);
/// Of its email_key: case and spelling do not matter.
EmailHash email_hash(const Vault& vault, std::string_view email, std::uint32_t shards);

/// Thread: one at a time.
class CommandBuilder {
 public:
  CommandBuilder(const Vault& vault, Randomness& randomness, std::uint32_t shards);

  /// REQUIRES: check_complete said yes.
  /// Errors: 404 where an id of the path is of no shard; 422 for one of the body, and for the country
  ///         of an address.
  bool build(const CommandShape& shape, const CommandInput& input, const Conditions& conditions,
             PreparedCommand& out, Problem& problem);
  std::uint32_t shards() const { return shards_; }

 private:
  void spare_old_sku(const CommandInput& input, PreparedCommand& out) const;
  bool check_shards(const CommandShape& shape, const CommandInput& input, Problem& problem) const;
  Op make_op(const CommandShape& shape, const CommandInput& input, const Conditions& conditions,
             PreparedCommand& out);
  Op make_order_op(const CommandShape& shape, const CommandInput& input,
                   const Conditions& conditions, PreparedCommand& out);
  Op register_user(const CommandInput& input, const Conditions& conditions, PreparedCommand& out);
  Op update_user(const CommandInput& input, PreparedCommand& out);
  /// The id of what is created; sets `bind` where the key's own shard must agree.
  Id128 created(std::string_view purpose, const CommandInput& input, const Conditions& conditions,
                PreparedCommand& out);
  OrderId check_out_id(CartId cart, const Conditions& conditions);
  Id128 cheap_random();

  const Vault& vault_;
  Randomness& randomness_;
  std::uint32_t shards_;
  std::uint64_t cause_state_[2];
};

}  // namespace souk

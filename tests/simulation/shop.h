#pragma once
/// What all clients know of the shop, and what they were promised: plain sums, made of acknowledged
/// answers alone. The judge holds the journal against it.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/ports/request.h"

namespace souk::simulation {

using Quantities = std::map<std::string, std::int64_t>;  // by SKU

struct PromisedOrder {
  Quantities lines;
  std::string told;  // the last status that anybody saw: pending, confirmed, rejected, ...
  int cancelled = 0, shipped = 0, delivered = 0, returns = 0, refunds = 0;
  bool erased = false;
};

struct PromisedStock {
  std::int64_t received = 0, adjusted = 0;
};

struct Shop {
  std::uint32_t shards = 1;
  std::vector<Sku> skus;
  std::vector<std::string> emails;
  std::vector<UserId> users;  // who were welcomed, also if they left
  std::set<UserId> erasing;   // asked to be forgotten
  std::set<UserId> erased;    // were told that they are
  std::map<std::string, PromisedStock> stock;
  std::map<CartId, Quantities> carts;
  std::map<OrderId, PromisedOrder> orders;
  bool open = false;  // the shelves are filled

  Id128 on_shard(Id128 id, ShardId shard) const {
    id.bytes[0] = static_cast<std::uint8_t>(shard.value >> 8);
    id.bytes[1] = static_cast<std::uint8_t>(shard.value & 0xff);
    return id;
  }
  Id128 on_own_shard(const Id128& id) const { return on_shard(id, shard_of(id.view(), shards)); }
};

}  // namespace souk::simulation

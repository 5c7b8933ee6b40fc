#pragma once
/// A small model of the shop, folded from the events of a journal by sums of its own: it shares no
/// rule with the engine. What cannot be true is a violation at once.
#include <map>
#include <set>

#include "tests/simulation/disk.h"
#include "tests/simulation/shop.h"

namespace souk::simulation {

struct SkuBook {
  std::int64_t received = 0, adjusted = 0, returned = 0, sold = 0;
  std::map<OrderId, std::int64_t> holds;
  std::map<OrderId, std::int64_t> sold_to;
  std::set<OrderId> over;  // sold or released
  std::map<std::pair<OrderId, std::uint32_t>, std::int64_t> brought_back;
  std::int64_t reserved() const {
    std::int64_t sum = 0;
    for (const auto& [order, quantity] : holds) sum += quantity;
    return sum;
  }
  std::int64_t available() const { return received + adjusted + returned - sold - reserved(); }
};

struct CartBook {
  Quantities lines;
  std::string status;
  OrderId order;
};

struct OrderBook {
  Quantities lines;
  std::vector<std::string> line_skus;  // by index
  std::optional<UserId> user;
  Sealed sealed_address;
  std::int64_t total = 0, captured = 0, refund_requested = 0, refunded = 0;
  bool by_return = false, confirmed = false, rejected = false, settled = false;
  bool erased = false, key_destroyed = false;
  int cancelled = 0, shipped = 0, delivered = 0, requests = 0;
  std::map<std::uint32_t, Quantities> returns;
  std::set<std::uint32_t> restocked, kept_off_sale, refunds_due;
  bool final() const { return by_return || confirmed || rejected; }
};

struct UserBook {
  bool active = false, erased = false, key_destroyed = false, rejected = false;
  std::optional<EmailHash> email, pending;
  std::set<EmailHash> to_free;
};

class Books {
 public:
  explicit Books(World& world) : world_(world) {}
  /// Every record of every shard; also checks that sequences are dense and chains hold.
  void fold(const SimJournal::Records& records);

  std::map<std::string, SkuBook> skus;
  std::map<CartId, CartBook> carts;
  std::map<OrderId, OrderBook> orders;
  std::map<UserId, UserBook> users;
  std::map<EmailHash, UserId> emails;
  std::map<EntityKey, std::set<EntityKey>> bound;  // keys of creations -> what they made
  std::map<std::pair<EntityKey, std::uint64_t>, int>
      keys;  // entity, key -> how often it took effect
  std::map<std::uint16_t, Seq> last_seq;
  std::set<CommandId> causes;  // of all that took effect

  /// Where the fold is, for messages.
  std::string at() const;

 private:
  void fold(const Transaction& transaction);
  void sku_event(const Event& event);
  void cart_event(const Event& event);
  void order_event(const Event& event);
  void user_event(const Event& event);
  void email_event(const Event& event);
  void take_hold(SkuBook& book, const OrderId& order, std::int64_t quantity, const char* what);
  void wrong(const std::string& promise, const std::string& what);

  World& world_;
  std::uint16_t shard_ = 0;
  Seq seq_ = 0;
};

}  // namespace souk::simulation

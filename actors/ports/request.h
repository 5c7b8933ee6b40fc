#pragma once
/// What enters a shard and what leaves it. A request is admitted at the edge (checked, bounded,
/// sealed, given its ids); from here on nothing about it is malformed, only refused.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "domain/cart/cart.h"
#include "domain/inventory/inventory.h"
#include "domain/order/order.h"
#include "domain/product/product.h"
#include "domain/user/user.h"

namespace souk {

// ---- reads by id: committed state only ----
struct GetProduct {
  Sku sku;
};
struct GetStock {
  Sku sku;
};
struct GetUser {
  UserId user;
};
struct GetUserOrders {
  UserId user;
  std::optional<OrderId> before;  // newest first; those placed before this one
  std::size_t limit = 20;         // 1 to limits::user_orders_page_max
};
struct GetCart {
  CartId cart;
};
struct GetOrder {
  OrderId order;
};

using Op = std::variant<
    // commands of clients
    PutProduct, DelistProduct, ReceiveStock, AdjustStock, RegisterUser, UpdateUser, EraseUser,
    OpenCart, AddItem, SetItem, RemoveItem, CheckOut, PlaceOrder, CancelOrder, ShipOrder,
    DeliverOrder, ReturnOrder, RefundOrder, AcceptReturn, EraseOrder,
    // reads
    GetProduct, GetStock, GetUser, GetUserOrders, GetCart, GetOrder,
    // the processes' own commands, from shard to shard
    ReserveStock, ClaimStock, SellStock, ReleaseStock, ReturnStock, ClaimEmail, FreeEmail>;

/// The entity that a request is about; its shard handles it.
EntityKey target_of(const Op& op);
ShardId shard_of(const EntityKey& entity, std::uint32_t shards);
bool is_read(const Op& op);
/// Snake case, as metrics and batches name it: `add_item`, `get_cart`, `reserve_stock`.
std::string_view op_name(const Op& op);
inline constexpr std::size_t op_count = std::variant_size_v<Op>;

/// Who waits for the answer.
struct ReplyTo {
  enum class Who : std::uint8_t { nobody, client, process } who = Who::nobody;
  std::uint16_t sink = 0;    // client: which ReplySink
  std::uint64_t ticket = 0;  // client: its own word for the request
  EntityKey entity;          // process: the order or user whose process asked
};

/// What a client asks of the version of the target before a command changes it: If-Match and
/// If-None-Match of RFC 9110.
struct Preconditions {
  enum class Of : std::uint8_t { nothing, any, listed };
  Of match = Of::nothing, none_match = Of::nothing;
  std::vector<Version> matches, none_matches;
  bool hold(Version version, bool there) const;
};
/// That it is at `version`.
std::shared_ptr<const Preconditions> if_version(Version version);

enum class Intent : std::uint8_t {
  act,
  /// Only say whether it would be done: `admitted`, or its final answer where nothing would be
  /// recorded for it. Its sealed members are empty still.
  ask,
};

/// What a read by id promises in a cluster; on one node all are one.
enum class ReadLevel : std::uint8_t {
  owner,    // what the owner has acknowledged, once a record of its log has said that it owns still
  standby,  // what this node has of the shard, at once: behind the owner by what is on its way
};

enum class Wants : std::uint8_t {
  body,     // the document
  minimal,  // no body
};

struct Request {
  Op op;
  ReplyTo reply_to;
  CommandId cause;
  Id128 correlation;                                   // zero: the cause
  std::uint64_t key_hash = 0;                          // of the idempotency key; 0: none
  std::uint64_t request_hash = 0;                      // of the body; with a key
  std::shared_ptr<const Preconditions> preconditions;  // null: none
  Wants wants = Wants::body;
  Intent intent = Intent::act;
  bool wait_final = false;  // check-out, buy now: answer when the order is final (up to 5 s)
  /// Of a creation with a key on a user's shard: only bind this key to what it creates, on the key's
  /// own shard; then the answer is `bound`, and who asked sends the creation itself.
  std::optional<KeyHash> bind;
  /// A read of at least this position of the shard (waits up to 2 s).
  Seq min_seq = 0;
  ReadLevel level = ReadLevel::owner;
  /// An owner did it, or may have, before it had to leave it to another: nobody says that it was not
  /// done. Of this node; does not travel.
  bool begun = false;
};

enum class ReplyCode : std::uint8_t {
  ok,                    // 200
  created,               // 201
  accepted,              // 202: the order is not final yet
  refused,               // 409, with `refusal`
  not_found,             // 404
  version_mismatch,      // 412
  idempotency_conflict,  // 422
  unavailable,           // 503: may or may not have happened, repeat with the same key
  overloaded,            // 503: has not happened
  position_not_reached,  // 504
  not_done,              // 503: the log could not be written in time; has not happened
  admitted,              // to Intent::ask alone; no client sees it
  bound,                 // to Request::bind alone; no client sees it
};

/// A member of the body that must be opened by the vault before it is sent: `json` has nothing at
/// `offset` yet; there goes the opened text (escaped, in quotes) or, for `raw`, opened JSON; null
/// where the key is gone.
struct SealedMember {
  std::size_t offset = 0;
  EntityKey person;
  Sealed sealed;
  bool raw = false;
};

struct Body {
  std::string json;
  std::vector<SealedMember> sealed;  // ascending by offset
};

struct Reply {
  std::uint64_t ticket = 0;
  ReplyCode code = ReplyCode::ok;
  Refusal refusal = Refusal::none;
  std::uint8_t detail = 0;  // illegal_state: an OrderStatus
  bool replayed = false;
  std::uint8_t op = 0;  // index in Op, for metrics
  EntityKey entity;     // the one created or changed (an order for check-out)
  Version version = 0;  // ETag
  /// Of a read: the version of what else the document shows: of a product its stock's. 0: nothing.
  Version beside_version = 0;
  ShardId shard;
  Seq seq = 0;  // the position
  /// Other shards on which what came of it is durable: of an order its products'.
  std::vector<ShardId> also_on;
  Currency currency;  // of get_order
  Body body;          // empty with Wants::minimal
};

/// Takes the answers of one committed batch at once.
/// Thread: the host's; must not block.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void deliver(std::vector<Reply>&& replies) = 0;
};

enum class More : std::uint8_t { no, yes };

/// Writes documents (JSON) from states, on the host's thread; implemented by the gateway.
class Presenter {
 public:
  virtual ~Presenter() = default;
  virtual void product(const Sku& sku, const Product& product, std::int64_t available,
                       Body& out) const = 0;
  /// `{sku, active: false, version}`: what taking off sale answers.
  virtual void delisted(const Sku& sku, Version version, Body& out) const = 0;
  virtual void stock(const Sku& sku, const StockFigures& figures, Body& out) const = 0;
  virtual void user(UserId id, const UserProfile& profile, Body& out) const = 0;
  /// `{user_id}` alone and the like: what a creation answers.
  virtual void user_created(UserId id, Body& out) const = 0;
  virtual void user_orders(UserId id, const std::vector<std::pair<OrderId, const Order*>>& page,
                           More more, Body& out) const = 0;
  virtual void cart(CartId id, const Cart& cart, Body& out) const = 0;
  virtual void cart_created(CartId id, const Cart& cart, Body& out) const = 0;
  /// The order as it was at `version`.
  virtual void order(OrderId id, const Order& order, Version version, Body& out) const = 0;
  /// What a check-out answers: order_id, status (pending, confirmed, rejected), reason.
  virtual void check_out(OrderId id, OrderStatus status, Refusal reason, Body& out) const = 0;
};

}  // namespace souk

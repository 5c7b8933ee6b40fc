#include "actors/ports/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "actors/ports/op_role.h"

namespace souk {

EntityKey target_of(const Op& op) {
  return std::visit(Overloaded{
                        [](const PutProduct& c) { return EntityKey(c.sku); },
                        [](const DelistProduct& c) { return EntityKey(c.sku); },
                        [](const ReceiveStock& c) { return EntityKey(c.sku); },
                        [](const AdjustStock& c) { return EntityKey(c.sku); },
                        [](const GetProduct& c) { return EntityKey(c.sku); },
                        [](const GetStock& c) { return EntityKey(c.sku); },
                        [](const ReserveStock& c) { return EntityKey(c.sku); },
                        [](const ClaimStock& c) { return EntityKey(c.sku); },
                        [](const SellStock& c) { return EntityKey(c.sku); },
                        [](const ReleaseStock& c) { return EntityKey(c.sku); },
                        [](const ReturnStock& c) { return EntityKey(c.sku); },
                        [](const RegisterUser& c) { return EntityKey(c.user); },
                        [](const UpdateUser& c) { return EntityKey(c.user); },
                        [](const EraseUser& c) { return EntityKey(c.user); },
                        [](const GetUser& c) { return EntityKey(c.user); },
                        [](const GetUserOrders& c) { return EntityKey(c.user); },
                        [](const ClaimEmail& c) { return EntityKey(c.email); },
                        [](const FreeEmail& c) { return EntityKey(c.email); },
                        [](const OpenCart& c) { return EntityKey(c.cart); },
                        [](const AddItem& c) { return EntityKey(c.cart); },
                        [](const SetItem& c) { return EntityKey(c.cart); },
                        [](const RemoveItem& c) { return EntityKey(c.cart); },
                        [](const CheckOut& c) { return EntityKey(c.cart); },
                        [](const GetCart& c) { return EntityKey(c.cart); },
                        [](const PlaceOrder& c) { return EntityKey(c.order); },
                        [](const CancelOrder& c) { return EntityKey(c.order); },
                        [](const ShipOrder& c) { return EntityKey(c.order); },
                        [](const DeliverOrder& c) { return EntityKey(c.order); },
                        [](const ReturnOrder& c) { return EntityKey(c.order); },
                        [](const RefundOrder& c) { return EntityKey(c.order); },
                        [](const AcceptReturn& c) { return EntityKey(c.order); },
                        [](const EraseOrder& c) { return EntityKey(c.order); },
                        [](const GetOrder& c) { return EntityKey(c.order); },
                    },
                    op);
}

ShardId shard_of(const EntityKey& entity, std::uint32_t shards) {
  if (entity.kind() == Kind::sku) return shard_of(entity.id(), shards);
  auto id = Id128::from_bytes(entity.id());
  SOUK_ASSERT(id.has_value());
  return id->shard();
}

bool Preconditions::hold(Version version, bool there) const {
  const auto named = [&](Of of, const std::vector<Version>& versions) {
    return there && (of == Of::any || std::ranges::find(versions, version) != versions.end());
  };
  return (match == Of::nothing || named(match, matches)) &&
         (none_match == Of::nothing || !named(none_match, none_matches));
}

std::shared_ptr<const Preconditions> if_version(Version version) {
  Preconditions preconditions;
  preconditions.match = Preconditions::Of::listed;
  preconditions.matches = {version};
  return std::make_shared<const Preconditions>(std::move(preconditions));
}

namespace {
constexpr std::string_view op_names[] = {
    "put_product",   "delist_product", "receive_stock", "adjust_stock",    "register_user",
    "update_user",   "erase_user",     "open_cart",     "add_item",        "set_item",
    "remove_item",   "check_out",      "place_order",   "cancel_order",    "ship_order",
    "deliver_order", "return_order",   "refund_order",  "accept_return",   "erase_order",
    "get_product",   "get_stock",      "get_user",      "get_user_orders", "get_cart",
    "get_order",     "reserve_stock",  "claim_stock",   "sell_stock",      "release_stock",
    "return_stock",  "claim_email",    "free_email"};
static_assert(std::size(op_names) == op_count);
constexpr auto roles = []<std::size_t... at>(std::index_sequence<at...>) {
  return std::array{role_of<std::variant_alternative_t<at, Op>>...};
}
(std::make_index_sequence<op_count>{});
}  // namespace

OpRole role_of_op(const Op& op) { return roles[op.index()]; }
bool is_read(const Op& op) { return role_of_op(op) == OpRole::read; }
std::string_view op_name(const Op& op) { return op_names[op.index()]; }
std::string_view op_name_at(std::size_t index) {
  SOUK_ASSERT(index < op_count);
  return op_names[index];
}
std::optional<std::size_t> op_named(std::string_view name) {
  const auto* at = std::ranges::find(op_names, name);
  if (at == std::end(op_names)) return std::nullopt;
  return static_cast<std::size_t>(at - std::begin(op_names));
}

}  // namespace souk

#include "actors/shard/needs.h"

#include "actors/ports/op_role.h"
#include "actors/shard/reads.h"
#include "actors/shard/shared_names.h"

namespace souk {
namespace {

/// Of a creation `made` with the id `raw`.
void needs_of_creation(const Request& r, const EntityKey& made, const std::optional<UserId>& user,
                       const Id128& raw, std::vector<EntityKey>& out) {
  if (r.bind) {  // the same key may have created the same thing for a guest
    out.push_back(guests_twin(*r.bind, made));
  } else if (user) {
    out.emplace_back(*user);
    out.push_back(made);
  } else if (r.key_hash) {
    out.emplace_back(KeyHash{raw});
  }
}

Again needs_of_operation(const Request& request, Residency& entities, std::vector<EntityKey>& out) {
  const auto* r = &request;
  return std::visit(Overloaded{
                        [&](const OpenCart& c) {
                          needs_of_creation(*r, c.cart, c.user, c.cart.raw, out);
                          return Again::no;
                        },
                        [&](const PlaceOrder& c) {
                          needs_of_creation(*r, c.order, c.user, c.order.raw, out);
                          return Again::no;
                        },
                        [&](const AcceptReturn& c) {
                          needs_of_creation(*r, c.order, c.user, c.order.raw, out);
                          return Again::no;
                        },
                        [&](const CheckOut& c) {
                          auto* cart = entities.find<CartState>(c.cart);
                          if (cart && cart->state.cart.user)
                            out.emplace_back(*cart->state.cart.user);
                          if (r->key_hash) out.emplace_back(c.order);
                          return Again::yes;
                        },
                        [&](const GetUserOrders& q) {
                          if (auto* user = entities.find<UserState>(q.user))
                            for (const auto& order : orders_page(user->state.user, q).ids)
                              out.emplace_back(order);
                          return Again::yes;
                        },
                        [](const auto&) { return Again::no; },
                    },
                    r->op);
}

}  // namespace

bool needs_target_alone(const ShardInput& input) {
  const auto* r = std::get_if<Request>(&input);
  return !r || (r->key_hash == 0 && role_of_op(r->op) == OpRole::step);
}

Again needs_of(const ShardInput& input, Residency& entities, ShardClock& clock,
               std::vector<EntityKey>& out) {
  out.push_back(target_of(input));
  const auto* r = std::get_if<Request>(&input);
  if (!r) return Again::no;
  const Known known = r->key_hash == 0
                          ? Known::all
                          : needs_of_repeat(out.front(), r->key_hash, entities, clock, out);
  const Again again = needs_of_operation(*r, entities, out);
  if (again == Again::yes || known == Known::all) return again;
  return known == Known::some ? Again::yes : Again::with_target;
}

}  // namespace souk

#include "actors/shard/policies.h"

#include <array>
#include <utility>

#include "actors/ports/op_role.h"

namespace souk {
namespace {

using enum Policy::Key;
constexpr auto no_creation = Policy::Creates::nothing;
constexpr auto creation = Policy::Creates::target;
using enum Policy::Missing;
using enum Policy::IfMatch;
using enum Policy::Product;
constexpr auto no_order = Policy::Places::nothing;
constexpr auto an_order = Policy::Places::order;
constexpr auto no_person = Policy::Person::unneeded;
constexpr auto of_owner = Policy::Person::of_owner;

template <class Command>
struct Row;  // a command without a row does not compile

// clang-format off
//                                           key         creates      missing    if_match  product       places    person
template <> struct Row<PutProduct>     { static constexpr Policy policy
                                          {of_entity,  no_creation, allowed,   product,  unneeded,     no_order, no_person}; };
template <> struct Row<DelistProduct>  { static constexpr Policy policy
                                          {of_entity,  no_creation, allowed,   product,  or_not_found, no_order, no_person}; };
template <> struct Row<ReceiveStock>   { static constexpr Policy policy
                                          {of_entity,  no_creation, allowed,   stock,    or_refused,   no_order, no_person}; };
template <> struct Row<AdjustStock>    { static constexpr Policy policy
                                          {of_entity,  no_creation, allowed,   stock,    or_refused,   no_order, no_person}; };
template <> struct Row<RegisterUser>   { static constexpr Policy policy
                                          {of_entity,  creation,    allowed,   entity,   unneeded,     no_order, no_person}; };
template <> struct Row<UpdateUser>     { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<EraseUser>      { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<OpenCart>       { static constexpr Policy policy
                                          {of_creator, creation,    allowed,   ignored,  unneeded,     no_order, of_owner}; };
template <> struct Row<AddItem>        { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<SetItem>        { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<RemoveItem>     { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<CheckOut>       { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     an_order, of_owner}; };
template <> struct Row<PlaceOrder>     { static constexpr Policy policy
                                          {of_creator, creation,    allowed,   ignored,  unneeded,     no_order, of_owner}; };
template <> struct Row<AcceptReturn>   { static constexpr Policy policy
                                          {of_creator, creation,    allowed,   ignored,  unneeded,     no_order, of_owner}; };
template <> struct Row<CancelOrder>    { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<ShipOrder>      { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<DeliverOrder>   { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<ReturnOrder>    { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<RefundOrder>    { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
template <> struct Row<EraseOrder>     { static constexpr Policy policy
                                          {of_entity,  no_creation, not_found, entity,   unneeded,     no_order, no_person}; };
// clang-format on

template <std::size_t at>
constexpr const Policy* policy_at() {
  using Operation = std::variant_alternative_t<at, Op>;
  if constexpr (role_of<Operation> == OpRole::command)
    return &Row<Operation>::policy;
  else
    return nullptr;
}
constexpr auto table = []<std::size_t... at>(std::index_sequence<at...>) {
  return std::array{policy_at<at>()...};
}
(std::make_index_sequence<op_count>{});

}  // namespace

const Policy& policy_of(const Op& op) {
  const Policy* policy = table[op.index()];
  SOUK_ASSERT(policy);
  return *policy;
}

}  // namespace souk

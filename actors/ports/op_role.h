#pragma once
/// Who sends an operation: clients, or the processes of other shards.
#include <type_traits>

#include "actors/ports/request.h"

namespace souk {

enum class OpRole : std::uint8_t { command, read, step };

template <class Operation, class... Others>
inline constexpr bool is_any_of = (std::is_same_v<Operation, Others> || ...);
template <class Operation>
inline constexpr OpRole role_of =
    is_any_of<Operation, GetProduct, GetStock, GetUser, GetUserOrders, GetCart, GetOrder>
        ? OpRole::read
    : is_any_of<Operation, ReserveStock, ClaimStock, SellStock, ReleaseStock, ReturnStock,
                ClaimEmail, FreeEmail>
        ? OpRole::step
        : OpRole::command;
OpRole role_of_op(const Op& op);

}  // namespace souk

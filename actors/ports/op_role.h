#pragma once
/// What is known of an operation by its place in Op: who sends it (clients, or the processes of other
/// shards), and its name.
#include <optional>
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

/// The name of the alternative at `index`, as op_name has it. REQUIRES: index < op_count.
std::string_view op_name_at(std::size_t index);
/// The index of the alternative with this name; nothing where this build has none.
std::optional<std::size_t> op_named(std::string_view name);

}  // namespace souk

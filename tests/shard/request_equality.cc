// Whether two requests or replies are the same, member by member.
#include "tests/shard/request_samples.h"

namespace souk::shard_test {
namespace equality {

// One that gets another member does not compile here until it is compared.
auto members(const PutProduct& c) {
  const auto& [a, b] = c;
  return std::tie(a, b);
}
auto members(const DelistProduct& c) { return std::tie(c.sku); }
auto members(const ReceiveStock& c) {
  const auto& [a, b, d] = c;
  return std::tie(a, b, d);
}
auto members(const AdjustStock& c) {
  const auto& [a, b, d] = c;
  return std::tie(a, b, d);
}
auto members(const RegisterUser& c) {
  const auto& [a, b, d, e, f] = c;
  return std::tie(a, b, d, e, f);
}
auto members(const UpdateUser& c) {
  const auto& [a, b, d, e] = c;
  return std::tie(a, b, d, e);
}
auto members(const OpenCart& c) {
  const auto& [a, b, d] = c;
  return std::tie(a, b, d);
}
auto members(const AddItem& c) {
  const auto& [a, b, d, e] = c;
  return std::tie(a, b, d, e);
}
auto members(const SetItem& c) {
  const auto& [a, b, d] = c;
  return std::tie(a, b, d);
}
auto members(const RemoveItem& c) {
  const auto& [a, b] = c;
  return std::tie(a, b);
}
auto members(const PaymentMethod& c) {
  const auto& [a, b] = c;
  return std::tie(a, b);
}
auto members(const CheckOut& c) {
  const auto& [a, b, d, e, f, g] = c;
  return std::tie(a, b, d, e, f, g);
}
auto members(const PlaceOrder& c) {
  const auto& [a, b, d, e, f, g, h] = c;
  return std::tie(a, b, d, e, f, g, h);
}
auto members(const ReturnLine& c) {
  const auto& [a, b, d] = c;
  return std::tie(a, b, d);
}
auto members(const ReturnOrder& c) {
  const auto& [a, b, d] = c;
  return std::tie(a, b, d);
}
auto members(const RefundOrder& c) {
  const auto& [a, b] = c;
  return std::tie(a, b);
}
auto members(const AcceptReturn& c) {
  const auto& [a, b, d, e, f] = c;
  return std::tie(a, b, d, e, f);
}
auto members(const GetUserOrders& c) {
  const auto& [a, b, d] = c;
  return std::tie(a, b, d);
}
auto members(const Preconditions& c) {
  const auto& [a, b, d, e] = c;
  return std::tie(a, b, d, e);
}
auto members(const SealedMember& c) {
  const auto& [a, b, d, e] = c;
  return std::tie(a, b, d, e);
}
auto members(const Body& c) {
  const auto& [a, b] = c;
  return std::tie(a, b);
}
/// What is all said by one member.
template <class One>
auto members(const One& c) {
  const auto& [a] = c;
  return std::tie(a);
}

template <class T>
bool equal(const T& a, const T& b);
template <class T>
bool equal(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return equal(x, y); });
}
template <class T>
bool equal(const T& a, const T& b) {
  if constexpr (std::equality_comparable<T>) {
    return a == b;
  } else {
    const auto all = [](const auto& x, const auto& y) {
      return [&]<std::size_t... at>(std::index_sequence<at...>) {
        return (equal(std::get<at>(x), std::get<at>(y)) && ...);
      }
      (std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(x)>>>{});
    };
    return all(members(a), members(b));
  }
}
bool equal(const std::shared_ptr<const Preconditions>& a,
           const std::shared_ptr<const Preconditions>& b) {
  return a && b ? equal(*a, *b) : !a && !b;
}

}  // namespace equality

bool same(const Request& a, const Request& b) {
  using equality::equal;
  const auto& [op, reply_to, cause, correlation, key_hash, request_hash, preconditions, wants,
               intent, wait_final, bind, min_seq, level, begun] = a;
  if (op.index() != b.op.index()) return false;
  const bool same_op = std::visit(
      [&]<class Operation>(const Operation& one) {
        if constexpr (role_of<Operation> == OpRole::step)
          return false;
        else
          return equal(one, std::get<Operation>(b.op));
      },
      op);
  return same_op && cause == b.cause && correlation == b.correlation && key_hash == b.key_hash &&
         request_hash == b.request_hash && equal(preconditions, b.preconditions) &&
         wants == b.wants && intent == b.intent && wait_final == b.wait_final && bind == b.bind &&
         min_seq == b.min_seq && level == b.level && begun == b.begun;
}

bool same(const Reply& a, const Reply& b) {
  const auto& [ticket, code, refusal, detail, replayed, op, entity, version, beside_version, shard,
               seq, also_on, currency, body] = a;
  return code == b.code && refusal == b.refusal && detail == b.detail && replayed == b.replayed &&
         op == b.op && entity == b.entity && version == b.version &&
         beside_version == b.beside_version && shard == b.shard && seq == b.seq &&
         also_on == b.also_on && currency == b.currency && equality::equal(body, b.body);
}

}  // namespace souk::shard_test

#include "actors/shard/stock_steps.h"

#include "actors/shard/order_processes.h"

namespace souk {
namespace {

CommandId step_id(const OrderId& order, std::size_t op, std::uint32_t number) {
  CommandId id = order.raw;  // attempt-independent: the same step has the same name
  id.bytes[14] = static_cast<std::uint8_t>(id.bytes[14] ^ (op + 1));
  id.bytes[15] = static_cast<std::uint8_t>(id.bytes[15] ^ number);
  return id;
}

/// Whose step it is, and which of that order's returns.
struct StepName {
  OrderId order;
  std::uint32_t number = 0;
};
StepName name_of(const Op& op) {
  return std::visit(Overloaded{
                        [](const ReserveStock& c) { return StepName{c.order}; },
                        [](const ClaimStock& c) { return StepName{c.order}; },
                        [](const SellStock& c) { return StepName{c.order}; },
                        [](const ReleaseStock& c) { return StepName{c.order}; },
                        [](const ReturnStock& c) {
                          return StepName{c.order, c.number};
                        },
                        [](const auto&) { return StepName{}; },
                    },
                    op);
}

/// The SKU of a step that has no more use for it.
Sku take_sku(Op& op) {
  return std::visit(
      [](auto& c) -> Sku {
        if constexpr (requires { c.sku; })
          return std::move(c.sku);
        else
          return {};
      },
      op);
}

Decision decide_step(const SkuState& state, const Op& op, UnixMs now) {
  const Inventory& stock = state.inventory;
  return std::visit(Overloaded{
                        [&](const ReserveStock& c) { return decide(stock, state.product, c, now); },
                        [&](const ClaimStock& c) { return decide(stock, c); },
                        [&](const SellStock& c) { return decide(stock, c); },
                        [&](const ReleaseStock& c) { return decide(stock, c); },
                        [&](const ReturnStock& c) { return decide(stock, c); },
                        [](const auto&) -> Decision { return Refused{}; },
                    },
                    op);
}

}  // namespace

void StockSteps::step(Request& request, const EntityKey& entity) {
  StockAnswer result{.op = request.op.index(), .sku = take_sku(request.op)};
  auto* h = desk_.entities.find_key<SkuState>(entity);
  static const SkuState nothing;
  const SkuState& state = h ? h->state : nothing;
  if (const auto* restock = std::get_if<ReturnStock>(&request.op)) result.number = restock->number;
  const auto* reserve = std::get_if<ReserveStock>(&request.op);
  if (reserve && comes_too_late(state.inventory, *reserve)) {
    result.code = ReplyCode::unavailable;
    return answer(request, h ? h->seq : 0, std::move(result));
  }
  // Where nothing is known of the SKU a release makes nothing known.
  const bool no_release = !h && std::holds_alternative<ReleaseStock>(request.op);
  Decision decision = no_release ? Facts{} : decide_step(state, request.op, desk_.clock.now());
  if (!decision.ok()) {
    result.code = ReplyCode::refused;
    result.refusal = decision.error().reason;
    if (result.refusal == Refusal::price_changed)
      result.price_change = PriceChange{Item(result.sku, state.product.name), state.product.price};
  } else if (!decision->empty()) {
    const StepName name = name_of(request.op);
    const bool reserves = std::holds_alternative<StockReserved>(decision->front());
    desk_.recorder.record({.cause = step_id(name.order, request.op.index(), name.number),
                           .correlation = name.order.raw},
                          events_of(entity, std::move(*decision)));
    h = desk_.entities.find_key<SkuState>(entity);
    if (reserves) arm(*h, *next_expiry(h->state.inventory));
  }
  answer(request, h ? h->seq : 0, std::move(result));
}

void StockSteps::answer(const Request& request, Seq seq, StockAnswer&& result) {
  desk_.gate.leave_in_order(seq,
                            ShardInput(ProcessAnswer{request.reply_to.entity, std::move(result)}));
}

void StockSteps::arm(Hosted<SkuState>& h, UnixMs due) {
  if (h.armed.value != 0 && h.armed <= due) return;
  h.armed = due;
  timers_.arm(due, h.id);
}

void StockSteps::expire(const Sku& sku, UnixMs now) {
  auto* h = desk_.find<SkuState>(sku);
  if (!h) return;
  h->armed = {};
  const Facts facts = expire_holds(h->state.inventory, now);
  for (const auto& fact : facts) {
    const auto& expired = std::get<ReservationExpired>(fact);
    desk_.recorder.record(
        {.cause = process_cause(expired.order, fact.index(), 0), .correlation = expired.order.raw},
        {{EntityKey(sku), fact}});
  }
  if (auto next = next_expiry(h->state.inventory)) arm(*h, *next);
}

void StockSteps::resume() {
  desk_.entities.each<SkuState>([&](Hosted<SkuState>& h) {
    if (auto due = next_expiry(h.state.inventory)) arm(h, *due);
  });
}

}  // namespace souk

#include "actors/shard/sku_commands.h"

namespace souk {
namespace {

Decision decide_on(const SkuState& state, const Op& op) {
  return std::visit(Overloaded{
                        [&](const PutProduct& c) { return decide(state.product, c); },
                        [&](const DelistProduct& c) { return decide(state.product, c); },
                        [&](const ReceiveStock& c) { return decide(state.inventory, c); },
                        [&](const AdjustStock& c) { return decide(state.inventory, c); },
                        [](const auto&) -> Decision { return Refused{}; },
                    },
                    op);
}

}  // namespace

void sku_command(Desk& desk, const Request& request) {
  const EntityKey entity = target_of(request.op);
  const Sku sku = Sku::trusted(entity.id());
  static const SkuState nothing;
  auto* h = desk.find<SkuState>(sku);
  const SkuState& state = h ? h->state : nothing;
  const bool creates = std::holds_alternative<PutProduct>(request.op) && !state.product.defined;
  const Outcome outcome = creates ? Outcome::created : Outcome::ok;
  if (conclude(desk, request, entity, decide_on(state, request.op), outcome) == Verdict::refused)
    return;
  const auto& after = *desk.find<SkuState>(sku);
  const bool about_product = std::holds_alternative<PutProduct>(request.op) ||
                             std::holds_alternative<DelistProduct>(request.op);
  desk.responder.respond(
      request, creates ? ReplyCode::created : ReplyCode::ok,
      about_product ? after.state.product.version : after.state.inventory.version, after.seq,
      Replayed::no);
}

}  // namespace souk

// Commands on products and their stock, steps of check-outs among them.
#include "actors/shard/shard.h"

namespace souk {
namespace {

CommandId step_id(const OrderId& order, std::size_t op, std::uint32_t number) {
  CommandId id = order.raw;  // attempt-independent: the same step has the same name
  id.bytes[14] = static_cast<std::uint8_t>(id.bytes[14] ^ (op + 1));
  id.bytes[15] = static_cast<std::uint8_t>(id.bytes[15] ^ number);
  return id;
}

}  // namespace

void Shard::sku_command(Request& request) {
  const EntityKey entity = target_of(request.op);
  const Sku sku = Sku::trusted(entity.id());
  static const SkuState nothing;
  auto* h = find<SkuState>(sku);
  const Seq seq = h ? h->seq : 0;
  const SkuState& state = h ? h->state : nothing;
  if (answered_before(request, state.answers, seq)) return;
  const bool about_product = std::holds_alternative<PutProduct>(request.op) ||
                             std::holds_alternative<DelistProduct>(request.op);
  if (version_differs(request, about_product ? state.product.version : state.inventory.version,
                      seq))
    return;

  if (const auto* put = std::get_if<PutProduct>(&request.op)) {
    const Outcome outcome = state.product.defined ? Outcome::ok : Outcome::created;
    if (!decided(request, entity, decide(state.product, *put), outcome)) return;
    const auto& after = *find<SkuState>(sku);
    return respond(request, outcome == Outcome::created ? ReplyCode::created : ReplyCode::ok,
                   after.state.product.version, after.seq, Replayed::no);
  }
  if (const auto* delist = std::get_if<DelistProduct>(&request.op)) {
    if (!state.product.defined) return not_found(request);
    if (!decided(request, entity, decide(state.product, *delist), Outcome::ok)) return;
    const auto& after = *find<SkuState>(sku);
    return respond(request, ReplyCode::ok, after.state.product.version, after.seq, Replayed::no);
  }
  if (!state.product.defined)
    return refuse(request, entity, {Refusal::unknown_product}, Remember::no);
  const Decision decision = std::holds_alternative<ReceiveStock>(request.op)
                                ? decide(state.inventory, std::get<ReceiveStock>(request.op))
                                : decide(state.inventory, std::get<AdjustStock>(request.op));
  if (!decided(request, entity, decision, Outcome::ok)) return;
  const auto& after = *find<SkuState>(sku);
  respond(request, ReplyCode::ok, after.state.inventory.version, after.seq, Replayed::no);
}

/// A step of some order's check-out: reserve, claim, sell, release, return.
void Shard::stock_step(Request& request) {
  const EntityKey entity = target_of(request.op);
  auto* h = find<SkuState>(Sku::trusted(entity.id()));
  static const SkuState nothing;
  const SkuState& state = h ? h->state : nothing;
  std::uint32_t number = 0;
  OrderId order;
  const Decision decision =
      std::visit(Overloaded{
                     [&](const ReserveStock& c) {
                       order = c.order;
                       return decide(state.inventory, state.product, c, now());
                     },
                     [&](const ReturnStock& c) {
                       order = c.order;
                       number = c.number;
                       return decide(state.inventory, c);
                     },
                     [&](const ClaimStock& c) {
                       order = c.order;
                       return decide(state.inventory, c);
                     },
                     [&](const SellStock& c) {
                       order = c.order;
                       return decide(state.inventory, c);
                     },
                     [&](const ReleaseStock& c) {
                       order = c.order;
                       return decide(state.inventory, c);
                     },
                     [](const auto&) -> Decision { return Refused{}; },
                 },
                 request.op);
  StockAnswer result{.op = request.op.index(), .sku = Sku::trusted(entity.id())};
  if (!decision.ok()) {
    result.code = ReplyCode::refused;
    result.refusal = decision.error().reason;
    if (result.refusal == Refusal::price_changed)
      result.price_change = PriceChange{Item(result.sku, state.product.name), state.product.price};
  } else if (!decision->empty()) {
    record({.cause = step_id(order, request.op.index(), number), .correlation = order.raw},
           events_of(entity, *decision));
    h = find<SkuState>(result.sku);
    if (std::holds_alternative<ReserveStock>(request.op))
      arm_expiry(result.sku, std::get<StockReserved>((*decision)[0]).expires_at);
  }
  gate(h ? h->seq : 0,
       {.what = ShardInput(ProcessAnswer{request.reply_to.entity, std::move(result)})});
}

}  // namespace souk

#pragma once
/// The SKU's side of check-outs: reserve, claim, sell, release, return; and holds that expire.
/// Invariant: a SKU whose holds can expire has a timer that is no later than the first of them.
/// Thread: its shard's.
#include "actors/shard/desk.h"
#include "actors/shard/timers.h"

namespace souk {

class StockSteps {
 public:
  StockSteps(Desk& desk, Timers& timers) : desk_(desk), timers_(timers) {}

  /// A step of some order's process; the answer goes to it. `unavailable`: asked for too long ago.
  void step(Request& request, const EntityKey& sku);
  /// The SKU's timer has come.
  void expire(const Sku& sku, UnixMs now);
  /// Arms the holds of all SKUs in memory; after a recovery.
  void resume();

 private:
  void answer(const Request& request, Seq seq, StockAnswer&& result);
  void arm(Hosted<SkuState>& sku, UnixMs due);

  Desk& desk_;
  Timers& timers_;
};

}  // namespace souk

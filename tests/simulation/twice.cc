#include "tests/simulation/twice.h"

#include <map>

#include "domain/decision.h"
#include "domain/inventory/inventory.h"

namespace souk {

Decision really_release(const Inventory& inventory, const ReleaseStock& command) asm(
    "__real__ZN4souk6decideERKNS_9InventoryERKNS_12ReleaseStockE");
Decision release(const Inventory& inventory, const ReleaseStock& command) asm(
    "__wrap__ZN4souk6decideERKNS_9InventoryERKNS_12ReleaseStockE");

namespace {
bool broken = false;
std::map<std::pair<std::string, OrderId>, std::int64_t> released;
}  // namespace

Decision release(const Inventory& inventory, const ReleaseStock& command) {
  Decision decision = really_release(inventory, command);
  if (!broken || !decision.ok()) return decision;
  auto& quantity = released[{command.sku.text(), command.order}];
  if (!decision->empty())
    quantity = std::get<ReservationReleased>(decision->front()).quantity;
  else if (quantity > 0)
    return facts_of(ReservationReleased{.order = command.order, .quantity = quantity});
  return decision;
}

namespace simulation {

ReleasesTwice::ReleasesTwice(Mode mode) {
  broken = mode == Mode::broken;
  released.clear();
}
ReleasesTwice::~ReleasesTwice() { broken = false; }

}  // namespace simulation
}  // namespace souk

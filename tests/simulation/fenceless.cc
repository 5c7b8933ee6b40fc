#include "tests/simulation/fenceless.h"

#include "domain/inventory/inventory.h"
#include "domain/product/product.h"

namespace souk {

Decision
really_reserve(const Inventory& inventory, const Product& product, const ReserveStock& command, UnixMs now) asm(
    "__real__ZN4souk6decideERKNS_9InventoryERKNS_7ProductERKNS_12ReserveStockENS_6UnixMsE");
Decision
reserve(const Inventory& inventory, const Product& product, const ReserveStock& command, UnixMs now) asm(
    "__wrap__ZN4souk6decideERKNS_9InventoryERKNS_7ProductERKNS_12ReserveStockENS_6UnixMsE");
bool really_too_late(const Inventory& inventory, const ReserveStock& command) asm(
    "__real__ZN4souk14comes_too_lateERKNS_9InventoryERKNS_12ReserveStockE");
bool too_late(const Inventory& inventory, const ReserveStock& command) asm(
    "__wrap__ZN4souk14comes_too_lateERKNS_9InventoryERKNS_12ReserveStockE");

namespace {
bool fences_off = false;
}  // namespace

Decision reserve(const Inventory& inventory, const Product& product, const ReserveStock& command,
                 UnixMs now) {
  if (!fences_off) return really_reserve(inventory, product, command, now);
  Inventory without = inventory;
  without.fences = {};
  return really_reserve(without, product, command, now);
}

bool too_late(const Inventory& inventory, const ReserveStock& command) {
  return !fences_off && really_too_late(inventory, command);
}

namespace simulation {

Fenceless::Fenceless(Mode mode) { fences_off = mode == Mode::broken; }
Fenceless::~Fenceless() { fences_off = false; }

}  // namespace simulation
}  // namespace souk

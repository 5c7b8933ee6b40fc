#include "domain/inventory/fences.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace souk {
namespace {
constexpr std::size_t table_min = 4;
/// A table so much larger than the orders that are expected is given up.
constexpr std::size_t table_kept_max = 8;
}  // namespace

/// Where `order` stands, or would. REQUIRES: there is a table.
std::size_t Fences::Span::slot_of(const OrderId& order) const {
  const std::size_t mask = table.size() - 1;
  std::size_t at = std::hash<OrderId>{}(order)&mask;
  while (table[at].how != Over::no && table[at].order != order) at = (at + 1) & mask;
  return at;
}

void Fences::Span::put(const OrderId& order, Over how) {
  if (4 * (size + 1) > 3 * table.size()) {
    std::vector<Slot> before(std::max(table_min, 2 * table.size()));
    before.swap(table);
    for (const Slot& slot : before)
      if (slot.how != Over::no) table[slot_of(slot.order)] = slot;
  }
  Slot& slot = table[slot_of(order)];
  if (slot.how == Over::no) ++size;
  slot = {.order = order, .how = how};
}

void Fences::Span::begin(UnixMs at, std::size_t expected) {
  first = last = at;
  size = 0;
  if (table.size() > table_kept_max * expected)
    table = {};
  else
    std::ranges::fill(table, Slot{});
}

Over Fences::find(const OrderId& order, UnixMs asked_at) const {
  for (const Span* span : {&newer_, &older_}) {
    if (span->size == 0 || span->last < asked_at) continue;
    if (const Slot& slot = span->table[span->slot_of(order)]; slot.how != Over::no) return slot.how;
  }
  return Over::no;
}

void Fences::end(const OrderId& order, Over how, UnixMs at) {
  if (at.value - newer_.first.value >= fence_kept_ms) {
    if (older_.size > 0) horizon_ = older_.last;
    std::swap(older_, newer_);
    newer_.begin(at, older_.size);
  }
  newer_.put(order, how);
  newer_.last = at;
}

}  // namespace souk

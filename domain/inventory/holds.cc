#include <algorithm>
#include <iterator>

#include "domain/inventory/inventory.h"

namespace souk {
namespace {

constexpr std::size_t table_min = 4;
/// A table without holds that is larger is given up.
constexpr std::size_t empty_table_max = 64;
/// Fewer entries are not worth looking for those that have gone.
constexpr std::size_t queue_min = 64;

}  // namespace

// ---- the table ----

/// Where `order` stands, or would. REQUIRES: there is a table.
std::size_t Holds::slot_of(const OrderId& order) const {
  std::size_t at = home_of(order);
  while (table_[at].used && table_[at].order != order) at = (at + 1) & mask();
  return at;
}

const Hold* Holds::find(const OrderId& order) const {
  if (size_ == 0) return nullptr;
  const Slot& slot = table_[slot_of(order)];
  return slot.used ? &slot.hold : nullptr;
}

void Holds::insert(const OrderId& order, const Hold& hold) {
  if (4 * (size_ + 1) > 3 * table_.size()) grow();
  table_[slot_of(order)] = {.order = order, .hold = hold, .used = true};
  ++size_;
}

void Holds::grow() {
  std::vector<Slot> old(std::max(table_min, 2 * table_.size()));
  old.swap(table_);
  for (const Slot& slot : old)
    if (slot.used) table_[slot_of(slot.order)] = slot;
}

std::int64_t Holds::drop(const OrderId& order) {
  if (size_ == 0) return 0;
  std::size_t gap = slot_of(order);
  if (!table_[gap].used) return 0;
  const std::int64_t quantity = table_[gap].hold.quantity;
  table_[gap].used = false;
  --size_;
  // Those behind it that were pushed on by it move up.
  for (std::size_t at = (gap + 1) & mask(); table_[at].used; at = (at + 1) & mask()) {
    const std::size_t home = home_of(table_[at].order);
    if (((at - home) & mask()) < ((at - gap) & mask())) continue;
    table_[gap] = table_[at];
    table_[at].used = false;
    gap = at;
  }
  if (size_ == 0 && table_.size() > empty_table_max) table_ = {};
  if (!queue_.empty() && queue_.front().order == order) settle_front();
  return quantity;
}

void Holds::claim(const OrderId& order) {
  if (size_ == 0) return;
  Slot& slot = table_[slot_of(order)];
  if (!slot.used || slot.hold.claimed) return;
  slot.hold.claimed = true;
  if (queue_.front().order == order) settle_front();
}

std::vector<std::pair<OrderId, Hold>> Holds::all() const {
  std::vector<std::pair<OrderId, Hold>> holds;
  holds.reserve(size_);
  for (const Slot& slot : table_)
    if (slot.used) holds.emplace_back(slot.order, slot.hold);
  std::ranges::sort(holds, {}, [](const auto& hold) { return hold.first; });
  return holds;
}

// ---- the queue ----

bool Holds::expires(const Expiry& expiry) const {
  const Hold* hold = find(expiry.order);
  return hold && !hold->claimed && hold->expires_at == expiry.at;
}

void Holds::settle_front() {
  while (!queue_.empty() && !expires(queue_.front())) queue_.pop_front();
}

void Holds::put(const OrderId& order, const Hold& hold) {
  drop(order);
  insert(order, hold);
  if (hold.claimed) return;
  if (queue_.size() >= queue_min && queue_.size() > 2 * size_)
    queue_.erase_if([this](const Expiry& e) { return !expires(e); });
  // A hold that is made later nearly always expires later.
  auto at = queue_.end();
  while (at != queue_.begin() && std::prev(at)->at > hold.expires_at) --at;
  queue_.insert(at, {hold.expires_at, order});
}

void Holds::restore(const std::vector<std::pair<OrderId, Hold>>& holds) {
  std::vector<Expiry> expiries;
  for (const auto& [order, hold] : holds) {
    if (find(order)) continue;
    insert(order, hold);
    if (!hold.claimed) expiries.push_back({hold.expires_at, order});
  }
  std::ranges::stable_sort(expiries, {}, &Expiry::at);
  for (const Expiry& expiry : expiries) queue_.push_back(expiry);
}

std::vector<OrderId> Holds::due(UnixMs now) const {
  std::vector<OrderId> orders;
  for (const Expiry& expiry : queue_) {
    if (expiry.at > now) break;
    if (expires(expiry)) orders.push_back(expiry.order);
  }
  // An order that gave its hold back and took another that expires at the same time stands twice.
  std::sort(orders.begin(), orders.end());
  orders.erase(std::unique(orders.begin(), orders.end()), orders.end());
  return orders;
}

std::optional<UnixMs> Holds::next_expiry() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.front().at;
}

std::size_t Holds::heap_bytes() const {
  return table_.capacity() * sizeof(Slot) + queue_.heap_bytes();
}

}  // namespace souk

#pragma once
#include <boost/flyweight.hpp>
#include <string>

#include "events/ids.h"

namespace souk {

struct ItemText {
  Sku sku;
  std::string name;
  std::uint64_t sku_hash = stable_hash(sku.text());
  bool operator==(const ItemText&) const = default;
};
inline std::size_t hash_value(const ItemText& item) {
  return static_cast<std::size_t>(item.sku_hash * 31 + stable_hash(item.name));
}

/// A SKU with the name that it had, shared by every line that shows it: 8 bytes where it stands.
/// Thread: any.
class Item {
 public:
  Item() = default;
  Item(Sku sku, std::string name) : shared_(ItemText{std::move(sku), std::move(name)}) {}
  const Sku& sku() const { return shared_.get().sku; }
  const std::string& name() const { return shared_.get().name; }
  /// Whether it shows the SKU of `other`, perhaps under another name.
  bool same_sku(const Item& other) const {
    const ItemText& a = shared_.get();
    const ItemText& b = other.shared_.get();
    return a.sku_hash == b.sku_hash && a.sku == b.sku;
  }
  bool operator==(const Item& other) const { return shared_ == other.shared_; }

 private:
  boost::flyweight<ItemText> shared_;
};

}  // namespace souk

#pragma once
/// Which of the products found are variants of one thing, so that each thing is one hit.
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "projections/search/catalogue.h"

namespace souk::search {

/// The groups of some products, as they were when this was made. One made of nothing has none: each
/// product is on its own.
class Groups {
 public:
  Groups() = default;
  Groups(const Catalogue& catalogue, const DocSet& docs);

  bool empty() const { return docs_.empty(); }
  std::size_t size() const { return empty() ? 0 : starts_.size() - 1; }
  /// Those of a group, from 0, in the order of their numbers.
  std::span<const DocId> members(std::size_t group) const {
    return std::span(members_).subspan(starts_[group], starts_[group + 1] - starts_[group]);
  }
  /// Those of the group of `doc`, itself too; none: it is on its own.
  std::span<const DocId> variants(DocId doc) const;
  /// Those of `docs` that are on their own. REQUIRES: `docs` is sorted.
  std::vector<DocId> without(const std::vector<DocId>& docs) const;
  /// How many of `products`, of which these are the groups, are hits.
  std::size_t hits(std::size_t products) const { return products - docs_.size() + size(); }

  /// Leaves of each group the first by `before`, in no order. `doc_of`: the product of an item.
  template <class Item, class DocOf, class Before>
  void collapse(std::vector<Item>& items, const DocOf& doc_of, const Before& before) const {
    if (empty()) return;
    std::vector<std::size_t> place(size(), nowhere);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::size_t group = group_of(doc_of(items[i]));
      if (group != nowhere && place[group] != nowhere) {
        Item& best = items[place[group]];
        if (before(items[i], best)) best = std::move(items[i]);
        continue;
      }
      if (group != nowhere) place[group] = kept;
      if (kept != i) items[kept] = std::move(items[i]);
      ++kept;
    }
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(kept), items.end());
  }

 private:
  static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();
  std::size_t group_of(DocId doc) const;

  std::vector<DocId> docs_;            // sorted; who is in a group
  std::vector<std::uint32_t> group_;   // of each of them
  std::vector<std::uint32_t> by_doc_;  // the same by number; empty where they are few
  std::vector<std::uint32_t> starts_;  // in members_, by group; then its size
  std::vector<DocId> members_;         // by group
};

}  // namespace souk::search

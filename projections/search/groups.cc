#include "projections/search/groups.h"

#include <algorithm>
#include <iterator>

namespace souk::search {
namespace {

constexpr auto no_group = std::numeric_limits<std::uint32_t>::max();
/// One of so many, and a table of all costs more than looking for it.
constexpr std::size_t few = 16;

}  // namespace

Groups::Groups(const Catalogue& catalogue, const DocSet& docs) {
  if (docs.size_with(catalogue.grouped()) == 0) return;
  docs_ = (docs & catalogue.grouped()).list();
  std::vector<std::uint32_t> numbers(catalogue.group_numbers(), no_group);
  starts_ = {0, 0};  // one place further until they are sums
  for (const DocId doc : docs_) {
    auto& number = numbers[catalogue.group(doc)];
    if (number == no_group) {
      number = static_cast<std::uint32_t>(starts_.size() - 2);
      starts_.push_back(0);
    }
    group_.push_back(number);
    ++starts_[number + 2];
  }
  for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
  members_.resize(docs_.size());
  for (std::size_t i = 0; i < docs_.size(); ++i) members_[starts_[group_[i] + 1]++] = docs_[i];
  starts_.pop_back();
  if (docs_.size() < docs_.back() / few) return;
  by_doc_.resize(docs_.back() + 1, no_group);
  for (std::size_t i = 0; i < docs_.size(); ++i) by_doc_[docs_[i]] = group_[i];
}

std::size_t Groups::group_of(DocId doc) const {
  if (!by_doc_.empty()) {
    if (doc >= by_doc_.size() || by_doc_[doc] == no_group) return nowhere;
    return by_doc_[doc];
  }
  const auto at = std::lower_bound(docs_.begin(), docs_.end(), doc);
  if (at == docs_.end() || *at != doc) return nowhere;
  return group_[static_cast<std::size_t>(at - docs_.begin())];
}

std::span<const DocId> Groups::variants(DocId doc) const {
  const std::size_t group = group_of(doc);
  return group == nowhere ? std::span<const DocId>() : members(group);
}

std::vector<DocId> Groups::without(const std::vector<DocId>& docs) const {
  std::vector<DocId> alone;
  alone.reserve(docs.size() - docs_.size());
  std::set_difference(docs.begin(), docs.end(), docs_.begin(), docs_.end(),
                      std::back_inserter(alone));
  return alone;
}

}  // namespace souk::search

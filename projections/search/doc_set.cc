#include "projections/search/doc_set.h"

#include <roaring/roaring.h>

#include <algorithm>
#include <utility>

#include "events/result.h"

namespace souk::search {

DocSet::DocSet() : bits_(roaring_bitmap_create()) { SOUK_ASSERT(bits_ != nullptr); }
DocSet::~DocSet() {
  if (bits_ != nullptr) roaring_bitmap_free(bits_);
}
DocSet::DocSet(const DocSet& other) : bits_(roaring_bitmap_copy(other.bits_)) {
  SOUK_ASSERT(bits_ != nullptr);
}
DocSet::DocSet(DocSet&& other) noexcept : bits_(roaring_bitmap_create()) {
  std::swap(bits_, other.bits_);
}
DocSet& DocSet::operator=(const DocSet& other) {
  if (this != &other) *this = DocSet(other);
  return *this;
}
DocSet& DocSet::operator=(DocSet&& other) noexcept {
  std::swap(bits_, other.bits_);
  return *this;
}
DocSet DocSet::of(const std::vector<DocId>& docs) {
  DocSet set;
  roaring_bitmap_add_many(set.bits_, docs.size(), docs.data());
  return set;
}

void DocSet::add(DocId doc) { roaring_bitmap_add(bits_, doc); }
void DocSet::remove(DocId doc) { roaring_bitmap_remove(bits_, doc); }
bool DocSet::contains(DocId doc) const { return roaring_bitmap_contains(bits_, doc); }
std::size_t DocSet::size() const { return roaring_bitmap_get_cardinality(bits_); }
bool DocSet::empty() const { return roaring_bitmap_is_empty(bits_); }
std::vector<DocId> DocSet::list() const {
  std::vector<DocId> docs(size());
  if (!docs.empty()) roaring_bitmap_to_uint32_array(bits_, docs.data());
  return docs;
}

DocSet& DocSet::operator&=(const DocSet& other) {
  roaring_bitmap_and_inplace(bits_, other.bits_);
  return *this;
}
DocSet& DocSet::operator|=(const DocSet& other) {
  roaring_bitmap_or_inplace(bits_, other.bits_);
  return *this;
}
DocSet& DocSet::operator-=(const DocSet& other) {
  roaring_bitmap_andnot_inplace(bits_, other.bits_);
  return *this;
}
DocSet operator&(const DocSet& a, const DocSet& b) {
  return DocSet(roaring_bitmap_and(a.bits_, b.bits_));
}
std::size_t DocSet::size_with(const DocSet& other) const {
  return roaring_bitmap_and_cardinality(bits_, other.bits_);
}
bool DocSet::operator==(const DocSet& other) const {
  return roaring_bitmap_equals(bits_, other.bits_);
}
std::size_t DocSet::memory_bytes() const { return roaring_bitmap_size_in_bytes(bits_) + 64; }

struct DocSet::Walk::Impl {
  roaring_uint32_iterator_t at;
};
DocSet::Walk::Walk(const DocSet& set) : impl_(std::make_unique<Impl>()) {
  roaring_init_iterator(set.bits_, &impl_->at);
}
DocSet::Walk::~Walk() = default;
bool DocSet::Walk::done() const { return !impl_->at.has_value; }
DocId DocSet::Walk::doc() const { return impl_->at.current_value; }
void DocSet::Walk::next() { roaring_advance_uint32_iterator(&impl_->at); }
void DocSet::Walk::skip_to(DocId doc) {
  roaring_move_uint32_iterator_equalorlarger(&impl_->at, doc);
}

DocSet in_at_least(std::size_t needed, const std::vector<const DocSet*>& sets) {
  SOUK_ASSERT(needed >= 1 && needed <= sets.size());
  // at_least[j]: who is in j + 1 or more of the sets seen so far.
  std::vector<DocSet> at_least(needed);
  for (std::size_t seen = 0; seen < sets.size(); ++seen) {
    // What can no longer reach `needed` with the sets that are left is not worth keeping.
    const std::size_t left = sets.size() - seen - 1;
    const std::size_t lowest = needed > left + 1 ? needed - left - 1 : 0;
    for (std::size_t j = std::min(needed, seen + 1); j-- > lowest;) {
      if (j == 0) {
        at_least[0] |= *sets[seen];
      } else {
        at_least[j] |= at_least[j - 1] & *sets[seen];
      }
    }
  }
  return std::move(at_least[needed - 1]);
}

}  // namespace souk::search

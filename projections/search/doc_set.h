#pragma once
/// A set of products by their number: the adapter of CRoaring.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

struct roaring_bitmap_s;

namespace souk::search {

/// Numbers a product within one index, from 1. Another copy of the index numbers them otherwise.
using DocId = std::uint32_t;

/// A compressed bitmap. Thread: const functions from any thread at the same time.
class DocSet {
 public:
  DocSet();
  ~DocSet();
  DocSet(const DocSet& other);
  DocSet(DocSet&& other) noexcept;
  DocSet& operator=(const DocSet& other);
  DocSet& operator=(DocSet&& other) noexcept;
  static DocSet of(const std::vector<DocId>& docs);

  void add(DocId doc);
  void remove(DocId doc);
  void put(DocId doc, bool inside) { inside ? add(doc) : remove(doc); }
  bool contains(DocId doc) const;
  std::size_t size() const;
  bool empty() const;
  /// All of them, in order.
  std::vector<DocId> list() const;

  DocSet& operator&=(const DocSet& other);
  DocSet& operator|=(const DocSet& other);
  DocSet& operator-=(const DocSet& other);
  friend DocSet operator&(const DocSet& a, const DocSet& b);
  std::size_t size_with(const DocSet& other) const;  // of the intersection
  bool operator==(const DocSet& other) const;

  std::size_t memory_bytes() const;

  /// Walks the set upwards. The set must outlive it and stay as it is.
  class Walk {
   public:
    explicit Walk(const DocSet& set);
    ~Walk();
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;
    bool done() const;
    DocId doc() const;
    void next();
    void skip_to(DocId doc);  // the first that is not below

   private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };

 private:
  explicit DocSet(roaring_bitmap_s* bits) : bits_(bits) {}
  roaring_bitmap_s* bits_;
};

/// Who is in at least `needed` of `sets`. REQUIRES: 1 <= needed <= sets.size().
DocSet in_at_least(std::size_t needed, const std::vector<const DocSet*>& sets);

}  // namespace souk::search

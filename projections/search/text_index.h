#pragma once
/// The inverted index: the adapter of Xapian. Its lists of products per term become bitmaps, and
/// postings to rank with. Derived from the ProductStore.
///
/// Terms of a product (a stem starts with no capital letter, as words are in lower case):
///   stem      a word of any field; counts as often as its fields weigh
///   T stem    a word of the name that the name does not deny ("without straw")
///   F stem    one of those before the name turns to other things ("case for ...")
///   N stem    a word that the name or the description denies
///   B s1 s2   neighbours in the name
///   W word    a word of name, brand, category or attributes, not stemmed
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "events/result.h"
#include "projections/search/doc_set.h"
#include "projections/search/postings.h"
#include "projections/search/product.h"
#include "projections/search/spelling.h"
#include "projections/search/tuning.h"

namespace souk::search {

inline std::string in_name(std::string_view stem) { return "T" + std::string(stem); }
inline std::string in_focus(std::string_view stem) { return "F" + std::string(stem); }
inline std::string denied(std::string_view stem) { return "N" + std::string(stem); }
inline std::string pair_in_name(std::string_view a, std::string_view b) {
  return "B" + std::string(a) + " " + std::string(b);
}

struct RankTerm {
  std::string term;
  double weight = 1;
  bool operator==(const RankTerm&) const = default;
};
/// Thread: put, commit and publish on one thread, publish while nobody does anything
///         but rank; the rest from any.
class TextIndex {
 public:
  /// An index of another epoch, one that is ahead of `version`, or a broken one is made anew.
  static Result<std::unique_ptr<TextIndex>, Fault> open(const std::filesystem::path& folder,
                                                        std::uint64_t epoch, std::uint64_t version,
                                                        const SearchTuning& tuning);
  ~TextIndex();

  /// The last commit: texts of later versions are missing.
  std::uint64_t version() const;
  Status put(DocId doc, const ProductText& text);
  Status commit(std::uint64_t version);
  /// Brings what is kept in memory up to the last commit.
  void publish();
  /// The sum of `digest_of` the texts that were put, read from the index. `products`: what they are
  /// called, by number; 0: left out. REQUIRES: all that was put is committed. Thread: as put.
  Result<std::uint64_t, Fault> digest(const std::vector<std::uint64_t>& products,
                                      Places places) const;
  /// Of its terms, their weights and places.
  std::uint64_t digest_of(std::uint64_t product, const ProductText& text, Places places) const;

  struct Slot;
  /// One reader at a time on one view of the index. Must not outlive the TextIndex.
  class Reader {
   public:
    Reader(Reader&&) noexcept;
    ~Reader();
    /// Who has `term`. REQUIRES: nothing is published from when the reader was made until its last
    /// use of what this returns.
    Result<std::shared_ptr<const DocSet>, Fault> docs(const std::string& term);
    /// Words that begin with `prefix`, most frequent first.
    Result<std::vector<std::string>, Fault> words_from(std::string_view prefix, std::size_t max);
    /// Who has the stems one behind the other, among `among`.
    Result<DocSet, Fault> phrase(const std::vector<std::string>& stems, const DocSet& among);
    /// The `first` best of `among`, which is sorted, as best_of says: one without any of the terms
    /// is not there.
    Result<std::vector<Ranked>, Fault> rank(const std::vector<RankTerm>& terms,
                                            const std::vector<DocId>& among, std::size_t first);

   private:
    friend class TextIndex;
    Result<std::shared_ptr<const Postings>, Fault> postings(const std::string& term);
    Reader(TextIndex& index, std::unique_ptr<Slot> slot);
    TextIndex* index_;
    std::unique_ptr<Slot> slot_;
  };
  Result<Reader, Fault> reader();

  /// Changes with publish().
  const Vocabulary& vocabulary() const;

 private:
  struct Impl;
  explicit TextIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace souk::search

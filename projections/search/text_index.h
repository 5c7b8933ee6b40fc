#pragma once
/// The inverted index: who has which term, and where words stand. It stands in the store of the
/// products, is written with them in one batch and made from their texts alone. Lists become
/// bitmaps, and postings to rank with.
///
/// Terms of a product (a stem starts with no capital letter, as words are in lower case):
///   stem      a word of any field; counts as often as its fields weigh
///   T stem    a word of the name that the name does not deny ("without straw")
///   F stem    one of those before the name turns to other things ("case for ...")
///   N stem    a word that the name or the description denies
///   B s1 s2   neighbours in the name
///   W word    a word of name, brand, category or attributes, not stemmed
///   K code    its SKU or barcode, whole, in lower case
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/result.h"
#include "projections/search/doc_set.h"
#include "projections/search/postings.h"
#include "projections/search/product.h"
#include "projections/search/spelling.h"
#include "projections/search/text_fields.h"
#include "projections/search/tuning.h"

namespace rocksdb {
class DB;
class WriteBatch;
}  // namespace rocksdb

namespace souk::search {

inline std::string in_name(std::string_view stem) { return "T" + std::string(stem); }
inline std::string in_focus(std::string_view stem) { return "F" + std::string(stem); }
inline std::string denied(std::string_view stem) { return "N" + std::string(stem); }
inline std::string pair_in_name(std::string_view a, std::string_view b) {
  return "B" + std::string(a) + " " + std::string(b);
}
/// `code` in lower case, without blanks at its ends.
std::string whole_code(std::string_view code);

struct RankTerm {
  std::string term;
  double weight = 1;
  bool operator==(const RankTerm&) const = default;
};
/// What ranking rests on beside the products themselves. Who keeps it gets the same scores for the
/// same texts, whatever was written meanwhile.
struct Weighing {
  std::vector<RankTerm> terms;  // what each is worth
  double average_length = 0;
};

/// Thread: put and publish on one thread, publish while nobody does anything but rank; the rest
///         from any.
class TextIndex {
 public:
  using Texts = std::map<DocId, ProductText>;
  /// The text of a product as the store has it.
  using Former = std::function<Result<std::optional<ProductText>, Fault>(DocId)>;
  /// Visits all texts of the store.
  using EachText = std::function<Status(const std::function<Status(DocId, const ProductText&)>&)>;

  /// One of another format or tuning is made anew from `each_text`. `database` outlives this.
  static Result<std::unique_ptr<TextIndex>, Fault> open(rocksdb::DB& database,
                                                        const SearchTuning& tuning,
                                                        const EachText& each_text);
  ~TextIndex();

  /// Adds to `batch` what these texts change. Large ones are read on two threads.
  Status put(const Texts& texts, const Former& former, rocksdb::WriteBatch& batch);
  /// Brings what is kept in memory up to what was put. REQUIRES: the batches are written.
  void publish();

  /// The sum of `digest_of` the texts that were put, read from the index. `products`: what they are
  /// called, by number; 0: left out. REQUIRES: all that was put is written. Thread: as put.
  Result<std::uint64_t, Fault> digest(const std::vector<std::uint64_t>& products) const;
  /// Of its terms, their counts and the places of words.
  std::uint64_t digest_of(std::uint64_t product, const ProductText& text) const;

  struct View;
  /// One reader at a time on what was published when it was made. Must not outlive the TextIndex.
  class Reader {
   public:
    /// Who has `term`. REQUIRES: nothing is published from when the reader was made until its last
    /// use of what this returns.
    Result<std::shared_ptr<const DocSet>, Fault> docs(const std::string& term);
    /// Who has the stems one behind the other, among `among`, who have all of them.
    Result<DocSet, Fault> phrase(const std::vector<std::string>& stems, const DocSet& among);
    /// What `terms` are worth now.
    Result<Weighing, Fault> weigh(const std::vector<RankTerm>& terms);
    /// The `first` best of `among`, which is sorted, as best_of says: one without any of the terms
    /// is not there.
    Result<std::vector<Ranked>, Fault> rank(const Weighing& weighing,
                                            const std::vector<DocId>& among, std::size_t first);

   private:
    friend class TextIndex;
    Result<std::shared_ptr<const Postings>, Fault> postings(const std::string& term);
    Reader(TextIndex& index, std::shared_ptr<const View> view);
    TextIndex* index_;
    std::shared_ptr<const View> view_;
  };
  Reader reader();

  /// Changes with publish().
  const Vocabulary& vocabulary() const;

 private:
  struct Impl;
  explicit TextIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace souk::search

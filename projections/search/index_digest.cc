#include "projections/search/index_digest.h"

#include <xapian.h>

#include <string>

#include "events/ids.h"

namespace souk::search {
namespace {

/// `entry`: of a document's list of terms, or of a term's list of documents.
template <class Entry>
std::uint64_t digest_of_entry(std::uint64_t product, const std::string& term, const Entry& entry,
                              Places places) {
  std::string bytes = term;
  bytes.push_back('\0');
  const auto append = [&](const auto number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  append(product);
  append(entry.get_wdf());
  // Only stems stand somewhere, and they begin with no capital letter (text_index.h).
  const bool stem = term[0] < 'A' || term[0] > 'Z';
  if (stem && places == Places::read)
    for (auto at = entry.positionlist_begin(); at != entry.positionlist_end(); ++at) append(*at);
  return stable_hash(bytes);
}

}  // namespace

std::uint64_t digest_of_document(std::uint64_t product, const Xapian::Document& document,
                                 Places places) {
  std::uint64_t sum = 0;
  for (auto at = document.termlist_begin(); at != document.termlist_end(); ++at)
    sum += digest_of_entry(product, *at, at, places);
  return sum;
}

std::uint64_t digest_of_index(const Xapian::Database& database,
                              const std::vector<std::uint64_t>& products, Places places) {
  std::uint64_t sum = 0;
  Xapian::totallength length = 0;
  for (auto term = database.allterms_begin(); term != database.allterms_end(); ++term) {
    const std::string name = *term;
    for (auto at = database.postlist_begin(name); at != database.postlist_end(name); ++at) {
      length += at.get_wdf();
      const std::uint64_t product = *at < products.size() ? products[*at] : *at;
      if (product != 0) sum += digest_of_entry(product, name, at, places);
    }
  }
  // The index keeps the sum beside, in a file of its own, and ranking rests on it.
  if (length != database.get_total_length())
    throw Xapian::DatabaseCorruptError("the lengths of all products are not what the index says");
  return sum;
}

}  // namespace souk::search

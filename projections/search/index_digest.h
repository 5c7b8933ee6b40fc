#pragma once
/// A digest of what the inverted index says: for each product its terms, how often each counts and
/// where it stands. A sum over all of that, so that no order matters. For the .cc files of this
/// folder that see Xapian.
#include <cstdint>
#include <vector>

#include "projections/search/postings.h"

namespace Xapian {
class Database;
class Document;
}  // namespace Xapian

namespace souk::search {

/// What the document of `product`, a name that is the same in every index, adds.
std::uint64_t digest_of_document(std::uint64_t product, const Xapian::Document& document,
                                 Places places);

/// As of the last commit. `products`: their names by number; 0: left out; one beyond counts by its
/// number. In the order of the index, term by term: what queries read, and the quickest.
/// Errors: throws Xapian::Error.
std::uint64_t digest_of_index(const Xapian::Database& database,
                              const std::vector<std::uint64_t>& products, Places places);

}  // namespace souk::search

#pragma once
/// From a product's text to the terms of its document; text_index.h tells what they mean. For the
/// .cc files of this folder that see Xapian.
#include <cstdint>

#include "projections/search/product.h"
#include "projections/search/tuning.h"

namespace Xapian {
class Document;
}

namespace souk::search {

Xapian::Document document_of(const ProductText& text, const SearchTuning& tuning);

/// Of a document's terms, how often each counts and where it stands.
/// Errors: throws Xapian::Error.
std::uint64_t digest_of_fields(const Xapian::Document& document);

}  // namespace souk::search

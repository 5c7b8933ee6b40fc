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

}  // namespace souk::search

#pragma once
/// Who has a term, as it is stored: lists that are appended to without being read (RocksDB's
/// merge), since most products are new and come behind those before them.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/search/doc_set.h"

namespace rocksdb {
class MergeOperator;
}

namespace souk::search {

/// One product that has the term, or no longer has it.
struct Posting {
  DocId doc = 0;
  std::uint32_t count = 0;
  bool gone = false;
  bool operator==(const Posting&) const = default;
};

// Stored, little endian: how many (4 bytes; the highest bit: some are gone), the first product and
// the last (4 each), then of each the step from the one before and 0 where it is gone, else its
// count and 1, as integers of 7 bits a byte.

/// REQUIRES: sorted by product, each once, not empty.
std::string encode_postings(const std::vector<Posting>& postings);
/// Sorted, each once. Nothing where the bytes are none of ours. An empty text is an empty list.
std::optional<std::vector<Posting>> decode_postings(std::string_view bytes);

/// One list of several, the oldest first: the newest word on each product counts. `gone`: whether
/// products that are gone are still said (there may be an older list), or dropped.
enum class Gone : std::uint8_t { kept, dropped };
std::optional<std::string> merge_postings(const std::vector<std::string_view>& lists, Gone gone);

/// What RocksDB merges lists with.
std::shared_ptr<rocksdb::MergeOperator> posting_merge();

}  // namespace souk::search

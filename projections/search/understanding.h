#pragma once
/// What a query means in this catalogue: its words looked up, corrected, completed and given their
/// synonyms.
#include <optional>
#include <string>
#include <vector>

#include "projections/search/query_text.h"
#include "projections/search/synonyms.h"
#include "projections/search/text_index.h"

namespace souk::search {

struct Understanding {
  std::vector<DocSet> words;  // for each known word, who has it or what stands for it
  bool only_unknown = false;  // there were words, and the catalogue knows none of them
  bool no_words = false;      // something was asked that holds no letter and no digit
  DocSet code;                // whose SKU or barcode the query is
  std::vector<RankTerm> terms;
  std::vector<std::vector<std::string>> phrases;  // stems
  DocSet excluded;
  std::vector<std::string> unknown;       // words that nothing stands for
  std::optional<std::string> suggestion;  // the query with its words corrected
};

/// REQUIRES: nothing is published meanwhile (TextIndex::Reader::docs).
Result<Understanding, Fault> understand(std::string_view text, TextIndex::Reader& reader,
                                        const Vocabulary& vocabulary, const Synonyms& synonyms,
                                        const SearchTuning& tuning);

}  // namespace souk::search

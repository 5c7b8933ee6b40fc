#pragma once
/// Words that mean the same to a shopper: a text file, one group a line (`sofa, couch, settee`).
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/result.h"

namespace souk::search {

/// Thread: const functions from any.
class Synonyms {
 public:
  /// `#` begins a comment. Limits: 64 kB lines, 100,000 groups, 4 words in a row.
  /// Errors: mismatch, with the number of the line.
  static Result<Synonyms, Fault> parse(std::string_view text);
  static Result<Synonyms, Fault> load(const std::filesystem::path& file);
  /// A few that hold in any shop.
  static Synonyms built_in();

  /// Each a list of one or more stems; empty where there are none. `stems` are words in a row.
  std::vector<std::vector<std::string>> of(const std::vector<std::string>& stems) const;
  std::size_t longest() const { return longest_; }  // how many words in a row may have some

 private:
  std::vector<std::vector<std::vector<std::string>>> groups_;  // group, member, stems
  std::unordered_map<std::string, std::vector<std::size_t>> groups_of_;
  std::size_t longest_ = 0;
};

}  // namespace souk::search

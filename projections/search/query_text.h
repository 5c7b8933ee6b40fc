#pragma once
/// What a customer typed, taken apart. Any bytes are a query.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace souk::search {

inline constexpr std::size_t query_bytes_max = 1'024;
inline constexpr std::size_t query_words_max = 32;

/// `"red wine" glass -plastic without stem`, as
///   words     red, wine, glass
///   phrases   {red, wine}
///   excluded  {plastic}
///   denied    {stem}
struct QueryText {
  std::vector<std::string> words;  // wanted, without stop words where there are others
  std::vector<std::vector<std::string>> phrases;
  std::vector<std::string> excluded;             // -word: in no field
  std::vector<std::vector<std::string>> denied;  // what follows each "without" or "not"
  bool open_end = false;  // the last word may be unfinished: nothing follows it
  bool operator==(const QueryText&) const = default;
};

/// The first `query_bytes_max` bytes and `query_words_max` words count.
QueryText parse_query(std::string_view text);

}  // namespace souk::search

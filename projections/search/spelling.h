#pragma once
/// The words that the catalogue knows, and which of them somebody may have meant.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace souk::search {

/// Thread: as its owner says; const functions from any thread at the same time.
class Vocabulary {
 public:
  struct Candidate {
    std::string word;
    int edits = 0;
    std::uint32_t products = 0;
  };

  void add(std::string_view word, std::uint32_t products = 1);
  void remove(std::string_view word);
  std::uint32_t products_with(std::string_view word) const;
  /// Words that begin with `prefix`, most frequent first.
  std::vector<std::string> beginning_with(std::string_view prefix, std::size_t max) const;

  /// Known words within two edits (one, below six letters; none, below four), nearest and then most
  /// frequent first. An edit is a letter added, left out, replaced or swapped with the next.
  std::vector<Candidate> near(std::string_view word, std::size_t max) const;

 private:
  struct Entry {
    std::string word;
    std::uint32_t products = 0;
  };
  struct Shape {  // what a word must share with another to be near it
    std::uint32_t letters = 0;
    std::uint32_t size = 0;
  };
  std::vector<Entry> entries_;
  std::vector<Shape> shapes_;  // of the same index: read alone by `near`
  std::map<std::string, std::uint32_t, std::less<>> index_;
};

/// Edits from `a` to `b`, or `most` + 1 where there are more.
int edits_between(std::string_view a, std::string_view b, int most);

}  // namespace souk::search

#include "projections/search/synonyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "events/utf8.h"
#include "projections/search/words.h"

namespace souk::search {
namespace {

constexpr std::size_t line_bytes_max = 64 * 1024;
constexpr std::size_t groups_max = 100'000;
constexpr std::size_t words_in_a_row_max = 4;

constexpr std::string_view built_in_text =
    R"(# One group a line; every member stands for the others.
sofa, couch, settee
tv, television
fridge, refrigerator
cellphone, cell phone, mobile phone, smartphone
laptop, notebook computer
sneakers, trainers
trash can, garbage can, waste bin
flashlight, torch
diaper, nappy
stroller, pushchair, pram
earbuds, earphones
sweater, jumper, pullover
hoodie, hooded sweatshirt
tee, tshirt, t shirt
faucet, tap
vacuum cleaner, hoover
wallet, billfold
eyeglasses, spectacles
bathing suit, swimsuit
kids, children
xmas, christmas
mens, men
womens, women
)";

std::string joined(const std::vector<std::string>& stems) {
  std::string key;
  for (const auto& stem : stems) key += stem + ' ';
  return key;
}
std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}
Fault wrong(std::size_t line, std::string_view why) {
  return {Fault::Kind::mismatch, fmt::format("synonyms, line {}: {}", line, why)};
}

}  // namespace

Result<Synonyms, Fault> Synonyms::parse(std::string_view text) {
  Synonyms synonyms;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (whole.size() > line_bytes_max) return wrong(line, "is too long (64 kB at most)");
    if (!utf8_valid(whole)) return wrong(line, "is not UTF-8");
    auto rest = trimmed(whole.substr(0, whole.find('#')));
    if (rest.empty()) continue;
    std::vector<std::vector<std::string>> group;
    while (true) {
      const auto comma = std::min(rest.find(','), rest.size());
      const auto member = trimmed(rest.substr(0, comma));
      std::vector<std::string> stems;
      for (const auto& word : words_of(member)) stems.push_back(stem_of(word.text));
      if (stems.empty()) return wrong(line, "has an empty member; write: sofa, couch, settee");
      if (stems.size() > words_in_a_row_max) {
        return wrong(line,
                     fmt::format("\"{}\" has more than {} words", member, words_in_a_row_max));
      }
      if (std::find(group.begin(), group.end(), stems) == group.end()) {
        group.push_back(std::move(stems));
      }
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
    if (group.size() < 2) continue;  // words with one stem: found anyway
    if (synonyms.groups_.size() == groups_max) return wrong(line, "is one group too many");
    for (const auto& member : group) {
      synonyms.groups_of_[joined(member)].push_back(synonyms.groups_.size());
      synonyms.longest_ = std::max(synonyms.longest_, member.size());
    }
    synonyms.groups_.push_back(std::move(group));
  }
  return synonyms;
}

Result<Synonyms, Fault> Synonyms::load(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Fault{Fault::Kind::unavailable, "synonyms: cannot read " + file.string()};
  return parse(std::string{std::istreambuf_iterator<char>(in), {}});
}

Synonyms Synonyms::built_in() {
  auto synonyms = parse(built_in_text);
  SOUK_ASSERT(synonyms.ok());
  return std::move(*synonyms);
}

std::vector<std::vector<std::string>> Synonyms::of(const std::vector<std::string>& stems) const {
  std::vector<std::vector<std::string>> found;
  const auto at = groups_of_.find(joined(stems));
  if (at == groups_of_.end()) return found;
  for (const std::size_t group : at->second) {
    for (const auto& member : groups_[group]) {
      if (member != stems) found.push_back(member);
    }
  }
  return found;
}

}  // namespace souk::search

#include "projections/search/words.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "projections/search/query_text.h"
#include "projections/search/spelling.h"
#include "projections/search/synonyms.h"

using namespace souk;
using namespace souk::search;

namespace {
std::string joined(std::string_view text) {
  std::string out;
  for (const auto& word : words_of(text)) {
    out += (out.empty() ? "" : word.glued ? "-" : " ") + word.text;
  }
  return out;
}
}  // namespace

TEST_CASE("words: letters and digits, in lower case and without accents") {
  CHECK(joined("Caf\xC3\xA9 \xC3\x89"
               "clair") == "cafe eclair");
  CHECK(joined("cafe\xCC\x81") == "cafe");
  CHECK(joined("women's O'Reilly men\xE2\x80\x99s") == "women oreilly men");
  CHECK(joined("200mg 10inch 3d 5m mp3") == "200 mg 10 inch 3d 5m mp3");
  CHECK(joined("1/2 1.75 1,000 1/2gallon 2.") == "1/2 1.75 1000 1/2 gallon 2");
  CHECK(joined("w/o lid w/ handle") == "without lid with handle");
  CHECK(joined("e-cloth sugar-free - x") == "e-cloth sugar-free x");
  CHECK(joined("\xF0\x9F\x98\x80 ... ") == "");
  CHECK(joined("\xE9\x9E\x8B") == "\xE9\x9E\x8B");
}

TEST_CASE("words: of any bytes none is empty or too long") {
  CHECK(rc::check([](const std::string& text) {
    for (const auto& word : words_of(text)) {
      RC_ASSERT(!word.text.empty());
      RC_ASSERT(word.text.size() <= word_bytes_max);
      RC_ASSERT(!stem_of(word.text).empty());
    }
  }));
  CHECK(words_of(std::string(1'000, 'x')).at(0).text.size() <= word_bytes_max);
}

TEST_CASE("words: scripts without blanks are pairs of letters, and single ones for the index") {
  const auto texts = [](std::string_view text, SingleLetters single = SingleLetters::no) {
    std::string out;
    for (const auto& word : words_of(text, single))
      out += (out.empty() ? "" : " ") + word.text + (word.inside ? "'" : "");
    return out;
  };
  CHECK(texts("東京タワー") == "東京 京タ タワ ワー");
  CHECK(texts("茶") == "茶");
  CHECK(texts("緑茶 500ml入り") == "緑茶 500 ml 入り");
  CHECK(texts("노트북") == "노트 트북");
  CHECK(texts("กาแฟ") == "กา าแ แฟ");
  CHECK(texts("緑茶", SingleLetters::too) == "緑茶 緑' 茶'");
  CHECK(texts("茶", SingleLetters::too) == "茶");
  CHECK(texts("茶・器") == "茶 器");
}

TEST_CASE("words: what a text denies") {
  const auto words = words_of("bottle without any straw, BPA free, no lid");
  const auto absent = told_absent(words);
  std::string denied;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (absent[i]) denied += words[i].text + " ";
  }
  CHECK(denied == "straw bpa lid ");
  CHECK(denied_by("strapless") == "strap");
  CHECK(denied_by("less") == "");
  CHECK(denied_by("unless") == "");
}

TEST_CASE("query text: words, phrases, exclusions and denials") {
  const auto query = parse_query("\"red wine\" glass -plastic for 2 without stem");
  CHECK(query.words == std::vector<std::string>{"red", "wine", "glass", "2"});
  CHECK(query.phrases == std::vector<std::vector<std::string>>{{"red", "wine"}});
  CHECK(query.excluded == std::vector<std::string>{"plastic"});
  CHECK(query.denied == std::vector<std::vector<std::string>>{{"stem"}});
  CHECK(parse_query("the one").words == std::vector<std::string>{"one"});
  CHECK(parse_query("the").words == std::vector<std::string>{"the"});
  CHECK(parse_query("e-cloth").excluded.empty());
  CHECK(parse_query("lamp").open_end);
  CHECK_FALSE(parse_query("lamp ").open_end);
  std::string many;
  for (int i = 0; i < 40; ++i) many += "w" + std::to_string(i) + " ";
  CHECK(parse_query(many).words.size() == query_words_max);
}

TEST_CASE("spelling: near words are within two edits, nearest and most frequent first") {
  Vocabulary vocabulary;
  vocabulary.add("leather", 5);
  vocabulary.add("weather", 9);
  vocabulary.add("feather", 1);
  vocabulary.add("tea", 1);
  const auto near = vocabulary.near("lether", 5);
  REQUIRE(near.size() >= 1);
  CHECK(near[0].word == "leather");
  CHECK(near[0].edits == 1);
  CHECK(vocabulary.near("te", 5).empty());
  CHECK(vocabulary.near("tae", 5).empty());
  vocabulary.remove("feather");
  for (const auto& candidate : vocabulary.near("fether", 5)) CHECK(candidate.word != "feather");
  CHECK(edits_between("abcd", "abdc", 2) == 1);
  CHECK(edits_between("abc", "abc", 2) == 0);
  CHECK(edits_between("abc", "xyz", 2) == 3);
}

TEST_CASE("synonyms: a file is read, and its mistakes have a line number") {
  const auto good = Synonyms::parse("# shop\nsofa, couch , settee\n\ncell phone, mobile\n");
  REQUIRE(good.ok());
  CHECK(good->of({stem_of("couch")}).size() == 2);
  CHECK(good->of({stem_of("mobile")}) ==
        std::vector<std::vector<std::string>>{{stem_of("cell"), stem_of("phone")}});
  CHECK(good->of({"tea"}).empty());
  const auto empty = Synonyms::parse("a, b\nsofa,, couch\n");
  REQUIRE_FALSE(empty.ok());
  CHECK(empty.error().what.find("line 2") != std::string::npos);
  CHECK_FALSE(Synonyms::parse("a, b c d e f"));
  CHECK_FALSE(Synonyms::parse("a, \xFF"));
  CHECK_FALSE(Synonyms::load("/nowhere/at/all"));
  CHECK(Synonyms::built_in().of({stem_of("sofa")}).size() == 2);
}

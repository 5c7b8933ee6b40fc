#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <xapian.h>

#include <cmath>
#include <map>

#include "projections/search/product_store.h"
#include "projections/search/text_index.h"
#include "tests/search/support.h"

using namespace souk;
using namespace souk::search;
using souk::testing::TemporaryDirectory;

namespace {

const std::vector<std::string> words{"lamp", "glass", "oak",  "wool",  "cup", "tea",
                                     "red",  "blue",  "desk", "chair", "hat", "box"};

ProductText random_text(std::mt19937_64& dice) {
  const auto some = [&](std::size_t most) {
    std::string text;
    // The first words are in most products, the last ones in few.
    for (std::size_t count = dice() % (most + 1); count > 0; --count)
      text += words[std::min(dice() % words.size(), dice() % words.size())] + ' ';
    return text;
  };
  ProductText text;
  text.name = "thing " + some(4);
  text.description = some(60);
  return text;
}

/// The peer: Xapian's own weighting over the same terms.
std::map<DocId, double> ranked_by_xapian(const std::map<DocId, ProductText>& texts,
                                         const SearchTuning& tuning,
                                         const std::vector<RankTerm>& terms) {
  Xapian::WritableDatabase database("", Xapian::DB_BACKEND_INMEMORY);
  for (const auto& [doc, text] : texts) {
    Xapian::Document document;
    for (const auto& term : terms_of(text, tuning).terms) document.add_term(term.term, term.count);
    database.replace_document(doc, document);
  }
  std::vector<Xapian::Query> parts;
  for (const auto& term : terms)
    parts.emplace_back(Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(term.term), term.weight);
  Xapian::Enquire enquire(database);
  enquire.set_query(Xapian::Query(Xapian::Query::OP_OR, parts.begin(), parts.end()));
  enquire.set_weighting_scheme(Xapian::BM25Weight(tuning.k1, 0, 1, tuning.b, 0.5));
  std::map<DocId, double> all;
  const auto found = enquire.get_mset(0, database.get_doccount());
  for (auto at = found.begin(); at != found.end(); ++at) all[*at] = at.get_weight();
  return all;
}

}  // namespace

TEST_CASE("ranking: scores are those of Xapian's BM25, also after texts have changed") {
  constexpr DocId products = 300;
  std::mt19937_64 dice(11);
  const TemporaryDirectory folder;
  const SearchTuning tuning;
  std::unique_ptr<ProductStore> store;
  std::unique_ptr<TextIndex> index;
  std::map<DocId, ProductText> texts;
  const auto open = [&] {
    index.reset();
    store.reset();
    auto products_store = ProductStore::open(folder.path() / "products");
    REQUIRE(products_store.ok());
    store = std::move(*products_store);
    auto opened =
        TextIndex::open(store->database(), tuning, [](const auto&) { return Status(Done{}); });
    REQUIRE(opened.ok());
    index = std::move(*opened);
  };
  open();
  std::vector<DocId> all(products);
  for (DocId doc = 1; doc <= products; ++doc) all[doc - 1] = doc;
  for (int version = 1; version <= 20; ++version) {
    TextIndex::Texts changed;
    for (int changes = version == 1 ? 0 : 15; changes > 0; --changes)
      changed[1 + static_cast<DocId>(dice() % products)] = random_text(dice);
    for (DocId doc = 1; version == 1 && doc <= products; ++doc) changed[doc] = random_text(dice);
    rocksdb::WriteBatch batch;
    REQUIRE(index
                ->put(
                    changed, [&](DocId doc) { return std::optional(texts.at(doc)); }, batch)
                .ok());
    REQUIRE(store->database().Write({}, &batch).ok());
    for (const auto& [doc, text] : changed) texts[doc] = text;
    index->publish();
    if (version % 7 == 0) open();
    std::vector<RankTerm> terms{{"unheard", 1}};
    for (int i = 0; i < 4; ++i) terms.push_back({words[dice() % words.size()], 0.5 * (i + 1)});
    terms.push_back({in_focus("thing"), 0.3});
    auto reader = index->reader();
    const auto weighing = reader.weigh(terms);
    REQUIRE(weighing.ok());
    const auto expected = ranked_by_xapian(texts, tuning, terms);
    for (int again = 0; again < 2; ++again) {  // from the disk, and from memory
      const auto ranked = reader.rank(*weighing, all, products);
      REQUIRE(ranked.ok());
      REQUIRE(ranked->size() == expected.size());
      for (std::size_t i = 0; i < ranked->size(); ++i) {
        const auto& [doc, score] = (*ranked)[i];
        CHECK(std::abs(score - expected.at(doc)) < 1e-9);
      }
    }
    std::vector<DocId> some;
    for (DocId doc = 1; doc <= products; ++doc)
      if (dice() % 7 == 0) some.push_back(doc);
    const auto few = reader.rank(*weighing, some, 5);
    REQUIRE(few.ok());
    CHECK(few->size() >= 5);  // with the equals of the fifth
    for (const auto& [doc, score] : *few) {
      CHECK(std::binary_search(some.begin(), some.end(), doc));
      std::size_t better = 0;
      for (const DocId other : some)
        better += expected.contains(other) && expected.at(other) > score + 1e-9 ? 1 : 0;
      CHECK(better < 5);
    }
  }
}

TEST_CASE("ranking: none of nothing, and the equals of the last one with it") {
  CHECK(best_of({}, {}, 10).empty());
  const std::vector<DocId> docs{2, 4, 6, 8};
  const std::vector<double> scores{1, 0, 3, 1};
  CHECK(best_of(docs, scores, 10).size() == 3);
  CHECK(best_of(docs, scores, 0).empty());
  CHECK(best_of(docs, scores, 1).size() == 1);
  CHECK(best_of(docs, scores, 1)[0].doc == 6);
  CHECK(best_of(docs, scores, 2).size() == 3);  // 2 and 8 score the same
  std::vector<double> none(4);
  Bm25{.k1 = 1.2, .b = 0.5, .average_length = 0}.add({}, 1, {}, docs, none);
  CHECK(best_of(docs, none, 10).empty());

  const Bm25 early{.k1 = 1.2, .b = 0.5, .average_length = 3};
  std::vector<double> late(4);
  early.add({.docs = {2, 4, 9}, .counts = {1, 1, 1}}, 1, Lengths(10, 3), docs, late);
  CHECK(best_of(docs, late, 10).size() == 2);
  std::vector<double> short_of_lengths(4);
  early.add({.docs = {2, 4, 9}, .counts = {1, 1, 1}}, 1, Lengths(3, 3), docs, short_of_lengths);
  CHECK(best_of(docs, short_of_lengths, 10).size() == 1);
}

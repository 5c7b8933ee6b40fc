#include "projections/search/text_index.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "events/fault_log.h"
#include "events/ids.h"
#include "projections/search/kept_postings.h"
#include "projections/search/posting_list.h"

namespace souk::search {
namespace {

// Stored beside the products (product_store.cc). Numbers are big endian in keys, little in values.
//   x           of what format the index is: another one is made anew
//   p term      who has it (posting_list.h)
//   l doc(4)    how many terms it has: the sum of their counts (8 bytes)
//   w doc(4)    its words in the order of the text (4 bytes each)
constexpr std::string_view format_key = "x";
std::string format_of(const SearchTuning& tuning) {
  return fmt::format("3 {} {} {} {} {}", tuning.name_weight, tuning.brand_weight,
                     tuning.category_weight, tuning.attribute_weight, tuning.description_weight);
}
constexpr std::size_t sets_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t texts_at_once = 2'000;  // where all is made anew
constexpr std::size_t texts_for_two = 32;     // from here on two threads read them

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
std::string term_key(std::string_view term) { return "p" + std::string(term); }
std::string doc_key(char letter, DocId doc) {
  std::string key(1, letter);
  for (int shift = 24; shift >= 0; shift -= 8)
    key.push_back(static_cast<char>(doc >> shift & 0xFF));
  return key;
}
/// Nothing where the key is none of a product.
std::optional<DocId> doc_of(std::string_view key) {
  if (key.size() != 5) return std::nullopt;
  DocId doc = 0;
  for (const char c : key.substr(1)) doc = doc << 8 | static_cast<std::uint8_t>(c);
  return doc;
}
template <class Integer>
void put_number(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}
template <class Integer>
Integer number_at(std::string_view bytes, std::size_t at) {
  Integer value = 0;
  for (std::size_t i = sizeof value; i-- > 0;)
    value = static_cast<Integer>(value << 8 | static_cast<std::uint8_t>(bytes[at + i]));
  return value;
}
std::string encode_places(const std::vector<PlacedWord>& places) {
  std::string out;
  out.reserve(places.size() * sizeof(PlacedWord));
  for (const auto word : places) put_number(out, word);
  return out;
}

Fault fault_of(const char* doing, const rocksdb::Status& status) {
  const std::string what =
      std::string("search index, ") + doing + ": " + one_line(status.ToString());
  if (status.IsNoSpace()) return {Fault::Kind::full, what};
  return {status.IsCorruption() ? Fault::Kind::corrupt : Fault::Kind::unavailable, what};
}
Fault corrupt(const char* what) {
  return {Fault::Kind::corrupt, std::string("search index: ") + what};
}

/// Calls `visit` with each key from `prefix` on and its value, while it says true.
template <class Visit>
Status each(rocksdb::DB& database, std::string_view prefix, const Visit& visit) {
  rocksdb::ReadOptions once;
  once.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(database.NewIterator(once));
  for (at->Seek(slice(prefix)); at->Valid() && view(at->key()).starts_with(prefix); at->Next())
    if (auto visited = visit(view(at->key()), view(at->value())); !visited) return visited;
  if (!at->status().ok()) return fault_of("reading", at->status());
  return Done{};
}

std::uint64_t digest_of_term(std::uint64_t product, std::string_view term, std::uint32_t count) {
  std::string bytes(term);
  bytes.push_back('\0');
  put_number(bytes, product);
  put_number(bytes, count);
  return stable_hash(bytes);
}
std::uint64_t digest_of_places(std::uint64_t product, std::string_view places) {
  std::string bytes(places);
  put_number(bytes, product);
  return stable_hash(bytes);
}

}  // namespace

std::string whole_code(std::string_view code) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!code.empty() && blank(code.front())) code.remove_prefix(1);
  while (!code.empty() && blank(code.back())) code.remove_suffix(1);
  std::string out = "K";
  for (const char c : code) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  return out;
}

struct TextIndex::View {
  std::shared_ptr<const rocksdb::Snapshot> snapshot;
  std::shared_ptr<const Lengths> lengths = std::make_shared<Lengths>();
  std::size_t docs = 0;
  std::uint64_t total_length = 0;
};

struct TextIndex::Impl {
  rocksdb::DB& database;
  SearchTuning tuning;

  // What was put and is not published yet.
  std::unordered_map<std::string, std::vector<Posting>> changes;  // by term
  std::unordered_map<DocId, std::uint64_t> new_lengths;
  std::vector<std::uint64_t> lengths;  // by number; 0: not there
  Vocabulary vocabulary;

  std::mutex mutex;  // of what follows: rankers load postings while the writer publishes
  std::unordered_map<std::string, std::shared_ptr<DocSet>> sets;
  std::size_t sets_bytes = 0;
  KeptPostings postings;
  std::shared_ptr<const View> view = std::make_shared<View>();

  Impl(rocksdb::DB& opened, const SearchTuning& how) : database(opened), tuning(how) {}

  std::shared_ptr<const rocksdb::Snapshot> snapshot() {
    return {database.GetSnapshot(),
            [this](const rocksdb::Snapshot* old) { database.ReleaseSnapshot(old); }};
  }
  rocksdb::ReadOptions at(const View& shown) const {
    rocksdb::ReadOptions options;
    options.snapshot = shown.snapshot.get();
    return options;
  }
  Result<std::vector<Posting>, Fault> read(const std::string& term, const View& shown) {
    rocksdb::PinnableSlice bytes;
    const auto found =
        database.Get(at(shown), database.DefaultColumnFamily(), slice(term_key(term)), &bytes);
    if (found.IsNotFound()) return std::vector<Posting>{};
    if (!found.ok()) return fault_of("reading a list", found);
    auto list = decode_postings(search::view(bytes));
    if (!list) return corrupt("a list cannot be read");
    return std::move(*list);
  }
  Status load();
  Status make_anew(TextIndex& index, const EachText& each_text);
  /// The terms of each of `texts`, in their order.
  std::vector<TextTerms> analyse(const std::vector<const ProductText*>& texts) const;
  void change(DocId doc, const TextTerms& former, const TextTerms& now);
};

// ---- opening ----

Status TextIndex::Impl::load() {
  auto shown = std::make_shared<View>();
  auto loaded = each(database, "l", [&](std::string_view key, std::string_view value) -> Status {
    const auto doc = doc_of(key);
    if (!doc || value.size() != 8) return corrupt("a length cannot be read");
    if (*doc >= lengths.size()) lengths.resize(*doc + std::size_t{1});
    lengths[*doc] = number_at<std::uint64_t>(value, 0);
    shown->total_length += lengths[*doc];
    ++shown->docs;
    return Done{};
  });
  if (!loaded) return loaded;
  loaded = each(database, "pW", [&](std::string_view key, std::string_view value) -> Status {
    const auto list = decode_postings(value);
    if (!list) return corrupt("a list cannot be read");
    if (!list->empty()) vocabulary.add(key.substr(2), static_cast<std::uint32_t>(list->size()));
    return Done{};
  });
  if (!loaded) return loaded;
  auto cut = std::make_shared<Lengths>();
  cut->reserve(lengths.size());
  for (const auto length : lengths) cut->push_back(cut_count(length));
  shown->lengths = std::move(cut);
  shown->snapshot = snapshot();
  view = std::move(shown);
  return Done{};
}

Status TextIndex::Impl::make_anew(TextIndex& index, const EachText& each_text) {
  rocksdb::WriteBatch clear;
  for (const char letter : {'l', 'p', 'w'}) {
    const char next = static_cast<char>(letter + 1);
    clear.DeleteRange(rocksdb::Slice(&letter, 1), rocksdb::Slice(&next, 1));
  }
  clear.Delete(slice(format_key));
  if (const auto s = database.Write({}, &clear); !s.ok()) return fault_of("clearing", s);
  Texts texts;
  const auto write = [&]() -> Status {
    rocksdb::WriteBatch batch;
    const auto nothing = [](DocId) { return std::optional<ProductText>{}; };
    if (auto s = index.put(texts, nothing, batch); !s) return s;
    changes.clear();
    new_lengths.clear();
    texts.clear();
    const auto s = database.Write({}, &batch);
    return s.ok() ? Status(Done{}) : fault_of("writing", s);
  };
  auto s = each_text([&](DocId doc, const ProductText& text) -> Status {
    texts.emplace(doc, text);
    return texts.size() < texts_at_once ? Status(Done{}) : write();
  });
  if (s) s = write();
  if (!s) return s;
  const auto said = database.Put({}, slice(format_key), format_of(tuning));
  return said.ok() ? Status(Done{}) : fault_of("writing", said);
}

TextIndex::TextIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TextIndex::~TextIndex() = default;

Result<std::unique_ptr<TextIndex>, Fault> TextIndex::open(rocksdb::DB& database,
                                                          const SearchTuning& tuning,
                                                          const EachText& each_text) {
  std::unique_ptr<TextIndex> index(new TextIndex(std::make_unique<Impl>(database, tuning)));
  auto& impl = *index->impl_;
  std::string format;
  const auto found = database.Get({}, slice(format_key), &format);
  if (!found.ok() && !found.IsNotFound()) return fault_of("opening", found);
  if (format != format_of(tuning))
    if (auto made = impl.make_anew(*index, each_text); !made) return made.error();
  if (auto loaded = impl.load(); !loaded) return loaded.error();
  return index;
}

const Vocabulary& TextIndex::vocabulary() const { return impl_->vocabulary; }

// ---- writing ----

std::vector<TextTerms> TextIndex::Impl::analyse(
    const std::vector<const ProductText*>& texts) const {
  std::vector<TextTerms> terms(texts.size());
  const auto some = [&](std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) terms[i] = terms_of(*texts[i], tuning);
  };
  if (texts.size() < texts_for_two) {
    some(0, texts.size());
    return terms;
  }
  const std::size_t half = texts.size() / 2;
  std::jthread other(some, half, texts.size());
  some(0, half);
  return terms;
}

/// Notes what of a product's terms is not as it was. Both lists are sorted.
void TextIndex::Impl::change(DocId doc, const TextTerms& former, const TextTerms& now) {
  auto old = former.terms.begin();
  const auto gone_until = [&](const std::string* term) {
    for (; old != former.terms.end() && (term == nullptr || old->term < *term); ++old)
      changes[old->term].push_back({.doc = doc, .count = 0, .gone = true});
  };
  for (const auto& term : now.terms) {
    gone_until(&term.term);
    const bool had = old != former.terms.end() && old->term == term.term;
    const bool same = had && old->count == term.count;
    if (had) ++old;
    if (!same) changes[term.term].push_back({.doc = doc, .count = term.count, .gone = false});
  }
  gone_until(nullptr);
  new_lengths[doc] = now.length();
}

Status TextIndex::put(const Texts& texts, const Former& former, rocksdb::WriteBatch& batch) {
  auto& impl = *impl_;
  std::vector<ProductText> old(texts.size());
  std::vector<const ProductText*> all;
  all.reserve(2 * texts.size());
  std::size_t i = 0;
  for (const auto& [doc, text] : texts) {
    all.push_back(&text);
    const bool known = doc < impl.lengths.size() && impl.lengths[doc] > 0;
    if (known) {
      auto found = former(doc);
      if (!found) return found.error();
      if (*found) old[i] = std::move(**found);
    }
    ++i;
  }
  for (const auto& text : old) all.push_back(&text);
  const auto terms = impl.analyse(all);
  i = 0;
  for (const auto& [doc, text] : texts) {
    impl.change(doc, terms[i + texts.size()], terms[i]);
    batch.Put(doc_key('w', doc), encode_places(terms[i].places));
    std::string length;
    put_number(length, terms[i].length());
    batch.Put(doc_key('l', doc), length);
    ++i;
  }
  for (const auto& [term, postings] : impl.changes)
    batch.Merge(slice(term_key(term)), encode_postings(postings));
  return Done{};
}

void TextIndex::publish() {
  auto& impl = *impl_;
  const std::scoped_lock lock(impl.mutex);
  for (const auto& [term, postings] : impl.changes) {
    impl.postings.drop(term);
    const auto set = impl.sets.find(term);
    for (const auto& posting : postings) {
      if (set != impl.sets.end()) set->second->put(posting.doc, !posting.gone);
      if (term[0] != 'W') continue;
      const auto word = std::string_view(term).substr(1);
      posting.gone ? impl.vocabulary.remove(word) : impl.vocabulary.add(word);
    }
  }
  auto shown = std::make_shared<View>(*impl.view);
  auto cut = std::make_shared<Lengths>(*shown->lengths);  // some still rank with the old ones
  for (const auto& [doc, length] : impl.new_lengths) {
    if (doc >= impl.lengths.size()) impl.lengths.resize(doc + std::size_t{1});
    if (doc >= cut->size()) cut->resize(doc + std::size_t{1});
    if (impl.lengths[doc] == 0) ++shown->docs;
    shown->total_length += length - impl.lengths[doc];
    impl.lengths[doc] = length;
    (*cut)[doc] = cut_count(length);
  }
  shown->lengths = std::move(cut);
  shown->snapshot = impl.snapshot();
  impl.view = std::move(shown);
  impl.changes.clear();
  impl.new_lengths.clear();
}

// ---- checking ----

std::uint64_t TextIndex::digest_of(std::uint64_t product, const ProductText& text) const {
  const auto terms = terms_of(text, impl_->tuning);
  std::uint64_t sum = digest_of_places(product, encode_places(terms.places));
  for (const auto& term : terms.terms) sum += digest_of_term(product, term.term, term.count);
  return sum;
}

Result<std::uint64_t, Fault> TextIndex::digest(const std::vector<std::uint64_t>& products) const {
  auto& impl = *impl_;
  std::uint64_t sum = 0;
  const auto name_of = [&](DocId doc) {
    return doc < products.size() ? products[doc] : std::uint64_t{doc};
  };
  std::vector<std::uint64_t> counted(impl.lengths.size());
  auto read = each(impl.database, "p", [&](std::string_view key, std::string_view value) -> Status {
    const auto list = decode_postings(value);
    if (!list) return corrupt("a list cannot be read");
    for (const auto& posting : *list) {
      if (posting.doc >= counted.size()) return corrupt("a list has a product that is not there");
      counted[posting.doc] += posting.count;
      if (const auto product = name_of(posting.doc); product != 0)
        sum += digest_of_term(product, key.substr(1), posting.count);
    }
    return Done{};
  });
  if (!read) return read.error();
  // The lengths stand beside, and ranking rests on them.
  if (counted != impl.lengths) return corrupt("lengths are not the sums of their counts");
  read = each(impl.database, "w", [&](std::string_view key, std::string_view value) -> Status {
    const auto doc = doc_of(key);
    if (!doc) return corrupt("places cannot be read");
    if (const auto product = name_of(*doc); product != 0) sum += digest_of_places(product, value);
    return Done{};
  });
  if (!read) return read.error();
  return sum;
}

// ---- reading ----

TextIndex::Reader::Reader(TextIndex& index, std::shared_ptr<const View> view)
    : index_(&index), view_(std::move(view)) {}

TextIndex::Reader TextIndex::reader() {
  const std::scoped_lock lock(impl_->mutex);
  return {*this, impl_->view};
}

Result<std::shared_ptr<const DocSet>, Fault> TextIndex::Reader::docs(const std::string& term) {
  auto& impl = *index_->impl_;
  {
    const std::scoped_lock lock(impl.mutex);
    const auto at = impl.sets.find(term);
    if (at != impl.sets.end()) return std::shared_ptr<const DocSet>(at->second);
  }
  const auto list = impl.read(term, *view_);
  if (!list) return list.error();
  std::vector<DocId> docs;
  docs.reserve(list->size());
  for (const auto& posting : *list) docs.push_back(posting.doc);
  auto set = std::make_shared<DocSet>(DocSet::of(docs));
  if (docs.empty()) return std::shared_ptr<const DocSet>(std::move(set));  // endless many
  const std::size_t bytes = set->memory_bytes() + term.size();
  const std::scoped_lock lock(impl.mutex);
  if (impl.sets_bytes + bytes > sets_bytes_max) {
    impl.sets.clear();
    impl.sets_bytes = 0;
  }
  if (impl.sets.emplace(term, set).second) impl.sets_bytes += bytes;
  return std::shared_ptr<const DocSet>(std::move(set));
}

Result<DocSet, Fault> TextIndex::Reader::phrase(const std::vector<std::string>& stems,
                                                const DocSet& among) {
  auto& impl = *index_->impl_;
  std::string wanted;
  for (const auto& stem : stems) put_number(wanted, placed_word(stem));
  std::vector<DocId> docs;
  const std::unique_ptr<rocksdb::Iterator> at(impl.database.NewIterator(impl.at(*view_)));
  for (DocSet::Walk doc(among); !doc.done(); doc.next()) {
    const auto key = doc_key('w', doc.doc());
    at->Seek(key);
    if (!at->Valid() || view(at->key()) != key) continue;
    const auto words = view(at->value());
    for (auto place = words.find(wanted); place != std::string_view::npos;
         place = words.find(wanted, place + 1)) {
      if (place % sizeof(PlacedWord) != 0) continue;
      docs.push_back(doc.doc());
      break;
    }
  }
  if (!at->status().ok()) return fault_of("reading a phrase", at->status());
  return DocSet::of(docs);
}

Result<std::shared_ptr<const Postings>, Fault> TextIndex::Reader::postings(
    const std::string& term) {
  auto& impl = *index_->impl_;
  {
    const std::scoped_lock lock(impl.mutex);
    if (auto kept = impl.postings.find(term)) return kept;
  }
  const auto list = impl.read(term, *view_);
  if (!list) return list.error();
  auto postings = std::make_shared<Postings>();
  postings->docs.reserve(list->size());
  postings->counts.reserve(list->size());
  for (const auto& posting : *list) {
    postings->docs.push_back(posting.doc);
    postings->counts.push_back(cut_count(posting.count));
  }
  if (list->empty()) return std::shared_ptr<const Postings>(std::move(postings));  // endless many
  const std::scoped_lock lock(impl.mutex);
  // What was published meanwhile may have changed them.
  if (view_ == impl.view) impl.postings.put(term, postings);
  return std::shared_ptr<const Postings>(std::move(postings));
}

Result<Weighing, Fault> TextIndex::Reader::weigh(const std::vector<RankTerm>& terms) {
  Weighing weighing;
  if (view_->docs > 0)
    weighing.average_length =
        static_cast<double>(view_->total_length) / static_cast<double>(view_->docs);
  for (const auto& term : terms) {
    const auto with = postings(term.term);
    if (!with) return with.error();
    const std::size_t size = (*with)->docs.size();
    // The list may be of a later state of the index than the number of products.
    weighing.terms.push_back(
        {term.term, term.weight * worth_of(std::max(view_->docs, size), size)});
  }
  return weighing;
}

Result<std::vector<Ranked>, Fault> TextIndex::Reader::rank(const Weighing& weighing,
                                                           const std::vector<DocId>& among,
                                                           std::size_t first) {
  const auto& tuning = index_->impl_->tuning;
  const Bm25 bm25{.k1 = tuning.k1, .b = tuning.b, .average_length = weighing.average_length};
  std::vector<double> scores(among.size());
  for (const auto& term : weighing.terms) {
    const auto with = postings(term.term);
    if (!with) return with.error();
    bm25.add(**with, term.weight, *view_->lengths, among, scores);
  }
  return best_of(among, scores, first);
}

}  // namespace souk::search

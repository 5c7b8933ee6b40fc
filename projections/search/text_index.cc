#include "projections/search/text_index.h"

#include <fmt/format.h>
#include <xapian.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "projections/search/index_digest.h"
#include "projections/search/kept_postings.h"
#include "projections/search/text_fields.h"

namespace souk::search {
namespace {

constexpr const char* version_key = "souk-version";
constexpr const char* epoch_key = "souk-epoch";
constexpr const char* format_key = "souk-format";
/// Of the terms, and what they weigh: another one on disk is indexed again.
std::string format_of(const SearchTuning& tuning) {
  return fmt::format("2 {} {} {} {} {}", tuning.name_weight, tuning.brand_weight,
                     tuning.category_weight, tuning.attribute_weight, tuning.description_weight);
}
constexpr std::size_t sets_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t words_looked_at_max = 2'000;
constexpr int attempts_max = 6;
constexpr std::size_t idle_readers_max = 16;

Fault fault_of(const char* doing, const Xapian::Error& error) {
  const std::string what = std::string("search index, ") + doing + ": " + error.get_description();
  // A file that ends too soon is a plain DatabaseError, as is what the system refuses; that has the
  // system's reason.
  const std::string_view type = error.get_type();
  const bool corrupt = type == "DatabaseCorruptError" ||
                       (type == "DatabaseError" && error.get_error_string() == nullptr);
  return {corrupt ? Fault::Kind::corrupt : Fault::Kind::unavailable, what};
}

/// Lets only the products of a list through, and weighs nothing. A sorted list, as CRoaring's
/// iterator looks through a whole container at every skip.
class OnlyThese final : public Xapian::PostingSource {
 public:
  explicit OnlyThese(const std::vector<DocId>& docs) : docs_(docs) {}
  Xapian::doccount get_termfreq_min() const override { return count(); }
  Xapian::doccount get_termfreq_est() const override { return count(); }
  Xapian::doccount get_termfreq_max() const override { return count(); }
  void init(const Xapian::Database&) override { started_ = false; }
  void next(double) override {
    if (started_) {
      ++at_;
    } else {
      start();
    }
  }
  void skip_to(Xapian::docid doc, double) override {
    if (!started_) start();
    at_ = seek(docs_, at_, doc);
  }
  bool at_end() const override { return started_ && at_ >= docs_.size(); }
  Xapian::docid get_docid() const override { return docs_[at_]; }

 private:
  void start() {
    started_ = true;
    at_ = 0;
  }
  Xapian::doccount count() const { return static_cast<Xapian::doccount>(docs_.size()); }
  const std::vector<DocId>& docs_;
  std::size_t at_ = 0;
  bool started_ = false;
};

std::vector<std::string> terms_of(const Xapian::Database& database, DocId doc) {
  std::vector<std::string> terms;
  if (doc > database.get_lastdocid()) return terms;  // spares an exception each
  try {
    for (auto at = database.termlist_begin(doc); at != database.termlist_end(doc); ++at) {
      terms.push_back(*at);
    }
  } catch (const Xapian::DocNotFoundError&) {
  }
  return terms;
}

}  // namespace

struct TextIndex::Slot {
  explicit Slot(const std::string& folder) : database(folder) {}
  Xapian::Database database;
  std::uint64_t generation = 0;
};

struct TextIndex::Impl {
  struct Change {
    DocId doc;
    std::uint16_t length;
    std::vector<std::string> gone;
    std::vector<std::string> come;
  };

  std::string folder;
  SearchTuning tuning;
  Xapian::WritableDatabase writer;
  std::uint64_t version = 0;
  std::vector<Change> changes;
  std::unordered_set<std::string> touched;  // terms of products that changed
  Vocabulary vocabulary;

  std::atomic<std::uint64_t> generation{1};  // counts what was published
  std::mutex mutex;                          // of what follows
  std::unordered_map<std::string, std::shared_ptr<DocSet>> sets;
  std::size_t sets_bytes = 0;
  KeptPostings postings;
  std::shared_ptr<const Lengths> lengths = std::make_shared<Lengths>();
  std::vector<std::unique_ptr<Slot>> idle;

  void create(std::uint64_t epoch) {
    writer = Xapian::WritableDatabase(folder, Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC);
    writer.set_metadata(epoch_key, std::to_string(epoch));
    writer.set_metadata(version_key, "0");
    writer.set_metadata(format_key, format_of(tuning));
    writer.commit();
    version = 0;
  }
  /// Whether there is one that fits.
  bool reuse(std::uint64_t epoch, std::uint64_t ruling_version) {
    try {
      writer = Xapian::WritableDatabase(folder, Xapian::DB_OPEN | Xapian::DB_NO_SYNC);
      const auto text = writer.get_metadata(version_key);
      version = std::strtoull(text.c_str(), nullptr, 10);
      return writer.get_metadata(format_key) == format_of(tuning) &&
             writer.get_metadata(epoch_key) == std::to_string(epoch) && !text.empty() &&
             version <= ruling_version;
    } catch (const Xapian::DatabaseLockError&) {
      throw;
    } catch (const Xapian::Error&) {
      return false;
    }
  }
};

TextIndex::TextIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TextIndex::~TextIndex() = default;

Result<std::unique_ptr<TextIndex>, Fault> TextIndex::open(const std::filesystem::path& folder,
                                                          std::uint64_t epoch,
                                                          std::uint64_t version,
                                                          const SearchTuning& tuning) {
  auto impl = std::make_unique<Impl>();
  impl->folder = folder.string();
  impl->tuning = tuning;
  try {
    if (!impl->reuse(epoch, version)) {
      impl->writer.close();
      std::error_code error;
      std::filesystem::remove_all(folder, error);
      impl->create(epoch);
    }
    for (auto at = impl->writer.allterms_begin("W"); at != impl->writer.allterms_end("W"); ++at) {
      impl->vocabulary.add((*at).substr(1), at.get_termfreq());
    }
    auto lengths = std::make_shared<Lengths>(impl->writer.get_lastdocid() + 1);
    for (auto at = impl->writer.postlist_begin(""); at != impl->writer.postlist_end(""); ++at)
      lengths->at(*at) = cut_count(at.get_doclength());
    impl->lengths = std::move(lengths);
  } catch (const Xapian::Error& error) {
    return fault_of("opening", error);
  } catch (const std::out_of_range&) {
    return Fault{Fault::Kind::corrupt, "search index, opening: a product beyond the last"};
  }
  return std::unique_ptr<TextIndex>(new TextIndex(std::move(impl)));
}

std::uint64_t TextIndex::version() const { return impl_->version; }
const Vocabulary& TextIndex::vocabulary() const { return impl_->vocabulary; }

Status TextIndex::put(DocId doc, const ProductText& text) {
  try {
    const Xapian::Document document = document_of(text, impl_->tuning);
    Impl::Change change{.doc = doc, .length = 0, .gone = {}, .come = {}};
    std::uint64_t length = 0;
    const auto former = terms_of(impl_->writer, doc);
    std::vector<std::string> now;
    for (auto at = document.termlist_begin(); at != document.termlist_end(); ++at) {
      now.push_back(*at);
      length += at.get_wdf();
    }
    change.length = cut_count(length);
    // Both lists are sorted.
    std::set_difference(former.begin(), former.end(), now.begin(), now.end(),
                        std::back_inserter(change.gone));
    std::set_difference(now.begin(), now.end(), former.begin(), former.end(),
                        std::back_inserter(change.come));
    impl_->touched.insert(former.begin(), former.end());
    impl_->touched.insert(now.begin(), now.end());
    impl_->writer.replace_document(doc, document);
    impl_->changes.push_back(std::move(change));
  } catch (const Xapian::Error& error) {
    return fault_of("writing", error);
  }
  return Done{};
}

Result<std::uint64_t, Fault> TextIndex::digest(const std::vector<std::uint64_t>& products,
                                               Places places) const {
  try {
    return digest_of_index(impl_->writer, products, places);
  } catch (const Xapian::Error& error) {
    return fault_of("reading all of it", error);
  }
}

std::uint64_t TextIndex::digest_of(std::uint64_t product, const ProductText& text,
                                   Places places) const {
  return digest_of_document(product, document_of(text, impl_->tuning), places);
}

Status TextIndex::commit(std::uint64_t version) {
  try {
    impl_->writer.set_metadata(version_key, std::to_string(version));
    impl_->writer.commit();
    impl_->version = version;
  } catch (const Xapian::Error& error) {
    return fault_of("committing", error);
  }
  return Done{};
}

void TextIndex::publish() {
  const std::scoped_lock lock(impl_->mutex);  // rankers load postings meanwhile
  for (const auto& change : impl_->changes) {
    const auto apply = [&](const std::string& term, bool inside) {
      if (term[0] == 'W') {
        const auto word = std::string_view(term).substr(1);
        inside ? impl_->vocabulary.add(word) : impl_->vocabulary.remove(word);
      } else if (const auto at = impl_->sets.find(term); at != impl_->sets.end()) {
        at->second->put(change.doc, inside);
      }
    };
    for (const auto& term : change.gone) apply(term, false);
    for (const auto& term : change.come) apply(term, true);
  }
  for (const auto& term : impl_->touched) impl_->postings.drop(term);
  impl_->touched.clear();
  auto lengths = std::make_shared<Lengths>(*impl_->lengths);  // some still rank with the old ones
  for (const auto& change : impl_->changes) {
    if (change.doc >= lengths->size()) lengths->resize(change.doc + 1);
    (*lengths)[change.doc] = change.length;
  }
  impl_->lengths = std::move(lengths);
  impl_->changes.clear();
  ++impl_->generation;
}

TextIndex::Reader::Reader(TextIndex& index, std::unique_ptr<Slot> slot)
    : index_(&index), slot_(std::move(slot)) {}
TextIndex::Reader::Reader(Reader&&) noexcept = default;
TextIndex::Reader::~Reader() {
  if (!slot_) return;
  const std::scoped_lock lock(index_->impl_->mutex);
  auto& idle = index_->impl_->idle;
  if (idle.size() < idle_readers_max) idle.push_back(std::move(slot_));
}

Result<TextIndex::Reader, Fault> TextIndex::reader() {
  std::unique_ptr<Slot> slot;
  {
    const std::scoped_lock lock(impl_->mutex);
    if (!impl_->idle.empty()) {
      slot = std::move(impl_->idle.back());
      impl_->idle.pop_back();
    }
  }
  try {
    const std::uint64_t generation = impl_->generation;
    if (!slot) {
      slot = std::make_unique<Slot>(impl_->folder);
    } else if (slot->generation != generation) {
      slot->database.reopen();
    }
    slot->generation = generation;
  } catch (const Xapian::Error& error) {
    return fault_of("opening to read", error);
  }
  return Reader(*this, std::move(slot));
}

namespace {

/// Reads again where the writer meanwhile used the blocks of the view that was read, or where it
/// looks so: whoever reads a block that is just being written finds it damaged.
template <class Read>
auto read_again(const char* doing, Xapian::Database& database, const Read& read)
    -> Result<decltype(read()), Fault> {
  for (int attempt = 1;; ++attempt) {
    try {
      return read();
    } catch (const Xapian::DatabaseError& error) {
      if (attempt == attempts_max) return fault_of(doing, error);
      try {
        database.reopen();
      } catch (const Xapian::Error& again) {
        return fault_of(doing, again);
      }
    } catch (const Xapian::Error& error) {
      return fault_of(doing, error);
    }
  }
}

}  // namespace

Result<std::shared_ptr<const DocSet>, Fault> TextIndex::Reader::docs(const std::string& term) {
  auto& impl = *index_->impl_;
  {
    const std::scoped_lock lock(impl.mutex);
    const auto at = impl.sets.find(term);
    if (at != impl.sets.end()) return std::shared_ptr<const DocSet>(at->second);
  }
  auto& database = slot_->database;
  auto docs = read_again("reading a list", database, [&] {
    std::vector<DocId> list;
    list.reserve(database.get_termfreq(term));
    for (auto at = database.postlist_begin(term); at != database.postlist_end(term); ++at) {
      list.push_back(*at);
    }
    return list;
  });
  if (!docs) return docs.error();
  auto set = std::make_shared<DocSet>(DocSet::of(*docs));
  if (docs->empty()) return std::shared_ptr<const DocSet>(std::move(set));  // endless many
  const std::size_t bytes = set->memory_bytes() + term.size();
  const std::scoped_lock lock(impl.mutex);
  if (impl.sets_bytes + bytes > sets_bytes_max) {
    impl.sets.clear();
    impl.sets_bytes = 0;
  }
  if (impl.sets.emplace(term, set).second) impl.sets_bytes += bytes;
  return std::shared_ptr<const DocSet>(std::move(set));
}

Result<std::vector<std::string>, Fault> TextIndex::Reader::words_from(std::string_view prefix,
                                                                      std::size_t max) {
  auto& database = slot_->database;
  return read_again("reading words", database, [&] {
    std::vector<std::pair<Xapian::doccount, std::string>> found;
    const std::string from = "W" + std::string(prefix);
    std::size_t looked_at = 0;
    for (auto at = database.allterms_begin(from);
         at != database.allterms_end(from) && looked_at < words_looked_at_max; ++at, ++looked_at) {
      found.emplace_back(at.get_termfreq(), (*at).substr(1));
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    if (found.size() > max) found.resize(max);
    std::vector<std::string> words;
    for (auto& [products, word] : found) words.push_back(std::move(word));
    return words;
  });
}

Result<DocSet, Fault> TextIndex::Reader::phrase(const std::vector<std::string>& stems,
                                                const DocSet& among) {
  auto& database = slot_->database;
  const auto list = among.list();
  return read_again("reading a phrase", database, [&] {
    OnlyThese only(list);
    const Xapian::Query words(Xapian::Query::OP_PHRASE, stems.begin(), stems.end(),
                              static_cast<Xapian::termcount>(stems.size()));
    Xapian::Enquire enquire(database);
    enquire.set_query(Xapian::Query(Xapian::Query::OP_FILTER, words, Xapian::Query(&only)));
    enquire.set_weighting_scheme(Xapian::BoolWeight());
    enquire.set_docid_order(Xapian::Enquire::ASCENDING);
    std::vector<DocId> docs;
    const auto found = enquire.get_mset(0, database.get_doccount());
    for (auto at = found.begin(); at != found.end(); ++at) docs.push_back(*at);
    return DocSet::of(docs);
  });
}

Result<std::shared_ptr<const Postings>, Fault> TextIndex::Reader::postings(
    const std::string& term) {
  auto& impl = *index_->impl_;
  {
    const std::scoped_lock lock(impl.mutex);
    if (auto kept = impl.postings.find(term)) return kept;
  }
  auto& database = slot_->database;
  auto read = read_again("reading postings", database, [&] {
    Postings postings;
    const auto size = database.get_termfreq(term);
    postings.docs.reserve(size);
    postings.counts.reserve(size);
    for (auto at = database.postlist_begin(term); at != database.postlist_end(term); ++at) {
      postings.docs.push_back(*at);
      postings.counts.push_back(cut_count(at.get_wdf()));
    }
    return postings;
  });
  if (!read) return read.error();
  auto postings = std::make_shared<const Postings>(std::move(*read));
  if (postings->docs.empty()) return postings;  // endless many
  const std::scoped_lock lock(impl.mutex);
  // What was published meanwhile may have changed them.
  if (slot_->generation == impl.generation) impl.postings.put(term, postings);
  return postings;
}

Result<std::vector<Ranked>, Fault> TextIndex::Reader::rank(const std::vector<RankTerm>& terms,
                                                           const std::vector<DocId>& among,
                                                           std::size_t first) {
  auto& impl = *index_->impl_;
  const auto lengths = [&] {
    const std::scoped_lock lock(impl.mutex);
    return impl.lengths;
  }();
  const auto& tuning = impl.tuning;
  auto& database = slot_->database;
  auto bm25 = read_again("reading the index's size", database, [&] {
    return Bm25{.k1 = tuning.k1,
                .b = tuning.b,
                .docs = database.get_doccount(),
                .average_length = database.get_avlength()};
  });
  if (!bm25) return bm25.error();
  std::vector<double> scores(among.size());
  for (const auto& term : terms) {
    const auto with = postings(term.term);
    if (!with) return with.error();
    bm25->add(**with, term.weight, *lengths, among, scores);
  }
  return best_of(among, scores, first);
}

}  // namespace souk::search

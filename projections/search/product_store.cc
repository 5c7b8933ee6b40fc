#include "projections/search/product_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "events/fault_log.h"
#include "events/journal/rocksdb_log.h"
#include "events/journal/rocksdb_manifest.h"
#include "projections/search/posting_list.h"

namespace souk::search {
namespace {

// Stored. Keys: one letter, then a number, big endian. text_index.cc has more beside.
//   s           the state: format 2, then the checkpoint
//   c doc(4)    columns
//   t doc(4)    text
constexpr char state_format = 2;
constexpr std::string_view state_key = "s";

std::string big_endian(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xFF);
  return out;
}
std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}
std::string key(char letter, DocId doc) { return letter + big_endian(doc, 4); }
std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

rocksdb::ReadOptions once() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return options;
}

Fault fault_of(const char* doing, const rocksdb::Status& status) {
  const std::string what = std::string(doing) + ": " + one_line(status.ToString());
  if (status.IsNoSpace()) return {Fault::Kind::full, what};
  if (status.IsCorruption()) return {Fault::Kind::corrupt, what};
  return {Fault::Kind::unavailable, what};
}
Fault corrupt(const char* what) {
  return {Fault::Kind::corrupt, std::string("search store: ") + what};
}

rocksdb::Options engine_options(const std::filesystem::path& folder) {
  rocksdb::Options engine;
  engine.create_if_missing = true;
  engine.paranoid_checks = true;
  engine.write_buffer_size = 16 * 1024 * 1024;
  engine.merge_operator = posting_merge();
  engine.max_background_jobs = 2;
  engine.stats_dump_period_sec = 0;
  engine.info_log = rocksdb_log(spdlog::default_logger(), folder.string());
  engine.listeners = {manifest_noter(folder)};
  engine.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 16 * 1024;
  table.block_cache = rocksdb::NewLRUCache(8 * 1024 * 1024);
  table.format_version = 5;
  engine.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return engine;
}

}  // namespace

struct ProductStore::Impl {
  std::unique_ptr<rocksdb::DB> database;
};

ProductStore::ProductStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProductStore::~ProductStore() = default;

Result<std::unique_ptr<ProductStore>, Fault> ProductStore::open(
    const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Fault{Fault::Kind::unavailable, "search folder: " + error.message()};
  if (auto whole = check_manifest(folder); !whole) return whole.error();
  rocksdb::DB* raw = nullptr;
  const auto opened = rocksdb::DB::Open(engine_options(folder), folder.string(), &raw);
  if (!opened.ok()) return fault_of("open the search store", opened);
  auto impl = std::make_unique<Impl>();
  impl->database.reset(raw);
  note_manifest(folder);
  std::string bytes;
  const auto found =
      raw->Get(rocksdb::ReadOptions(), rocksdb::Slice(state_key.data(), state_key.size()), &bytes);
  if (!found.ok() && !found.IsNotFound()) return fault_of("read the search store", found);
  std::unique_ptr<ProductStore> store(new ProductStore(std::move(impl)));
  if (found.IsNotFound()) return store;
  if (bytes.empty() || bytes[0] != state_format) return corrupt("its state cannot be read");
  store->checkpoint_ = bytes.substr(1);
  return store;
}

rocksdb::DB& ProductStore::database() const { return *impl_->database; }

Status ProductStore::write(const StoreChange& change, const std::string& checkpoint,
                           rocksdb::WriteBatch& batch) {
  for (const auto& [doc, columns] : change.columns) batch.Put(key('c', doc), encode(columns));
  for (const auto& [doc, text] : change.texts) batch.Put(key('t', doc), encode(text));
  batch.Put(rocksdb::Slice(state_key.data(), state_key.size()), state_format + checkpoint);
  // Not synced: a kill loses nothing, and after a power cut the log is folded again from the
  // commit that then stands.
  const auto written = impl_->database->Write(rocksdb::WriteOptions(), &batch);
  if (!written.ok()) return fault_of("write to the search store", written);
  checkpoint_ = checkpoint;
  return Done{};
}

Status ProductStore::each_columns(const std::function<void(DocId, ProductColumns)>& visit) {
  std::unique_ptr<rocksdb::Iterator> at(impl_->database->NewIterator(once()));
  for (at->Seek("c"); at->Valid() && at->key()[0] == 'c'; at->Next()) {
    auto columns = decode_columns(view(at->value()));
    if (at->key().size() != 5 || !columns) return corrupt("a product cannot be read");
    visit(static_cast<DocId>(number(view(at->key()).substr(1))), std::move(*columns));
  }
  if (!at->status().ok()) return fault_of("read the search store", at->status());
  return Done{};
}

Status ProductStore::each_text(const std::function<Status(DocId, const ProductText&)>& visit) {
  std::unique_ptr<rocksdb::Iterator> at(impl_->database->NewIterator(once()));
  for (at->Seek("t"); at->Valid() && at->key()[0] == 't'; at->Next()) {
    const auto text = decode_text(view(at->value()));
    if (at->key().size() != 5 || !text) return corrupt("a text cannot be read");
    const auto doc = static_cast<DocId>(number(view(at->key()).substr(1)));
    if (auto visited = visit(doc, *text); !visited) return visited;
  }
  if (!at->status().ok()) return fault_of("read the search store", at->status());
  return Done{};
}

Result<std::optional<ProductText>, Fault> ProductStore::text(DocId doc) {
  std::string bytes;
  const auto found = impl_->database->Get(rocksdb::ReadOptions(), key('t', doc), &bytes);
  if (found.IsNotFound()) return std::optional<ProductText>{};
  if (!found.ok()) return fault_of("read the search store", found);
  auto text = decode_text(bytes);
  if (!text) return corrupt("a text cannot be read");
  return text;
}

}  // namespace souk::search

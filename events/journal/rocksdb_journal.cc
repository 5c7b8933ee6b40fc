#include "events/journal/rocksdb_journal.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <shared_mutex>

#include "events/fault_log.h"
#include "events/journal/rocksdb_manifest.h"
#include "events/journal/rocksdb_open.h"
#include "events/journal/write_probe.h"

namespace souk {

using namespace journal_engine;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_bytes = shard_bytes + 8;
constexpr std::string_view barrier_key =
    "\xFF\xFF"
    "barrier";
constexpr std::string_view anchor_key =
    "\xFF\xFF"
    "directory";
constexpr std::string_view marks_key =
    "\xFF\xFF"
    "marks";
constexpr std::string_view place_key =  // and the shard
    "\xFF\xFF"
    "place";
constexpr std::size_t marks_entry_bytes = 64;
constexpr std::size_t batch_entry_bytes = 32;  // of a WriteBatch: the key and what frames it
constexpr std::size_t scan_readahead_bytes = 1024 * 1024;

using KeyBytes = std::array<char, key_bytes>;

void put_big_endian(char* at, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8) at[i] = static_cast<char>(value & 0xFF);
}
KeyBytes key_of(ShardId shard, Offset offset) {
  KeyBytes key;
  put_big_endian(key.data(), shard.value, shard_bytes);
  put_big_endian(key.data() + shard_bytes, offset, 8);
  return key;
}
Offset offset_of(rocksdb::Slice key) {
  Offset offset = 0;
  for (std::size_t i = shard_bytes; i < key.size(); ++i) {
    offset = offset << 8 | static_cast<std::uint8_t>(key[i]);
  }
  return offset;
}
std::string place_key_of(ShardId shard) {
  std::string key(place_key);
  key.resize(place_key.size() + shard_bytes);
  put_big_endian(key.data() + place_key.size(), shard.value, shard_bytes);
  return key;
}
rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
rocksdb::Slice slice(const KeyBytes& key) { return {key.data(), key.size()}; }

}  // namespace

struct RocksDbJournal::Impl {
  fs::path directory;
  Access access = Access::read_write;
  std::shared_ptr<spdlog::logger> log;
  rocksdb::Options engine;
  std::shared_ptr<DamageWatch> watch;
  std::string scrubbed_to;  // the key at which the next scrub goes on

  std::shared_mutex mutex;                // shared: uses `database`; exclusive: replaces it
  std::unique_ptr<rocksdb::DB> database;  // none: a `settle` could not open it again
  std::atomic<bool> closing{false};       // scans must give way
  bool unsettled = false;                 // the writer's own
  bool stands_in = false;  // `database` is open for reading only, until it is settled
  StoreMarks* marks = nullptr;
  JournalMarks opened_with;
  std::uint64_t writes = 0;  // tried; the writer's own

  Status load_marks();
  Status put(const std::vector<Batch>& records);
  Status commit(rocksdb::WriteBatch& all);
  Status keep(std::span<const LogCopy::Record> records, std::span<const LogCopy::Place> places);
  Status reopen();
  void end_compactions();
  Result<bool, Fault> scrub(std::size_t bytes);
  /// How a walk finds its first record; false: there is none.
  using Begin = std::function<Result<bool, Fault>(rocksdb::Iterator& at)>;
  Status walk(ShardId shard, const Begin& begin, const Visit& visit);
  /// Where scan() begins. REQUIRES: the lock.
  Result<Offset, Fault> find(ShardId shard, Seq from) const;
};

RocksDbJournal::RocksDbJournal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDbJournal::~RocksDbJournal() = default;

namespace {

/// Both ways to open: a journal of which nothing is read yet.
template <class Impl>
Result<std::unique_ptr<Impl>, Fault> make(const fs::path& directory,
                                          const RocksDbJournalOptions& options, Access access) {
  auto impl = std::make_unique<Impl>();
  impl->directory = directory;
  impl->access = access;
  impl->log = journal_logger();
  impl->engine = engine_options(options, impl->log);
  impl->engine.create_if_missing = access == Access::read_write;
  impl->watch = std::make_shared<DamageWatch>(impl->log);
  impl->engine.listeners = {impl->watch, manifest_noter(directory)};
  auto database = open_database(directory, impl->engine, access, *impl->log);
  if (!database) return database.error();
  impl->database = std::move(*database);
  impl->marks = options.marks;
  if (auto status = impl->load_marks(); !status) return status.error();
  return impl;
}

}  // namespace

RocksDbJournal::Opened RocksDbJournal::open(const fs::path& directory,
                                            const RocksDbJournalOptions& options) {
  auto impl = make<Impl>(directory, options, Access::read_write);
  if (!impl) return impl.error();
  return std::unique_ptr<RocksDbJournal>(new RocksDbJournal(std::move(*impl)));
}

RocksDbJournal::Opened RocksDbJournal::open_read_only(const fs::path& directory,
                                                      const RocksDbJournalOptions& options) {
  auto impl = make<Impl>(directory, options, Access::read_only);
  if (!impl) return impl.error();
  return std::unique_ptr<RocksDbJournal>(new RocksDbJournal(std::move(*impl)));
}

/// Each would fail at the same block, a second after the one before. And where tables are not
/// merged, RocksDB does not hold up writes for their number.
void RocksDbJournal::Impl::end_compactions() {
  if (engine.disable_auto_compactions) return;
  engine.disable_auto_compactions = true;
  const auto status = database->SetOptions({{"disable_auto_compactions", "true"}});
  if (!status.ok())
    log->warn("compactions cannot be ended why=\"{}\"", one_line(status.ToString()));
}

Status RocksDbJournal::Impl::put(const std::vector<Batch>& records) {
  std::size_t bytes = marks_entry_bytes;
  for (const Batch& record : records) bytes += record.bytes.size() + batch_entry_bytes;
  rocksdb::WriteBatch all(bytes);
  for (const Batch& record : records) {
    SOUK_ASSERT(record.shard.value < limits::shards_max && record.offset > 0);
    const KeyBytes key = key_of(record.shard, record.offset);
    all.Put(slice(key), slice(record.bytes));
  }
  return commit(all);
}

Status RocksDbJournal::Impl::commit(rocksdb::WriteBatch& all) {
  if (access == Access::read_only) return Fault{Fault::Kind::unavailable, "opened to read only"};
  if (unsettled) return Fault{Fault::Kind::unavailable, "a write failed and is not settled yet"};
  if (all.Count() == 0) return Done{};
  if (watch->any()) end_compactions();
  ++writes;
  if (marks) {
    all.Put(slice(marks_key), encode(JournalMarks{writes, marks->keys, marks->provider}));
  }
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const auto status = database->Write(durable, &all);
  if (status.ok()) {
    if (marks) marks->journal = writes;
    return Done{};
  }
  unsettled = true;
  return fault_of("write to the journal", status);
}

Status RocksDbJournal::put(const std::vector<Batch>& records) { return impl_->put(records); }

Status RocksDbJournal::Impl::keep(std::span<const LogCopy::Record> records,
                                  std::span<const LogCopy::Place> places) {
  if (access == Access::read_only) return Fault{Fault::Kind::unavailable, "opened to read only"};
  if (unsettled) return Fault{Fault::Kind::unavailable, "a write failed and is not settled yet"};
  if (watch->any()) end_compactions();
  rocksdb::WriteBatch all;
  for (const auto& record : records)
    all.Put(slice(key_of(record.shard, record.offset)), slice(record.bytes));
  for (const auto& [shard, state] : places) all.Put(place_key_of(shard), encode(state));
  rocksdb::WriteOptions cached;
  cached.disableWAL = true;
  const auto status = database->Write(cached, &all);
  if (status.ok()) return Done{};
  unsettled = true;
  return fault_of("write the copy of the log", status);
}

Status RocksDbJournal::keep(std::span<const Record> records, std::span<const Place> places) {
  return impl_->keep(records, places);
}

Result<FoldState, Fault> RocksDbJournal::place(ShardId shard) {
  const std::shared_lock lock(impl_->mutex);
  if (!impl_->database)
    return Fault{Fault::Kind::unavailable, "the journal is closed until it is settled"};
  std::string bytes;
  const auto status = impl_->database->Get({}, place_key_of(shard), &bytes);
  if (status.IsNotFound()) return shared_log_begin();
  if (!status.ok()) return fault_of("read the place in the log", status);
  return decode_fold_state(bytes);
}

Status RocksDbJournal::settle() {
  Impl& impl = *impl_;
  if (impl.access == Access::read_only) {
    return Fault{Fault::Kind::unavailable, "opened to read only"};
  }
  impl.unsettled = true;
  // To close it ends all reads of the log: only where it can be opened again.
  if (auto probe = probe_write(impl.directory); !probe) return probe;
  impl.closing = true;
  const std::unique_lock lock(impl.mutex);
  impl.closing = false;
  if (auto opened = impl.reopen(); !opened) return opened;
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const auto status = impl.database->Put(durable, slice(barrier_key), "settled");
  if (!status.ok()) return fault_of("write the journal's barrier", status);
  impl.unsettled = false;
  return Done{};
}

/// REQUIRES: the lock. Where it cannot be opened, what is there can be read all the same.
Status RocksDbJournal::Impl::reopen() {
  // Not DB::Resume: a record that was half written must be cut off, which only recovery does. A
  // stand-in holds no lock on the directory, so it can stay open meanwhile.
  auto stand_in = stands_in ? std::move(database) : nullptr;
  database.reset();
  auto opened = open_database(directory, engine, access, *log);
  stands_in = !opened.ok();
  if (opened) {
    database = std::move(*opened);
    return Done{};
  }
  database = std::move(stand_in);
  if (!database)
    if (auto reader = open_database(directory, engine, Access::read_only, *log); reader.ok())
      database = std::move(*reader);
  return opened.error();
}

namespace {

/// The iterator's upper bound and lower bound are those of one shard: its offsets from first to
/// last. Which of them stands behind the last record that ends before an event?
class OffsetSearch {
 public:
  OffsetSearch(rocksdb::Iterator& at, ShardId shard, Seq from)
      : at_(at), shard_(shard), from_(from) {}

  Result<Offset, Fault> find() {
    at_.SeekToFirst();
    if (!at_.Valid()) return at_.status().ok() ? Result<Offset, Fault>(low_) : fault();
    low_ = offset_of(at_.key());
    at_.SeekToLast();
    if (!at_.Valid()) return fault();
    const Offset end = high_ = offset_of(at_.key()) + 1;
    // Most who ask stand near the end.
    for (Offset back = 1; back < end - low_ && high_ > low_; back *= 4)
      if (auto s = look(end - back); !s.ok()) return s.error();
    while (low_ < high_)
      if (auto s = look(low_ + (high_ - low_) / 2); !s.ok()) return s.error();
    return low_;
  }

 private:
  /// The answer is in [low_, high_]: narrows it by the first record of events from `offset` on.
  Status look(Offset offset) {
    if (offset < low_) return Done{};
    for (at_.Seek(slice(key_of(shard_, offset))); at_.Valid(); at_.Next()) {
      const auto header = decode_batch_header(at_.value().ToStringView());
      if (!header) return header.error();
      if (header->count == 0) continue;
      if (header->last_seq() >= from_) break;
      low_ = offset_of(at_.key()) + 1;
      high_ = std::max(high_, low_);
      return Done{};
    }
    high_ = std::min(high_, offset);
    return at_.status().ok() ? Status(Done{}) : Status(fault());
  }
  Fault fault() const { return fault_of("search the journal", at_.status()); }

  rocksdb::Iterator& at_;
  const ShardId shard_;
  const Seq from_;
  Offset low_ = 0, high_ = 0;
};

/// The keys of one shard.
struct ShardBounds {
  explicit ShardBounds(ShardId shard)
      : first(key_of(shard, 0)), end(key_of({static_cast<std::uint16_t>(shard.value + 1)}, 0)) {}
  ShardBounds(const ShardBounds&) = delete;
  rocksdb::ReadOptions options() const {
    rocksdb::ReadOptions read;
    read.verify_checksums = true;
    read.fill_cache = false;
    read.iterate_lower_bound = &lower;
    read.iterate_upper_bound = &upper;
    return read;
  }
  const KeyBytes first, end;
  const rocksdb::Slice lower = slice(first), upper = slice(end);
};

}  // namespace

Result<Offset, Fault> RocksDbJournal::Impl::find(ShardId shard, Seq from) const {
  const ShardBounds bounds(shard);
  const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator(bounds.options()));
  return OffsetSearch(*at, shard, from).find();
}

Status RocksDbJournal::Impl::walk(ShardId shard, const Begin& begin, const Visit& visit) {
  const std::shared_lock lock(mutex);
  if (!database)
    return Fault{Fault::Kind::unavailable, "the journal is closed until it is settled"};
  const ShardBounds bounds(shard);
  rocksdb::ReadOptions read = bounds.options();
  read.readahead_size = scan_readahead_bytes;
  const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator(read));
  const auto found = begin(*at);
  if (!found) return found.error();
  for (; at->Valid(); at->Next()) {
    if (closing) return Fault{Fault::Kind::unavailable, "the journal is being settled"};
    if (!visit(offset_of(at->key()), at->value().ToStringView())) return Done{};
  }
  if (!at->status().ok()) return fault_of("read the journal", at->status());
  return Done{};
}

Status RocksDbJournal::scan(ShardId shard, Seq from, const Visit& visit) {
  SOUK_ASSERT(shard.value < limits::shards_max);
  return impl_->walk(
      shard,
      [&](rocksdb::Iterator& at) -> Result<bool, Fault> {
        const auto begin = impl_->find(shard, from);
        if (!begin) return begin.error();
        at.Seek(slice(key_of(shard, *begin)));
        return at.Valid();
      },
      visit);
}

Status RocksDbJournal::Impl::load_marks() {
  std::string bytes;
  const auto status = database->Get({}, slice(marks_key), &bytes);
  if (status.IsNotFound()) return Done{};
  if (!status.ok()) return fault_of("read the journal's marks", status);
  const auto decoded = decode_journal_marks(bytes);
  if (!decoded) return fault_of("read the journal's marks", rocksdb::Status::Corruption("marks"));
  opened_with = *decoded;
  writes = decoded->writes;
  if (marks) marks->journal = writes;
  return Done{};
}

Result<std::optional<JournalAnchor>, Fault> RocksDbJournal::anchor() const {
  std::string bytes;
  const auto status = impl_->database->Get({}, slice(anchor_key), &bytes);
  if (status.IsNotFound()) return std::optional<JournalAnchor>();
  if (!status.ok()) return fault_of("read whose journal it is", status);
  const auto decoded = decode_journal_anchor(bytes);
  if (!decoded) return fault_of("read whose journal it is", rocksdb::Status::Corruption("anchor"));
  return std::optional<JournalAnchor>(*decoded);
}

Status RocksDbJournal::write_anchor(const JournalAnchor& anchor) {
  rocksdb::WriteOptions durable;
  durable.sync = true;
  const auto status = impl_->database->Put(durable, slice(anchor_key), encode(anchor));
  if (!status.ok()) return fault_of("write whose journal it is", status);
  return Done{};
}

const JournalMarks& RocksDbJournal::marks() const { return impl_->opened_with; }

Result<bool, Fault> RocksDbJournal::has_records() const {
  const std::unique_ptr<rocksdb::Iterator> at(impl_->database->NewIterator({}));
  at->SeekToFirst();
  if (!at->status().ok()) return fault_of("read the journal", at->status());
  return at->Valid() && at->key().size() == key_bytes && !at->key().starts_with("\xFF\xFF");
}

Status RocksDbJournal::read(ShardId shard, Offset from, const Visit& visit) {
  SOUK_ASSERT(shard.value < limits::shards_max);
  return impl_->walk(
      shard,
      [&](rocksdb::Iterator& at) -> Result<bool, Fault> {
        at.Seek(slice(key_of(shard, from)));
        return at.Valid();
      },
      visit);
}

Result<bool, Fault> RocksDbJournal::last(ShardId shard, const Visit& visit) {
  bool there = false;
  const auto walked = impl_->walk(
      shard,
      [&](rocksdb::Iterator& at) -> Result<bool, Fault> {
        at.SeekToLast();
        return there = at.Valid();
      },
      [&](Offset offset, std::string_view bytes) {
        visit(offset, bytes);
        return false;
      });
  if (!walked.ok()) return walked.error();
  return there;
}

Result<bool, Fault> RocksDbJournal::Impl::scrub(std::size_t bytes) {
  const std::shared_lock lock(mutex);
  if (!database)
    return Fault{Fault::Kind::unavailable, "the journal is closed until it is settled"};
  rocksdb::ReadOptions read;
  read.verify_checksums = true;
  read.fill_cache = false;
  read.readahead_size = scan_readahead_bytes;
  const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator(read));
  at->Seek(scrubbed_to);
  Status status = Done{};
  for (std::size_t left = bytes; at->Valid() && status.ok(); at->Next()) {
    if (closing) return Fault{Fault::Kind::unavailable, "the journal is being settled"};
    const std::size_t size = at->key().size() + at->value().size();
    if (size > left) {
      scrubbed_to = at->key().ToString();
      if (left < bytes) return false;
    }
    left -= std::min(left, size);
    if (at->key().starts_with("\xFF\xFF")) continue;  // outside every shard
    if (const auto header = decode_batch_header(at->value().ToStringView()); !header)
      status = header.error();
  }
  scrubbed_to.clear();
  if (!at->status().ok()) status = fault_of("scrub the journal", at->status());
  if (status.ok()) return true;
  if (status.error().kind == Fault::Kind::corrupt) watch->found(status.error().what);
  return status.error();
}

Result<bool, Fault> RocksDbJournal::scrub(std::size_t bytes) { return impl_->scrub(bytes); }

std::string RocksDbJournal::damage() const { return impl_->watch->what(); }

std::uint64_t RocksDbJournal::bytes_on_disk() const {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator at(impl_->directory, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;  // a file may go while we look
    const auto size = at->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace souk

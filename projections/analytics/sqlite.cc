#include "projections/analytics/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace souk::analytics {
namespace {

static_assert(other_version == SQLITE_FORMAT);
constexpr int busy_ms = 5'000;
constexpr std::size_t idle_readers_max = 4;
constexpr off_t trickle_bytes = 128 * 1024;

}  // namespace

Fault fault_of(const SqliteError& error) {
  switch (error.code & 0xFF) {
    case SQLITE_FULL:
      return {Fault::Kind::full, error.what};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Fault::Kind::corrupt, error.what};
    case other_version:
      return {Fault::Kind::unsupported, error.what};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Fault::Kind::locked, error.what};
    default:
      return {Fault::Kind::unavailable, error.what};
  }
}

Database::Database(const std::filesystem::path& file, Access access) {
  // What SQLite has allocated is counted under a mutex, and nobody asks.
  [[maybe_unused]] static const int configured = ::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  const int mode = access == Access::read_only ? SQLITE_OPEN_READONLY
                                               : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  // One thread at a time uses a connection, so SQLite needs no mutexes of its own.
  const int code = sqlite3_open_v2(file.c_str(), &database_, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    SqliteError error{code, "open the analytics: " + std::string(sqlite3_errstr(code))};
    sqlite3_close_v2(database_);
    throw error;
  }
  sqlite3_extended_result_codes(database_, 1);
  sqlite3_busy_timeout(database_, busy_ms);
}

Database::~Database() { sqlite3_close_v2(database_); }

int Database::changes() const { return sqlite3_changes(database_); }

Trickle::~Trickle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Trickle::run() {
  if (descriptor_ < 0) descriptor_ = ::open(file_.c_str(), O_RDWR | O_CLOEXEC);
  struct stat file {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &file) != 0) return;
  for (off_t at = 0; at < file.st_size; at += trickle_bytes)
    ::sync_file_range(
        descriptor_, at, trickle_bytes,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

void Database::fail(int code, std::string_view doing) const {
  throw SqliteError{code, "analytics: " + std::string(doing) + ": " + sqlite3_errmsg(database_)};
}

void Database::exec(const char* sql) {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, sql);
}

Statement::Statement(const Database& database, std::string_view sql) : database_(database) {
  const int code = sqlite3_prepare_v3(database.raw(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) database.fail(code, sql);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  SqliteError error{code, std::string("analytics: ") + sqlite3_errmsg(database_.raw())};
  sqlite3_reset(statement_);
  throw error;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() { sqlite3_reset(statement_); }

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Statement::null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data ? std::string_view(static_cast<const char*>(data), size) : std::string_view{};
}

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data ? std::string_view(data, size) : std::string_view{};
}

void Statement::bind_one(int index, std::string_view text) {
  const char* data = text.data() ? text.data() : "";  // a null pointer would bind NULL
  sqlite3_bind_text(statement_, index, data, static_cast<int>(text.size()), SQLITE_STATIC);
}
void Statement::bind_one(int index, Blob blob) {
  const char* data = blob.bytes.data() ? blob.bytes.data() : "";
  sqlite3_bind_blob(statement_, index, data, static_cast<int>(blob.bytes.size()), SQLITE_STATIC);
}
void Statement::bind_one(int index, std::nullptr_t) { sqlite3_bind_null(statement_, index); }
void Statement::bind_integer(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
}

Readers::Snapshot::Snapshot(Readers& pool, std::unique_ptr<Database> database)
    : pool_(pool), database_(std::move(database)) {
  database_->exec("BEGIN");
}

Readers::Snapshot::~Snapshot() {
  if (!database_) return;
  if (sqlite3_exec(database_->raw(), "ROLLBACK", nullptr, nullptr, nullptr) != SQLITE_OK) return;
  const std::lock_guard lock(pool_.mutex_);
  if (pool_.idle_.size() < idle_readers_max) pool_.idle_.push_back(std::move(database_));
}

Readers::Snapshot Readers::snapshot() {
  std::unique_ptr<Database> database;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      database = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!database) database = std::make_unique<Database>(file_, Access::read_only);
  return Snapshot(*this, std::move(database));
}

}  // namespace souk::analytics

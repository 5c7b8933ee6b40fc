#pragma once
/// SQLite as the analytics use it: a connection, a statement, and errors thrown as one type, which
/// never leaves this folder.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "events/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace souk::analytics {

/// Thrown by everything here; the public functions turn it into a Fault.
struct SqliteError {
  int code = 0;  // SQLite's own, extended
  std::string what;
};
Fault fault_of(const SqliteError& error);
/// Of a SqliteError: another version of the code made the tables. SQLite itself does not use it.
inline constexpr int other_version = 24;  // SQLITE_FORMAT

struct Blob {
  std::string_view bytes;
};

enum class Access { read_write, read_only };

/// Thread: one at a time.
class Database {
 public:
  Database(const std::filesystem::path& file, Access access);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();
  void exec(const char* sql);
  /// Of the last statement: rows that it changed.
  int changes() const;
  sqlite3* raw() const { return database_; }
  [[noreturn]] void fail(int code, std::string_view doing) const;

 private:
  sqlite3* database_ = nullptr;
};

/// A prepared statement. `bind` starts it anew; texts must live until the last `step`.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  bool step();
  /// To the end.
  void run();
  /// Ends the reading of rows, so that the snapshot can go.
  void reset();
  std::int64_t integer(int column) const;
  bool null(int column) const;
  std::string_view text(int column) const;
  /// The bytes of a text or a blob, until the next step.
  std::string_view bytes(int column) const;

 private:
  void bind_one(int index, std::string_view text);
  void bind_one(int index, Blob blob);
  void bind_one(int index, std::nullptr_t);
  void bind_integer(int index, std::int64_t value);
  template <class Integer>
  requires std::is_integral_v<Integer>
  void bind_one(int index, Integer value) { bind_integer(index, static_cast<std::int64_t>(value)); }
  template <class Value>
  void bind_one(int index, const std::optional<Value>& value) {
    if (value) {
      bind_one(index, *value);
    } else {
      bind_one(index, nullptr);
    }
  }

  const Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

/// Sends what is written to a file on its way to the disk, a little at a time, and waits for it.
/// Whoever syncs the file later then finds little to do: a sync of many megabytes at once holds up
/// everybody else's, the journal's among them, for 10 to 15 ms.
/// Thread: one at a time.
class Trickle {
 public:
  /// A file that is not there yet is opened when it is.
  explicit Trickle(std::filesystem::path file) : file_(std::move(file)) {}
  Trickle(const Trickle&) = delete;
  Trickle& operator=(const Trickle&) = delete;
  ~Trickle();
  /// Errors: none; they come to whoever syncs the file.
  void run();

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

/// Connections for queries; each query has one of its own, in one snapshot.
/// Thread: any.
class Readers {
 public:
  explicit Readers(std::filesystem::path file) : file_(std::move(file)) {}

  /// A connection inside a read transaction; goes back to the pool when it dies.
  class Snapshot {
   public:
    Snapshot(Readers& pool, std::unique_ptr<Database> database);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    const Database& operator*() const { return *database_; }

   private:
    Readers& pool_;
    std::unique_ptr<Database> database_;
  };
  Snapshot snapshot();

 private:
  std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Database>> idle_;
};

}  // namespace souk::analytics

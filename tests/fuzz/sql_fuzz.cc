// SQL of strangers, behind the guard of the SQL door, over two small tables: it ends soon and
// changes nothing.
#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <vector>

#include "events/result.h"
#include "projections/sql/sql_guard.h"

namespace {

using namespace souk;

constexpr auto time_max = std::chrono::milliseconds(300);
constexpr std::int64_t memory_max = 64 << 20;
constexpr int rows_max = 200;

constexpr const char* schema =
    "CREATE TABLE orders(id TEXT, placed_at INTEGER, total INTEGER, country TEXT);"
    "CREATE TABLE order_lines(order_id TEXT, sku TEXT, quantity INTEGER, unit_price INTEGER);"
    "INSERT INTO orders VALUES('o1',1314788400000,12500000,'GB'),('o2',1314788400001,-1,NULL);"
    "INSERT INTO order_lines "
    "VALUES('o1','tea',2,6250000),('o1','cup','many',0.5),('o2',x'00ff',1,9);";

class Shop {
 public:
  Shop() {
    SOUK_ASSERT(sqlite3_open(":memory:", &database_) == SQLITE_OK);
    SOUK_ASSERT(sqlite3_exec(database_, schema, nullptr, nullptr, nullptr) == SQLITE_OK);
    changes_ = sqlite3_total_changes64(database_);
  }
  ~Shop() {
    SOUK_ASSERT(sqlite3_total_changes64(database_) == changes_);
    SOUK_ASSERT(sqlite3_close(database_) == SQLITE_OK);
  }
  sqlite3* database() { return database_; }

 private:
  sqlite3* database_ = nullptr;
  sqlite3_int64 changes_ = 0;
};

void run(std::string_view sql, analytics::SqlWatch& watch) {
  Shop shop;
  analytics::guard(shop.database(), watch);
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  if (sqlite3_prepare_v3(shop.database(), sql.data(), static_cast<int>(sql.size()), 0, &statement,
                         &tail) == SQLITE_OK &&
      statement != nullptr && sqlite3_stmt_readonly(statement) != 0) {
    for (int row = 0; row < rows_max && sqlite3_step(statement) == SQLITE_ROW; ++row)
      for (int column = 0; column < sqlite3_column_count(statement); ++column)
        sqlite3_column_bytes(statement, column);
  }
  sqlite3_finalize(statement);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string sql(reinterpret_cast<const char*>(data), size);
  analytics::SqlWatch watch;
  watch.deadline = std::chrono::steady_clock::now() + time_max;
  watch.memory_before = sqlite3_memory_used();
  watch.memory_max = memory_max;
  if (!analytics::refuse_text(sql, watch).empty()) return 0;
  run(sql, watch);
  return 0;
}

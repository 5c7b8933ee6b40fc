#include <doctest/doctest.h>
#include <sqlite3.h>

#include <chrono>

#include "tests/sql/sql_support.h"

using namespace souk;
using namespace souk::test;
using Why = SqlRefused::Kind;

TEST_CASE("sql: what changes, leaves or looks behind the tables is refused, in words") {
  const Shop shop;
  const auto before = *shop.model->digest();
  const char* const forbidden[] = {
      "PRAGMA user_version",
      "PRAGMA writable_schema=1",
      "ATTACH '/tmp/other.sqlite' AS other",
      "DETACH main",
      "INSERT INTO order_row(id) VALUES('x')",
      "INSERT INTO orders(id) VALUES('x')",
      "INSERT INTO events(seq) VALUES(1)",
      "DELETE FROM order_row",
      "UPDATE order_row SET value=0",
      "DROP TABLE order_row",
      "DROP VIEW orders",
      "DROP TABLE events",
      "CREATE TABLE t(x)",
      "CREATE TEMP TABLE t(x)",
      "CREATE VIRTUAL TABLE t USING fts5(x)",
      "CREATE VIRTUAL TABLE temp.e USING events",
      "CREATE TRIGGER t AFTER INSERT ON order_row BEGIN SELECT 1; END",
      "ALTER TABLE order_row RENAME TO x",
      "VACUUM",
      "VACUUM INTO '/tmp/souk-copy.sqlite'",
      "REINDEX",
      "ANALYZE",
      "BEGIN",
      "COMMIT",
      "SAVEPOINT s",
      "SELECT load_extension('/tmp/evil.so')",
      "SELECT fts3_tokenizer('simple')",
      "SELECT fts3_tokenizer('simple', x'00')",
      "SELECT * FROM fts3tokenize",
      "SELECT randomblob(1000000000)",
      "SELECT zeroblob(2000000000)",
      "SELECT random()",
      "SELECT writefile('/tmp/x', 'y')",
      "SELECT readfile('/etc/passwd')",
      "SELECT edit('x')",
      "SELECT sqlite_version()",
      "SELECT * FROM sqlite_master",
      "SELECT * FROM sqlite_schema",
      "SELECT count(*) FROM sqlite_schema",
      "SELECT * FROM sqlite_stmt",
      "SELECT * FROM dbstat",
      "SELECT * FROM pragma_database_list",
      "SELECT * FROM pragma_table_info('order_row')",
      "SELECT * FROM meta",
      "SELECT count(*) FROM meta",
      "SELECT * FROM order_row",
      "SELECT rowid FROM line_row",
      "SELECT 1; SELECT 2",
      "SELECT 1; DROP TABLE order_row",
      "SELECT 1;;/* x */; PRAGMA user_version",
      "EXPLAIN DELETE FROM order_row",
  };
  for (const char* sql : forbidden) {
    CAPTURE(sql);
    const SqlRefused refused = shop.refused(sql);
    CHECK((refused.kind == Why::forbidden || refused.kind == Why::bad));
    CHECK_FALSE(refused.why.empty());
  }
  CHECK(shop.refused("PRAGMA user_version").why.find("PRAGMA is not allowed") == 0);
  CHECK(shop.refused("SELECT * FROM order_row").why.find("souk sql --tables") != std::string::npos);
  CHECK(shop.refused("SELECT zeroblob(1)").why == "the function zeroblob is not available here");
  CHECK(*shop.model->digest() == before);
}

namespace {

/// All that a statement could read and is not one of ours.
std::vector<std::string> names_behind(const std::filesystem::path& file) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
  sqlite3_stmt* all = nullptr;
  sqlite3_prepare_v2(database, "SELECT name FROM sqlite_schema WHERE type='table'", -1, &all,
                     nullptr);
  std::vector<std::string> names{"sqlite_master", "sqlite_schema"};
  while (sqlite3_step(all) == SQLITE_ROW)
    names.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(all, 0)));
  sqlite3_finalize(all);
  sqlite3_close(database);
  return names;
}

}  // namespace

TEST_CASE("sql: whatever way a table behind the views is named, it is not read") {
  const Shop shop;
  const auto names = names_behind(shop.model->database());
  REQUIRE(names.size() > 10);
  const char* const shapes[] = {
      "SELECT * FROM {}",
      "SELECT count(*) FROM {}",
      "SELECT 1 FROM {}",
      "SELECT 1 FROM main.{}",
      "SELECT {}.rowid FROM {}",
      "SELECT * FROM \"{}\"",
      "SELECT * FROM [{}]",
      "SELECT * FROM `{}`",
      "SELECT * FROM '{}'",
      "SELECT * FROM (SELECT * FROM {}) AS orders",
      "SELECT (SELECT max(rowid) FROM {}) FROM orders",
      "SELECT 1 FROM orders WHERE EXISTS (SELECT * FROM {})",
      "SELECT 1 WHERE 1 IN {}",
      "SELECT id FROM orders UNION SELECT 1 FROM {}",
      "SELECT * FROM orders, {}",
      "SELECT * FROM orders NATURAL JOIN {}",
      "WITH x AS (SELECT * FROM {}) SELECT * FROM x",
      "WITH x AS (SELECT * FROM {}) SELECT count(*) FROM x",
      "WITH x AS MATERIALIZED (SELECT * FROM {}) SELECT * FROM x",
      "WITH x AS NOT MATERIALIZED (SELECT * FROM {}) SELECT * FROM x",
      "WITH x AS (SELECT 1), y AS (SELECT * FROM {}) SELECT * FROM y, x",
      "WITH x AS (WITH y AS (SELECT * FROM {}) SELECT * FROM y) SELECT * FROM x",
      "WITH RECURSIVE x(i) AS (SELECT rowid FROM {} UNION SELECT i FROM x) SELECT * FROM x",
      "WITH orders AS (SELECT * FROM {}) SELECT * FROM orders",
      "WITH ORDERS AS (SELECT * FROM {}) SELECT * FROM Orders",
      "WITH \"orders\" AS (SELECT * FROM {}) SELECT * FROM orders",
      "WITH [carts] AS (SELECT * FROM {}) SELECT * FROM carts",
      "WITH 'orders' AS (SELECT * FROM {}) SELECT * FROM orders",
      "WITH\xEF\xBB\xBForders AS (SELECT * FROM {}) SELECT * FROM orders",
      "WITH orders/**/AS--\n(SELECT * FROM\xEF\xBB\xBF{}) SELECT * FROM orders",
      "WITH events(a) AS (SELECT rowid FROM {}) SELECT * FROM events",
      "SELECT * FROM orders WHERE id = (WITH stock AS (SELECT * FROM {}) SELECT 1 FROM stock)",
      "EXPLAIN SELECT * FROM {}",
      "EXPLAIN QUERY PLAN SELECT * FROM {}",
  };
  for (const std::string& name : names) {
    for (const std::string shape : shapes) {
      std::string sql = shape;
      for (std::size_t at; (at = sql.find("{}")) != std::string::npos;) sql.replace(at, 2, name);
      std::string loud = sql;
      for (char& c : loud) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      CAPTURE(sql);
      CHECK_FALSE(shop.refused(sql).why.empty());
      CHECK_FALSE(shop.refused(loud).why.empty());
    }
  }
}

TEST_CASE("sql: rubbish is answered in words") {
  const Shop shop;
  const std::string rubbish[] = {"",
                                 ";",
                                 " -- nothing\n",
                                 "/* open",
                                 "SELEKT 1",
                                 "SELECT",
                                 "SELECT * FROM",
                                 "SELECT 'open",
                                 "SELECT \"no_such_column\"",
                                 "SELECT ?",
                                 "SELECT * FROM nothing",
                                 "SELECT \xFF\xFE FROM orders",
                                 std::string("SELECT 1\0 FROM orders", 20),
                                 std::string("\0", 1),
                                 std::string(1000, '('),
                                 "SELECT " + std::string(5000, '-') + "1",
                                 "SELECT " + std::string(5000, '(') + "1" + std::string(5000, ')')};
  for (const std::string& sql : rubbish) {
    CAPTURE(sql);
    CHECK_FALSE(shop.refused(sql).why.empty());
  }
}

TEST_CASE("sql: a text, its columns and its depth have limits") {
  const Shop shop;
  const auto padded = [](std::size_t size) {
    std::string sql = "SELECT 1 AS a -- ";
    sql.resize(size, 'x');
    return sql;
  };
  CHECK(shop.run(padded(sql_text_bytes_max)));
  CHECK(shop.refused(padded(sql_text_bytes_max + 1)).kind == Why::forbidden);
  const auto columns = [](int count) {
    std::string sql = "SELECT 1";
    for (int i = 1; i < count; ++i) sql += ",1";
    return sql;
  };
  CHECK(shop.run(columns(64)));
  CHECK(shop.refused(columns(65)).kind == Why::bad);
  const auto deep = [](int depth) {
    std::string sql = "SELECT 1";
    for (int i = 1; i < depth; ++i) sql += "+1";
    return sql;
  };
  CHECK(shop.run(deep(100)));
  CHECK_FALSE(shop.run(deep(101)));
  const auto nested = [](std::size_t depth) {
    return "SELECT " + std::string(depth, '(') + "1" + std::string(depth, ')');
  };
  CHECK(shop.run(nested(64)));
  CHECK(shop.refused(nested(65)).kind == Why::forbidden);
  const auto doubled = [](int size) {
    return "SELECT length(hex(printf('%" + std::to_string(size) + "d', 1)))";
  };
  CHECK(shop.ask(doubled(512 * 1024 - 1)).table.at(0).at(0) ==
        SqlCell{std::int64_t{1024 * 1024 - 2}});
  CHECK(shop.refused(doubled(512 * 1024)).kind == Why::too_large);
}

TEST_CASE("sql: what would never end is cut off in time") {
  const Shop shop;
  const std::string endless[] = {
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n WHERE "
      "i<0",
      "SELECT count(*) FROM order_lines a, order_lines b, order_lines c, order_lines d",
      "SELECT count(*) FROM events a, events b, events c",
      "SELECT count(*) FROM events a JOIN events b ON a.data < b.data JOIN events c",
      "SELECT sum(length(replace(printf('%1000000d',1),' ','xy'))) FROM orders a, orders b, "
      "orders c",
      "SELECT count(*) FROM orders a, orders b, orders c, orders d, orders e WHERE a.id || b.id || "
      "e.id LIKE "
      "'%a%b%c%d%e%f%g%h%i%j%k%'",
  };
  for (const std::string& sql : endless) {
    CAPTURE(sql);
    const auto begin = std::chrono::steady_clock::now();
    const SqlRefused refused = shop.refused(sql, {.time_ms_max = 200});
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK((refused.kind == Why::too_long || refused.kind == Why::too_large));
    CHECK(took < std::chrono::seconds(5));
  }
  CHECK(shop.refused("SELECT 1 FROM orders", {.time_ms_max = 0}).kind == Why::too_long);
  CHECK(shop.refused("SELECT 1 FROM orders", {.time_ms_max = -5}).kind == Why::too_long);
}

TEST_CASE("sql: expressions that unfold without end are refused before they are planned") {
  const Shop shop;
  const auto doubling = [](int levels) {
    std::string sql = "WITH a0 AS (SELECT 1 AS x)";
    for (int i = 1; i <= levels; ++i) {
      const std::string before = "a" + std::to_string(i - 1);
      sql += ", \"A" + std::to_string(i) + "\"(x) AS MATERIALIZED (SELECT 1 FROM " + before +
             ", [" + before + "])";
    }
    return sql + " SELECT count(*) FROM a" + std::to_string(levels);
  };
  shop.ask(doubling(10));
  CHECK(shop.refused(doubling(11)).kind == Why::forbidden);
  CHECK(shop.refused(doubling(40)).kind == Why::forbidden);
  CHECK(
      shop.refused("WITH a AS (WITH a AS (SELECT 1) SELECT 1 FROM a, a) SELECT 1 FROM a, a").kind ==
      Why::forbidden);
  CHECK(shop.run("WITH o AS (SELECT * FROM orders) SELECT count(*) FROM o"));
}

TEST_CASE("sql: memory has a limit") {
  const Shop shop;
  const SqlRefused refused = shop.refused(
      "WITH RECURSIVE n(i, t) AS (SELECT 1, printf('%1000000d', 1) UNION SELECT i+1, "
      "printf('%1000000d', i) FROM n) SELECT count(*) FROM n",
      {.time_ms_max = 20'000, .memory_bytes_max = 32 * 1024 * 1024});
  CHECK(refused.kind == Why::too_large);
}

TEST_CASE("sql: functions that could be kept busy for hours are our own, and agree with SQLite") {
  const Shop shop;
  const auto one = [&](const std::string& sql) { return shop.ask("SELECT " + sql).table[0][0]; };
  const auto yes = SqlCell{std::int64_t{1}};
  const auto no = SqlCell{std::int64_t{0}};
  CHECK(one("'Lamp' LIKE 'l%p'") == yes);
  CHECK(one("'Lamp' LIKE '_amp'") == yes);
  CHECK(one("'Lamp' LIKE 'amp'") == no);
  CHECK(one("'abcbc' LIKE '%bc'") == yes);
  CHECK(one("'' LIKE '%'") == yes);
  CHECK(one("'' LIKE '_'") == no);
  CHECK(one("'\xC3\xA9x' LIKE '_x'") == yes);
  CHECK(one("'5%' LIKE '5!%' ESCAPE '!'") == yes);
  CHECK(one("'5x' LIKE '5!%' ESCAPE '!'") == no);
  CHECK(one("null LIKE 'x'") == SqlCell{});
  CHECK(one("'Lamp' GLOB 'L*p'") == yes);
  CHECK(one("'Lamp' GLOB 'l*p'") == no);
  CHECK(one("'b2' GLOB '[a-c][^13]'") == yes);
  CHECK(one("'b3' GLOB '[a-c][^13]'") == no);
  CHECK(one("'a]' GLOB 'a[]]'") == yes);
  CHECK(one("instr('\xC3\xA9xx', 'x')") == SqlCell{std::int64_t{2}});
  CHECK(one("instr('abc', 'd')") == no);
  CHECK(one("instr('', 'd')") == no);
  CHECK(one("instr('abc', '')") == yes);
  CHECK(one("replace('aXbXX', 'X', 'yz')") == SqlCell{std::string("ayzbyzyz")});
  CHECK(one("replace('abc', '', 'x')") == SqlCell{std::string("abc")});
  CHECK(one("trim('  a ')") == SqlCell{std::string("a")});
  CHECK_FALSE(shop.refused("SELECT trim('xax', 'x')").why.empty());
  CHECK(one("printf('%04d-%.2f %s%% %.3c', 7, 2.5, 'x', 'ab')") ==
        SqlCell{std::string("0007-2.50 x% aaa")});
  CHECK(one("printf('%s|%d')") == SqlCell{std::string("|0")});
  CHECK(one("printf(null)") == SqlCell{});
  CHECK(one("printf('%%%5d')") == SqlCell{std::string("%    0")});
  for (const std::string format : {"printf", "format", "PRINTF", "\"Format\""}) {
    CHECK(one(format + "('%3d|%s', 7, 'x')") == SqlCell{std::string("  7|x")});
    for (const char* arguments :
         {"('%.2000000000c', 'x')", "('%.*c', 2000000000, 'x')", "('%*d', 2000000000, 1)",
          "('%99999999999999999999999d', 1)", "('%1000000d%1000000d%1000000d', 1, 1, 1)",
          "(replace(printf('%100000d', 0), ' ', '%.900000c'))"}) {
      CAPTURE(format);
      CAPTURE(arguments);
      CHECK(shop.refused("SELECT " + format + arguments).kind == Why::bad);
    }
  }
  CHECK(one("money(12500000)") == SqlCell{std::string("12.50")});
  CHECK(one("iso_time(0)") == SqlCell{std::string("1970-01-01T00:00:00.000Z")});
  // The worst cases of the naive ways.
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(
      shop.run("WITH t AS (SELECT replace(printf('%1000000d',0),' ','a') AS x) SELECT x LIKE "
               "'%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%ab', instr(x, substr(x, 1, 500000) || 'b'), "
               "length(replace(x, substr(x, 1, 500000) || 'b', '')) FROM t"));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));  // not minutes
}

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "events/event_json.h"
#include "tests/sql/sql_support.h"

using namespace souk;
using namespace souk::test;
using Why = SqlRefused::Kind;

TEST_CASE("sql: every documented table has just the documented columns") {
  const Shop shop;
  for (const SqlTableDoc& table : sql_tables()) {
    CAPTURE(table.name);
    const auto result = shop.ask("SELECT * FROM " + std::string(table.name) + " LIMIT 3");
    std::vector<std::string> documented;
    for (const SqlColumnDoc& column : table.columns) documented.emplace_back(column.name);
    CHECK(result.columns == documented);
    CHECK(result.table.size() == 3);
    CHECK_FALSE(table.meaning.empty());
  }
}

TEST_CASE("sql: sums over the tables equal the reports") {
  const Shop shop;
  SalesQuery query;
  query.currency = "GBP";
  const auto report = shop.model->sales(query);
  REQUIRE(report);
  const char* const ways[] = {
      "SELECT month, orders, lines, quantity, revenue_micros FROM sales_by_month "
      "WHERE currency='GBP' AND orders>0 ORDER BY 1",
      "SELECT substr(at,1,7), count(*), sum(lines), sum(quantity), sum(value_micros) FROM orders "
      "WHERE currency='GBP' AND confirmed_at IS NOT NULL GROUP BY 1 ORDER BY 1",
      "SELECT substr(at,1,7), count(DISTINCT order_id), count(*), sum(quantity), "
      "sum(value_micros) FROM order_lines WHERE counted AND currency='GBP' GROUP BY 1 ORDER BY 1",
      "SELECT substr(day,1,7), sum(orders), sum(lines), sum(quantity), sum(revenue_micros) "
      "FROM sales_by_day WHERE currency='GBP' AND orders>0 GROUP BY 1 ORDER BY 1"};
  for (const char* sql : ways) {
    CAPTURE(sql);
    const auto result = shop.ask(sql);
    std::size_t i = 0;
    for (const SalesRow& row : report->rows) {
      if (row.figures.orders == 0) continue;
      REQUIRE(i < result.table.size());
      CHECK(result.table[i++] ==
            SqlRow{*row.key, row.figures.orders, row.figures.lines, row.figures.quantity,
                   row.figures.revenue.units() * 1'000'000 + row.figures.revenue.millionths()});
    }
    CHECK(i == result.table.size());
  }
  CHECK(shop.ask("SELECT 1").checkpoint == shop.model->checkpoint());
}

TEST_CASE("sql: more rows than asked for are left out, and it is said") {
  const Shop shop;
  const auto all = shop.ask("SELECT 1 FROM order_lines").table.size();
  const auto exact = shop.run("SELECT 1 FROM order_lines", {.rows_max = all});
  REQUIRE(exact);
  CHECK(exact->table.size() == all);
  CHECK_FALSE(exact->truncated);
  const auto fewer = shop.run("SELECT 1 FROM order_lines", {.rows_max = all - 1});
  REQUIRE(fewer);
  CHECK(fewer->table.size() == all - 1);
  CHECK(fewer->truncated);
  const auto none = shop.run("SELECT 1 FROM order_lines", {.rows_max = 0});
  REQUIRE(none);
  CHECK(none->truncated);
  const auto large = shop.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 100) "
      "SELECT printf('%1000000d', i) FROM n");
  REQUIRE(large);
  CHECK(large->truncated);
  CHECK(large->table.size() * 1'000'000 <= sql_result_bytes_max);
}

TEST_CASE("sql: a stream ends when its reader has enough") {
  const Shop shop;
  std::size_t seen = 0;
  const auto summary =
      shop.stream("SELECT id FROM orders", {},
                  {.columns = {}, .row = [&](const SqlRow&) { return ++seen < 3; }});
  REQUIRE(summary);
  CHECK(seen == 3);
  CHECK(summary->truncated);
}

TEST_CASE("sql: queries of one door see one snapshot and leave the writer alone") {
  const Shop shop;
  const Transaction more = shop.history.shards[0][0];
  const auto before = shop.ask("SELECT count(*) FROM orders").table;
  Transaction placed;
  placed.at = UnixMs{1};
  placed.events.push_back({id_on<OrderId>({0}, 1'000'000), OrderPlaced{}});
  bool committed = false;
  const auto summary = shop.stream("SELECT (SELECT count(*) FROM orders) FROM order_lines", {},
                                   {.columns = {}, .row = [&](const SqlRow& row) {
                                      if (!committed) {
                                        REQUIRE(shop.model->apply({{0}, 999, placed, 0}));
                                        REQUIRE(shop.model->commit("later"));
                                      }
                                      committed = true;
                                      CHECK(row == before[0]);
                                      return true;
                                    }});
  REQUIRE(summary);
  CHECK(committed);
  CHECK(summary->checkpoint != "later");
  CHECK(shop.ask("SELECT count(*) FROM orders").table != before);
}

TEST_CASE("events: the table holds the log, in its order") {
  const Shop shop;
  const auto result = shop.ask("SELECT shard, seq, at, type, entity, data, outcome FROM events");
  std::size_t i = 0;
  for (std::size_t shard = 0; shard < shop.history.shards.size(); ++shard) {
    std::int64_t seq = 0;
    for (const Transaction& t : shop.history.shards[shard]) {
      for (const Event& event : t.events) {
        REQUIRE(i < result.table.size());
        CHECK(result.table[i++] == SqlRow{static_cast<std::int64_t>(shard), ++seq, to_rfc3339(t.at),
                                          std::string(event_type_text(event.payload)),
                                          entity_id_text(event.entity), event_json(event.payload),
                                          std::string("ok")});
      }
    }
  }
  CHECK(i == result.table.size());
  CHECK(shop.ask("SELECT sum(data ->> '$.quantity') FROM events WHERE type='stock_received'")
            .table[0][0] == shop.ask("SELECT sum(received) FROM stock").table[0][0]);
}

TEST_CASE("events: what is asked for narrowly equals a full scan") {
  const Shop shop;
  const auto full = shop.ask("SELECT * FROM events").table;
  const auto ids = shop.ask("SELECT entity FROM events GROUP BY 1").table;
  CHECK(rc::check([&] {
    // `+x` keeps SQLite from pushing the condition down.
    const auto row = full[*rc::gen::inRange<std::size_t>(0, full.size())];
    const auto number = [](const SqlCell& cell) { return std::to_string(std::get<1>(cell)); };
    const auto text = [](const SqlCell& cell) { return "'" + std::get<3>(cell) + "'"; };
    const char* const compare[] = {"=", "<", "<=", ">", ">=", "!=", "IS"};
    std::vector<std::pair<std::string, std::string>> parts;
    const auto operation = [&] { return compare[*rc::gen::inRange(0, 7)] + std::string(" "); };
    if (*rc::gen::inRange(0, 3) == 0) parts.emplace_back("shard", operation() + number(row[0]));
    if (*rc::gen::inRange(0, 2) == 0) parts.emplace_back("seq", operation() + number(row[1]));
    if (*rc::gen::inRange(0, 3) == 0)
      parts.emplace_back("seq", operation() + std::to_string(*rc::gen::inRange(-3, 400)));
    if (*rc::gen::inRange(0, 2) == 0) parts.emplace_back("at", operation() + text(row[2]));
    if (*rc::gen::inRange(0, 3) == 0) parts.emplace_back("type", operation() + text(row[3]));
    if (*rc::gen::inRange(0, 3) == 0) parts.emplace_back("entity", operation() + text(row[5]));
    if (*rc::gen::inRange(0, 6) == 0)
      parts.emplace_back("entity", "IN (" + text(row[5]) + "," + text(ids[0][0]) + ")");
    if (*rc::gen::inRange(0, 6) == 0)
      parts.emplace_back("type", "IN ('item_added'," + text(row[3]) + ")");
    if (*rc::gen::inRange(0, 8) == 0) parts.emplace_back("seq", "= " + text(SqlCell{"x"}));
    if (*rc::gen::inRange(0, 8) == 0) parts.emplace_back("at", "> '2011-07'");
    std::string narrow = "SELECT * FROM events WHERE 1", wide = narrow;
    for (const auto& [column, rest] : parts) {
      narrow += " AND " + column + " " + rest;
      wide += " AND +" + column + " " + rest;
    }
    CAPTURE(narrow);
    const auto a = shop.ask(narrow + " ORDER BY shard, seq").table;
    const auto b = shop.ask(wide + " ORDER BY shard, seq").table;
    RC_ASSERT(a == b);
  }));
}

TEST_CASE("events: a narrow question reads little of the journal") {
  Shop shop;
  const auto visited = [&](const std::string& sql) {
    shop.journal.visited = 0;
    shop.ask(sql);
    return shop.journal.visited;
  };
  const std::size_t all = visited("SELECT count(*) FROM events");
  CHECK(visited("SELECT * FROM events WHERE shard=1") < all / 2);
  // What is before it tells which records count (joined_before); nothing behind it is read.
  CHECK(visited("SELECT * FROM events WHERE shard=1 AND seq=50") <=
        visited("SELECT * FROM events WHERE shard=1 AND seq<=50"));
  CHECK(visited("SELECT * FROM events WHERE seq<10") < all / 10);
  CHECK(visited("SELECT * FROM events WHERE entity='S1a'") < all / 2);
  CHECK(visited("SELECT * FROM events WHERE entity='x/y'") == 0);
  CHECK(visited("SELECT * FROM events WHERE type='nothing'") == 0);
  CHECK(visited("SELECT * FROM events WHERE shard=-1 OR shard=99") == 0);
}

TEST_CASE("events: they end where the asker may read to, and a broken journal is said") {
  Shop shop;
  SqlDoor early(shop.journal, 3, [](ShardId shard) -> Seq { return shard.value == 1 ? 5 : 0; });
  const auto result =
      early.run(shop.model->database(), "SELECT shard, max(seq), count(*) FROM events GROUP BY 1");
  REQUIRE(result);
  CHECK(result->table == std::vector<SqlRow>{{std::int64_t{1}, std::int64_t{5}, std::int64_t{5}}});
  shop.journal.broken = true;
  CHECK(shop.refused("SELECT count(*) FROM events").kind == Why::unavailable);
  CHECK(shop.run("SELECT count(*) FROM orders"));
}

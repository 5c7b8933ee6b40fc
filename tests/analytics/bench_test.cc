// Figures, not checks; skipped unless asked for:
//   analytics_test --no-skip -tc="bench*"        SOUK_RETAIL_CSV=file for a real year
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "memory_journal.h"
#include "projections/analytics/sql_door.h"

using namespace souk;
using namespace souk::test;

namespace {

double ms_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

struct CsvLine {
  std::string invoice, code, date, customer, country;
  std::int64_t quantity = 0;
  Micros price;
};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      cells.emplace_back();
    else
      cells.back() += c;
  }
  return cells;
}

/// The year's invoices as the importer makes them: a cart's events, the stock's, the order's.
History retail_history(const char* file) {
  History history(4);
  std::ifstream in(file);
  std::string text;
  std::getline(in, text);
  std::map<std::string, std::vector<CsvLine>> invoices;
  while (std::getline(in, text)) {
    const auto c = cells_of(text);
    const auto price = parse_decimal(c[5]);
    if (c[0][0] == 'C' || !price || price->value <= 0 || std::stoll(c[3]) <= 0) continue;
    invoices[c[0]].push_back({c[0], c[1], c[4], c[6], c[7], std::stoll(c[3]), *price});
  }
  std::uint64_t next = 1;
  std::int64_t at = time_of("2020-01-01T00:00:00Z").value;
  std::map<std::string, UserId> users;
  for (const auto& [number, lines] : invoices) {
    const ShardId shard{static_cast<std::uint16_t>(next % 4)};
    const auto cart = id_on<CartId>(shard, next);
    const auto order = id_on<OrderId>(shard, next++);
    OrderPlaced placed;
    if (const std::string& who = lines[0].customer; !who.empty()) {
      if (!users.contains(who)) users[who] = id_on<UserId>(shard, 1'000'000 + next);
      placed.user = users[who];
    }
    placed.cart = cart;
    placed.currency = gbp();
    placed.country = lines[0].country;
    std::string date = lines[0].date;
    date[10] = 'T';
    placed.occurred_at = time_of(date + "Z");
    history.add(shard, {at++}, {{cart, CartOpened{placed.user, gbp()}}});
    for (const CsvLine& line : lines) {
      const Item item(sku(line.code), line.code);
      placed.lines.push_back({item, line.quantity, line.price, Pricing::fixed});
      placed.total.value += line.price.value * line.quantity;
      history.add(shard, {at++},
                  {{cart, ItemAdded{item, line.quantity, {line.price, gbp()}, Pricing::fixed}}});
    }
    history.add(shard, {at++}, {{cart, CheckOutStarted{order}}, {order, placed}});
    for (const OrderLine& line : placed.lines) {
      const Sku& code = line.item.sku();
      history.add(shard_of(code.text(), 4), {at++},
                  {{code, StockReserved{order, line.quantity, {0}}}, {code, StockClaimed{order}}});
      history.add(shard_of(code.text(), 4), {at++}, {{code, StockSold{order, line.quantity}}});
    }
    history.add(shard, {at++},
                {{order, OrderConfirmed{}}, {cart, CartOrdered{order}}, {order, OrderSettled{}}});
    history.add(shard, {at++}, {{order, OrderShipped{}}});
    history.add(shard, {at++}, {{order, OrderDelivered{}}});
  }
  return history;
}

}  // namespace

TEST_CASE("bench: fold, reports and SQL over many events" * doctest::skip()) {
  const char* file = std::getenv("SOUK_RETAIL_CSV");
  const History history = file ? retail_history(file) : random_history(1, 20'000);
  const TemporaryDirectory home;
  std::size_t events = 0;
  for (const auto& shard : history.shards)
    for (const Transaction& t : shard) events += t.events.size();

  auto model = open_model(home.path());
  std::size_t commits = 0, since = 0;
  double slowest_ms = 0;
  const double fold_ms = ms_of([&] {
    Position position(history.shards.size(), 0);
    for (bool more = true; more;) {
      more = false;
      for (std::size_t shard = 0; shard < position.size(); ++shard) {
        for (int i = 0; i < 200 && position[shard] < history.shards[shard].size(); ++i, ++since)
          apply_next(*model, history, position, shard);
        more = more || position[shard] < history.shards[shard].size();
      }
      if (since < 20'000 && more) continue;
      since = 0;
      ++commits;
      slowest_ms = std::max(slowest_ms, ms_of([&] { REQUIRE(model->commit("x")); }));
    }
  });
  std::printf("events %zu, %.0f ms, %.2f us each, commits %zu, slowest %.0f ms\n", events, fold_ms,
              fold_ms * 1000 / static_cast<double>(events), commits, slowest_ms);
  model.reset();
  model = open_model(home.path());
  for (const auto group : {SalesGroup::month, SalesGroup::day, SalesGroup::hour,
                           SalesGroup::product, SalesGroup::country, SalesGroup::customer}) {
    SalesQuery query;
    query.group_by = group;
    SalesQuery part = query;
    part.from = time_of("2011-02-03T04:05:06Z");
    part.to = time_of("2011-10-11T12:13:14Z");
    const auto ask = [&](const SalesQuery& q) { return ms_of([&] { REQUIRE(model->sales(q)); }); };
    std::printf("sales by %s: cold %.2f ms, again %.2f ms; of a period %.2f ms\n",
                std::string(sales_group_text(group)).c_str(), ask(query), ask(query), ask(part));
  }
  const auto total = model->sales({})->total;
  std::printf("total: %ld orders, %ld lines, %ld pieces, %s\n", total.orders, total.lines,
              total.quantity, to_decimal(total.revenue).c_str());
  for (int i = 0; i < 2; ++i)
    std::printf("pairs %.1f ms\n", ms_of([&] { REQUIRE(model->basket_pairs(10)); }));
  const auto pairs = model->basket_pairs(3);
  REQUIRE(pairs);
  for (const BasketPair& pair : pairs->rows)
    std::printf("  %s %s %ld\n", pair.a.c_str(), pair.b.c_str(), pair.orders);
  std::printf("cohorts %.1f ms\n", ms_of([&] { REQUIRE(model->cohorts(1000)); }));
  std::printf("stock %.1f ms\n", ms_of([&] { REQUIRE(model->stock({})); }));
  std::printf("customers %.1f ms\n", ms_of([&] { REQUIRE(model->customers({})); }));

  MemoryJournal journal(history, 1);
  const SqlDoor door(model->database(), journal, static_cast<std::uint32_t>(history.shards.size()));
  for (const char* sql :
       {"SELECT type, count(*) FROM events GROUP BY 1",
        "SELECT count(*) FROM events WHERE at > '2020-01-01T00:10:00'",
        "SELECT sum(data ->> '$.quantity') FROM events WHERE type='item_added'",
        "SELECT substr(at,1,7), sum(value_micros) FROM orders WHERE confirmed_at IS NOT NULL "
        "GROUP BY 1",
        "SELECT sku, sum(quantity) FROM order_lines WHERE counted GROUP BY 1 ORDER BY 2 DESC"}) {
    const double took = ms_of([&] {
      const auto result = door.run(sql, {.time_ms_max = 60'000});
      if (!result) std::printf("%s\n", result.error().why.c_str());
    });
    std::printf("sql %.0f ms: %s\n", took, sql);
  }
}

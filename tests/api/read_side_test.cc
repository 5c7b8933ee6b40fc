// What read models are asked over HTTP: the routes, their parameters, and the answers' form.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <thread>

#include "gateway/api/edge/openapi.h"
#include "tests/api/read_edge.h"
#include "tests/support/worker.h"

using namespace souk;
using namespace souk::test;
namespace fs = std::filesystem;

TEST_CASE("analytics over HTTP: each report has its columns, its summary and the position") {
  ReadEdge shop;
  const auto customers = shop.json("/v1/analytics/customers");
  CHECK(customers.text("/rows/0/customer") == some_user().text());
  CHECK(customers.number("/rows/0/orders") == 2);
  CHECK(customers.text("/rows/0/revenue/amount") == "12.50");
  CHECK(customers.text("/rows/0/revenue/currency") == "GBP");
  CHECK(customers.text("/rows/0/first_order_at") == "2011-01-31T10:00:00.000Z");
  CHECK(customers.at("/rows/0/country").is_null());
  CHECK(customers.number("/summary/repeat_buyers") == 1);
  CHECK(customers.text("/position") == "3:1," + shop.end);
  CHECK(shop.json("/v1/analytics/customers?orders_min=3").at("/rows").get_array().size() == 0);

  const auto funnel = shop.json("/v1/analytics/funnel?from=2023-11-14&to=2023-11-15");
  CHECK(funnel.text("/rows/0/step") == "opened");
  CHECK(funnel.number("/rows/0/carts") == 1);
  CHECK(funnel.at("/rows/0/mean_ms").is_null());
  CHECK_FALSE(funnel.has("/summary"));
  CHECK(shop.json("/v1/analytics/funnel?to=2023-11-14").number("/rows/0/carts") == 0);

  const auto cohorts = shop.json("/v1/analytics/cohorts");
  CHECK(cohorts.at("/rows").get_array().size() == 2);
  CHECK(cohorts.text("/rows/1/month") == "2011-02");
  CHECK(cohorts.number("/rows/1/active") == 1);
  CHECK(double(cohorts.at("/rows/1/share")) == 1.0);

  const auto lost = shop.json("/v1/analytics/lost-sales?sort=-quantity&currency=GBP");
  CHECK(lost.text("/rows/0/reason") == "out_of_stock");
  CHECK(lost.number("/rows/0/quantity") == 4);
  CHECK(lost.text("/summary/value/amount") == "10.00");
  CHECK(shop.json("/v1/analytics/lost-sales?from=2012-01-01").at("/rows").get_array().size() == 0);

  const auto stock = shop.json("/v1/analytics/stock?sort=sku&to=2012-01-01");
  CHECK(stock.text("/rows/0/sku") == "tea");
  CHECK(stock.number("/rows/0/sold") == 5);
  CHECK(stock.number("/rows/0/lost_quantity") == 4);
  CHECK(stock.at("/rows/0/turnover").is_null());

  CHECK(shop.json("/v1/analytics/abandoned").number("/summary/carts") == 0);
  CHECK(shop.json("/v1/analytics/basket-pairs").at("/rows").get_array().size() == 0);
  const auto sales = shop.json("/v1/analytics/sales?group_by=product");
  CHECK(sales.text("/rows/0/product") == "tea");
  CHECK(sales.text("/total/revenue/amount") == "12.50");
}

TEST_CASE("read models over HTTP: one that is just being opened is waited for") {
  const fs::path folder = ReadEdge::make_folder();
  {
    auto slow = analytics_kind();
    slow.open = [open = slow.open](const fs::path& copy) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      return open(copy);
    };
    Edge edge(ReadEdge::options(), {slow}, folder);
    edge.projections.start();
    const auto exchange = edge.send(HttpMethod::get, "/v1/analytics/customers", {}, {});
    for (int i = 0; i < 200 && !edge.answered(exchange); ++i) edge.wake();
    REQUIRE(edge.answered(exchange));
    CHECK(edge.answer(exchange).status == 200);
    edge.common.stop();
    edge.projections.stop();
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

TEST_CASE("analytics over HTTP: values that do not fit are named") {
  ReadEdge shop;
  for (const char* target :
       {"/v1/analytics/customers?limit=0", "/v1/analytics/customers?limit=1001",
        "/v1/analytics/customers?orders_min=0", "/v1/analytics/customers?colour=red",
        "/v1/analytics/customers?currency=pounds", "/v1/analytics/funnel?limit=3",
        "/v1/analytics/funnel?from=2012-01-01&to=2011-01-01",
        "/v1/analytics/cohorts?from=2011-01-01", "/v1/analytics/lost-sales?sort=colour",
        "/v1/analytics/stock?sort=colour", "/v1/analytics/stock?from=yesterday",
        "/v1/analytics/abandoned?idle_since=1h", "/v1/sql/tables?x=1"})
    shop.refused(target, 422, "invalid_request");
}

TEST_CASE("sql over HTTP: rows as JSON, each value in its own form") {
  ReadEdge shop;
  const auto answer = shop.json(shop.sql(
      "SELECT 1 AS one, 1.5, 'a \"b\"' AS text, NULL, 9007199254740993, -9007199254740992, "
      "9e999, CAST(x'ff' AS TEXT), x'00ff', 'gr\xC3\xBCn'"));
  CHECK(answer.text("/columns/0") == "one");
  CHECK(answer.text("/columns/2") == "text");
  CHECK(answer.number("/rows/0/0") == 1);
  CHECK(double(answer.at("/rows/0/1")) == 1.5);
  CHECK(answer.text("/rows/0/2") == "a \"b\"");
  CHECK(answer.at("/rows/0/3").is_null());
  CHECK(answer.text("/rows/0/4") == "9007199254740993");
  CHECK(answer.number("/rows/0/5") == -9007199254740992);
  CHECK(answer.text("/rows/0/6") == "inf");
  CHECK(answer.text("/rows/0/7") == "ff");
  CHECK(answer.text("/rows/0/8") == "00ff");
  CHECK(answer.text("/rows/0/9") == "gr\xC3\xBCn");
  CHECK_FALSE(bool(answer.at("/truncated")));
  CHECK(answer.text("/position") == "3:1," + shop.end);

  const auto sums = shop.json(
      shop.sql("SELECT count(*), sum(value_micros) FROM orders WHERE confirmed_at NOT NULL"));
  CHECK(sums.number("/rows/0/0") == 2);
  CHECK(sums.number("/rows/0/1") == 12'500'000);
  const auto none = shop.json(shop.sql("SELECT id FROM orders WHERE 0"));
  CHECK(none.text("/columns/0") == "id");
  CHECK(none.at("/rows").get_array().size() == 0);
}

TEST_CASE("sql over HTTP: `events` shows what is durable, also what the read model has not had") {
  ReadEdge shop;
  shop.json(shop.sql("SELECT 1"));
  REQUIRE(shop.edge.projections.find("analytics")->pause().ok());
  shop.order(9, "2011-03-01T00:00:00Z", 1, OrderConfirmed{});
  const auto events = shop.json(shop.sql("SELECT count(*), max(seq) FROM events WHERE shard=5"));
  CHECK(events.number("/rows/0/0") == 9);
  CHECK(events.number("/rows/0/1") == 9);
  CHECK(shop.json(shop.sql("SELECT count(*) FROM orders")).number("/rows/0/0") == 3);
}

TEST_CASE("sql over HTTP: what is beyond the limit is left out, and it is said") {
  ReadEdge shop;
  const auto statement = shop.sql("SELECT id FROM orders");
  const auto two = shop.ask(statement + "&limit=2");
  const Json json(two.body);
  CHECK(json.at("/rows").get_array().size() == 2);
  CHECK(bool(json.at("/truncated")));
  CHECK(two.truncated);
  const auto three = shop.ask(statement + "&limit=3");
  CHECK_FALSE(bool(Json(three.body).at("/truncated")));
  CHECK_FALSE(three.truncated);
  shop.refused(statement + "&limit=0", 422, "invalid_request");
  shop.refused(statement + "&limit=1000001", 422, "invalid_request");
}

TEST_CASE("sql over HTTP: CSV for who accepts it") {
  ReadEdge shop;
  const auto statement = shop.sql(
      "SELECT sku, brand AS \"the \"\"brand\"\"\", NULL AS n, '' AS e, 1.5 AS r FROM products");
  const auto csv = shop.ask(statement, "text/csv");
  CHECK(csv.status == 200);
  CHECK(csv.content_type == "text/csv; charset=utf-8");
  CHECK(csv.body == "sku,\"the \"\"brand\"\"\",n,e,r\r\ntea,\"Acme, Ltd\",,\"\",1.5\r\n");
  CHECK(csv.position == "3:1," + shop.end);
  CHECK(shop.ask(statement, "application/json").content_type == "application/json");
  CHECK(shop.ask(shop.sql("SELECT 1 UNION SELECT 2") + "&limit=1", "text/csv").truncated);
  CHECK(shop.ask(shop.sql("DROP TABLE orders"), "text/csv").status == 422);
}

TEST_CASE("sql over HTTP: what may not be is refused in words, each with its code") {
  ReadEdge shop;
  shop.refused("/v1/sql", 422, "invalid_request", "must be given");
  shop.refused("/v1/sql?q=", 422, "invalid_sql", "no statement");
  shop.refused("/v1/sql?q=%ff", 422, "invalid_request", "UTF-8");
  shop.refused(shop.sql("SELEC 1"), 422, "invalid_sql", "near \"SELEC\": syntax error");
  shop.refused(shop.sql("SELECT * FROM nowhere"), 422, "invalid_sql", "no such table: nowhere");
  shop.refused(shop.sql("PRAGMA user_version"), 422, "forbidden_sql", "PRAGMA is not allowed");
  shop.refused(shop.sql("ATTACH '/tmp/x' AS x"), 422, "forbidden_sql", "ATTACH is not allowed");
  shop.refused(shop.sql("DELETE FROM order_row"), 422, "forbidden_sql");
  shop.refused(shop.sql("SELECT load_extension('x')"), 422, "forbidden_sql", "load_extension");
  shop.refused(shop.sql("SELECT * FROM sqlite_master"), 422, "forbidden_sql", "no table");
  shop.refused(shop.sql("SELECT 1; SELECT 2"), 422, "forbidden_sql", "one statement");
}

TEST_CASE("sql over HTTP: the tables and their columns are told") {
  ReadEdge shop;
  const auto tables = shop.json("/v1/sql/tables");
  CHECK(tables.text("/tables/0/name") == "orders");
  CHECK(tables.text("/tables/0/columns/0/name") == "id");
  CHECK_FALSE(tables.text("/tables/0/columns/1/meaning").empty());
  CHECK(tables.at("/tables").get_array().size() == 13);
}

TEST_CASE("sql over HTTP: long queries hold up nobody else, and are bounded in number") {
  ReadEdge shop;
  shop.json("/v1/search");
  shop.json("/v1/analytics/sales");
  const auto endless = shop.sql(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n");
  std::vector<std::uint32_t> exchanges;
  for (std::size_t i = 0; i < limits::sql_in_flight_max; ++i)
    exchanges.push_back(shop.edge.send(HttpMethod::get, endless));
  const auto one_more = shop.edge.send(HttpMethod::get, endless);
  REQUIRE(shop.edge.answered(one_more));
  CHECK(shop.edge.answer(one_more).status == 429);
  CHECK(shop.edge.answer(one_more).retry_after_s > 0);
  const auto began = std::chrono::steady_clock::now();
  shop.json("/v1/search?q=tea");
  shop.json("/v1/analytics/sales");
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(3));
  // They end by themselves: those that run after their five seconds, the others after one.
  const auto all = [&] {
    return std::ranges::all_of(exchanges, [&](auto one) { return shop.edge.answered(one); });
  };
  for (int i = 0; i < 200 && !all(); ++i) shop.edge.wake();
  REQUIRE(all());
  std::map<std::string, std::size_t> codes;
  for (const auto exchange : exchanges) {
    const auto& answer = shop.edge.answer(exchange);
    ++codes[Json(answer.body).text("/code")];
    CHECK(answer.status == (answer.retry_after_s > 0 ? 429 : 422));
  }
  CHECK(codes["query_too_long"] == sql_at_once_max);
  CHECK(codes["too_many_requests"] == limits::sql_in_flight_max - sql_at_once_max);
}

TEST_CASE("sql over HTTP: the end of the daemon is the end of what runs, at once") {
  ReadEdge shop;
  shop.json(shop.sql("SELECT 1"));
  const auto endless = shop.sql(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n");
  const auto exchange = shop.edge.send(HttpMethod::get, endless);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  shop.edge.common.drain();
  for (int i = 0; i < 200 && !shop.edge.answered(exchange); ++i) shop.edge.wake();
  REQUIRE(shop.edge.answered(exchange));
  CHECK(shop.edge.answer(exchange).status == 503);
  CHECK(shop.ask(shop.sql("SELECT 1")).status == 503);
}

TEST_CASE("reads over HTTP: no cache between keeps what read models answer") {
  ReadEdge shop;
  CHECK(shop.ask(shop.sql("SELECT 1")).cache_control == "private, no-store");
  CHECK(shop.ask(shop.sql("nonsense")).cache_control == "private, no-store");
  CHECK(shop.ask("/v1/analytics/sales").cache_control == "private, no-store");
  CHECK(shop.ask("/v1/search").cache_control == "private, no-cache");
  CHECK(shop.ask("/v1/suggest?q=t").cache_control == "private, no-cache");
}

namespace {

/// A read model that takes as long over an event as it is held.
class Held final : public Projection {
 public:
  explicit Held(const std::atomic<bool>& held) : held_(held) {}
  Result<Done, Poison> apply(const EventAt&) override {
    while (held_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Done{};
  }
  Status commit(std::string_view checkpoint) override {
    checkpoint_ = checkpoint;
    return Done{};
  }
  std::string checkpoint() const override { return checkpoint_; }
  Result<std::uint64_t, Fault> digest() override { return std::uint64_t{0}; }

 private:
  const std::atomic<bool>& held_;
  std::string checkpoint_;
};

}  // namespace

TEST_CASE("mending: a read model that does not listen holds up no question, and few operators") {
  std::atomic<bool> held{false};
  ProjectionKind kind;
  kind.name = "held";
  kind.open = [&held](const fs::path&) -> Result<std::shared_ptr<Projection>, Fault> {
    return std::shared_ptr<Projection>(std::make_shared<Held>(held));
  };
  ReadEdge shop({kind});
  shop.json("/v1/search");
  shop.json("/v1/analytics/sales");
  while (!shop.edge.projections.find("held")->model())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  held = true;
  shop.order(9, "2011-03-01T00:00:00Z", 1, OrderConfirmed{});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // it has taken the event up
  std::vector<std::uint32_t> exchanges;
  for (std::size_t i = 0; i < limits::mending_in_flight_max; ++i)
    exchanges.push_back(shop.edge.send(HttpMethod::post, "/v1/projections/held/pause"));
  const auto one_more = shop.edge.send(HttpMethod::post, "/v1/projections/held/pause");
  const bool refused = shop.edge.answered(one_more) && shop.edge.answer(one_more).status == 429;
  const bool found = shop.ask("/v1/search?q=tea").status == 200;
  const bool waiting = !shop.edge.answered(exchanges[0]);
  held = false;  // before anything can fail: else the runner would never end
  CHECK(refused);
  CHECK(found);
  CHECK(waiting);
  for (int i = 0; i < 100 && !shop.edge.answered(exchanges[0]); ++i) shop.edge.wake();
  REQUIRE(shop.edge.answered(exchanges[0]));
  CHECK(shop.edge.answer(exchanges[0]).status == 200);
}

TEST_CASE("openapi: what is asked of the read models stands in it") {
  const Router router;
  const Json json(openapi_document(router, "1", 64));
  REQUIRE(json.good());
  const std::string sql = "/paths/~1v1~1sql/get";
  CHECK(json.text(sql + "/parameters/1/name") == "q");
  CHECK(bool(json.at(sql + "/parameters/1/required")));
  CHECK(json.has(sql + "/responses/200/content/text~1csv"));
  CHECK(json.has(sql + "/responses/429"));
  CHECK(json.text("/paths/~1v1~1analytics~1customers/get/parameters/1/name") == "orders_min");
}

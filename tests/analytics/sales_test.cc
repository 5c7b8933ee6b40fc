#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "oracle.h"
#include "tests/support/history.h"

using namespace souk;
using namespace souk::test;

namespace {

constexpr SalesGroup every_group[] = {SalesGroup::month,   SalesGroup::day,
                                      SalesGroup::hour,    SalesGroup::product,
                                      SalesGroup::country, SalesGroup::customer};

void check_sales(const AnalyticsModel& model, const Oracle& oracle, SalesQuery query) {
  query.limit = report_rows_max;
  query.sort = "key";
  const auto report = model.sales(query);
  REQUIRE(report);
  const auto expected = oracle.sales(query);
  REQUIRE(expected.size() <= report_rows_max);
  CHECK(report->rows.size() == expected.size());
  for (std::size_t i = 0; i < std::min(expected.size(), report->rows.size()); ++i) {
    CAPTURE(expected[i].key.value_or("null"));
    CAPTURE(report->rows[i].key.value_or("null"));
    CHECK(report->rows[i].figures.revenue == expected[i].figures.revenue);
    CHECK(report->rows[i] == expected[i]);
  }
  CHECK(report->total == oracle.total(query));
}

void check_all(const AnalyticsModel& model, const History& history, std::uint64_t seed) {
  const Oracle oracle(history);
  std::mt19937_64 random(seed);
  const auto some_time = [&]() -> std::optional<UnixMs> {
    if (random() % 3 == 0) return std::nullopt;
    const auto at = time_of("2011-03-01T00:00:00Z").value +
                    static_cast<std::int64_t>(random() % (250ULL * 24 * 3600 * 1000));
    const std::int64_t whole[] = {1, 3'600'000, 86'400'000};
    const auto unit = whole[random() % 3];
    return UnixMs{at / unit * unit};
  };
  for (const SalesGroup group : every_group) {
    for (const char* currency : {"", "EUR"}) {
      SalesQuery query;
      query.group_by = group;
      query.currency = currency;
      check_sales(model, oracle, query);
      query.from = some_time();
      query.to = some_time();
      if (query.from && query.to && *query.to < *query.from) std::swap(query.from, query.to);
      check_sales(model, oracle, query);
    }
  }
  for (const std::size_t limit : {1, 3, 10, 1000}) {
    const auto pairs = model.basket_pairs(limit);
    REQUIRE(pairs);
    CHECK(pairs->rows == oracle.pairs(limit));
  }
}

}  // namespace

TEST_CASE("sales and pairs equal a brute-force fold of random histories, in any interleaving") {
  CHECK(rc::check("exact", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    CAPTURE(seed);
    const History history = random_history(seed, 60);
    std::vector<std::uint64_t> digests;
    for (std::uint64_t way = 0; way < 2; ++way) {
      const TemporaryDirectory home;
      const auto model = open_model(home.path());
      feed(*model, history, seed + way);
      check_all(*model, history, seed);
      digests.push_back(*model->digest());
    }
    CHECK(digests[0] == digests[1]);
  }));
}

TEST_CASE("a model that was killed goes on from its checkpoint and comes out the same") {
  CHECK(rc::check("kill", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    CAPTURE(seed);
    const History history = random_history(seed, 60);
    const TemporaryDirectory whole;
    const auto straight = open_model(whole.path());
    feed(*straight, history, seed);

    const TemporaryDirectory home;
    std::mt19937_64 random(seed);
    fs::path folder = home.path() / "0";
    auto model = open_model(folder);
    for (int life = 1; life < 4; ++life) {
      Position position = position_of(model->checkpoint(), history.shards.size());
      for (int step = 0; step < 80; ++step) {
        const std::size_t shard = random() % history.shards.size();
        if (position[shard] == history.shards[shard].size()) continue;
        apply_next(*model, history, position, shard);
        if (random() % 16 == 0) REQUIRE(model->commit(text_of(position)));
        if (random() % 64 == 0) REQUIRE(model->digest());  // flushes without a commit
      }
      const fs::path next = home.path() / std::to_string(life);
      fs::copy(folder, next);  // as it lies on disk, with the other still open
      model = open_model(next);
      folder = next;
    }
    feed(*model, history, seed);
    CHECK(*model->digest() == *straight->digest());
    check_all(*model, history, seed);
  }));
}

TEST_CASE("sales: bad questions are answered in words") {
  const TemporaryDirectory home;
  const auto model = open_model(home.path());
  SalesQuery query;
  CHECK(model->sales(query));
  CHECK(model->sales(query)->rows.empty());
  query.limit = 0;
  CHECK_FALSE(model->sales(query));
  query.limit = report_rows_max;
  CHECK(model->sales(query));
  query.limit = report_rows_max + 1;
  CHECK_FALSE(model->sales(query));
  query = {};
  query.sort = "-price";
  CHECK_FALSE(model->sales(query));
  query.sort = "-month";
  CHECK(model->sales(query));
  query = {};
  query.currency = "gbp";
  CHECK_FALSE(model->sales(query));
  query = {};
  query.from = UnixMs{2};
  query.to = UnixMs{1};
  CHECK_FALSE(model->sales(query));
  query.from = UnixMs{std::numeric_limits<std::int64_t>::min()};
  query.to = UnixMs{std::numeric_limits<std::int64_t>::max()};
  CHECK(model->sales(query));
  CHECK_FALSE(model->basket_pairs(0));
  CHECK(model->basket_pairs(1));
  CHECK_FALSE(model->basket_pairs(report_rows_max + 1));
  CHECK_FALSE(parse_sales_group("year"));
}

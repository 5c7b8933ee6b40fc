#pragma once
/// A door to a small shop.
#include "projections/sql/sql_door.h"
#include "tests/support/memory_journal.h"
#include "tests/support/worker.h"

namespace souk::test {

struct Shop {
  explicit Shop(std::uint64_t seed = 7, std::size_t orders = 80)
      : history(random_history(seed, orders)),
        model(open_model(home.path())),
        journal(history, seed),
        door(journal, 3) {
    feed(*model, history, seed);
  }
  Result<SqlResult, SqlRefused> run(std::string_view sql, SqlLimits limits = {}) const {
    return door.run(model->database(), sql, limits);
  }
  Result<SqlSummary, SqlRefused> stream(std::string_view sql, SqlLimits limits,
                                        const SqlSink& sink) const {
    const auto turn = door.enter(model->database());
    REQUIRE(turn.has_value());
    return door.stream(*turn, model->database(), sql, limits, sink);
  }
  SqlResult ask(const std::string& sql) const {
    const auto result = run(sql);
    if (!result) FAIL((sql + ": " + result.error().why));
    return *result;
  }
  SqlRefused refused(std::string_view sql, SqlLimits limits = {}) const {
    const auto result = run(sql, limits);
    if (result) FAIL(std::string(sql.substr(0, 200)));
    return result.error();
  }

  TemporaryDirectory home;
  History history;
  std::shared_ptr<AnalyticsModel> model;
  MemoryJournal journal;
  mutable SqlDoor door;
};

}  // namespace souk::test

#pragma once
/// A door to a small shop.
#include "projections/sql/sql_door.h"
#include "tests/support/memory_journal.h"

namespace souk::test {

struct Shop {
  explicit Shop(std::uint64_t seed = 7, std::size_t orders = 80)
      : history(random_history(seed, orders)),
        model(open_model(home.path())),
        journal(history, seed),
        door(model->database(), journal, 3) {
    feed(*model, history, seed);
  }
  SqlResult ask(const std::string& sql) const {
    const auto result = door.run(sql);
    if (!result) FAIL((sql + ": " + result.error().why));
    return *result;
  }
  SqlRefused refused(std::string_view sql, SqlLimits limits = {}) const {
    const auto result = door.run(sql, limits);
    if (result) FAIL(std::string(sql.substr(0, 200)));
    return result.error();
  }

  TemporaryDirectory home;
  History history;
  std::shared_ptr<AnalyticsModel> model;
  MemoryJournal journal;
  SqlDoor door;
};

}  // namespace souk::test

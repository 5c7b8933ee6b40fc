// The process in which strangers' SQL runs: how it ends, and what it cannot do.
#include "projections/sql/sql_process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>

#include "projections/sql/sandbox.h"
#include "tests/sql/sql_support.h"
#include "tests/support/skips.h"

using namespace souk;
using namespace souk::test;
using Why = SqlRefused::Kind;

namespace {

constexpr const char* endless =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n, orders";

}  // namespace

TEST_CASE("sql process: four run at once, the fifth is told to come back") {
  const Shop shop;
  std::vector<SqlDoor::Turn> turns;
  for (std::size_t i = 0; i < sql_at_once_max; ++i)
    turns.push_back(*shop.door.enter(shop.model->database()));
  CHECK(shop.refused("SELECT 1").kind == Why::busy);
  turns.pop_back();
  CHECK(shop.run("SELECT 1"));
  const auto last = shop.door.enter(shop.model->database());
  CHECK(last.has_value());
  CHECK_FALSE(shop.door.enter(shop.model->database()).has_value());
}

TEST_CASE("sql process: one that does not answer is killed when its query's time is up") {
  Shop shop;
  SqlDoor door(shop.journal, 3, {}, {.program = "/bin/sleep", .word = "600"});
  for (int i = 0; i < 2; ++i) {
    const auto result = door.run(shop.model->database(), "SELECT 1", {.time_ms_max = 50});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == Why::too_long);
  }
}

TEST_CASE("sql process: one that dies of its query, or cannot begin, is told in words") {
  Shop shop;
  for (const char* program : {"/bin/false", "/bin/cat"}) {
    SqlDoor door(shop.journal, 3, {}, {.program = program, .word = "/dev/null"});
    const auto result = door.run(shop.model->database(), "SELECT 1");
    REQUIRE_FALSE(result);
    CHECK((result.error().kind == Why::failed || result.error().kind == Why::unavailable));
  }
  SqlDoor door(shop.journal, 3, {}, {.program = "/nowhere/soukd", .word = sql_worker_word});
  const auto result = door.run(shop.model->database(), "SELECT 1");
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == Why::unavailable);
}

TEST_CASE("sql process: one that was lost while it slept costs no query its answer") {
  const Shop shop;
  for (int i = 0; i < 3; ++i) {
    shop.ask("SELECT 1");
    const std::string children = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
    std::ifstream list(children);
    for (int pid = 0; list >> pid;) ::kill(pid, SIGKILL);
    // Dead is not gone: until its socket is closed it could still be asked.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(shop.ask("SELECT 1").table.size() == 1);
}

TEST_CASE("sql process: the end of the door is the end of what runs, and nothing runs after it") {
  const Shop shop;
  std::atomic<bool> running{false};
  std::thread asker([&] {
    const auto turn = shop.door.enter(shop.model->database());
    running = true;
    const auto refused =
        shop.door.stream(*turn, shop.model->database(), endless, {.time_ms_max = 60'000}, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == Why::unavailable);
  });
  while (!running) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  shop.door.stop();
  asker.join();
  CHECK(shop.refused("SELECT 1").kind == Why::unavailable);
}

TEST_CASE("sql process: a query that was cut off leaves no reader behind that holds the log") {
  const Shop shop;
  CHECK(shop.refused(endless, {.time_ms_max = 100}).kind == Why::too_long);
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(shop.model->database().c_str(), &database) == SQLITE_OK);
  int in_log = -1, moved = -1;
  sqlite3_exec(database, "SELECT 1 FROM sqlite_schema", nullptr, nullptr, nullptr);
  CHECK(sqlite3_wal_checkpoint_v2(database, nullptr, SQLITE_CHECKPOINT_TRUNCATE, &in_log, &moved) ==
        SQLITE_OK);
  CHECK(in_log == 0);
  sqlite3_close(database);
}

TEST_CASE("sql process: where readers leave no gap for the log to begin anew, the door makes one") {
  Shop shop;
  const auto database = shop.model->database();
  const auto log_bytes = [&] { return std::filesystem::file_size(database.native() + "-wal"); };
  SqlDoor door(shop.journal, 3, {}, {.log_bytes_grown_max = log_bytes() + 200'000});
  std::optional<SqlDoor::Turn> reading = door.enter(database);
  REQUIRE(reading.has_value());
  CHECK(door.enter(database).has_value());
  const auto before = log_bytes();
  for (std::uint64_t i = 0; log_bytes() < before + 400'000; ++i) {
    Transaction placed;
    placed.at = UnixMs{1};
    for (std::uint64_t n = 0; n < 50; ++n)
      placed.events.push_back({id_on<OrderId>({0}, 1'000'000 + 50 * i + n), OrderPlaced{}});
    for (std::size_t n = 0; n < placed.events.size(); ++n)
      REQUIRE(shop.model->apply({{0}, 1'000 + 50 * i + n, placed, n}));
    REQUIRE(shop.model->commit("later"));
  }
  CHECK_FALSE(door.enter(database).has_value());
  reading.reset();
  CHECK_FALSE(door.enter(database).has_value());  // not before the writer has had its time
  while (!door.enter(database)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(door.enter(database).has_value());
}

TEST_CASE("sql process: many queries, good and bad, one after the other and side by side") {
  const Shop shop;
  const auto expected = shop.ask("SELECT id FROM orders ORDER BY 1").table;
  std::vector<std::thread> askers;
  std::mutex mutex;
  std::string wrong;
  // A process ends with the thread that started it, and others may be asking it.
  std::latch all_asked(sql_at_once_max);
  const auto note = [&](const std::string& what) {
    const std::lock_guard lock(mutex);
    wrong += what + "; ";
  };
  for (std::size_t i = 0; i < sql_at_once_max; ++i)
    askers.emplace_back([&, i] {
      for (std::size_t n = 0; n < 8; ++n) {
        const auto turn = shop.door.enter(shop.model->database());
        std::size_t rows = 0;
        const char* statements[] = {"SELECT id FROM orders ORDER BY 1", "SELEKT", endless,
                                    "SELECT count(*) FROM events"};
        const auto which = (i + n) % 4;
        const auto result = shop.door.stream(*turn, shop.model->database(), statements[which],
                                             {.time_ms_max = which == 2 ? 20 : 20'000},
                                             {.columns = {}, .row = [&](const SqlRow& row) {
                                                if (which == 0 && row != expected.at(rows))
                                                  note("a row");
                                                ++rows;
                                                return true;
                                              }});
        const bool good = which == 0 || which == 3;
        if (result.ok() != good)
          note(std::string(statements[which]) +
               (result.ok() ? " passed" : " " + result.error().why));
        if (which == 0 && rows != expected.size()) note("too few rows");
      }
      all_asked.arrive_and_wait();
    });
  for (auto& asker : askers) asker.join();
  CHECK(wrong == "");
}

TEST_CASE("sql process: a plan shows no address of a process") {
  const Shop shop;
  for (const std::string sql :
       {"EXPLAIN SELECT count(*) FROM events JOIN orders ON entity = id",
        "EXPLAIN QUERY PLAN SELECT * FROM events, (SELECT * FROM orders LIMIT 3) WHERE shard=1",
        "EXPLAIN WITH o AS MATERIALIZED (SELECT id FROM orders) SELECT * FROM o a JOIN o b",
        "EXPLAIN SELECT json_extract(value, '$'), sum(1) OVER () FROM json_each('[1]')"}) {
    CAPTURE(sql);
    for (const SqlRow& row : shop.ask(sql).table)
      for (const SqlCell& cell : row)
        if (const auto* text = std::get_if<std::string>(&cell)) {
          CAPTURE(*text);
          CHECK(text->find("0x") == std::string::npos);
          if (const auto at = text->find("vtab:"); at != std::string::npos)
            CHECK(at + 5 == text->size());
        }
  }
}

#if !defined(__SANITIZE_ADDRESS__)
namespace {

/// What `act` returns in a process that has confined itself, as one of SQL's does.
int confined(const std::filesystem::path& database, const std::function<int()>& act) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    analytics::begin_small();
    analytics::bound_memory(16 << 20);
    analytics::confine(database);
    ::_exit(act());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

bool opens(const std::filesystem::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
  return file >= 0;
}

}  // namespace

TEST_CASE("sql process: it opens no file but those of the analytics, and makes none") {
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
    skipped("landlock", "this kernel has no Landlock");
    return;
  }
  const Shop shop;
  const auto database = shop.model->database();
  const auto besides = shop.home.path().parent_path() / "souk-sql-besides";
  std::ofstream(besides) << "x";
  CHECK(confined(database, [&] {
          int wrong = 0;
          if (!opens(database, O_RDONLY)) wrong |= 1;
          if (!opens(database.native() + "-shm", O_RDWR)) wrong |= 2;
          if (opens(database, O_RDWR)) wrong |= 4;
          if (opens(besides, O_RDONLY)) wrong |= 8;
          if (opens("/etc/passwd", O_RDONLY)) wrong |= 16;
          if (opens(database.parent_path() / "new", O_RDWR | O_CREAT)) wrong |= 32;
          if (opens("/proc/self/environ", O_RDONLY)) wrong |= 64;
          return wrong;
        }) == 0);
  std::filesystem::remove(besides);
}

TEST_CASE("sql process: it makes no processes and no connections, and its memory has an end") {
  const Shop shop;
  CHECK(confined(shop.model->database(), [&] {
          int wrong = 0;
          if (::socket(AF_INET, SOCK_STREAM, 0) >= 0) wrong |= 1;
          if (const pid_t pid = ::fork(); pid >= 0) {
            if (pid == 0) ::_exit(0);
            wrong |= 2;
          }
          if (::kill(::getppid(), 0) == 0) wrong |= 4;
          char program[] = "/bin/true";
          char* words[] = {program, nullptr};
          ::execv(program, words);
          if (errno != EPERM && errno != EACCES) wrong |= 8;
          std::vector<void*> parts;
          std::size_t had = 0;
          for (void* part; had < 4096 && (part = std::malloc(1 << 20)) != nullptr; ++had)
            parts.push_back(part);
          if (had == 4096) wrong |= 16;
          return wrong;
        }) == 0);
}
#endif

#include "events/fault_log.h"

#include <doctest/doctest.h>

#include "tests/support/heard.h"

using namespace souk;
using souk::test::Heard;
using namespace std::chrono_literals;

TEST_CASE("fault log: one line and a pause, whoever sets the rate") {
  Heard heard;
  FaultLog::Clock::time_point now{};
  FaultLog log("states cannot be written", FaultLog::Severity::warn, nullptr, [&] { return now; });
  for (int i = 0; i < 5'000; ++i) {
    log.failed("shard=3");
    now += 1ms;
  }
  CHECK(heard.lines() == std::vector<std::string>{"warning states cannot be written shard=3"});
  CHECK(log.failing());
  now = FaultLog::Clock::time_point{} + FaultLog::pause - 1ms;
  log.failed("shard=4");
  CHECK(heard.lines().size() == 1);
  now += 1ms;
  log.failed("shard=5");
  CHECK(heard.lines().back() == "warning states cannot be written shard=5 not_logged=5000");
  CHECK(heard.lines().size() == 2);
}

TEST_CASE("fault log: the end of a fault is said once; one that flickers is no flood either") {
  Heard heard;
  FaultLog::Clock::time_point now{};
  FaultLog log("payments cannot be read", FaultLog::Severity::error, nullptr, [&] { return now; });
  log.passed();
  CHECK(heard.lines().empty());
  log.failed("order=1");
  log.failed("order=2");
  log.passed();
  log.passed();
  REQUIRE(heard.lines().size() == 2);
  CHECK(heard.lines()[0] == "error payments cannot be read order=1");
  CHECK(heard.lines()[1] == "info it works again, after: payments cannot be read faults=2");
  CHECK_FALSE(log.failing());
  for (int i = 0; i < 1'000; ++i) {
    log.failed("order=3");
    log.passed();
  }
  CHECK(heard.lines().size() == 2);
}

TEST_CASE("fault log: texts of others stay on one line") {
  CHECK(one_line("IO error:\n  No \"space\"\tleft\r\n\n") == "IO error:   No 'space' left");
  CHECK(one_line("") == "");
  CHECK(one_line("\n") == "");
  CHECK(one_line("caf\xc3\xa9") == "caf\xc3\xa9");
}

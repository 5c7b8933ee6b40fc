#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/support/skips.h"

namespace {

std::string running;  // the test case

void note(std::string_view need, std::string_view test, std::string_view why) {
  const char* path = std::getenv("SOUK_SKIPS");
  if (path == nullptr) return;
  std::FILE* file = std::fopen(path, "a");
  if (file == nullptr) return;
  const std::string line =
      std::string(need) + "\t" + std::string(test) + "\t" + std::string(why) + "\n";
  std::fwrite(line.data(), 1, line.size(), file);
  std::fclose(file);
}

/// Notes test cases that are marked skip. Those named "(child) .." run in processes that other
/// tests start, and those named "(measured) .." are asked for by hand; those that a filter of the
/// command line leaves out are nobody's skip.
class Skips final : public doctest::IReporter {
 public:
  explicit Skips(const doctest::ContextOptions& options) : options_(options) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData& test) override { running = test.m_name; }
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData& test) override {
    const std::string name = test.m_name;
    if (!test.m_skip || options_.no_skip || name.starts_with("(child)") ||
        name.starts_with("(measured)"))
      return;
    note(test.m_test_suite, name, "marked skip");
  }

 private:
  const doctest::ContextOptions& options_;
};
REGISTER_LISTENER("skips", 1, Skips);

}  // namespace

namespace souk::test {

void skipped(std::string_view need, std::string_view why) {
  note(need, running, why);
  MESSAGE("skipped: " << std::string(why));
}

extern int (*worker_main)();  // tests/support/worker.h
int (*worker_main)() = nullptr;

}  // namespace souk::test

int main(int argc, char** argv) {
  if (argc == 2 && souk::test::worker_main && std::strcmp(argv[1], "--sql-worker") == 0)
    return souk::test::worker_main();
  return doctest::Context(argc, argv).run();
}

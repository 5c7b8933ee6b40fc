#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "tests/node/life.h"

using namespace souk;
using namespace souk::test;

namespace {

/// A state store that throws where it promises not to, as where memory is short.
class Throwing final : public StateStore {
 public:
  explicit Throwing(StateStore& behind) : behind_(behind) {}
  std::uint64_t generation() const override { return behind_.generation(); }
  Status put(const std::vector<StateWrite>&, const std::optional<std::pair<ShardId, Checkpoint>>&,
             std::uint64_t) override {
    throw std::bad_alloc();
  }
  Result<Found, Fault> get(ShardId shard, const EntityKey& entity, Where where) override {
    return behind_.get(shard, entity, where);
  }
  Result<Checkpoint, Fault> checkpoint(ShardId shard) override { return behind_.checkpoint(shard); }
  Result<std::vector<EntityKey>, Fault> active(ShardId shard) override {
    return behind_.active(shard);
  }
  Status each(ShardId shard,
              const std::function<bool(const EntityKey&, StoredState)>& visit) override {
    return behind_.each(shard, visit);
  }

 private:
  StateStore& behind_;
};

/// Runs a test case that is marked skip in a process of its own. Returns the status of waitpid.
int run_child(const char* test_case, const fs::path& folder) {
  const auto pid = ::fork();
  if (pid == 0) {
    ::setenv("SOUK_TEST_FOLDER", folder.c_str(), 1);
    const auto filter = std::string("--test-case=") + test_case;
    const char* arguments[] = {"node_test", "--no-skip", filter.c_str(), nullptr};
    ::execv("/proc/self/exe", const_cast<char**>(arguments));
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

}  // namespace

TEST_CASE("(child) the process of an actor that throws" * doctest::skip()) {
  const char* folder = std::getenv("SOUK_TEST_FOLDER");
  REQUIRE(folder != nullptr);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::signal(SIGABRT, SIG_DFL);  // doctest would report it and go on
  TestProvider silent(TestProvider::Manner::silent);
  auto states = RocksdbStateStore::open({.path = fs::path(folder) / "beside"});
  REQUIRE(states.ok());
  Throwing throwing(**states);
  EngineOptions options;
  options.checkpoint_ms = 1;
  Life life(fs::path(folder) / "data", silent, options, {.states = &throwing});
  life.node->run();
  life.sell(order_on(1, 1), false);
  std::this_thread::sleep_for(std::chrono::seconds(30));  // it ends long before
}

TEST_CASE("fail-stop: an actor that throws ends the process, and the next finds all") {
  const TemporaryDirectory home;
  const int status = run_child("(child) the process of an actor that throws", home.path());
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  TestProvider provider(TestProvider::Manner::answers_at_once);
  Life life(home / "data", provider);
  life.node->run();
  CHECK(life.ask(GetProduct{*Sku::parse("tea")}).code == ReplyCode::ok);
  life.node->stop();
}

TEST_CASE("fail-stop: an engine that serves is in no trouble") {
  const TemporaryDirectory home;
  TestProvider provider(TestProvider::Manner::answers_at_once);
  Life life(home.path(), provider);
  life.node->run();
  CHECK(life.sell(order_on(1, 1), true).code == ReplyCode::ok);
  CHECK(life.node->engine().trouble().empty());
}

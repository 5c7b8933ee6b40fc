// What stood still and was changed on the disk is not served as truth.
#include "projections/runner/seal.h"

#include "tests/runner/runner_support.h"

namespace souk {
namespace {

using namespace souk::test;

struct Home {
  fs::path model() const { return folder / "model"; }
  fs::path tally() const { return model() / "000001" / "tally"; }
  std::unique_ptr<ProjectionRunner> started(LogSource source) {
    auto runner = std::make_unique<ProjectionRunner>(tally_kind(switches), model(), source);
    runner->start();
    return runner;
  }
  TemporaryDirectory folder{Medium::memory};
  Switches switches;
};

/// 7 pieces become 8.
void change(const fs::path& tally) {
  std::ifstream in(tally, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  in.close();
  const auto at = bytes.rfind("MUG 7");
  REQUIRE(at != std::string::npos);
  bytes[at + 4] = '8';
  std::ofstream(tally, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

TEST_CASE("seal: a copy that was changed while nothing ran is built anew") {
  Home home;
  Log log(home.folder.path(), 1 << 20);
  log.receive({1}, "MUG", 7);
  {
    auto runner = home.started(log.source());
    REQUIRE(reaches(*runner, log.end(), milliseconds(10'000)));
    REQUIRE(eventually([&] { return read_seal(seal_file(home.model(), 1)).has_value(); }));
  }
  SUBCASE("an untouched one serves on") {
    auto runner = home.started(log.source());
    REQUIRE(reaches(*runner, log.end(), milliseconds(10'000)));
    CHECK(fs::exists(home.tally()));
    CHECK(sums(*runner)["MUG"] == 7);
  }
  SUBCASE("a changed one is found") {
    change(home.tally());
    auto runner = home.started(log.source());
    CHECK(eventually([&] { return sums(*runner)["MUG"] == 7 && !fs::exists(home.tally()); }));
    CHECK_FALSE(fs::exists(seal_file(home.model(), 1)));
  }
  SUBCASE("a damaged seal says nothing") {
    std::ofstream(seal_file(home.model(), 1)) << "12 34 56 78\n";
    auto runner = home.started(log.source());
    REQUIRE(reaches(*runner, log.end(), milliseconds(10'000)));
    CHECK(sums(*runner)["MUG"] == 7);
  }
}

TEST_CASE(
    "runner: a copy that cannot be opened for whatever reason is built anew after some tries") {
  Home home;
  Log log(home.folder.path(), 1 << 20);
  log.receive({1}, "MUG", 7);
  {
    auto runner = home.started(log.source());
    REQUIRE(reaches(*runner, log.end(), milliseconds(10'000)));
  }
  auto kind = tally_kind(home.switches);
  const auto open = kind.open;
  kind.open = [open](const fs::path& folder) -> Result<std::shared_ptr<Projection>, Fault> {
    if (folder.filename() == "000001") return Fault{Fault::Kind::unavailable, "a file is missing"};
    return open(folder);
  };
  ProjectionRunner runner(kind, home.model(), log.source());
  runner.start();
  CHECK(eventually([&] { return sums(runner)["MUG"] == 7; }));
}

TEST_CASE("runner: the copy of another directory is built anew") {
  Home home;
  Log log(home.folder.path(), 1 << 20);
  log.receive({1}, "MUG", 7);
  LogSource source = log.source();
  source.directory = Id128{{1}};
  {
    auto runner = home.started(source);
    REQUIRE(reaches(*runner, log.end(), milliseconds(10'000)));
  }
  source.directory = Id128{{2}};
  auto runner = home.started(source);
  CHECK(eventually([&] { return sums(*runner)["MUG"] == 7 && !fs::exists(home.tally()); }));
}

}  // namespace souk

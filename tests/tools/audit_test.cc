#include "tools/souk/audit/audit.h"

#include <rocksdb/db.h>
#include <sqlite3.h>

#include "actors/adapters/data_directory.h"
#include "projections/search/posting_list.h"
#include "projections/search/product.h"
#include "tests/runner/runner_support.h"
#include "tools/read_models.h"
#include "tools/souk/load/inprocess.h"

using namespace souk;
using namespace souk::test;

namespace {

constexpr std::uint32_t shards = 4;
constexpr int products = 12;

class Unseen final : public cli::AuditWatch {
 public:
  void begin(const std::string&, const std::string&, std::uint64_t) override {}
  void add(std::uint64_t) override {}
};

/// A data directory whose daemon has ended.
struct Stopped {
  Stopped() {
    REQUIRE(DataDirectory::open(home.path(), shards).ok());
    load(1);
  }

  /// Some of everything that needs no payment, by a real engine.
  void load(int pieces, const std::string& reference = "r") {
    EngineOptions options;
    options.shards = shards;
    auto opened = cli::InProcess::open(home.path(), options);
    REQUIRE(opened.ok());
    auto& engine = **opened;
    const auto run = [&](std::vector<Op> ops) {
      std::vector<Request> requests;
      for (Op& op : ops) requests.push_back(engine.request(std::move(op), requests.size()));
      std::size_t open = requests.size();
      engine.submit(std::move(requests));
      while (open > 0) open -= engine.take().size();
    };
    std::vector<Op> first, then;
    for (int i = 0; i < products; ++i) {
      const Sku sku = *Sku::parse("p" + std::to_string(i));
      ProductDefined d;
      d.name = "Product " + std::to_string(i);
      d.price = {Micros{1'250'000}, *Currency::parse("GBP")};
      const CartId cart{id_on(static_cast<std::uint16_t>(i % static_cast<int>(shards)), ++carts)};
      first.push_back(PutProduct{sku, d});
      first.push_back(ReceiveStock{sku, pieces, i == 3 ? reference : "r"});
      first.push_back(OpenCart{cart, {}, {}});
      then.push_back(AddItem{cart, sku, 1, std::nullopt});
    }
    run(std::move(first));
    run(std::move(then));
    engine.close();
  }
  static Id128 id_on(std::uint16_t shard, std::uint8_t number) {
    Id128 id;
    id.bytes[0] = static_cast<std::uint8_t>(shard >> 8);
    id.bytes[1] = static_cast<std::uint8_t>(shard);
    id.bytes[15] = number;
    return id;
  }

  /// The read side of a daemon: runs until all is seen, and `then`.
  void project(
      const std::vector<ProjectionKind>& kinds,
      const std::function<void(ProjectionRunner&)>& then = [](auto&) {}) {
    auto journal = RocksDbJournal::open(home / "journal");
    REQUIRE(journal.ok());
    std::vector<Seq> last(shards);
    std::vector<std::pair<ShardId, Seq>> end;
    for (std::uint16_t s = 0; s < shards; ++s) {
      REQUIRE((*journal)->scan({s}, 1, [&](Offset, std::string_view bytes) {
        last[s] = std::max(last[s], decode_batch_header(bytes)->last_seq());
        return true;
      }));
      end.push_back({{s}, last[s]});
    }
    RecentLog recent(shards, 1 << 20);
    recent.begin_at(last);
    ProjectionSet set(kinds, home / "projections", {**journal, recent});
    set.start();
    for (const auto& runner : set.all()) {
      REQUIRE(reaches(*runner, end, milliseconds(10'000)));
      then(*runner);
    }
    set.stop();
  }

  cli::AuditReport audit(const std::vector<ProjectionKind>& kinds) {
    Unseen unseen;
    auto report = cli::audit(home.path().string(), kinds, unseen);
    if (!report.ok()) FAIL(report.error().what);
    return std::move(*report);
  }
  fs::path model(const std::string& name) const { return home / "projections" / name / "000001"; }

  TemporaryDirectory home{Medium::memory};
  std::uint8_t carts = 0;
};

std::string broken_by(const cli::AuditReport& report, const std::string& promise) {
  std::string names;
  for (const auto& v : report.violations)
    if (v.promise == promise) names += v.entity + ": " + v.what + "\n";
  return names;
}

void sql(const fs::path& file, const char* text) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, text, nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_changes(database) <= 1);
  sqlite3_close(database);
}

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    all[entry.path().string()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return all;
}

constexpr const char* not_the_fold = "its content is not what the log makes of it\n";

}  // namespace

TEST_CASE("audit: read models that are the fold are found so, and the directory stays as it is") {
  Stopped s;
  s.project(read_models());
  const auto before = files_of(s.home.path());
  const auto report = s.audit(read_models());
  CHECK(report.violations_found == 0);
  REQUIRE(report.read_models.size() == 2);
  for (const auto& model : report.read_models) {
    CHECK(model.events == report.events);
    CHECK(model.lag_events == 0);
    CHECK(model.not_compared == "");
  }
  CHECK(files_of(s.home.path()) == before);
}

TEST_CASE("audit: one row of the analytics that is another breaks P5") {
  Stopped s;
  s.project(read_models());
  sql(s.model("analytics") / "analytics.sqlite",
      "UPDATE product_row SET on_hand=on_hand+1 WHERE sku='p3'");
  CHECK(broken_by(s.audit(read_models()), "P5") ==
        std::string("projection analytics: ") + not_the_fold);
}

TEST_CASE("audit: one value of the search store that is another breaks P5") {
  Stopped s;
  s.project(read_models());
  rocksdb::DB* raw = nullptr;
  rocksdb::Options options;
  options.merge_operator = search::posting_merge();
  REQUIRE(rocksdb::DB::Open(options, (s.model("search") / "products").string(), &raw).ok());
  const std::unique_ptr<rocksdb::DB> database(raw);
  const rocksdb::Slice key("c\0\0\0\1", 5);
  std::string bytes;
  REQUIRE(database->Get({}, key, &bytes).ok());
  auto columns = search::decode_columns(bytes);
  REQUIRE(columns);
  ++columns->available;
  REQUIRE(database->Put({}, key, encode(*columns)).ok());
  REQUIRE(database->Close().ok());
  CHECK(broken_by(s.audit(read_models()), "P5") ==
        std::string("projection search: ") + not_the_fold);
}

TEST_CASE("audit: a read model behind the log is told of, one ahead of it breaks P5") {
  Stopped s;
  SUBCASE("behind") {
    s.project(read_models());
    s.load(5);
    const auto report = s.audit(read_models());
    CHECK(report.violations_found == 0);
    CHECK(report.read_models.at(0).lag_events == 2 * products + products);
    CHECK(report.read_models.at(0).not_compared == "");
  }
  SUBCASE("ahead") {
    for (const char* folder : {"journal", "states"})
      fs::copy(s.home / folder, s.home / (folder + std::string("-before")));
    s.load(5);
    s.project(read_models());
    const auto put_back = [&](const char* folder) {
      fs::remove_all(s.home / folder);
      fs::rename(s.home / (folder + std::string("-before")), s.home / folder);
    };
    put_back("journal");
    CHECK(broken_by(s.audit(read_models()), "P1").find("states/ knows event ") !=
          std::string::npos);
    put_back("states");
    const std::string broken = broken_by(s.audit(read_models()), "P5");
    CHECK(broken.find("projection search: it is ahead of the log: it knows event ") == 0);
    CHECK(broken.find("projection analytics: it is ahead of the log") != std::string::npos);
  }
}

TEST_CASE("audit: stale entities are compared as they were before their poison") {
  Stopped s;
  Switches switches;
  switches.poisoned = true;
  const std::vector<ProjectionKind> kinds{tally_kind(switches)};
  s.load(10, "poison");
  s.load(100);
  const auto mend = [&](ProjectionRunner& runner) {
    REQUIRE(runner.mend(Follower::Mend::skip, std::nullopt).ok());
  };
  SUBCASE("held") {
    s.project(kinds);
    for (const bool poisoned : {true, false}) {
      switches.poisoned = poisoned;
      const auto report = s.audit(kinds);
      CHECK(report.violations_found == 0);
      CHECK(report.read_models.at(0).stale_entities == 1);
      CHECK(report.read_models.at(0).held_events == 2);
      CHECK(report.read_models.at(0).left_out_events == 0);
    }
  }
  SUBCASE("skipped by an operator") {
    s.project(kinds, mend);
    const auto report = s.audit(kinds);
    CHECK(report.violations_found == 0);
    CHECK(report.read_models.at(0).stale_entities == 0);
    CHECK(report.read_models.at(0).left_out_events == 1);
    switches.poisoned = false;  // now the model takes it, and the copy does not have it
    CHECK(broken_by(s.audit(kinds), "P5") == std::string("projection tally: ") + not_the_fold);
  }
}

TEST_CASE("audit: what the daemon will rebuild anyway is not compared") {
  Stopped s;
  Switches switches;
  std::vector<ProjectionKind> kinds{tally_kind(switches)};
  SUBCASE("another version of the code") {
    s.project(kinds);
    kinds = {tally_kind(switches, 2)};
  }
  SUBCASE("another version of the tables") {
    kinds = read_models();
    kinds.erase(kinds.begin());
    s.project(kinds);
    sql(s.model("analytics") / "analytics.sqlite", "PRAGMA user_version=7");
  }
  SUBCASE("never finished") {
    s.project(kinds);
    fs::remove(s.home / "projections" / "tally" / "CURRENT");
  }
  const auto report = s.audit(kinds);
  CHECK(report.violations_found == 0);
  CHECK(report.read_models.at(0).not_compared != "");
}

TEST_CASE("audit: a read model that cannot be opened breaks P5") {
  Stopped s;
  Switches switches;
  const std::vector<ProjectionKind> kinds{tally_kind(switches)};
  s.project(kinds);
  std::ofstream(s.model("tally") / "broken") << "x";
  CHECK(broken_by(s.audit(kinds), "P5") == "projection tally: it cannot be opened: it is broken\n");
}

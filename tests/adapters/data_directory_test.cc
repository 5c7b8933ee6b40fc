#include "actors/adapters/data_directory.h"

#include <doctest/doctest.h>
#include <signal.h>

#include "tests/adapters/support.h"

using namespace souk;
using namespace souk::testing;

namespace {

Fault fault_of(const Result<std::unique_ptr<DataDirectory>, Fault>& opened) {
  REQUIRE_FALSE(opened.ok());
  return opened.error();
}
bool mentions(const Fault& fault, std::string_view words) {
  return fault.what.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("data directory: it is made once and is the same when it is opened again") {
  TemporaryDirectory folder;
  const auto path = folder.path() / "deep" / "data";
  DataDirectory::Manifest manifest;
  {
    auto made = DataDirectory::open(path, 16);
    REQUIRE(made.ok());
    manifest = (*made)->manifest();
    CHECK(manifest.format == 1);
    CHECK(manifest.shards == 16);
    CHECK(manifest.created_at.value > 1'700'000'000'000);
    CHECK_FALSE(manifest.id.zero());
    CHECK((*made)->journal() == path / "journal");
    CHECK((fs::status(path).permissions() & fs::perms::others_all) == fs::perms::none);
  }
  CHECK((*DataDirectory::open(path)).get()->manifest() == manifest);
  CHECK((*DataDirectory::open(path, 16)).get()->manifest() == manifest);
  CHECK((*DataDirectory::open_read_only(path)).get()->manifest() == manifest);
  auto other = DataDirectory::open(folder / "other");
  REQUIRE(other.ok());
  CHECK((*other)->manifest().shards == DataDirectory::shards_default);
  CHECK((*other)->manifest().id != manifest.id);
}

TEST_CASE("data directory: the manifest is text that names format, shards, time and id") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  const auto manifest = (*DataDirectory::open(path, 8))->manifest();
  CHECK(read_file(path / "souk-data") ==
        "format = 1\nshards = 8\ncreated_at = " + to_rfc3339(manifest.created_at) +
            "\nid = " + id_text('d', manifest.id) + "\n");
}

TEST_CASE("data directory: another count of shards is refused with both counts") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  REQUIRE(DataDirectory::open(path, 8).ok());
  const auto fault = fault_of(DataDirectory::open(path, 16));
  CHECK(fault.kind == Fault::Kind::mismatch);
  CHECK(mentions(fault, "8 shards, not 16"));
  CHECK((*DataDirectory::open(path))->manifest().shards == 8);
}

TEST_CASE("data directory: shards from 1 to the limit are possible") {
  TemporaryDirectory folder;
  CHECK(fault_of(DataDirectory::open(folder / "a", 0)).kind == Fault::Kind::mismatch);
  CHECK(DataDirectory::open(folder / "b", 1).ok());
  CHECK(DataDirectory::open(folder / "c", limits::shards_max).ok());
  CHECK(fault_of(DataDirectory::open(folder / "d", limits::shards_max + 1)).kind ==
        Fault::Kind::mismatch);
  CHECK_FALSE(fs::exists(folder / "d"));
}

TEST_CASE("data directory: a newer format is refused, a damaged manifest is corrupt") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  REQUIRE(DataDirectory::open(path, 8).ok());
  const auto good = read_file(path / "souk-data");
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    write_file(path / "souk-data", text);
    return DataDirectory::open(path);
  };
  const auto newer = fault_of(with("format = 1", "format = 2"));
  CHECK(newer.kind == Fault::Kind::unsupported);
  CHECK(mentions(newer, "format 2"));
  CHECK(fault_of(with("format = 1", "format = 0")).kind == Fault::Kind::corrupt);
  CHECK(fault_of(with("shards = 8", "shards = 8x")).kind == Fault::Kind::corrupt);
  CHECK(fault_of(with("shards = 8", "shards = 5000")).kind == Fault::Kind::corrupt);
  CHECK(fault_of(with("id = d", "id = e")).kind == Fault::Kind::corrupt);
  CHECK(fault_of(with(good, "")).kind == Fault::Kind::corrupt);
  CHECK(with("shards = 8", "colour = red\nshards = 8").ok());
  CHECK(with("", "").ok());
}

TEST_CASE("data directory: a folder with other things in it is left alone") {
  TemporaryDirectory folder;
  write_file(folder / "letter.txt", "dear");
  const auto fault = fault_of(DataDirectory::open(folder.path()));
  CHECK(fault.kind == Fault::Kind::mismatch);
  CHECK(mentions(fault, "not empty"));
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  CHECK(fault_of(DataDirectory::open(folder / "letter.txt")).kind == Fault::Kind::unavailable);
}

TEST_CASE("data directory: a crash while it was made does not matter") {
  TemporaryDirectory folder;
  write_file(folder / "lock", "pid = 1\n");
  write_file(folder / "souk-data.new", "form");
  CHECK(DataDirectory::open(folder.path()).ok());
  CHECK_FALSE(fs::exists(folder / "souk-data.new"));
}

TEST_CASE("data directory: a second process is told the pid of the first") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  int ready[2], finish[2];
  REQUIRE((::pipe(ready) == 0 && ::pipe(finish) == 0));
  const auto holder = ::fork();
  if (holder == 0) {
    ::close(ready[0]);
    ::close(finish[1]);
    auto held = DataDirectory::open(path, 4);
    char byte = held.ok() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(2);
    if (::read(finish[0], &byte, 1) != 0) ::_exit(3);
    ::_exit(0);  // no destructor: as if killed
  }
  ::close(ready[1]);
  ::close(finish[0]);
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  REQUIRE(byte == 'y');
  for (const bool looking : {false, true}) {
    const auto fault =
        fault_of(looking ? DataDirectory::open_read_only(path) : DataDirectory::open(path));
    CHECK(fault.kind == Fault::Kind::locked);
    CHECK(mentions(fault, "process " + std::to_string(holder)));
    CHECK(mentions(fault, "since 20"));
  }
  ::close(finish[1]);
  int status = 0;
  REQUIRE(::waitpid(holder, &status, 0) == holder);
  CHECK(status == 0);
  ::close(ready[0]);
  CHECK(DataDirectory::open(path).ok());  // the lock went with its holder
}

TEST_CASE("data directory: several may look at once, and no daemon starts meanwhile") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  CHECK(fault_of(DataDirectory::open_read_only(path)).kind == Fault::Kind::mismatch);
  CHECK_FALSE(fs::exists(path));
  REQUIRE(DataDirectory::open(path).ok());
  {
    auto first = DataDirectory::open_read_only(path);
    auto second = DataDirectory::open_read_only(path);
    CHECK(first.ok());
    CHECK(second.ok());
    const auto fault = fault_of(DataDirectory::open(path));
    CHECK(fault.kind == Fault::Kind::locked);
    CHECK(mentions(fault, "reading this data directory"));
  }
  auto open = DataDirectory::open(path);
  CHECK(open.ok());
  CHECK(fault_of(DataDirectory::open(path)).kind == Fault::Kind::locked);  // this process as well
}

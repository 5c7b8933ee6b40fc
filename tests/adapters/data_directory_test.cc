#include "actors/adapters/data_directory.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include "events/crc32c.h"
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
    CHECK(manifest.format == 4);
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
  const auto lines = "format = 4\nshards = 8\ncreated_at = " + to_rfc3339(manifest.created_at) +
                     "\nid = " + id_text('d', manifest.id) + "\n";
  CHECK(read_file(path / "souk-data") == fmt::format("{}check = {:08x}\n", lines, crc32c(lines)));
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

TEST_CASE("data directory: any changed, lost or added byte of the manifest is refused") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  REQUIRE(DataDirectory::open(path, 8).ok());
  const auto good = read_file(path / "souk-data");
  const auto with = [&](const std::string& text) {
    write_file(path / "souk-data", text);
    return DataDirectory::open(path);
  };
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto text = good;
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
      INFO("bit ", bit, " of byte ", at);
      CHECK_FALSE(with(text).ok());
    }
    CHECK_FALSE(with(good.substr(0, at)).ok());
  }
  CHECK_FALSE(with(good + "x").ok());
  CHECK_FALSE(with("colour = red\n" + good).ok());
  CHECK(fault_of(with("")).kind == Fault::Kind::corrupt);
  CHECK(mentions(fault_of(with(good.substr(0, 40))), "restore this file from a backup"));
  CHECK(with(good).ok());
}

TEST_CASE("data directory: the copy of a shared log belongs to that log") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  const SharedLogName shop{"shop", "k1", 7};
  auto opened = DataDirectory::open(path, 8, shop);
  REQUIRE(opened.ok());
  CHECK((*opened)->manifest().format == 5);
  const auto with = [&](const SharedLogName& name) { return DataDirectory::open(path, 8, name); };
  {
    // Read back, and left as it is.
    CHECK((*opened)->raise_format().ok());
    opened->reset();
    const auto again = with(shop);
    REQUIRE(again.ok());
    CHECK((*again)->manifest().shared == shop);
    CHECK((*again)->manifest().format == 5);
  }
  CHECK(mentions(fault_of(DataDirectory::open(path, 8)), "--kafka"));
  CHECK(mentions(fault_of(with({"other", "k1", 7})), "cluster shop, not other"));
  CHECK(mentions(fault_of(with({"shop", "k2", 7})), "brokers are of k2"));
  CHECK(mentions(fault_of(with({"shop", "k1", 8})), "made again"));
  const auto own = folder / "own";
  REQUIRE(DataDirectory::open(own, 8).ok());
  CHECK(mentions(fault_of(DataDirectory::open(own, 8, shop)), "a log of its own"));
}

TEST_CASE("data directory: a newer format is refused") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  REQUIRE(DataDirectory::open(path, 8).ok());
  write_file(path / "souk-data", "format = 6\nsomething = else\n");
  const auto newer = fault_of(DataDirectory::open(path));
  CHECK(newer.kind == Fault::Kind::unsupported);
  CHECK(mentions(newer, "format 6"));
}

TEST_CASE("data directory: format 1 opens as it is, and is raised in one step") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  const auto lines = std::string("shards = 8\ncreated_at = 2025-11-22T13:00:00.000Z\nid = ") +
                     id_text('d', Id128{{1, 2, 3}}) + "\n";
  fs::create_directory(path);
  write_file(path / "souk-data", "format = 1\n" + lines);
  {
    const auto directory = std::move(*DataDirectory::open(path));
    CHECK(directory->manifest().format == 1);
    REQUIRE(directory->raise_format().ok());
    CHECK(directory->manifest().format == 4);
  }
  CHECK(read_file(path / "souk-data").starts_with("format = 4\n" + lines + "check = "));
  CHECK((*DataDirectory::open(path))->manifest().id == Id128{{1, 2, 3}});
  // The check of format 2 and later is not optional.
  write_file(path / "souk-data", "format = 4\n" + lines);
  CHECK(fault_of(DataDirectory::open(path)).kind == Fault::Kind::corrupt);
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

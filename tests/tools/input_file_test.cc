#include "tools/souk/import/input_file.h"

#include <doctest/doctest.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace souk::cli;

namespace {

struct Scratch {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("souk-input-" + std::to_string(::getpid()));
  Scratch() { std::filesystem::create_directories(path); }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return (path / name).string();
  }
};

std::string compressed(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string some_text() {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 7919) + ",";
  return text;
}

Outcome<std::string> read_all(const std::string& name) {
  std::string text;
  auto done = read_input(name, [&](std::string_view bytes) {
    text += bytes;
    return true;
  });
  if (!done) return done.error();
  return text;
}

}  // namespace

TEST_CASE("input: a file is read as it is, a .zst file decompressed, of several frames as well") {
  const Scratch scratch;
  const std::string text = some_text();
  CHECK(*read_all(scratch.write("plain.csv", text)) == text);
  CHECK(*read_all(scratch.write("one.csv.zst", compressed(text))) == text);
  CHECK(*read_all(scratch.write("two.csv.zst", compressed(text) + compressed("more"))) ==
        text + "more");
  CHECK(read_all(scratch.write("empty.csv", ""))->empty());
}

TEST_CASE("input: what is cut off, spoiled or missing is said with its name") {
  const Scratch scratch;
  std::string bytes = compressed(some_text());
  const auto cut = read_all(scratch.write("cut.zst", bytes.substr(0, bytes.size() / 2)));
  REQUIRE_FALSE(cut.ok());
  CHECK(cut.error().message.ends_with("cut.zst: zstd: the file is cut off"));
  bytes[0] = 'x';
  CHECK(read_all(scratch.write("bad.zst", bytes)).error().message.find("bad.zst: zstd: ") !=
        std::string::npos);
  const auto missing = read_all((scratch.path / "none").string());
  CHECK(missing.error().code == ExitCode::refused);
  CHECK(missing.error().message.ends_with("none: No such file or directory"));
  CHECK_FALSE(read_all(scratch.path.string()).ok());  // a directory
}

TEST_CASE("input: reading stops where it is told to") {
  const Scratch scratch;
  int pieces = 0;
  const std::string name = scratch.write("long.zst", compressed(some_text() + some_text()));
  CHECK(read_input(name, [&](std::string_view) { return ++pieces < 2; }).ok());
  CHECK(pieces == 2);
}

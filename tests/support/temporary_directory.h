#pragma once
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace souk::test {

namespace fs = std::filesystem;

enum class Medium {
  disk,
  memory,  // where there is such a place: for tests that sync a lot and are not about it
};

/// A directory of its own for each test, gone afterwards.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(Medium medium = Medium::disk) {
    const bool in_memory = medium == Medium::memory && fs::exists("/dev/shm");
    std::string name = (in_memory ? "/dev/shm" : fs::temp_directory_path().string()) +
                       std::string("/souk-test-XXXXXX");
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(std::string_view name) const { return path_ / name; }

 private:
  fs::path path_;
};

}  // namespace souk::test

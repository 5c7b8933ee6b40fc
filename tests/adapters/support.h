#pragma once
/// What the tests of the ports share: children that are killed, files read raw.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "events/ids.h"
#include "events/result.h"
#include "tests/support/temporary_directory.h"

namespace souk::testing {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

/// Runs a test case that is marked skip in a process of its own (RocksDB's threads do not survive a
/// fork alone), which finds `folder` by child_folder(). Returns the status of waitpid.
inline int run_child(const char* test_case, const fs::path& folder) {
  const auto pid = ::fork();
  if (pid == 0) {
    ::setenv("SOUK_TEST_FOLDER", folder.c_str(), 1);
    const auto filter = std::string("--test-case=") + test_case;
    const char* arguments[] = {"ports_test", "--no-skip", filter.c_str(), nullptr};
    ::execv("/proc/self/exe", const_cast<char**>(arguments));
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}
inline fs::path child_folder() {
  const char* folder = std::getenv("SOUK_TEST_FOLDER");
  REQUIRE(folder != nullptr);
  return folder;
}

/// While it lives, no file can be written: as a disk that fails.
class NoFileGrows {
 public:
  NoFileGrows() {
    former_ = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit_) == 0);
    rlimit none = limit_;
    none.rlim_cur = 0;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);
  }
  ~NoFileGrows() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, former_);
  }

 private:
  rlimit limit_{};
  void (*former_)(int) = nullptr;
};

inline std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
/// How many files of `folder` contain `bytes`.
inline int files_with(const fs::path& folder, std::string_view bytes) {
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && read_file(entry.path()).find(bytes) != std::string::npos) {
      ++count;
    }
  }
  return count;
}
/// The newest of RocksDB's log files, which are numbered.
inline fs::path newest_log(const fs::path& folder) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".log" && entry.path().filename() > newest.filename()) {
      newest = entry.path();
    }
  }
  return newest;
}

/// The `number`th id of `shard`.
inline Id128 id_of(std::uint64_t number, std::uint16_t shard = 0) {
  Id128 id;
  id.bytes[0] = static_cast<std::uint8_t>(shard >> 8);
  id.bytes[1] = static_cast<std::uint8_t>(shard & 0xff);
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i) & 0xff);
  }
  return id;
}

}  // namespace souk::testing

namespace souk {
inline doctest::String toString(const Fault& fault) { return doctest::String(fault.what.c_str()); }
}  // namespace souk

#include "tools/souk/load/scratch.h"

#include <stdlib.h>

#include <cstring>

namespace souk::cli {
namespace {

volatile std::sig_atomic_t caught = 0;
void note(int signal) { caught = signal; }

}  // namespace

Result<std::unique_ptr<ScratchFolder>, Fault> ScratchFolder::make() {
  std::error_code error;
  const auto under = std::filesystem::temp_directory_path(error);
  if (error)
    return Fault{Fault::Kind::unavailable,
                 "no folder for temporary files: " + error.message() + ": set TMPDIR"};
  std::string name = (under / "souk-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return Fault{Fault::Kind::unavailable, under.string() + ": no folder can be made there (" +
                                               std::strerror(errno) + "): set TMPDIR"};
  return std::unique_ptr<ScratchFolder>(new ScratchFolder(name));
}

ScratchFolder::ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {
  caught = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESETHAND;
  for (std::size_t i = 0; i < std::size(signals); ++i)
    ::sigaction(signals[i], &action, &former_[i]);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  for (std::size_t i = 0; i < std::size(signals); ++i)
    ::sigaction(signals[i], &former_[i], nullptr);
  if (const int signal = caught) std::raise(signal);
}

bool ScratchFolder::interrupted() { return caught != 0; }

}  // namespace souk::cli

#include "events/journal/write_probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace souk {
namespace {

/// More than the files of a store that is opened begin with; a disk with less room is full.
constexpr std::size_t probe_bytes = 64 * 1024;

Fault fault_now(const std::filesystem::path& path) {
  const int why = errno;
  return {why == ENOSPC || why == EDQUOT ? Fault::Kind::full : Fault::Kind::unavailable,
          path.string() + ": cannot be written: " + std::strerror(why)};
}

}  // namespace

Status probe_write(const std::filesystem::path& folder) {
  const auto path = folder / "write-probe.tmp";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fault_now(path);
  std::array<char, 4096> page{};
  Status status = Done{};
  for (std::size_t at = 0; at < probe_bytes && status.ok(); at += page.size()) {
    errno = ENOSPC;  // what a short write means
    if (::write(file, page.data(), page.size()) != static_cast<ssize_t>(page.size()))
      status = fault_now(path);
  }
  if (status.ok() && ::fsync(file) != 0) status = fault_now(path);
  if (::close(file) != 0 && status.ok()) status = fault_now(path);
  ::unlink(path.c_str());
  return status;
}

}  // namespace souk

#pragma once
/// A folder for work that nobody keeps.
#include <csignal>
#include <filesystem>
#include <memory>

#include "events/result.h"

namespace souk::cli {

/// Under $TMPDIR, else /tmp; removed at the end, also when the user ends the process meanwhile:
/// while it lives, SIGINT, SIGTERM and SIGHUP only set `interrupted`, and they are raised again
/// after the removal. A second one of the same kind ends the process at once.
/// Thread: one such object at a time.
class ScratchFolder {
 public:
  /// Errors: unavailable, with what to do.
  static Result<std::unique_ptr<ScratchFolder>, Fault> make();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Stop soon, so that this can go. Thread: any.
  static bool interrupted();

 private:
  static constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};
  explicit ScratchFolder(std::filesystem::path path);

  const std::filesystem::path path_;
  struct sigaction former_[std::size(signals)] = {};
};

}  // namespace souk::cli

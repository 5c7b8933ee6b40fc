#include "actors/adapters/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>

#include "actors/adapters/system_clock.h"
#include "events/crc32c.h"

namespace souk {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view manifest_name = "souk-data";
constexpr std::string_view manifest_draft_name = "souk-data.new";
constexpr std::string_view lock_name = "lock";
constexpr std::string_view check_head = "check = ";
constexpr std::string_view elsewhere = "elsewhere";
constexpr std::uint32_t format_with_check = 2;
constexpr std::size_t manifest_bytes_max = 64 * 1024;

Fault disk_fault(const fs::path& path, std::string_view action, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? Fault::Kind::full : Fault::Kind::unavailable,
          fmt::format("{}: cannot {}: {}", path.string(), action, std::strerror(error))};
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::uint64_t parse_long(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The value of `name` in lines of `name = value`.
std::optional<std::string> value_of(std::string_view text, std::string_view name) {
  std::istringstream lines{std::string(text)};
  const auto head = fmt::format("{} = ", name);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(head)) return line.substr(head.size());
  }
  return std::nullopt;
}

/// Whether the last line is the check of all before it.
enum class Check { none, holds, wrong };
Check check_of_manifest(std::string_view text) {
  const auto found = text.rfind(check_head);
  if (found == std::string_view::npos || (found != 0 && text[found - 1] != '\n')) {
    return Check::none;
  }
  return text.substr(found) == fmt::format("{}{:08x}\n", check_head, crc32c(text.substr(0, found)))
             ? Check::holds
             : Check::wrong;
}

std::string read_text(int file) {
  std::string text(4096, '\0');
  const auto got = ::pread(file, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

Status sync_directory(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return disk_fault(path, "open", errno);
  const int failed = ::fsync(file) != 0 ? errno : 0;
  ::close(file);
  if (failed != 0) return disk_fault(path, "sync", failed);
  return Done{};
}

Status write_all_synced(const fs::path& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return disk_fault(path, "create", errno);
  int failed = 0;
  while (!text.empty() && failed == 0) {
    const auto wrote = ::write(file, text.data(), text.size());
    if (wrote > 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR) {
      failed = errno;
    }
  }
  if (failed == 0 && ::fsync(file) != 0) failed = errno;
  ::close(file);
  if (failed != 0) return disk_fault(path, "write", failed);
  return Done{};
}

/// Ours may stand there without a manifest: a crash while the directory was made.
bool has_foreign_content(const fs::path& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const auto name = entry.path().filename().string();
    if (name != lock_name && name != manifest_draft_name && name != "lost+found") return true;
  }
  return false;
}

Fault locked_fault(const fs::path& path, int lock) {
  const auto text = read_text(lock);
  const auto pid = parse_number(value_of(text, "pid").value_or(""));
  // A stale text of a process that was killed: then those who hold it are looking only.
  if (!pid || *pid == 0 || (::kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH)) {
    return {Fault::Kind::locked,
            fmt::format("{}: another process is reading this data directory (souk verify?): wait "
                        "until it is done",
                        path.string())};
  }
  return {Fault::Kind::locked,
          fmt::format("{}: this data directory is in use by process {} (since {}): stop that one, "
                      "or use another directory",
                      path.string(), *pid, value_of(text, "started").value_or("?"))};
}

Status write_holder(const fs::path& path, int lock) {
  const auto text =
      fmt::format("pid = {}\nstarted = {}\n", ::getpid(), to_rfc3339(SystemClock::wall_now()));
  if (::ftruncate(lock, 0) != 0 ||
      ::pwrite(lock, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return disk_fault(path / lock_name, "write", errno);
  }
  return Done{};
}

}  // namespace

Result<std::unique_ptr<DataDirectory>, Fault> DataDirectory::open(
    const fs::path& path, std::optional<std::uint32_t> shards,
    const std::optional<SharedLogName>& shared) {
  if (shards && (*shards == 0 || *shards > limits::shards_max)) {
    return Fault{Fault::Kind::mismatch,
                 fmt::format("{} shards: 1 to {} are possible", *shards, limits::shards_max)};
  }
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error) return disk_fault(path, "create", error.value());
  if (made) fs::permissions(path, fs::perms::owner_all, error);  // it will hold keys
  if (!fs::exists(path / manifest_name) && has_foreign_content(path)) {
    return Fault{Fault::Kind::mismatch,
                 fmt::format("{}: it is not empty and is no data directory (it has no {}): name an "
                             "empty or a new one",
                             path.string(), manifest_name)};
  }
  const auto lock_path = path / lock_name;
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return disk_fault(lock_path, "open", errno);
  std::unique_ptr<DataDirectory> directory(new DataDirectory(path, lock, Access::alone));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int failed = errno;
    directory->access_ = Access::looking;  // the text is another's: leave it
    return failed == EWOULDBLOCK ? locked_fault(path, lock) : disk_fault(lock_path, "lock", failed);
  }
  if (auto status = write_holder(path, lock); !status) return status.error();
  auto status = fs::exists(path / manifest_name)
                    ? directory->load_manifest()
                    : directory->create_manifest(shards.value_or(shards_default), shared);
  if (!status) return status.error();
  if (auto fits = directory->check_log(shared); !fits) return fits.error();
  if (shards && *shards != directory->manifest_.shards) {
    return Fault{Fault::Kind::mismatch,
                 fmt::format("{}: it has {} shards, not {}: the count is fixed when a directory is "
                             "made. Leave the option out, or use another directory",
                             path.string(), directory->manifest_.shards, *shards)};
  }
  return directory;
}

Result<std::unique_ptr<DataDirectory>, Fault> DataDirectory::open_read_only(const fs::path& path) {
  if (!fs::exists(path / manifest_name)) {
    return Fault{Fault::Kind::mismatch, fmt::format("{}: it is no data directory (it has no {})",
                                                    path.string(), manifest_name)};
  }
  const auto lock_path = path / lock_name;
  int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 && (errno == EACCES || errno == EROFS)) {
    lock = ::open(lock_path.c_str(), O_RDONLY | O_CLOEXEC);
    // No lock file on a medium that nobody can write: there is nobody to lock out.
    if (lock < 0 && errno != ENOENT) return disk_fault(lock_path, "open", errno);
  } else if (lock < 0) {
    return disk_fault(lock_path, "open", errno);
  }
  std::unique_ptr<DataDirectory> directory(new DataDirectory(path, lock, Access::looking));
  if (lock >= 0 && ::flock(lock, LOCK_SH | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? locked_fault(path, lock) : disk_fault(lock_path, "lock", errno);
  }
  if (auto status = directory->load_manifest(); !status) return status.error();
  return directory;
}

DataDirectory::~DataDirectory() {
  if (lock_ < 0) return;
  // An empty text: nobody has it. Where this fails, the pid is found dead.
  if (access_ == Access::alone && ::ftruncate(lock_, 0) != 0) errno = 0;
  ::close(lock_);
}

Status DataDirectory::load_manifest() {
  const auto file = path_ / manifest_name;
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return disk_fault(file, "read", errno);
  std::string text(manifest_bytes_max, '\0');
  const ssize_t got = ::pread(opened, text.data(), text.size(), 0);
  const int failed = got < 0 ? errno : 0;
  ::close(opened);
  if (failed != 0) return disk_fault(file, "read", failed);
  text.resize(static_cast<std::size_t>(got));
  const Fault damaged{
      Fault::Kind::corrupt,
      fmt::format("{}: the manifest is damaged: restore this file from a backup, nothing else was "
                  "touched (its lines are format, shards, created_at, id and check)",
                  file.string())};
  const auto check = check_of_manifest(text);
  const auto format = parse_number(value_of(text, "format").value_or(""));
  if (format && *format > format_newest) {
    return Fault{Fault::Kind::unsupported,
                 fmt::format("{}: format {} is newer than this version knows ({}): run a newer "
                             "one{}",
                             path_.string(), *format, format_newest,
                             check == Check::wrong ? ". If none wrote it, the manifest is damaged: "
                                                     "restore that file from a backup"
                                                   : "")};
  }
  if (check == Check::wrong) return damaged;
  const auto shards = parse_number(value_of(text, "shards").value_or(""));
  const auto created_at = parse_rfc3339(value_of(text, "created_at").value_or(""));
  const auto id = parse_id('d', value_of(text, "id").value_or(""));
  if (!format || *format == 0 || !shards || *shards == 0 || *shards > limits::shards_max ||
      !created_at || !id || (*format >= format_with_check && check == Check::none)) {
    return damaged;
  }
  manifest_ = {*format, *shards, *created_at, *id};
  if (const auto cluster = value_of(text, "cluster"))
    manifest_.shared = SharedLogName{*cluster, value_of(text, "kafka").value_or(""),
                                     parse_long(value_of(text, "genesis").value_or(""))};
  if (value_of(text, "provider") == elsewhere) manifest_.ledger = LedgerPlace::elsewhere;
  return Done{};
}

/// The directory has the log that the caller wants, or is the copy of it.
Status DataDirectory::check_log(const std::optional<SharedLogName>& shared) const {
  const auto& mine = manifest_.shared;
  if (mine == shared) return Done{};
  if (!shared)
    return Fault{
        Fault::Kind::mismatch,
        fmt::format("{}: it belongs to a node of the cluster {}: start with --kafka BROKERS "
                    "--cluster {}, or use another directory",
                    path_.string(), mine->cluster, mine->cluster)};
  if (!mine)
    return Fault{Fault::Kind::mismatch,
                 fmt::format("{}: it has a log of its own, which no cluster knows: name an empty "
                             "directory, or start without --kafka",
                             path_.string())};
  if (mine->cluster != shared->cluster)
    return Fault{
        Fault::Kind::mismatch,
        fmt::format("{}: it belongs to a node of the cluster {}, not {}: name the directory "
                    "of this one, or an empty one",
                    path_.string(), mine->cluster, shared->cluster)};
  if (mine->kafka == shared->kafka)
    return Fault{
        Fault::Kind::mismatch,
        fmt::format("{}: the topic of its cluster {} was deleted and made again: what this "
                    "directory has is not in the new log. Nothing was changed. If the new "
                    "topic is the right one, start with an empty data directory",
                    path_.string(), mine->cluster)};
  return Fault{
      Fault::Kind::mismatch,
      fmt::format("{}: the log of its cluster {} stands in the Kafka cluster {}, and these "
                  "brokers are of {}: name the right brokers. If the topics were moved "
                  "there, start with an empty directory",
                  path_.string(), mine->cluster, mine->kafka, shared->kafka)};
}

Status DataDirectory::create_manifest(std::uint32_t shards,
                                      const std::optional<SharedLogName>& shared) {
  SystemRandomness randomness;
  const std::uint32_t format = shared ? format_newest : format_of_own_log;
  if (auto status =
          write_manifest({format, shards, SystemClock::wall_now(), randomness.id128(), shared});
      !status) {
    return status;
  }
  return sync_directory(fs::absolute(path_).lexically_normal().parent_path());
}

Status DataDirectory::raise_format() {
  SOUK_ASSERT(access_ == Access::alone);
  const std::uint32_t newest = manifest_.shared ? format_newest : format_of_own_log;
  if (manifest_.format == newest) return Done{};
  Manifest raised = manifest_;
  raised.format = newest;
  return write_manifest(raised);
}

Status DataDirectory::move_ledger_out() {
  SOUK_ASSERT(access_ == Access::alone);
  if (manifest_.ledger == LedgerPlace::elsewhere) return Done{};
  Manifest moved = manifest_;
  moved.ledger = LedgerPlace::elsewhere;
  return write_manifest(moved);
}

Status DataDirectory::write_manifest(const Manifest& manifest) {
  auto text =
      fmt::format("format = {}\nshards = {}\ncreated_at = {}\nid = {}\n", manifest.format,
                  manifest.shards, to_rfc3339(manifest.created_at), id_text('d', manifest.id));
  if (manifest.shared)
    text += fmt::format("cluster = {}\nkafka = {}\ngenesis = {}\n", manifest.shared->cluster,
                        manifest.shared->kafka, manifest.shared->genesis);
  if (manifest.ledger == LedgerPlace::elsewhere) text += fmt::format("provider = {}\n", elsewhere);
  text += fmt::format("{}{:08x}\n", check_head, crc32c(text));
  const auto draft = path_ / manifest_draft_name;
  if (auto status = write_all_synced(draft, text); !status) return status;
  if (::rename(draft.c_str(), (path_ / manifest_name).c_str()) != 0) {
    return disk_fault(draft, "rename", errno);
  }
  manifest_ = manifest;
  return sync_directory(path_);
}

}  // namespace souk

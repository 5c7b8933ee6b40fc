#include "projections/sql/sql_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "events/fault_log.h"

namespace souk::analytics {
namespace {

using Clock = std::chrono::steady_clock;
using Why = SqlRefused::Kind;

// Beyond its query's time, for a worker that says itself that it was late.
constexpr std::chrono::milliseconds grace{250};
// A worker that has used more is let go: what it holds may be scattered, and its time is bounded.
constexpr std::uint64_t memory_of_the_fit = 32 * 1024 * 1024;
constexpr std::uint64_t cpu_seconds_of_the_fit = 30;
// Of one answer to `scan`.
constexpr std::size_t piece_records_max = 256;
constexpr std::size_t piece_bytes_max = 1024 * 1024;

int left_ms(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(0, left));
}

void tell_of_a_death(int status) {
  static FaultLog deaths("a worker of the SQL door died of its query");  // a stranger sets the rate
  deaths.failed(fmt::format("signal={} status={}", WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                            WIFEXITED(status) ? WEXITSTATUS(status) : 0));
}

/// What the worker's own libraries need of the daemon's surroundings.
std::vector<std::string> surroundings() {
  std::vector<std::string> all{"MALLOC_CONF=background_thread:false,narenas:1"};
  for (const char* name : {"LD_LIBRARY_PATH", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) all.push_back(std::string(name) + '=' + value);
  return all;
}

/// 0: no process.
int spawn(const std::filesystem::path& program, const std::string& word, int link) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, link, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);  // a terminal's Ctrl-C is for the daemon
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string name = "souk-sql", argument = word;
  char* arguments[] = {name.data(), argument.data(), nullptr};
  auto words = surroundings();
  std::vector<char*> environment;
  for (std::string& one : words) environment.push_back(one.data());
  environment.push_back(nullptr);
  pid_t pid = 0;
  const int code =
      ::posix_spawn(&pid, program.c_str(), &files, &attributes, arguments, environment.data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  return code == 0 ? pid : 0;
}

}  // namespace

Result<std::unique_ptr<SqlProcess>, Fault> SqlProcess::start(const std::filesystem::path& program,
                                                             const std::string& word) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Fault{Fault::Kind::unavailable, std::string("no socket: ") + std::strerror(errno)};
  const int pid = spawn(program, word, ends[1]);
  ::close(ends[1]);
  if (pid == 0) {
    ::close(ends[0]);
    return Fault{Fault::Kind::unavailable, "no process can be started"};
  }
  return std::unique_ptr<SqlProcess>(new SqlProcess(ends[0], pid));
}

SqlProcess::~SqlProcess() {
  kill();
  reap();
  ::close(link_);
}

void SqlProcess::kill() {
  const std::lock_guard lock(mutex_);
  killed_ = true;
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

/// Kills it and waits for it; how it ended.
int SqlProcess::reap() {
  int pid = 0;
  {
    const std::lock_guard lock(mutex_);
    pid = std::exchange(pid_, 0);
    if (pid > 0) ::kill(pid, SIGKILL);
  }
  int status = 0;
  // A disk that hangs can hold a killed process; it then stays a zombie of the daemon's.
  for (int i = 0; pid > 0 && i < 500; ++i) {
    if (::waitpid(pid, &status, WNOHANG) != 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return status;
}

bool SqlProcess::fit_for(const std::filesystem::path& database) const {
  return fit_ && (database_.empty() || database_ == database);
}

bool SqlProcess::send(std::string_view bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(link_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent == 0 || errno != EAGAIN) return false;
    pollfd room{link_, POLLOUT, 0};
    if (::poll(&room, 1, left_ms(deadline)) == 0) return false;
  }
  return true;
}

FrameReader SqlProcess::parts() const {
  return FrameReader(
      std::string_view(buffer_).substr(frame_head_bytes, frame_size_ - frame_head_bytes));
}

/// The next frame, at the beginning of the buffer.
SqlProcess::Heard SqlProcess::receive(Clock::time_point deadline) {
  buffer_.erase(0, std::exchange(frame_size_, 0));
  while (true) {
    if (Clock::now() >= deadline) return Heard::late;  // also where it never stops talking
    if (buffer_.size() >= frame_head_bytes) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < 4; ++i)
        size |= std::size_t{static_cast<unsigned char>(buffer_[i])} << (8 * i);
      if (size > frame_bytes_max) return Heard::gone;
      if (buffer_.size() >= frame_head_bytes + size) {
        kind_ = static_cast<FrameKind>(buffer_[4]);
        frame_size_ = frame_head_bytes + size;
        return Heard::frame;
      }
    }
    pollfd coming{link_, POLLIN, 0};
    const int ready = ::poll(&coming, 1, left_ms(deadline));
    if (ready == 0) return Heard::late;
    if (ready < 0) {
      if (errno == EINTR) continue;
      return Heard::gone;
    }
    char piece[frame_bytes_usual];
    const ssize_t got = ::recv(link_, piece, sizeof piece, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return Heard::gone;
    buffer_.append(piece, static_cast<std::size_t>(got));
  }
}

bool SqlProcess::answer_scan(const ScanRecords& scan, const SqlAsk& ask,
                             Clock::time_point deadline) {
  FrameReader wish = parts();
  const std::uint64_t shard = wish.number();
  const Seq from = wish.number();
  Seq to = wish.number();
  if (!wish.good() || shard >= ask.shards) return false;
  if (!ask.ends.empty()) to = std::min(to, ask.ends[shard]);
  std::vector<std::pair<Offset, std::string>> piece;
  std::size_t bytes_copied = 0;
  Seq next = 0;
  bool more = false;
  const Status read =
      scan(ShardId{static_cast<std::uint16_t>(shard)}, from, to,
           [&](Offset offset, std::string_view bytes) {
             const Seq first_seq = first_seq_of(bytes);  // 0 of a claim
             if (first_seq > to) return false;
             const bool full = piece.size() >= piece_records_max || bytes_copied > piece_bytes_max;
             if (full && first_seq > 0) {
               next = first_seq;
               more = true;
               return false;
             }
             bytes_copied += bytes.size();
             piece.emplace_back(offset, bytes);
             return true;
           });
  FrameWriter frame(read ? FrameKind::records : FrameKind::fault);
  if (!read) {
    frame.text(read.error().what);
  } else {
    frame.number(more ? 1 : 0);
    frame.number(next);
    for (const auto& [offset, bytes] : piece) {
      frame.number(offset);
      frame.text(bytes);
    }
  }
  return send(std::move(frame).finish(), deadline);
}

void SqlProcess::take_use(FrameReader& in) {
  const std::uint64_t memory = in.number(), cpu_seconds = in.number();
  fit_ = in.good() && memory <= memory_of_the_fit && cpu_seconds <= cpu_seconds_of_the_fit;
}

/// What it means that no end of the query came.
SqlRefused SqlProcess::ended(const SqlAsk& ask, Heard heard) {
  fit_ = false;
  bool ended_by_us = false;
  {
    const std::lock_guard lock(mutex_);
    ended_by_us = killed_;
  }
  // One that closes its side is about to end: how, is worth a moment.
  int status = 0;
  if (heard == Heard::gone && !ended_by_us) {
    const std::lock_guard lock(mutex_);
    for (int i = 0; pid_ > 0 && i < 100; ++i) {
      if (::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = 0;
      if (pid_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  reap();
  if (ended_by_us) return {Why::unavailable, "the daemon is ending"};
  const bool late = heard == Heard::late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
  if (late)
    return {Why::too_long, "it took longer than " + std::to_string(ask.limits.time_ms_max) +
                               " ms; ask for less, or for a shorter period"};
  tell_of_a_death(status);
  return {Why::failed,
          "the process that ran it died; it may have needed too much memory: ask for less"};
}

/// Rows to the sink; false: it wants no more.
bool SqlProcess::take_rows(const SqlSink& sink, std::size_t width, SqlSummary& summary) {
  FrameReader in = parts();
  SqlRow row;
  while (!in.at_end() && width > 0) {
    row.clear();
    for (std::size_t i = 0; i < width; ++i) row.push_back(in.cell());
    if (!in.good()) break;
    if (sink.row && !sink.row(row)) return false;
    ++summary.rows;
  }
  return true;
}

std::size_t SqlProcess::take_columns(const SqlSink& sink) const {
  FrameReader in = parts();
  std::vector<std::string> names;
  while (!in.at_end()) names.emplace_back(in.text());
  if (sink.columns) sink.columns(names);
  return names.size();
}

Result<SqlSummary, SqlRefused> SqlProcess::ask(const SqlAsk& ask, const ScanRecords& scan,
                                               const SqlSink& sink) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(ask.limits.time_ms_max) + grace;
  database_ = ask.database;
  if (!send(frame_of(ask), deadline)) {
    died_idle_ = true;
    return ended(ask, Heard::gone);
  }
  auto answer = hear(ask, scan, sink, deadline);
  buffer_ = {};
  frame_size_ = 0;
  return answer;
}

Result<SqlSummary, SqlRefused> SqlProcess::hear(const SqlAsk& ask, const ScanRecords& scan,
                                                const SqlSink& sink, Clock::time_point deadline) {
  SqlSummary summary;
  std::size_t width = 0;
  while (true) {
    if (const Heard heard = receive(deadline); heard != Heard::frame) return ended(ask, heard);
    FrameReader in = parts();
    switch (kind_) {
      case FrameKind::scan:
        if (!answer_scan(scan, ask, deadline)) return ended(ask, Heard::late);
        break;
      case FrameKind::columns:
        width = take_columns(sink);
        break;
      case FrameKind::rows:
        if (take_rows(sink, width, summary)) break;
        fit_ = false;  // it goes on with what nobody wants
        summary.truncated = true;
        return summary;
      case FrameKind::done:
        summary.truncated = in.number() != 0;
        summary.checkpoint = in.text();
        take_use(in);
        return summary;
      case FrameKind::refused: {
        const auto last = static_cast<std::uint64_t>(Why::damaged);
        const auto kind = static_cast<Why>(std::min(in.number(), last));
        std::string why(in.text());
        take_use(in);
        return SqlRefused{kind, std::move(why)};
      }
      default:
        return ended(ask, Heard::gone);
    }
  }
}

}  // namespace souk::analytics

#pragma once
/// A worker of the SQL door, as the daemon sees it: a process, and the socket to it.
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "projections/sql/sql_wire.h"

namespace souk::analytics {

/// Lifecycle: started, asked one query at a time, killed by its destructor, or with the thread that
///            started it.
/// Invariant: whatever the worker does or says, `ask` returns soon after the time of its query.
class SqlProcess {
 public:
  /// Errors: unavailable: the system makes no process or socket.
  static Result<std::unique_ptr<SqlProcess>, Fault> start(const std::filesystem::path& program,
                                                          const std::string& word);
  ~SqlProcess();
  SqlProcess(const SqlProcess&) = delete;
  SqlProcess& operator=(const SqlProcess&) = delete;

  /// Runs a query there. `scan` reads the journal, on this thread.
  /// Thread: one at a time.
  Result<SqlSummary, SqlRefused> ask(const SqlAsk& ask, const ScanRecords& scan,
                                     const SqlSink& sink);
  /// It may be asked again: its last query ended by itself, and left little behind.
  bool fit_for(const std::filesystem::path& database) const;
  /// It was dead before its query came.
  bool died_idle() const { return died_idle_; }
  /// Ends what runs there; `ask` then says unavailable. Thread: any.
  void kill();

 private:
  SqlProcess(int link, int pid) : link_(link), pid_(pid) {}
  using Time = std::chrono::steady_clock::time_point;
  enum class Heard { frame, late, gone };
  bool send(std::string_view bytes, Time deadline);
  Heard receive(Time deadline);
  /// Of the frame received last.
  FrameReader parts() const;
  Result<SqlSummary, SqlRefused> hear(const SqlAsk& ask, const ScanRecords& scan,
                                      const SqlSink& sink, Time deadline);
  bool answer_scan(const ScanRecords& scan, const SqlAsk& ask, Time deadline);
  std::size_t take_columns(const SqlSink& sink) const;
  bool take_rows(const SqlSink& sink, std::size_t width, SqlSummary& summary);
  void take_use(FrameReader& in);
  SqlRefused ended(const SqlAsk& ask, Heard heard);
  int reap();

  const int link_;
  std::mutex mutex_;
  int pid_;              // 0: it was waited for
  bool killed_ = false;  // by `kill`
  std::filesystem::path database_;
  bool fit_ = true;
  bool died_idle_ = false;
  std::string buffer_;  // received; the frame that is looked at begins it
  std::size_t frame_size_ = 0;
  FrameKind kind_{};
};

}  // namespace souk::analytics

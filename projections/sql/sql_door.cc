#include "projections/sql/sql_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "events/fault_log.h"
#include "projections/sql/sql_process.h"

namespace souk {
namespace {

using Why = SqlRefused::Kind;

/// A model in use commits several times in it.
constexpr std::chrono::milliseconds quiet{500};

SqlLimits within_bounds(SqlLimits limits) {
  limits.rows_max = std::min(limits.rows_max, sql_rows_max);
  limits.time_ms_max = std::clamp<std::int64_t>(limits.time_ms_max, 0, sql_time_ms_max);
  limits.memory_bytes_max = std::min(limits.memory_bytes_max, sql_memory_bytes_max);
  return limits;
}

}  // namespace

SqlDoor::SqlDoor(Journal& journal, std::uint32_t shards, Committed committed, Options options)
    : journal_(journal),
      shards_(shards),
      committed_(std::move(committed)),
      options_(std::move(options)) {}

SqlDoor::~SqlDoor() { stop(); }

void SqlDoor::stop() {
  std::vector<Process> idle;
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (const Process& process : busy_) process->kill();
  idle.swap(idle_);
}

bool SqlDoor::log_is_short(const std::filesystem::path& database) {
  std::error_code none;
  const auto size = std::filesystem::file_size(database.native() + "-wal", none);
  if (none) return true;
  const std::lock_guard lock(mutex_);
  log_bytes_ = std::min(log_bytes_, size);
  if (size - log_bytes_ <= options_.log_bytes_grown_max) {
    quiet_since_.reset();
    return true;
  }
  if (running_.load() > 0) return false;
  const auto now = std::chrono::steady_clock::now();
  if (!quiet_since_) quiet_since_ = now;
  if (now - *quiet_since_ < quiet) return false;
  log_bytes_ = size;  // no writer came: it does not grow either
  quiet_since_.reset();
  return true;
}

std::optional<SqlDoor::Turn> SqlDoor::enter(const std::filesystem::path& database) {
  if (!log_is_short(database)) return std::nullopt;
  if (running_.fetch_add(1) < sql_at_once_max) return Turn(*this);
  running_.fetch_sub(1);
  return std::nullopt;
}

SqlDoor::Process SqlDoor::start() {
  auto started = analytics::SqlProcess::start(options_.program, options_.word);
  // Whoever asks sets the rate.
  static FaultLog starts_fail("a worker of the SQL door cannot be started");
  if (started) {
    starts_fail.passed();
    return std::move(*started);
  }
  starts_fail.failed(fmt::format("why=\"{}\"", one_line(started.error().what)));
  return nullptr;
}

void SqlDoor::warm_up() {
  Process process = start();
  const std::lock_guard lock(mutex_);
  if (process && !stopped_) idle_.push_back(std::move(process));
}

/// One that may run a query over `database`; null: none can be started, or the door has stopped.
SqlDoor::Process SqlDoor::take(const std::filesystem::path& database) {
  Process process;
  std::vector<Process> unfit;  // of a copy that was since replaced; they end without the lock
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return nullptr;
    while (!process && !idle_.empty()) {
      (idle_.back()->fit_for(database) ? process : unfit.emplace_back()) = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!process) process = start();
  if (!process) return nullptr;
  const std::lock_guard lock(mutex_);
  if (stopped_) return nullptr;
  busy_.push_back(process);
  return process;
}

void SqlDoor::give_back(Process process, const std::filesystem::path& database) {
  const bool fit = process->fit_for(database);
  if (!fit) {
    // The next query finds one that is ready.
    Process next = start();
    const std::lock_guard lock(mutex_);
    std::erase(busy_, process);
    if (next && !stopped_) idle_.push_back(std::move(next));
    return;
  }
  const std::lock_guard lock(mutex_);
  std::erase(busy_, process);
  if (!stopped_) idle_.push_back(std::move(process));
}

Result<SqlSummary, SqlRefused> SqlDoor::stream(const Turn&, const std::filesystem::path& database,
                                               std::string_view sql, SqlLimits wished,
                                               const SqlSink& sink) {
  if (sql.size() > sql_text_bytes_max)
    return SqlRefused{Why::forbidden, "the statement is longer than " +
                                          std::to_string(sql_text_bytes_max) + " bytes"};
  analytics::SqlAsk ask{database, std::string(sql), within_bounds(wished), shards_, {}};
  if (committed_) {
    for (std::uint32_t shard = 0; shard < shards_; ++shard)
      ask.ends.push_back(committed_({static_cast<std::uint16_t>(shard)}));
  }
  const auto scan = [this](ShardId shard, Seq from, Seq, const Journal::Visit& visit) {
    return journal_.scan(shard, from, visit);
  };
  // One that died in its sleep is no answer, but only once.
  for (int tries = 0; tries < 2; ++tries) {
    Process process = take(database);
    if (!process) break;
    auto answer = process->ask(ask, scan, sink);
    const bool died_idle = process->died_idle();
    give_back(std::move(process), database);
    if (!died_idle) return answer;
  }
  return SqlRefused{Why::unavailable, "no process can be started for it; try again later"};
}

Result<SqlResult, SqlRefused> SqlDoor::run(const std::filesystem::path& database,
                                           std::string_view sql, SqlLimits limits) {
  const auto turn = enter(database);
  if (!turn) return SqlRefused{Why::busy, "other queries are running; try again in a moment"};
  SqlResult result;
  std::size_t bytes = 0;
  SqlSink sink;
  sink.columns = [&](const std::vector<std::string>& names) { result.columns = names; };
  sink.row = [&](const SqlRow& row) {
    for (const SqlCell& cell : row) {
      const auto* text = std::get_if<std::string>(&cell);
      bytes += sizeof cell + (text ? text->size() : 0);
    }
    if (bytes > sql_result_bytes_max) return false;
    result.table.push_back(row);
    return true;
  };
  const auto summary = stream(*turn, database, sql, limits, sink);
  if (!summary) return summary.error();
  static_cast<SqlSummary&>(result) = *summary;
  return result;
}

}  // namespace souk

#pragma once
/// The SQL door: one SELECT at a time over the documented tables, on one snapshot, with no way to
/// change, to hurt or to hold anything up. Statements run in processes of their own.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "events/journal/journal.h"
#include "events/result.h"
#include "projections/sql/sql.h"
#include "projections/sql/sql_worker.h"
#include "projections/sql/tables.h"

namespace souk {

namespace analytics {
class SqlProcess;
}

/// Limits: sql_text_bytes_max of SQL, one statement, 64 columns, texts up to 1 MiB;
///         sql_at_once_max queries.
/// Lifecycle: `stop` ends what runs and lets nothing more in; then the journal may go.
/// Thread: any.
class SqlDoor {
 public:
  /// Where the events of a shard end for an asker of now; none: where the journal ends.
  using Committed = std::function<Seq(ShardId)>;
  struct Options {
    /// What runs as a worker: this very program, also once its file was replaced.
    std::filesystem::path program = "/proc/self/exe";
    std::string word = sql_worker_word;
    /// SQLite's log begins anew only while nobody reads. Once it has grown by so much, the door
    /// stays shut until those inside have left, and long enough for the writer to notice.
    std::uintmax_t log_bytes_grown_max = 64 * 1024 * 1024;
  };

  /// A place among those that run at once; given back by its destructor, which may outlive no door.
  class Turn {
   public:
    explicit Turn(SqlDoor& door) : door_(&door) {}
    Turn(Turn&& other) noexcept : door_(std::exchange(other.door_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (door_) door_->running_.fetch_sub(1);
    }

   private:
    SqlDoor* door_;
  };

  /// `journal` outlives the door.
  SqlDoor(Journal& journal, std::uint32_t shards, Committed committed, Options options);
  SqlDoor(Journal& journal, std::uint32_t shards, Committed committed = {})
      : SqlDoor(journal, shards, std::move(committed), Options()) {}
  ~SqlDoor();
  SqlDoor(const SqlDoor&) = delete;
  SqlDoor& operator=(const SqlDoor&) = delete;

  /// None: sql_at_once_max others run, or the log of `database` must begin anew first.
  std::optional<Turn> enter(const std::filesystem::path& database);
  /// `database`: AnalyticsModel::database(). Rows that came before an error have gone to the sink.
  Result<SqlSummary, SqlRefused> stream(const Turn& turn, const std::filesystem::path& database,
                                        std::string_view sql, SqlLimits limits,
                                        const SqlSink& sink);
  /// As `stream`, into one result of at most sql_result_bytes_max; `busy` where no turn is free.
  Result<SqlResult, SqlRefused> run(const std::filesystem::path& database, std::string_view sql,
                                    SqlLimits limits = {});
  /// Starts a worker, so that the first query finds one.
  void warm_up();
  void stop();

 private:
  using Process = std::shared_ptr<analytics::SqlProcess>;
  Process take(const std::filesystem::path& database);
  void give_back(Process process, const std::filesystem::path& database);
  Process start();
  bool log_is_short(const std::filesystem::path& database);

  Journal& journal_;
  const std::uint32_t shards_;
  const Committed committed_;
  const Options options_;
  std::atomic<std::size_t> running_{0};
  std::mutex mutex_;
  std::vector<Process> idle_, busy_;
  std::uintmax_t log_bytes_ = 0;  // from where it may grow
  std::optional<std::chrono::steady_clock::time_point> quiet_since_;
  bool stopped_ = false;
};

}  // namespace souk

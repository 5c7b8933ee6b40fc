#pragma once
/// Threads that answer what read models are asked, off the I/O threads.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/api/edge/problem.h"
#include "gateway/http/server.h"

namespace souk {

/// What may take seconds has workers of its own, so that the rest does not wait for it: SQL, and
/// what operators ask of a runner, which may be comparing two copies just then.
enum class QueryLane : std::uint8_t { quick, sql, mend };
inline constexpr std::size_t query_lanes = 3;

/// `ready` (none: at once) is asked again and again until it says yes or `give_up` has come: then
/// `answer` runs, with whether it was ready.
struct QueryJob {
  std::uint64_t ticket = 0;
  QueryLane lane = QueryLane::quick;
  std::function<bool()> ready;
  std::chrono::steady_clock::time_point give_up;
  std::function<HttpResponse(bool ready)> answer;
  std::string_view cache_control = {};  // of its answer
};
struct QueryDone {
  std::uint64_t ticket = 0;
  HttpResponse response;
};

class QueryClient {
 public:
  virtual ~QueryClient() = default;
  /// Thread: a worker's; must not block.
  virtual void query_done(std::vector<QueryDone>&& done) = 0;
};

/// Those that wait for a position hold up nobody else.
/// Lifecycle: jobs are answered until `stop`; what is queued then is not. Clients live until then.
/// Limits: what is queued is bounded by the callers' tickets, and by `in_flight_max`.
class QueryWorkers {
 public:
  struct Options {
    std::string name;  // of the threads, as `top -H` shows it
    std::size_t threads = 1;
    std::size_t in_flight_max = SIZE_MAX;  // queued, waiting or being answered
    int niceness = 0;                      // of the threads; 19 gives way to everybody
  };
  explicit QueryWorkers(const Options& options);
  ~QueryWorkers();
  QueryWorkers(const QueryWorkers&) = delete;
  QueryWorkers& operator=(const QueryWorkers&) = delete;

  void stop();
  /// A place for one job; false: there is none. Thread: any.
  bool admit();
  /// REQUIRES: each was admitted. Thread: any.
  void enqueue(QueryClient& client, std::vector<QueryJob>&& jobs);

 private:
  struct Queued {
    QueryClient* client;
    QueryJob job;
  };
  void run();

  const std::size_t in_flight_max_;
  std::atomic<std::size_t> in_flight_{0};
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::deque<Queued> queue_;    // may run
  std::deque<Queued> waiting_;  // for a position
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace souk

#pragma once
/// Threads that answer what read models are asked, off the I/O threads.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "gateway/api_problem.h"
#include "gateway/http_server.h"

namespace souk {

/// `ready` (none: at once) is asked again and again until it says yes or `give_up` has come: then
/// `answer` runs, with whether it was ready.
struct QueryJob {
  std::uint64_t ticket = 0;
  std::function<bool()> ready;
  std::chrono::steady_clock::time_point give_up;
  std::function<HttpResponse(bool ready)> answer;
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
/// Limits: what is queued is bounded by the callers' tickets.
class QueryWorkers {
 public:
  explicit QueryWorkers(std::size_t threads);
  ~QueryWorkers();
  QueryWorkers(const QueryWorkers&) = delete;
  QueryWorkers& operator=(const QueryWorkers&) = delete;

  void stop();
  /// Thread: any.
  void enqueue(QueryClient& client, std::vector<QueryJob>&& jobs);

 private:
  struct Queued {
    QueryClient* client;
    QueryJob job;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::deque<Queued> queue_;    // may run
  std::deque<Queued> waiting_;  // for a position
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace souk

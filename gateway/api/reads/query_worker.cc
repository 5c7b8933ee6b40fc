#include "gateway/api/reads/query_worker.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "events/fault_log.h"
#include "gateway/api/edge/response.h"

namespace souk {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look_again{2};

HttpResponse answer_of(const QueryJob& job, bool ready) {
  try {
    auto response = job.answer(ready);
    response.cache_control = job.cache_control;
    return response;
  } catch (const std::exception& e) {
    static FaultLog failures("a query failed", FaultLog::Severity::error);
    failures.failed(fmt::format("why=\"{}\"", one_line(e.what())));
    return response_of(Problem{503, "unavailable", "the read model failed to answer", {}});
  }
}

}  // namespace

QueryWorkers::QueryWorkers(const Options& options) : in_flight_max_(options.in_flight_max) {
  for (std::size_t i = 0; i < options.threads; ++i)
    threads_.emplace_back([this, name = options.name, niceness = options.niceness] {
      ::pthread_setname_np(::pthread_self(), name.c_str());
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
      run();
    });
}

QueryWorkers::~QueryWorkers() { stop(); }

void QueryWorkers::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wakeup_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

bool QueryWorkers::admit() {
  if (in_flight_.fetch_add(1) < in_flight_max_) return true;
  in_flight_.fetch_sub(1);
  return false;
}

void QueryWorkers::enqueue(QueryClient& client, std::vector<QueryJob>&& jobs) {
  {
    const std::lock_guard lock(mutex_);
    for (auto& job : jobs) {
      auto& queue = job.ready ? waiting_ : queue_;
      queue.push_back({&client, std::move(job)});
    }
  }
  wakeup_.notify_all();
}

void QueryWorkers::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    bool ready = true;
    if (queue_.empty()) {
      // Looked at in turns; the queue comes first.
      for (std::size_t left = waiting_.size(); left > 0 && queue_.empty(); --left) {
        Queued one = std::move(waiting_.front());
        waiting_.pop_front();
        ready = one.job.ready();
        const bool over = SteadyClock::now() >= one.job.give_up;
        (ready || over ? queue_ : waiting_).push_back(std::move(one));
      }
    }
    if (queue_.empty()) {
      if (waiting_.empty())
        wakeup_.wait(lock);
      else
        wakeup_.wait_for(lock, look_again);
      continue;
    }
    Queued one = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    std::vector<QueryDone> done;
    done.push_back({one.job.ticket, answer_of(one.job, ready)});
    in_flight_.fetch_sub(1);
    one.client->query_done(std::move(done));
    lock.lock();
  }
}

}  // namespace souk

#pragma once
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "tools/souk/client/batch_sender.h"

namespace souk::cli {

/// Calls `work(sender, i)` for i in [0, count), each once, in ascending order of their beginnings,
/// on `connections` threads with a connection each. The first failure ends it all.
template <class Work>
Outcome<Done> in_parallel(const Url& url, std::size_t connections, std::size_t count,
                          const Work& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::optional<Failure> failure;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < std::min(connections, count); ++t)
    threads.emplace_back([&] {
      BatchSender sender(url);
      for (std::size_t i = next++; i < count && !failed; i = next++) {
        const Outcome<Done> done = work(sender, i);
        if (done) continue;
        const std::lock_guard lock(mutex);
        if (!failed.exchange(true)) failure = done.error();
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (failure) return *failure;
  return Done{};
}

}  // namespace souk::cli

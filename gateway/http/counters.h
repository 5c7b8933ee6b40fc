#pragma once
/// The numbers behind HttpStats.
#include <atomic>
#include <cstdint>

#include "gateway/http/server.h"

namespace souk {

/// Thread: one writes, any reads.
class HttpCounter {
 public:
  void add(std::uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t n) { add(~n + 1); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct HttpCounters {
  HttpCounter connections, accepted, requests, bytes_in, bytes_out, refused_connections, timeouts,
      bad_requests;

  HttpStats read() const {
    return {connections.value(), accepted.value(),    requests.value(),
            bytes_in.value(),    bytes_out.value(),   refused_connections.value(),
            timeouts.value(),    bad_requests.value()};
  }
};

}  // namespace souk

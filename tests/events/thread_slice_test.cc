#include "events/thread_slice.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <thread>

using namespace souk;

namespace {

struct Scheduling {
  std::uint32_t policy = 0;
  std::int32_t nice = 0;
  std::uint64_t slice_ns = 0;
};

/// Of the calling thread, from the kernel's struct sched_attr.
Scheduling scheduling() {
  std::array<unsigned char, 48> attr{};
  REQUIRE(::syscall(SYS_sched_getattr, 0, attr.data(), attr.size(), 0) == 0);
  Scheduling s;
  std::memcpy(&s.policy, attr.data() + 4, sizeof s.policy);
  std::memcpy(&s.nice, attr.data() + 16, sizeof s.nice);
  std::memcpy(&s.slice_ns, attr.data() + 24, sizeof s.slice_ns);
  return s;
}

}  // namespace

TEST_CASE(
    "a thread gets the shortest slice where the kernel knows slices, and nothing else changes") {
  Scheduling before, after;
  std::thread([&] {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 7);
    before = scheduling();
    short_time_slice();
    after = scheduling();
  }).join();
  CHECK(after.policy == before.policy);
  CHECK(after.nice == 7);
  CHECK(after.slice_ns == (before.slice_ns == 0 ? 0 : 100'000));  // 0: a kernel before 6.12
}

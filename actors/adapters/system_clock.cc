#include "actors/adapters/system_clock.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "events/result.h"

namespace souk {

UnixMs SystemClock::wall_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
}

SystemClock::SystemClock(UnixMs floor) : SystemClock(floor, wall_now(), Steady::now()) {}

SystemClock::SystemClock(UnixMs floor, UnixMs wall, Steady::time_point steady)
    : start_(std::max(floor, wall)), steady_start_(steady) {}

UnixMs SystemClock::at(Steady::time_point steady) const {
  return start_.plus_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(steady - steady_start_).count());
}

SystemRandomness::SystemRandomness() { SOUK_ASSERT(sodium_init() >= 0); }

void SystemRandomness::fill(void* bytes, std::size_t count) {
  struct Buffer {
    std::array<unsigned char, 4096> bytes{};
    std::size_t used = 4096;
  };
  thread_local Buffer buffer;
  auto* to = static_cast<unsigned char*>(bytes);
  if (count > buffer.bytes.size() / 4) {
    randombytes_buf(to, count);
    return;
  }
  if (buffer.bytes.size() - buffer.used < count) {
    randombytes_buf(buffer.bytes.data(), buffer.bytes.size());
    buffer.used = 0;
  }
  std::memcpy(to, buffer.bytes.data() + buffer.used, count);
  buffer.used += count;
}

}  // namespace souk

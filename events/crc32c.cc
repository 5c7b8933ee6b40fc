#include "events/crc32c.h"

#include <boost/crc.hpp>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace souk {
namespace {

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint64_t extend(std::uint64_t crc, std::string_view bytes) {
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  for (; left > 0; ++p, --left) {
    crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), static_cast<std::uint8_t>(*p));
  }
  return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view head, std::string_view body) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) {
    return ~static_cast<std::uint32_t>(extend(extend(0xFFFFFFFFU, head), body));
  }
#endif
  return crc32c_portable(head, body);
}

std::uint32_t crc32c_portable(std::string_view head, std::string_view body) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(head.data(), head.size());
  crc.process_bytes(body.data(), body.size());
  return crc.checksum();
}

}  // namespace souk

#pragma once
#include <cstdint>
#include <string_view>

namespace souk {

/// CRC-32C (Castagnoli) of `head` followed by `body`. Uses the processor's instruction where it has
/// one.
std::uint32_t crc32c(std::string_view head, std::string_view body = {});

/// The same without the processor's instruction.
std::uint32_t crc32c_portable(std::string_view head, std::string_view body = {});

}  // namespace souk

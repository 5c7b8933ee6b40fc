#include "projections/runner/seal.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "events/crc32c.h"

namespace souk {
namespace {

std::string text_of(const Seal& seal) {
  return fmt::format("{:x} {:x} {:x}", seal.place, seal.digest, seal.took_ms);
}

}  // namespace

std::filesystem::path seal_file(const std::filesystem::path& folder, std::uint64_t generation) {
  return folder / fmt::format("{:06}.seal", generation);
}

std::optional<Seal> read_seal(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return std::nullopt;
  std::ifstream in(file);
  Seal seal;
  std::uint32_t check = 0;
  in >> std::hex >> seal.place >> seal.digest >> seal.took_ms >> check;
  if (!in || check != crc32c(text_of(seal))) return std::nullopt;
  return seal;
}

Status write_seal(const std::filesystem::path& file, const Seal& seal) {
  const std::filesystem::path next = file.string() + ".next";
  std::ofstream out(next);
  out << text_of(seal) << fmt::format(" {:x}\n", crc32c(text_of(seal)));
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(next, file, error);
  if (out && !error) return Done{};
  return Fault{Fault::Kind::unavailable, file.string() + ": cannot be written"};
}

}  // namespace souk

#include "projections/runner/generations.h"

#include <fmt/format.h>

#include <fstream>

namespace souk {
namespace {
namespace fs = std::filesystem;
constexpr const char* current_name = "CURRENT";
}  // namespace

std::uint64_t current_generation(const fs::path& folder) {
  std::ifstream in(folder / current_name);
  std::uint64_t generation = 0;
  in >> generation;
  return in ? generation : 0;
}

Status make_current(const fs::path& folder, std::uint64_t generation) {
  const fs::path file = folder / current_name;
  const fs::path next = file.string() + ".next";
  for (const auto& name : {file, next}) {
    std::error_code error;
    if (fs::is_directory(name, error)) fs::remove_all(name, error);  // nothing of ours
  }
  {
    std::ofstream out(next);
    out << generation << '\n';
    out.flush();
    if (!out) return Fault{Fault::Kind::unavailable, next.string() + ": cannot be written"};
  }
  std::error_code error;
  fs::rename(next, file, error);
  if (error) return Fault{Fault::Kind::unavailable, file.string() + ": " + error.message()};
  return Done{};
}

fs::path generation_folder(const fs::path& folder, std::uint64_t generation) {
  return folder / fmt::format("{:06}", generation);
}

}  // namespace souk

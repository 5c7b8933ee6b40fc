#pragma once
/// Which seeds a test runs, and which one an abort was of.
#include <chrono>
#include <cstdint>
#include <string>

namespace souk::simulation {

/// Of the environment.
std::uint64_t setting(const char* name, std::uint64_t otherwise);
/// The same all day long (UTC); each build has its own.
std::uint64_t first_seed_today();

/// While it lives nothing is logged, and an assertion that fails says which seed it was.
class SeedRunning {
 public:
  using HowToRepeat = std::string (*)(std::uint64_t seed);
  SeedRunning(std::uint64_t seed, HowToRepeat how);
  ~SeedRunning();
  SeedRunning(const SeedRunning&) = delete;

 private:
  void (*before_)(int);
};

}  // namespace souk::simulation

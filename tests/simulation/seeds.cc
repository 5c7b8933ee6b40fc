#include "tests/simulation/seeds.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace souk::simulation {
namespace {

constexpr std::uint64_t seeds_a_day = 1000;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t seeds_of_this_build = 500;
#else
constexpr std::uint64_t seeds_of_this_build = 0;
#endif

volatile std::uint64_t seed_running = 0;
SeedRunning::HowToRepeat how_to_repeat_it = nullptr;

/// An assertion of the engine ends the process: say which run it was.
extern "C" void say_seed_and_die(int) {
  char text[160];
  const int size = std::snprintf(
      text, sizeof text, "simulation: seed %llu aborted; repeat with: %s\n",
      static_cast<unsigned long long>(seed_running), how_to_repeat_it(seed_running).c_str());
  (void)!::write(STDERR_FILENO, text, static_cast<std::size_t>(size));
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

}  // namespace

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::uint64_t first_seed_today() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto days = std::chrono::duration_cast<std::chrono::days>(now).count();
  return static_cast<std::uint64_t>(days) * seeds_a_day + seeds_of_this_build;
}

SeedRunning::SeedRunning(std::uint64_t seed, HowToRepeat how) {
  const char* level = std::getenv("SOUK_SIMULATION_LOG");  // debug, info, ...: nothing otherwise
  spdlog::set_level(level ? spdlog::level::from_str(level) : spdlog::level::off);
  seed_running = seed;
  how_to_repeat_it = how;
  before_ = std::signal(SIGABRT, say_seed_and_die);
}

SeedRunning::~SeedRunning() { std::signal(SIGABRT, before_); }

}  // namespace souk::simulation

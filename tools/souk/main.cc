#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "tools/souk/cli/command_line.h"
#include "tools/souk/verbs/verbs.h"

int main(int argc, char** argv) {
  // What a store warns of goes to stderr: stdout is for answers, of --json for nothing else.
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("souk", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  return souk::cli::run_command_line(argc, argv, souk::cli::all_verbs());
}

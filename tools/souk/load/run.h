#pragma once
/// Drives a mix over many connections from one thread and measures it.
#include <map>
#include <vector>

#include "tools/souk/load/histogram.h"
#include "tools/souk/load/mix.h"

namespace souk::cli {

struct LoadOptions {
  Wire wire = Wire::http;
  std::size_t connections = 64;
  std::size_t batch = 1;  // commands per request
  double seconds = 5;
  double rate = 0;             // commands per second; 0: closed loop, as fast as answers come
  std::uint64_t commands = 0;  // stop after so many; 0: none
};

struct LoadReport {
  double seconds = 0;
  std::uint64_t commands = 0;              // answered
  Histogram latency;                       // per request; in an open loop from when it was due
  std::map<int, std::uint64_t> by_status;  // of commands; 0: no answer
  std::vector<LoadCommand> lost;           // without an answer
  std::vector<std::string> faults;         // why, the first few
};

/// Errors: unreachable, where no connection can be made at the start.
Outcome<LoadReport> run_load(const LoadOptions& options, const Url& url, Mix& mix);

}  // namespace souk::cli

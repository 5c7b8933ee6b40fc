#pragma once
/// With SOUK_SIMULATION_TRACE set, a run tells what happens, and what its journal holds at the end.
#include <string>

#include "tests/simulation/disk.h"

namespace souk::simulation {

bool tracing();
/// One line on stderr, with the world's time before it; nothing unless tracing().
void trace(const World& world, const std::string& line);
void trace_records(const SimJournal::Records& records);

}  // namespace souk::simulation

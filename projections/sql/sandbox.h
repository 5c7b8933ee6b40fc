#pragma once
/// What a worker of the SQL door takes from itself, so that a statement that breaks SQLite finds
/// nothing to break further.
#include <cstddef>
#include <filesystem>

namespace souk::analytics {

/// At the start: no core files, no files made longer, few descriptors, a bound for the CPU time of
/// the whole life, and the end when the daemon ends.
void begin_small();

/// Before the first statement, and once: gives way to other processes; of files only those beside
/// `database` can be opened, and none written but SQLite's shared memory; no sockets, processes or
/// programs. Where the kernel lacks Landlock or seccomp, or a sanitizer needs more, what it lacks
/// is left out.
void confine(const std::filesystem::path& database);

/// Address space for `bytes` more than the process had at the first call, which is before
/// `confine`.
void bound_memory(std::size_t bytes);

}  // namespace souk::analytics

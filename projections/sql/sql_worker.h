#pragma once
/// The process in which strangers' SQL runs: one statement after the other, for one daemon.
namespace souk {

/// The word that makes a program a worker: `PROGRAM --sql-worker`, with a socket as its input.
inline constexpr const char* sql_worker_word = "--sql-worker";

/// Serves the socket at descriptor 0 until the other side closes it; the process's exit code.
/// REQUIRES: called at once by main, before any thread.
int sql_worker_main();

}  // namespace souk

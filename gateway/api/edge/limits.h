#pragma once
/// The limits of the edge. What customers may say is in events/limits.h.
#include <cstddef>
#include <cstdint>

namespace souk::limits {
inline constexpr std::size_t command_body_bytes_max = 1024 * 1024;
inline constexpr std::size_t batch_body_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t batch_commands_max = 100'000;
inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::size_t country_bytes_max = 64;
inline constexpr std::size_t user_orders_page_default = 20;

/// From a request to its answer, also of each command of a batch; then it is answered 503
/// `unavailable`: it may or may not have happened. A net below what has shorter limits of its own
/// (`wait=final` 5 s, a position 2 s, SQL 5 s and its turn): it catches what hangs.
inline constexpr std::int64_t answer_ms_max = 15'000;
inline constexpr std::int64_t question_ms_max = 60'000;  // to read models, and orders to them
inline constexpr std::int64_t overdue_look_ms = 500;     // how often the table is looked through

// Per I/O thread.
inline constexpr std::size_t tickets_max = 16'384;          // requests that wait for an answer
inline constexpr std::size_t batch_tickets_max = 8'192;     // of these, for commands of batches
inline constexpr std::size_t batch_in_flight_max = 1'024;   // of one batch
inline constexpr std::size_t batches_max = 32;              // at a time; more are told to come back
inline constexpr std::size_t batch_lines_per_turn = 2'048;  // read before others get their turn
/// SQL that runs, each up to SqlLimits::time_ms_max, and that waits a moment for a turn: threads
/// for sql_at_once_max and one for those that wait. More are told to come back.
inline constexpr std::size_t sql_threads = 5;
inline constexpr std::size_t sql_in_flight_max = 8;
inline constexpr std::size_t mending_in_flight_max = 8;  // pause, rebuild and the like
/// Bodies and answers of all batches; beyond it answers leave their bodies out and say so.
inline constexpr std::size_t batch_bytes_max_in_all = 256 * 1024 * 1024;
}  // namespace souk::limits

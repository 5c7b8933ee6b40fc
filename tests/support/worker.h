#pragma once
/// A test program that includes this can be a worker of the SQL door's, as soukd can.
#include "projections/sql/sql_worker.h"

namespace souk::test {

/// What main runs where sql_worker_word is all that was said; null: nothing.
extern int (*worker_main)();
inline const bool can_be_a_worker = (worker_main = sql_worker_main) != nullptr;

}  // namespace souk::test

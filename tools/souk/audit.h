#pragma once
/// The audit behind `souk verify`: reads a stopped data directory and checks what Souk promises of
/// it, from the log alone where that is possible.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "events/result.h"

namespace souk::cli {

struct Violation {
  std::string promise;   // P1, P2, P3, P6, money
  std::string entity;    // as a person reads it; "shard 12" where it is the log itself
  std::string position;  // shard:seq, or the shard
  std::string what;
};

struct AuditReport {
  std::uint64_t shards = 0, records = 0, transactions = 0, events = 0, entities = 0, orders = 0,
                skus = 0, stored_states = 0, ignored_records = 0;
  std::uint64_t violations_found = 0;  // all; `violations` keeps the first
  std::vector<Violation> violations;
};
inline constexpr std::size_t violations_kept_max = 1'000;

/// `progress` is called after each shard (done, of). Errors: locked (a daemon runs), mismatch (no
/// data directory), unavailable, unsupported. Wrong bytes are violations, not errors.
Result<AuditReport, Fault> audit(const std::string& data_dir,
                                 const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace souk::cli

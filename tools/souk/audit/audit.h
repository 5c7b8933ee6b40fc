#pragma once
/// The audit behind `souk verify`: reads a stopped data directory and checks what Souk promises of
/// it, from the log alone where that is possible.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/journal/journal.h"
#include "events/result.h"
#include "projections/projection.h"

namespace souk::cli {

struct Violation {
  std::string promise;   // P1, P2, P3, P5, P6, money, keys
  std::string entity;    // as a person reads it; "shard 12" where it is the log itself
  std::string position;  // shard:seq, the shard, or how many events a read model knows
  std::string what;
};

/// How one read model stands.
struct ReadModelReport {
  std::string name;
  std::uint64_t events = 0;           // that it knows, of all shards
  std::uint64_t lag_events = 0;       // that the log has beyond these: no violation
  std::uint64_t stale_entities = 0;   // quarantined: compared as they were before that
  std::uint64_t held_events = 0;      // of these entities: not compared
  std::uint64_t left_out_events = 0;  // that the model cannot take, and whose entity is not stale
  std::string not_compared;           // why; empty: it was compared
};

struct AuditReport {
  std::uint64_t shards = 0, records = 0, transactions = 0, events = 0, entities = 0, orders = 0,
                skus = 0, stored_states = 0, ignored_records = 0;
  std::vector<ReadModelReport> read_models;
  std::uint64_t accounts = 0;          // of the provider
  std::uint64_t other_accounts = 0;    // of these: of orders that this log does not have
  std::string money_not_compared;      // why; empty: it was
  std::uint64_t violations_found = 0;  // all; `violations` keeps the first
  std::vector<Violation> violations;
};
inline constexpr std::size_t violations_kept_max = 1'000;

/// Is told how far an audit is.
class AuditWatch {
 public:
  virtual ~AuditWatch() = default;
  /// `total` of `things` are now gone through: shards of the log, events of a read model.
  virtual void begin(const std::string& phase, const std::string& things, std::uint64_t total) = 0;
  virtual void add(std::uint64_t done) = 0;
};

/// `kinds`: the read models to compare with the fold of the log, where the directory has them;
/// each is copied and folded anew in a temporary folder, so the directory stays as it is.
/// `provider_dir`: the ledger of a provider outside, for a directory whose payments are on record there; none:
/// the money is not compared then. Others may pay there too, so its other accounts are only counted.
/// Errors: locked (a daemon runs), mismatch (no data directory, or stores that do not belong
///         together), corrupt (one that cannot be opened at all), full, unavailable, unsupported.
///         Wrong bytes within them are violations, not errors.
Result<AuditReport, Fault> audit(const std::string& data_dir,
                                 const std::vector<ProjectionKind>& kinds, AuditWatch& watch,
                                 const std::optional<std::string>& provider_dir = std::nullopt);

/// What a log says of itself, without a data directory: P1, P2 and P3. Goes through the log of each
/// of `which` twice, by Journal::scan and then by Journal::read, and holds the entities of one shard
/// at a time.
/// `shards`: of the log. Where `which` leaves some out, what concerns pieces of all shards is not
/// compared. Errors: unavailable; what is wrong with the log is a violation.
Result<AuditReport, Fault> audit_log(Journal& journal, std::uint32_t shards,
                                     const std::vector<ShardId>& which, AuditWatch& watch);

}  // namespace souk::cli

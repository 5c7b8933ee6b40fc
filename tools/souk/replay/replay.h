#pragma once
/// Reads the logs of shards from their beginning, one shard after the other, and counts what counts,
/// writes it out, or holds it against what Souk promises. Memory does not grow with the log, but for
/// the audit's entities of one shard.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "events/event.h"
#include "events/log_fold.h"
#include "tools/souk/audit/audit.h"
#include "tools/souk/replay/log_source.h"

namespace souk::cli {

inline constexpr std::size_t event_types = std::variant_size_v<Payload>;

/// What was found in the log of a shard, or of all.
struct ReplayCounts {
  static constexpr std::size_t types = static_cast<std::size_t>(BatchType::chunk) + 1;
  static constexpr std::size_t skips = static_cast<std::size_t>(Skip::part_out_of_place) + 1;
  std::array<std::uint64_t, types> counted = {};  // records that count, by BatchType
  std::array<std::uint64_t, skips> skipped = {};  // records that do not, by Skip

  std::uint64_t transactions = 0;  // with an event that was selected
  std::uint64_t events = 0;        // that were selected
  std::array<std::uint64_t, event_types> by_type = {};
  std::optional<UnixMs> first;  // of the times of these transactions, the earliest
  std::optional<UnixMs> last;

  std::uint64_t counted_as(BatchType type) const { return counted[static_cast<std::size_t>(type)]; }
  std::uint64_t all_skipped() const;
  std::uint64_t records() const;  // that were read
  void add(const ReplayCounts& more);
};

struct ReplayShard {
  ShardId shard;
  ReplayCounts counts;
  Seq last_seq = 0;
  std::optional<Fault> broken;  // where the log could not be read on
};

struct Replayed {
  std::vector<ReplayShard> shards;
  ReplayCounts all;
  std::optional<AuditReport> audit;  // where it was asked for
  bool sound() const;
};

struct ReplayOrder {
  std::vector<ShardId> shards;          // in this order
  std::vector<std::size_t> types = {};  // Payload::index(); empty: all
  bool verifies = false;
  /// Takes each event that is selected as a line of append_event_line, with the line's end. False:
  /// it takes no more, and the replay ends. Nothing: no lines are made.
  std::function<bool(std::string_view lines)> lines = {};
};

/// Is told how far it is.
class ReplayWatch {
 public:
  virtual ~ReplayWatch() = default;
  virtual void begin(std::uint64_t records) = 0;
  virtual void read(std::uint64_t records, std::uint64_t events) = 0;
};

/// Errors: unavailable, unsupported, or what else stops it all. A log that is broken is none: what
/// stands before is counted, its shard says why, and the next is read.
Result<Replayed, Fault> replay(LogSource& source, const ReplayOrder& order, ReplayWatch& watch);

}  // namespace souk::cli

#pragma once
/// Which records of a shard's log count: the one rule by which the owner, its recovery, read
/// models, SQL, `souk verify` and the audit read a log. Pure: no disk, no clock, no log line.
///
/// A log that is shared may hold records of owners that were already deposed, repeats, and parts of
/// records that were never finished. The order of the records decides:
///
///   R0  an offset that was folded is skipped; a hole in the offsets is a fault.
///   R1  a claim counts if its epoch is higher; it names the owner: (epoch, incarnation).
///   R2  a transfer counts if the owner wrote it and it raises the epoch; it names the next owner.
///   R3  events and no-ops count if the owner wrote them and they begin at the next sequence
///       number; what counts and does not continue the chain is a fault. A part counts likewise;
///       the whole counts with its last part.
///
/// Anything else is skipped, with a reason. Until the first claim or transfer counts, the rules are
/// those of a log with one writer (LogRules::local): keys are no offsets, an owner needs no claim -
/// a record of a higher epoch names it -, and a hole in the sequence numbers is a fault.
///
/// Source: design/log-protocol.md, section 4; a model check showed these rules to be enough.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/batch.h"
#include "events/ids.h"
#include "events/result.h"

namespace souk {

enum class LogRules : std::uint8_t { local = 0, claims = 1 };  // stored

/// The parts of a record that is not whole yet. `next` 0: there is none.
struct PartialRecord {
  std::uint32_t next = 0;
  std::uint32_t parts = 0;
  std::uint32_t count = 0;
  std::uint64_t chain = 0;
  std::string payload;
  bool operator==(const PartialRecord&) const = default;
};

/// Where a reader of the log stands. A reader that is restarted with the state that it saved goes
/// on as if it had not stopped, also within the parts of a record.
struct FoldState {
  LogRules rules = LogRules::local;
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  Seq seq = 0;            // of the last event that counted; the next is one more
  bool seq_known = true;  // false: a reader that joins; the next record of the owner says it
  std::optional<std::uint64_t> chain = 0;  // none: unknown, taken from the next record that counts
  Offset next_offset = 0;                  // LogRules::local: behind the last key that was folded
  PartialRecord partial = {};
  bool operator==(const FoldState&) const = default;
};
/// REQUIRES: seq_known.
std::string encode(const FoldState& state);
/// Errors: corrupt; unsupported (a newer version).
Result<FoldState, Fault> decode_fold_state(std::string_view bytes);

/// Why a record does not count.
enum class Skip : std::uint8_t {
  none,
  folded_before,      // R0
  lower_epoch,        // a claim or transfer that raises nothing, or a record of a former owner
  foreign,            // not of the owner
  out_of_sequence,    // of the owner, but a repeat, or behind one that was lost
  part_out_of_place,  // of a record whose parts before it are not there
};
std::string_view name_of(Skip skip);

struct Folded {
  enum class What : std::uint8_t {
    events,   // `payload` holds `header.count` events from `header.first_seq` on
    nothing,  // counts, and there is nothing to apply: a claim, a no-op, a part before the last
    skipped,
  };
  What what = What::nothing;
  Skip why = Skip::none;
  BatchHeader header;
  /// Of the record, or of all its parts.
  std::string_view payload() const { return whole.empty() ? part : whole; }

  std::string_view part;  // points into the bytes that were folded
  std::string whole;
};

/// Folds the record that stands at `offset`. After a fault `state` is what it was.
/// Errors: corrupt      the bytes are no record; a hole; a record that does not follow from the one
///                      before it.
///         unsupported  a newer version wrote it.
Result<Folded, Fault> fold(FoldState& state, Offset offset, std::string_view bytes);
/// The same of a record whose header was decoded before.
Result<Folded, Fault> fold(FoldState& state, Offset offset, const BatchHeader& header,
                           std::string_view payload);

}  // namespace souk

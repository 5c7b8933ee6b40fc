#include "events/journal/folded_log.h"

#include <fmt/format.h>

#include "events/limits.h"

namespace souk {
namespace {

Fault at_record(const Fault& fault, ShardId shard, Offset offset) {
  return {fault.kind,
          fmt::format("journal of shard {}, record at {}: {}", shard.value, offset, fault.what)};
}

}  // namespace

Status fold_log(Journal& journal, ShardId shard, FoldState& state, const VisitCounted& visit,
                FoldCounts* counts) {
  Status result = Done{};
  const auto one = [&](Offset offset, std::string_view bytes) -> Result<Visited, Fault> {
    FoldState next = state;
    const auto folded = fold(next, offset, bytes);
    if (!folded.ok()) return at_record(folded.error(), shard, offset);
    auto visited = Result<Visited, Fault>(Visited::go_on);
    if (folded->what == Folded::What::events) {
      const auto events = decode_transactions(folded->header, folded->payload());
      if (!events.ok()) return at_record(events.error(), shard, offset);
      visited = visit(folded->header, *events);
      if (!visited.ok() || *visited == Visited::stop_before) return visited;
      if (counts) ++counts->records;
    }
    if (counts && folded->what == Folded::What::skipped) ++counts->skipped;
    state = std::move(next);
    return visited;
  };
  const auto scanned =
      journal.scan(shard, state.seq + 1, [&](Offset offset, std::string_view bytes) {
        const auto visited = one(offset, bytes);
        if (!visited.ok()) result = visited.error();
        return visited.ok() && *visited == Visited::go_on;
      });
  if (!result.ok()) return result;
  return scanned;
}

FoldState joined_before(Seq from) {
  FoldState state;
  if (from <= limits::batch_events_max + 1) return state;
  state.seq = from - limits::batch_events_max - 1;
  state.seq_known = false;
  state.chain.reset();
  return state;
}

Status check_anchor(Journal& journal, ShardId shard, Seq seq, std::optional<std::uint64_t> chain,
                    const std::string& who) {
  if (seq == 0) return Done{};
  enum class Found { nothing, later, another, anchor } found = Found::nothing;
  Status result = Done{};
  const auto scanned = journal.scan(shard, seq, [&](Offset offset, std::string_view bytes) {
    const auto header = decode_batch_header(bytes);
    if (!header.ok()) {
      result = at_record(header.error(), shard, offset);
      return false;
    }
    if (header->type != BatchType::events && header->type != BatchType::chunk) return true;
    if (header->first_seq > seq) {
      if (found == Found::nothing) found = Found::later;
      return false;
    }
    const bool same = header->last_seq() == seq && (!chain || *chain == header->chain);
    found = same ? Found::anchor : Found::another;
    return !same;
  });
  if (!result.ok()) return result;
  if (!scanned.ok()) return scanned;
  if (found == Found::anchor) return Done{};
  const char* missing = found == Found::nothing ? "journal/ ends before it"
                        : found == Found::later ? "journal/ has a hole there"
                                                : "journal/ has other events there";
  return Fault{
      Fault::Kind::mismatch,
      fmt::format("{} knows event {} of shard {}, but {}: a newer file of journal/ was "
                  "deleted, cut or replaced, or one of the two folders is of another time. "
                  "Nothing was changed: put the missing files back, or restore the whole "
                  "data directory from one copy",
                  who, seq, shard.value, missing)};
}

}  // namespace souk

#include "events/journal/folded_log.h"

#include <fmt/format.h>

#include "events/limits.h"

namespace souk {
Fault at_record(const Fault& fault, ShardId shard, Offset offset) {
  return {fault.kind,
          fmt::format("journal of shard {}, record at {}: {}", shard.value, offset, fault.what)};
}

namespace {

using Walk = std::function<Status(const Journal::Visit& visit)>;

Status fold_all(const Walk& walk, ShardId shard, FoldState& state, const VisitCounted& visit,
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
      if (counts) counts->last = offset;
    }
    if (counts && folded->what == Folded::What::skipped) ++counts->skipped;
    state = std::move(next);
    return visited;
  };
  const auto walked = walk([&](Offset offset, std::string_view bytes) {
    const auto visited = one(offset, bytes);
    if (!visited.ok()) result = visited.error();
    return visited.ok() && *visited == Visited::go_on;
  });
  if (!result.ok()) return result;
  return walked;
}

}  // namespace

Status fold_log(Journal& journal, ShardId shard, FoldState& state, const VisitCounted& visit,
                FoldCounts* counts) {
  const Walk walk = [&](const Journal::Visit& each) {
    return state.next_offset > 0 ? journal.read(shard, state.next_offset, each)
                                 : journal.scan(shard, state.seq + 1, each);
  };
  return fold_all(walk, shard, state, visit, counts);
}

Status fold_log(const LogTail& tail, ShardId shard, FoldState& state, const VisitCounted& visit,
                FoldCounts* counts) {
  return fold_all([&](const Journal::Visit& each) { return tail(state.next_offset, each); }, shard,
                  state, visit, counts);
}

FoldState joined_before(Seq from) {
  FoldState state;
  if (from <= limits::batch_events_max + 1) return state;
  state.seq = from - limits::batch_events_max - 1;
  state.seq_known = false;
  state.chain.reset();
  return state;
}

namespace {

Result<Offset, Fault> anchor_in(const Walk& walk, ShardId shard, Seq seq,
                                std::optional<std::uint64_t> chain, const std::string& who) {
  enum class Found { nothing, later, another, anchor } found = Found::nothing;
  Offset where = 0;
  Status result = Done{};
  const auto walked = walk([&](Offset offset, std::string_view bytes) {
    const auto header = decode_batch_header(bytes);
    if (!header.ok()) {
      result = at_record(header.error(), shard, offset);
      return false;
    }
    if (header->count == 0 || header->last_seq() < seq) return true;
    if (header->first_seq > seq) {  // or one that does not count stands before it
      if (found == Found::nothing) found = Found::later;
      return found != Found::anchor;
    }
    const bool same = header->last_seq() == seq && (!chain || *chain == header->chain);
    found = same ? Found::anchor : Found::another;
    where = offset;
    // Of a record in parts the last one is meant.
    return !same || header->type == BatchType::chunk;
  });
  if (!result.ok()) return result.error();
  if (!walked.ok()) return walked.error();
  if (found == Found::anchor) return where;
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

}  // namespace

Status check_anchor(Journal& journal, ShardId shard, Seq seq, std::optional<std::uint64_t> chain,
                    const std::string& who) {
  if (seq == 0) return Done{};
  const auto found =
      anchor_in([&](const Journal::Visit& visit) { return journal.scan(shard, seq, visit); }, shard,
                seq, chain, who);
  return found.ok() ? Status(Done{}) : Status(found.error());
}

Result<Offset, Fault> find_anchor(const LogTail& tail, Offset from, ShardId shard, Seq seq,
                                  std::optional<std::uint64_t> chain, const std::string& who) {
  return anchor_in([&](const Journal::Visit& visit) { return tail(from, visit); }, shard, seq,
                   chain, who);
}

}  // namespace souk

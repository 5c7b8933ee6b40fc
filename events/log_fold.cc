#include "events/log_fold.h"

#include <cstring>

#include "events/log_records.h"

namespace souk {
namespace {

Fault corrupt(std::string what) { return {Fault::Kind::corrupt, std::move(what)}; }

Folded skipped(const BatchHeader& header, Skip why) {
  Folded folded;
  folded.what = Folded::What::skipped;
  folded.why = why;
  folded.header = header;
  return folded;
}

Folded nothing(const BatchHeader& header) {
  Folded folded;
  folded.header = header;
  return folded;
}

std::string range(std::uint64_t from, std::uint64_t to) {
  return std::to_string(from) + " to " + std::to_string(to);
}

/// R1.
Folded fold_claim(FoldState& state, const BatchHeader& header) {
  if (header.epoch <= state.epoch) return skipped(header, Skip::lower_epoch);
  state.rules = LogRules::claims;
  state.epoch = header.epoch;
  state.incarnation = header.incarnation;
  state.partial = {};
  return nothing(header);
}

/// R2.
Result<Folded, Fault> fold_transfer(FoldState& state, const BatchHeader& header,
                                    std::string_view payload) {
  const auto transfer = decode_transfer(header, payload);
  if (!transfer.ok()) return transfer.error();
  if (header.epoch != state.epoch || header.incarnation != state.incarnation)
    return skipped(header, header.epoch < state.epoch ? Skip::lower_epoch : Skip::foreign);
  if (transfer->to_epoch <= state.epoch) return skipped(header, Skip::lower_epoch);
  state.rules = LogRules::claims;
  state.epoch = transfer->to_epoch;
  state.incarnation = transfer->to_incarnation;
  state.partial = {};
  return nothing(header);
}

/// Why the owner's rule leaves out a record of events, a part or a no-op.
Result<Skip, Fault> look_at(const FoldState& state, const BatchHeader& header) {
  if (state.rules == LogRules::claims) {
    if (header.epoch < state.epoch) return Skip::lower_epoch;
    if (header.epoch != state.epoch || header.incarnation != state.incarnation)
      return Skip::foreign;
    return !state.seq_known || header.first_seq == state.seq + 1 ? Skip::none
                                                                 : Skip::out_of_sequence;
  }
  if (!state.seq_known) return header.epoch < state.epoch ? Skip::lower_epoch : Skip::none;
  if (header.first_seq <= state.seq) return Skip::out_of_sequence;
  if (header.epoch < state.epoch) return Skip::lower_epoch;
  if (header.first_seq != state.seq + 1)
    return corrupt("events " + range(state.seq + 1, header.first_seq - 1) + " are missing");
  return Skip::none;
}

/// Adopts the owner of a record that counts: news only under local rules.
void adopt_owner(FoldState& state, const BatchHeader& header) {
  state.epoch = header.epoch;
  state.incarnation = header.incarnation;
}

Result<Folded, Fault> fold_events(FoldState& state, const BatchHeader& header,
                                  std::string_view payload) {
  if (state.chain && chain_after(*state.chain, header.first_seq, payload) != header.chain)
    return corrupt("it does not follow from the record before it");
  adopt_owner(state, header);
  state.seq = header.last_seq();
  state.seq_known = true;
  state.chain = header.chain;
  state.partial = {};
  Folded folded;
  folded.what = Folded::What::events;
  folded.header = header;
  folded.part = payload;
  return folded;
}

Result<Folded, Fault> fold_noop(FoldState& state, const BatchHeader& header) {
  if (state.chain && *state.chain != header.chain)
    return corrupt("a no-op that does not follow from the record before it");
  adopt_owner(state, header);
  return nothing(header);
}

bool continues(const PartialRecord& partial, const BatchHeader& header, const Chunk& chunk) {
  return chunk.index != 0 && chunk.index == partial.next && chunk.parts == partial.parts &&
         header.count == partial.count && header.chain == partial.chain;
}

Result<Folded, Fault> fold_chunk(FoldState& state, const BatchHeader& header,
                                 std::string_view payload) {
  const auto chunk = decode_chunk(payload);
  if (!chunk.ok()) return chunk.error();
  PartialRecord& partial = state.partial;
  if (chunk->index == 0) {
    partial = {.next = 0,
               .parts = chunk->parts,
               .count = header.count,
               .chain = header.chain,
               .payload = {}};
  } else if (header.epoch != state.epoch || !continues(partial, header, *chunk)) {
    partial = {};
    return skipped(header, Skip::part_out_of_place);
  }
  adopt_owner(state, header);
  partial.payload += chunk->bytes;
  if (++partial.next < partial.parts) return nothing(header);
  std::string whole = std::move(partial.payload);
  auto folded = fold_events(state, header, whole);
  if (!folded.ok()) return folded;
  folded->part = {};
  folded->whole = std::move(whole);
  return folded;
}

Result<Folded, Fault> fold_at_its_place(FoldState& state, const BatchHeader& header,
                                        std::string_view payload) {
  if (header.type == BatchType::claim) return fold_claim(state, header);
  if (header.type == BatchType::transfer) return fold_transfer(state, header, payload);
  const auto skip = look_at(state, header);
  if (!skip.ok()) return skip.error();
  if (*skip != Skip::none) {
    if (header.type == BatchType::chunk && *skip == Skip::out_of_sequence) state.partial = {};
    return skipped(header, *skip);
  }
  if (header.type == BatchType::noop) return fold_noop(state, header);
  if (header.type == BatchType::chunk) return fold_chunk(state, header, payload);
  return fold_events(state, header, payload);
}

}  // namespace

std::string_view name_of(Skip skip) {
  switch (skip) {
    case Skip::none:
      return "none";
    case Skip::folded_before:
      return "folded before";
    case Skip::lower_epoch:
      return "lower epoch";
    case Skip::foreign:
      return "foreign";
    case Skip::out_of_sequence:
      return "out of sequence";
    case Skip::part_out_of_place:
      return "part out of place";
  }
  return "";
}

Result<Folded, Fault> fold(FoldState& state, Offset offset, const BatchHeader& header,
                           std::string_view payload) {
  if (state.rules == LogRules::claims) {
    if (offset < state.next_offset) return skipped(header, Skip::folded_before);
    if (offset > state.next_offset)
      return corrupt("records " + range(state.next_offset, offset - 1) + " are missing");
  }
  FoldState next = state;
  auto folded = fold_at_its_place(next, header, payload);
  if (!folded.ok()) return folded;
  next.next_offset = offset + 1;
  state = std::move(next);
  return folded;
}

Result<Folded, Fault> fold(FoldState& state, Offset offset, std::string_view bytes) {
  const auto header = decode_batch_header(bytes);
  if (!header.ok()) return header.error();
  return fold(state, offset, *header, record_payload(bytes));
}

// ---- stored ----

namespace {

constexpr std::uint8_t state_version = 1;

/// Little endian; embedded on disk: do not change, only add versions.
struct StoredFold {
  std::uint8_t version = state_version;
  std::uint8_t rules = 0;
  std::uint8_t knows_chain = 0;
  std::uint8_t reserved[5] = {};
  std::uint64_t epoch = 0, incarnation = 0, seq = 0, chain = 0, next_offset = 0;
  std::uint32_t next = 0, parts = 0;
  std::uint64_t count = 0, partial_chain = 0;
};
static_assert(sizeof(StoredFold) == 72);

}  // namespace

std::string encode(const FoldState& state) {
  SOUK_ASSERT(state.seq_known);
  StoredFold stored;
  stored.rules = static_cast<std::uint8_t>(state.rules);
  stored.knows_chain = state.chain ? 1 : 0;
  stored.epoch = state.epoch;
  stored.incarnation = state.incarnation;
  stored.seq = state.seq;
  stored.chain = state.chain.value_or(0);
  stored.next_offset = state.next_offset;
  stored.next = state.partial.next;
  stored.parts = state.partial.parts;
  stored.count = state.partial.count;
  stored.partial_chain = state.partial.chain;
  std::string bytes(reinterpret_cast<const char*>(&stored), sizeof stored);
  return bytes + state.partial.payload;
}

Result<FoldState, Fault> decode_fold_state(std::string_view bytes) {
  StoredFold stored;
  if (bytes.size() < sizeof stored) return corrupt("the place in the log: too short");
  std::memcpy(&stored, bytes.data(), sizeof stored);
  if (stored.version > state_version || stored.rules > 1)
    return Fault{Fault::Kind::unsupported,
                 "the place in the log: a version that this one does not know"};
  FoldState state;
  state.rules = static_cast<LogRules>(stored.rules);
  state.epoch = stored.epoch;
  state.incarnation = stored.incarnation;
  state.seq = stored.seq;
  state.chain = stored.knows_chain ? std::optional(stored.chain) : std::nullopt;
  state.next_offset = stored.next_offset;
  state.partial = {.next = stored.next,
                   .parts = stored.parts,
                   .count = static_cast<std::uint32_t>(stored.count),
                   .chain = stored.partial_chain,
                   .payload = std::string(bytes.substr(sizeof stored))};
  return state;
}

}  // namespace souk

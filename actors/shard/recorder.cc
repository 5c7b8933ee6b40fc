#include "actors/shard/recorder.h"

#include <algorithm>
#include <iterator>

#include "events/event_codec.h"
#include "events/log_records.h"

namespace souk {

void Recorder::record(const Cause& cause, std::vector<Event>&& events) {
  SOUK_ASSERT(!events.empty());
  const Transaction& t = pending_.emplace_back(Transaction{.at = clock_.now(),
                                                           .cause = cause.cause,
                                                           .correlation = cause.correlation,
                                                           .key_hash = cause.key_hash,
                                                           .request_hash = cause.request_hash,
                                                           .outcome = cause.outcome,
                                                           .events = std::move(events)});
  for (std::size_t i = 0; i < t.events.size(); ++i) replica_.apply(t, i);
  last_seq_ += t.events.size();
  SOUK_ASSERT(replica_.seq() == last_seq_);
}

void Recorder::cut(std::vector<Batch>& out) {
  std::size_t from = 0;
  while (from < pending_.size()) {
    const std::size_t to = record_end(pending_, from);
    if (from == 0 && to == pending_.size()) {
      cut_one(std::exchange(pending_, {}), out);
      break;
    }
    const auto begin = pending_.begin();
    cut_one({std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(from)),
             std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(to))},
            out);
    from = to;
  }
  pending_.clear();
  SOUK_ASSERT(cut_seq_ == last_seq_);
}

void Recorder::cut_one(std::vector<Transaction>&& transactions, std::vector<Batch>& out) {
  BatchHeader header{.epoch = epoch_,
                     .incarnation = incarnation_,
                     .first_seq = cut_seq_ + 1,
                     .at = clock_.newest(),
                     .chain = chain_};
  std::string bytes = encode_batch(header, transactions);
  chain_ = header.chain;
  cut_seq_ = header.last_seq();
  last_offset_ = place(bytes.size());
  out.push_back({.shard = replica_.id(),
                 .offset = last_offset_,
                 .first_seq = header.first_seq,
                 .last_seq = cut_seq_,
                 .epoch = epoch_,
                 .chain = chain_,
                 .bytes = std::move(bytes),
                 .transactions = std::move(transactions)});
}

Offset Recorder::place(std::size_t bytes) {
  const std::size_t payload = bytes - batch_header_bytes - batch_trailer_bytes;
  const bool whole = part_bytes_ == 0 || payload <= part_bytes_;
  next_offset_ += whole ? 1 : (payload + part_bytes_ - 1) / part_bytes_;
  return next_offset_ - 1;
}

Batch Recorder::noop() {
  std::string bytes = encode(Noop{epoch_, incarnation_, cut_seq_ + 1, chain_}, clock_.newest());
  return {.shard = replica_.id(),
          .offset = place(bytes.size()),
          .first_seq = cut_seq_ + 1,
          .last_seq = cut_seq_,
          .epoch = epoch_,
          .chain = chain_,
          .bytes = std::move(bytes)};
}

Batch Recorder::transfer(std::uint64_t to_incarnation, std::uint64_t to_node) {
  const Transfer transfer{epoch_, incarnation_, epoch_ + 1, to_incarnation, to_node};
  std::string bytes = encode(transfer, clock_.newest());
  const Offset offset = place(bytes.size());
  return {.shard = replica_.id(), .offset = offset, .epoch = epoch_, .bytes = std::move(bytes)};
}

void Recorder::begin() {
  pending_.clear();
  last_seq_ = cut_seq_ = replica_.seq();
  const FoldState& place = replica_.place();
  chain_ = place.chain.value_or(0);
  epoch_ = place.epoch;
  owner_ = place.incarnation;
  next_offset_ = place.next_offset;
  last_offset_ = replica_.anchor();
}

}  // namespace souk

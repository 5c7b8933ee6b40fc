#include "projections/sql/events_scan.h"

#include <algorithm>

#include "events/journal/folded_log.h"
#include "events/time.h"

namespace souk::analytics {
namespace {

// What a piece of the journal holds at most: its records are copied out of the scan.
constexpr std::size_t piece_records_max = 256;
constexpr std::size_t piece_bytes_max = 1024 * 1024;
constexpr std::uint32_t looks_apart = 256;  // events skipped between looks at the clock

}  // namespace

EventScan::Found EventScan::begin(EventFilter filter) {
  filter_ = std::move(filter);
  shards_.clear();
  transactions_.clear();
  end_shard();
  const EventFilter& f = filter_;
  if (f.nothing || f.seq_from > f.seq_to || f.shard_from > f.shard_to) return Found::end;
  for (std::uint32_t shard = source_.shards; shard-- > 0;) {
    if (shard < f.shard_from || shard > f.shard_to) continue;
    const auto holds = [&](const EntityKey& entity) {
      const auto id = entity.kind() == Kind::sku ? std::nullopt : Id128::from_bytes(entity.id());
      return (id ? id->shard() : shard_of(entity.id(), source_.shards)).value == shard;
    };
    if (f.by_entity && std::ranges::none_of(f.entities, holds)) continue;
    shards_.push_back(static_cast<std::uint16_t>(shard));
  }
  return find(false);
}

EventScan::Found EventScan::next() { return find(step()); }

const std::string& EventScan::at() {
  if (at_.empty()) at_ = to_rfc3339(transaction().at);
  return at_;
}

EventScan::Found EventScan::fail(const Fault& fault) {
  fault_ = fault;
  return Found::failed;
}

void EventScan::end_shard() {
  piece_.clear();
  record_ = 0;
  shard_ended_ = true;
}

/// Copies the next records of the shard.
Status EventScan::fetch() {
  end_shard();
  std::size_t bytes_copied = 0;
  return source_.scan(shard_, next_seq_, last_seq_, [&](Offset offset, std::string_view bytes) {
    const Seq first_seq = first_seq_of(bytes);  // 0 of a claim
    if (first_seq > last_seq_) return false;
    const bool full = piece_.size() >= piece_records_max || bytes_copied > piece_bytes_max;
    if (full && first_seq > 0) {
      next_seq_ = first_seq;
      shard_ended_ = false;
      return false;
    }
    bytes_copied += bytes.size();
    piece_.push_back({offset, std::string(bytes)});
    return true;
  });
}

/// Decodes the next record that may hold an event; `end` where the shard has none.
EventScan::Found EventScan::next_record() {
  while (true) {
    if (source_.watch.expired()) return Found::interrupted;
    if (record_ == piece_.size()) {
      if (shard_ended_) return Found::end;
      if (const Status read = fetch(); !read) return fail(read.error());
      if (piece_.empty()) return Found::end;
    }
    Record& record = piece_[record_++];
    const auto folded = fold(fold_, record.offset, record.bytes);
    if (!folded) return fail(folded.error());
    if (folded->what != Folded::What::events) continue;
    const BatchHeader& header = folded->header;
    if (static_cast<std::int64_t>(header.last_seq()) < filter_.seq_from) continue;
    // A batch is cut after its last transaction was stamped.
    if (!filter_.at_from.empty() && to_rfc3339(header.at) < filter_.at_from) continue;
    auto transactions = decode_transactions(header, folded->payload());
    if (!transactions) return fail(transactions.error());
    seq_ = header.first_seq;
    record.bytes = std::string();
    transactions_ = std::move(*transactions);
    transaction_ = index_ = 0;
    at_.clear();
    if (!transactions_.empty()) return Found::event;
  }
}

bool EventScan::wanted() const {
  if (static_cast<std::int64_t>(seq_) < filter_.seq_from) return false;
  if (filter_.type && event().payload.index() != *filter_.type) return false;
  return !filter_.by_entity ||
         std::ranges::find(filter_.entities, event().entity) != filter_.entities.end();
}

/// One event on within the batch; false at its end.
bool EventScan::step() {
  ++seq_;
  if (++index_ < transaction().events.size()) return true;
  index_ = 0;
  at_.clear();
  return ++transaction_ < transactions_.size();
}

/// From where it stands, itself included if `there`, to the next event that is wanted.
EventScan::Found EventScan::find(bool there) {
  while (true) {
    while (there) {
      if (seq_ > last_seq_) {
        end_shard();
        break;
      }
      if (wanted()) return Found::event;
      if (++skipped_ % looks_apart == 0 && source_.watch.expired()) return Found::interrupted;
      there = step();
    }
    const Found found = next_record();
    there = found == Found::event;
    if (there) continue;
    if (found != Found::end) return found;
    if (shards_.empty()) return Found::end;
    shard_ = {shards_.back()};
    shards_.pop_back();
    const Seq end =
        source_.ends.empty() ? std::numeric_limits<Seq>::max() : source_.ends[shard_.value];
    last_seq_ = std::min(end, static_cast<Seq>(filter_.seq_to));
    fold_ = joined_before(static_cast<Seq>(std::max<std::int64_t>(filter_.seq_from, 1)));
    next_seq_ = fold_.seq + 1;
    end_shard();
    shard_ended_ = filter_.seq_from > static_cast<std::int64_t>(last_seq_);
  }
}

}  // namespace souk::analytics

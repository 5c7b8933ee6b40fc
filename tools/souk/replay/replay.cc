#include "tools/souk/replay/replay.h"

#include <algorithm>
#include <numeric>

#include "events/event_json.h"
#include "events/journal/folded_log.h"

namespace souk::cli {
namespace {

constexpr std::size_t lines_bytes_max = 256 * 1024;

void add_time(ReplayCounts& counts, UnixMs at) {
  if (!counts.first || at < *counts.first) counts.first = at;
  if (!counts.last || *counts.last < at) counts.last = at;
}

template <std::size_t N>
void add_all(std::array<std::uint64_t, N>& to, const std::array<std::uint64_t, N>& more) {
  for (std::size_t i = 0; i < N; ++i) to[i] += more[i];
}

class UnseenAudit final : public AuditWatch {
 public:
  void begin(const std::string&, const std::string&, std::uint64_t) override {}
  void add(std::uint64_t) override {}
};

/// The journal of a source. Whoever scans a log of it, the audit or nobody else, lets it be counted
/// and written out on the way.
class Replay final : public Journal {
 public:
  Replay(LogSource& source, const ReplayOrder& order, ReplayWatch& watch)
      : order_(order), watch_(watch), journal_(source.journal()) {
    selected_.fill(order.types.empty());
    for (const std::size_t type : order.types) selected_[type] = true;
  }

  Result<Replayed, Fault> run(std::uint32_t shards) {
    if (order_.verifies) {
      UnseenAudit unseen;
      auto report = audit_log(*this, shards, order_.shards, unseen);
      if (!report.ok()) return report.error();
      done_.audit = std::move(*report);
    } else {
      for (const ShardId shard : order_.shards) {
        const Status read = scan(shard, 1, [](Offset, std::string_view) { return true; });
        if (read.ok()) continue;
        const auto kind = read.error().kind;
        if (kind != Fault::Kind::corrupt && kind != Fault::Kind::mismatch) return read.error();
        if (!of(shard).broken) of(shard).broken = read.error();
      }
    }
    write_out();
    for (const ReplayShard& shard : done_.shards) done_.all.add(shard.counts);
    return std::move(done_);
  }

  Status read(ShardId shard, Offset from, const Visit& visit) override {
    return journal_.read(shard, from, [&](Offset offset, std::string_view bytes) {
      watch_.read(++read_, events_);
      return visit(offset, bytes);
    });
  }
  Status scan(ShardId shard, Seq from, const Visit& visit) override {
    FoldState at;
    return journal_.scan(shard, from, [&](Offset offset, std::string_view bytes) {
      watch_.read(++read_, events_);
      if (!of(shard).broken)
        if (const Status s = take(shard, at, offset, bytes); !s.ok()) of(shard).broken = s.error();
      return visit(offset, bytes) && !ended_ && (order_.verifies || !of(shard).broken);
    });
  }

 private:
  Status take(ShardId id, FoldState& at, Offset offset, std::string_view bytes) {
    const auto folded = fold(at, offset, bytes);
    if (!folded.ok()) return at_record(folded.error(), id, offset);
    ReplayCounts& counts = of(id).counts;
    if (folded->what == Folded::What::skipped) {
      ++counts.skipped[static_cast<std::size_t>(folded->why)];
      return Done{};
    }
    if (folded->what == Folded::What::events) {
      const auto transactions = decode_transactions(folded->header, folded->payload());
      if (!transactions.ok()) return at_record(transactions.error(), id, offset);
      count(of(id), folded->header, *transactions);
    }
    ++counts.counted[static_cast<std::size_t>(folded->header.type)];
    return Done{};
  }
  void count(ReplayShard& shard, const BatchHeader& header,
             const std::vector<Transaction>& transactions) {
    shard.last_seq = header.last_seq();
    Seq seq = header.first_seq;
    for (const Transaction& transaction : transactions) {
      bool any = false;
      for (const Event& event : transaction.events) {
        const std::size_t type = event.payload.index();
        if (selected_[type]) {
          any = true;
          ++events_;
          ++shard.counts.events;
          ++shard.counts.by_type[type];
          if (order_.lines && !ended_) line(shard.shard, seq, transaction, event);
        }
        ++seq;
      }
      if (!any) continue;
      ++shard.counts.transactions;
      add_time(shard.counts, transaction.at);
    }
  }
  ReplayShard& of(ShardId id) {
    if (done_.shards.empty() || done_.shards.back().shard != id)
      done_.shards.push_back({.shard = id});
    return done_.shards.back();
  }
  void line(ShardId id, Seq seq, const Transaction& transaction, const Event& event) {
    append_event_line(lines_, id, seq, transaction, event, SealedMembers::base64);
    lines_ += '\n';
    if (lines_.size() >= lines_bytes_max) write_out();
  }
  void write_out() {
    if (!lines_.empty() && !ended_) ended_ = !order_.lines(lines_);
    lines_.clear();
  }

  const ReplayOrder& order_;
  ReplayWatch& watch_;
  Journal& journal_;
  std::array<bool, event_types> selected_ = {};
  Replayed done_;
  std::uint64_t read_ = 0;
  std::uint64_t events_ = 0;
  std::string lines_;
  bool ended_ = false;  // who takes the lines takes no more
};

}  // namespace

std::uint64_t ReplayCounts::all_skipped() const {
  return std::accumulate(skipped.begin(), skipped.end(), std::uint64_t{0});
}

std::uint64_t ReplayCounts::records() const {
  return std::accumulate(counted.begin(), counted.end(), all_skipped());
}

void ReplayCounts::add(const ReplayCounts& more) {
  add_all(counted, more.counted);
  add_all(skipped, more.skipped);
  add_all(by_type, more.by_type);
  transactions += more.transactions;
  events += more.events;
  if (more.first) add_time(*this, *more.first);
  if (more.last) add_time(*this, *more.last);
}

bool Replayed::sound() const {
  return std::ranges::none_of(shards, [](const ReplayShard& s) { return s.broken.has_value(); }) &&
         (!audit || audit->violations_found == 0);
}

Result<Replayed, Fault> replay(LogSource& source, const ReplayOrder& order, ReplayWatch& watch) {
  std::uint64_t records = 0;
  for (const ShardId shard : order.shards) {
    const auto of_shard = source.records(shard);
    if (!of_shard.ok()) return of_shard.error();
    records += *of_shard;
  }
  watch.begin(order.verifies ? 2 * records : records);  // the audit goes through it twice
  return Replay(source, order, watch).run(source.shards());
}

}  // namespace souk::cli

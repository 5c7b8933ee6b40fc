#include "tools/souk/audit/audit_read_model.h"

#include <fmt/format.h>

#include <exception>

#include "events/journal/folded_log.h"
#include "projections/runner/generations.h"
#include "projections/runner/ledger.h"
#include "tools/souk/load/scratch.h"

namespace souk::cli {
namespace {

namespace fs = std::filesystem;

/// So often the fold commits: what a model gathers in memory until then is bounded.
constexpr std::size_t commit_events = 50'000;

Fault interrupted() { return {Fault::Kind::unavailable, "interrupted"}; }

Status copy_folder(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to, error);
  for (fs::recursive_directory_iterator at(from, error), end; !error && at != end;
       at.increment(error)) {
    if (ScratchFolder::interrupted()) return interrupted();
    const fs::path target = to / fs::relative(at->path(), from);
    if (at->is_directory())
      fs::create_directories(target, error);
    else
      fs::copy_file(at->path(), target, error);
    if (error) break;
  }
  if (!error) return Done{};
  const bool full = error == std::errc::no_space_on_device;
  return Fault{full ? Fault::Kind::full : Fault::Kind::unavailable,
               fmt::format("{}: cannot be copied to {}: {}{}", from.string(), to.string(),
                           error.message(), full ? ": set TMPDIR to a place with room" : "")};
}

/// Folds the log into an empty model as far as a ledger says, and leaves out what that holds back.
/// It shares no code with the runner, whose work is judged.
class FreshFold {
 public:
  FreshFold(Projection& model, const Ledger& until, Journal& journal, AuditWatch& watch,
            ReadModelReport& report)
      : model_(model), until_(until), journal_(journal), watch_(watch), report_(report) {}

  Status run() {
    for (std::uint16_t s = 0; s < until_.shards.size(); ++s)
      if (auto status = shard({s}, until_.shards[s].seq); !status.ok()) return status;
    return model_.commit("the fold of souk verify");
  }

 private:
  Status shard(ShardId id, Seq to) {
    if (to == 0) return Done{};
    FoldState at;
    const auto folded = fold_log(
        journal_, id, at,
        [&](const BatchHeader& header,
            const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
          Seq seq = header.first_seq;
          for (const Transaction& t : transactions)
            for (std::size_t i = 0; i < t.events.size() && seq <= to; ++i, ++seq)
              if (auto s = give({.shard = id, .seq = seq, .transaction = t, .index = i}); !s.ok())
                return s.error();
          if (auto s = after(header.count); !s.ok()) return s.error();
          return seq <= to ? Visited::go_on : Visited::stop;
        });
    if (!folded.ok()) return folded;
    const FoldState& stands = until_.shards[id.value];
    if (at.seq == to && stands.chain && at.chain != stands.chain)
      return Fault{
          Fault::Kind::corrupt,
          fmt::format("it was made of other events than the log of shard {} has", id.value)};
    return Done{};
  }

  Status give(const EventAt& event) {
    const auto stale = until_.stale.find(event.event().entity);
    if (stale != until_.stale.end() && event.seq >= stale->second.seq) {
      ++report_.held_events;
      return Done{};
    }
    try {
      if (!model_.apply(event).ok()) ++report_.left_out_events;
      return Done{};
    } catch (const std::exception& e) {
      return Fault{Fault::Kind::corrupt, fmt::format("the model fails at event {}:{}: {}",
                                                     event.shard.value, event.seq, e.what())};
    }
  }

  Status after(std::uint64_t events) {
    watch_.add(events);
    if (ScratchFolder::interrupted()) return interrupted();
    uncommitted_ += events;
    if (uncommitted_ < commit_events) return Done{};
    uncommitted_ = 0;
    return model_.commit("the fold of souk verify");
  }

  Projection& model_;
  const Ledger& until_;
  Journal& journal_;
  AuditWatch& watch_;
  ReadModelReport& report_;
  std::uint64_t uncommitted_ = 0;
};

/// What is wrong with the place where a model says that it stands; empty: nothing.
std::string misplaced(const Ledger& ledger, const std::vector<Seq>& last_seqs) {
  if (ledger.shards.size() != last_seqs.size())
    return fmt::format("it was made for {} shards, the log has {}", ledger.shards.size(),
                       last_seqs.size());
  for (std::size_t s = 0; s < last_seqs.size(); ++s)
    if (ledger.shards[s].seq > last_seqs[s])
      return fmt::format(
          "it is ahead of the log: it knows event {}:{}, the log of that shard ends "
          "at {}",
          s, ledger.shards[s].seq, last_seqs[s]);
  return {};
}

/// A fault that is the model's own is a violation; the disk's ends the audit.
bool is_violation(const Fault& fault) { return fault.kind == Fault::Kind::corrupt; }

}  // namespace

Result<ReadModelFinding, Fault> audit_read_model(const ProjectionKind& kind, const fs::path& folder,
                                                 Journal& journal,
                                                 const std::vector<Seq>& last_seqs,
                                                 const fs::path& scratch, AuditWatch& watch) {
  ReadModelFinding finding;
  ReadModelReport& report = finding.report;
  report.name = kind.name;
  const auto said = [&](std::string violation) {
    finding.violation = std::move(violation);
    return finding;
  };
  const std::uint64_t generation = current_generation(folder);
  if (generation == 0) {
    report.not_compared = "its first copy is not finished: the daemon builds it";
    return finding;
  }
  if (auto copied = copy_folder(generation_folder(folder, generation), scratch / "stored");
      !copied.ok())
    return copied.error();
  auto stored = kind.open(scratch / "stored");
  if (!stored && stored.error().kind == Fault::Kind::unsupported) {
    report.not_compared = "another version of the code made it: the daemon rebuilds it";
    return finding;
  }
  if (!stored && !is_violation(stored.error())) return stored.error();
  if (!stored) return said("it cannot be opened: " + stored.error().what);

  Ledger ledger(kind.version, static_cast<std::uint32_t>(last_seqs.size()));
  if (const std::string checkpoint = (*stored)->checkpoint(); !checkpoint.empty()) {
    auto decoded = decode_ledger(checkpoint);
    if (!decoded) return said(decoded.error().what);
    ledger = std::move(*decoded);
  }
  if (ledger.version != kind.version) {
    report.not_compared =
        fmt::format("version {} of the code made it, this is version {}: the daemon rebuilds it",
                    ledger.version, kind.version);
    return finding;
  }
  for (const auto& shard : ledger.shards) report.events += shard.seq;
  report.stale_entities = ledger.stale.size();
  if (std::string wrong = misplaced(ledger, last_seqs); !wrong.empty()) return said(wrong);
  for (std::size_t s = 0; s < last_seqs.size(); ++s)
    report.lag_events += last_seqs[s] - ledger.shards[s].seq;

  watch.begin(kind.name, "events", report.events);
  auto folded = kind.open(scratch / "folded");
  if (!folded) return folded.error();
  if (auto status = FreshFold(**folded, ledger, journal, watch, report).run(); !status.ok()) {
    if (is_violation(status.error())) return said(status.error().what);
    return status.error();
  }
  const auto expected = (*folded)->digest();
  if (!expected) return expected.error();
  const auto found = (*stored)->digest();
  if (!found && is_violation(found.error()))
    return said("it cannot be read: " + found.error().what);
  if (!found) return found.error();
  if (*found != *expected) return said("its content is not what the log makes of it");
  return finding;
}

}  // namespace souk::cli

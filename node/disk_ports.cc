#include "node/disk_ports.h"

#include <spdlog/spdlog.h>

namespace souk {
void MachineNodeClock::begin_at(UnixMs newest) {
  const UnixMs at = base_.now();
  if (newest <= at) return;
  spdlog::warn("the clock is behind the log, going on from there behind_ms={}",
               newest.value - at.value);
  ahead_ms_.store(newest.value - at.value, std::memory_order_relaxed);
}

Result<std::unique_ptr<DiskPorts>, Fault> DiskPorts::open(const DiskPortsOptions& options) {
  std::unique_ptr<DiskPorts> p(new DiskPorts(options.currency));
  auto stores = Stores::open(options.directory, options.shards, options.secret);
  if (!stores) return stores.error();
  p->stores_ = std::move(*stores);
  auto logs = GroupCommit::open(*p->stores_.journal, p->shards());
  if (!logs) return logs.error();
  p->logs_ = std::move(*logs);
  p->payments_ = std::make_unique<PaymentSimulator>(std::move(p->stores_.provider), p->clock_);
  p->scrubber_ = std::make_unique<Scrubber>(ScrubInTurn(
      {[journal = p->stores_.journal.get()](std::size_t bytes) { return journal->scrub(bytes); },
       [states = p->stores_.states.get()](std::size_t bytes) { return states->scrub(bytes); },
       [vault = p->stores_.vault.get()](std::size_t bytes) { return vault->scrub(bytes); },
       [&ledger = p->payments_->ledger()](std::size_t bytes) { return ledger.scrub(bytes); }}));
  return p;
}

std::vector<StoreTrouble> DiskPorts::troubles() const {
  using enum StoreTrouble::Costs;
  std::vector<StoreTrouble> all;
  if (!stores_.journal->damage().empty())
    all.push_back({"journal",
                   "the journal has a damaged block, the log says where: restore the data "
                   "directory from a copy",
                   nothing_yet});
  if (stores_.states->failing())
    all.push_back({"states",
                   "the disk of states takes no writes: memory grows, and the next start takes "
                   "longer",
                   nothing_yet});
  else if (stores_.states->damaged())
    all.push_back({"states",
                   "states have a damaged block: what it held is folded from the journal, and "
                   "the next start folds all anew",
                   nothing_yet});
  if (stores_.vault->failing())
    all.push_back({"keys",
                   "the disk of keys takes no writes: nobody can register, change an address or "
                   "be erased",
                   commands});
  else if (stores_.vault->damaged())
    all.push_back({"keys",
                   "the keys have a damaged block: what was sealed with them is shown as null; "
                   "restore the folder from a backup",
                   nothing_yet});
  if (payments_->failing())
    all.push_back(
        {"provider", "the disk of the payment provider takes no writes: nobody can pay", commands});
  else if (payments_->ledger().damaged())
    all.push_back({"provider",
                   "the payment provider has a damaged block, some payments cannot be read: "
                   "restore the folder from a backup",
                   nothing_yet});
  return all;
}

}  // namespace souk

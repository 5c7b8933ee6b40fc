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
  p->payments_ = std::make_unique<PaymentSimulator>(std::move(p->stores_.provider), p->clock_);
  p->scrubber_ = std::make_unique<Scrubber>(
      [journal = p->stores_.journal.get()](std::size_t bytes) { return journal->scrub(bytes); });
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
  if (payments_->failing())
    all.push_back(
        {"provider", "the disk of the payment provider takes no writes: nobody can pay", commands});
  return all;
}

}  // namespace souk

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

}  // namespace souk

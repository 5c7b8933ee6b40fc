#include "node/disk_ports.h"

#include <spdlog/spdlog.h>

namespace souk {
namespace {

template <class T>
Status take(Result<std::unique_ptr<T>, Fault>&& opened, std::unique_ptr<T>& into) {
  if (!opened.ok()) return opened.error();
  into = std::move(*opened);
  return Done{};
}

}  // namespace

void MachineNodeClock::begin_at(UnixMs newest) {
  const UnixMs at = base_.now();
  if (newest <= at) return;
  spdlog::warn("the clock is behind the log, going on from there behind_ms={}",
               newest.value - at.value);
  ahead_ms_.store(newest.value - at.value, std::memory_order_relaxed);
}

Result<std::unique_ptr<DiskPorts>, Fault> DiskPorts::open(const DiskPortsOptions& options) {
  std::unique_ptr<DiskPorts> p(new DiskPorts(options.currency));
  if (auto s = take(DataDirectory::open(options.directory, options.shards), p->directory_); !s.ok())
    return s.error();
  const DataDirectory& directory = *p->directory_;
  if (auto s = take(RocksDbJournal::open(directory.journal()), p->journal_); !s.ok())
    return s.error();
  if (auto s = take(RocksdbStateStore::open({.path = directory.states()}), p->states_); !s.ok())
    return s.error();
  if (auto s = take(SodiumVault::open({.path = directory.keys()}), p->vault_); !s.ok())
    return s.error();
  if (auto s = take(PaymentSimulator::open(directory.provider(), p->clock_), p->payments_); !s.ok())
    return s.error();
  return p;
}

}  // namespace souk

#include "actors/host/driven_host.h"

#include <caf/all.hpp>

namespace souk {

DrivenHost::DrivenHost(caf::actor_system& system, std::uint32_t index, HostCore* core,
                       HostPorts ports, std::function<void()> wake)
    : system_(system), wake_(std::move(wake)), actor_(system.spawn<caf::actor_companion>()) {
  state_.core = core;
  state_.ports = std::move(ports);
  auto* self = companion();
  self->on_enqueue([this](caf::mailbox_element_ptr message) { sent(std::move(message)); });
  self->become(driven_host_actor(self, index, state_));
}

DrivenHost::~DrivenHost() {
  caf::anon_send(actor_, EndMsg{});
  take_turns();
  companion()->on_enqueue({});
}

caf::actor_companion* DrivenHost::companion() const {
  return static_cast<caf::actor_companion*>(caf::actor_cast<caf::abstract_actor*>(actor_));
}

void DrivenHost::sent(caf::mailbox_element_ptr message) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = inbox_.empty();
    inbox_.push_back(std::move(message));
  }
  if (!first) return;
  something_.notify_one();
  if (!driven_here()) wake_();
}

void DrivenHost::take_turns() {
  driver_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  auto* self = companion();
  {
    const std::lock_guard lock(mutex_);
    taken_.swap(inbox_);
  }
  for (auto& message : taken_) self->activate(system_.dummy_execution_unit(), *message);
  taken_.clear();
  const std::lock_guard lock(mutex_);
  if (!inbox_.empty()) wake_();
}

void DrivenHost::wait(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  something_.wait_until(lock, until, [this] { return !inbox_.empty(); });
}

}  // namespace souk

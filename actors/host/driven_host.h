#pragma once
/// A host that a thread of somebody else drives, between its own work: on a machine of two cores the
/// I/O thread, which saves the wake-ups between the two. To all others it is an actor as any other.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "actors/host/actors.h"

namespace souk {

class DrivenHost {
 public:
  /// `wake`: there is something to do, after nothing was. Called on any thread.
  DrivenHost(caf::actor_system& system, std::uint32_t index, HostCore* core, HostPorts ports,
             std::function<void()> wake);
  DrivenHost(const DrivenHost&) = delete;
  /// Ends the actor; what is sent to it from here on is lost. Thread: the driver's.
  ~DrivenHost();

  const caf::actor& actor() const { return actor_; }
  /// Handles all that was sent to it before; `wake` tells of what it sent to itself meanwhile.
  /// Thread: one at a time, and it is the driver from then on.
  void take_turns();
  /// The last who called take_turns() is this thread.
  bool driven_here() const {
    return driver_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  /// Waits until something was sent to it, or `until`.
  void wait(std::chrono::steady_clock::time_point until);

 private:
  caf::actor_companion* companion() const;
  void sent(caf::mailbox_element_ptr message);

  caf::actor_system& system_;
  const std::function<void()> wake_;
  HostActorState state_;
  caf::actor actor_;
  std::atomic<std::thread::id> driver_;
  std::mutex mutex_;
  std::condition_variable something_;
  std::vector<caf::mailbox_element_ptr> inbox_;
  std::vector<caf::mailbox_element_ptr> taken_;  // the driver's
};

}  // namespace souk

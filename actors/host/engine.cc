#include "actors/host/engine.h"

#include <spdlog/spdlog.h>

#include <caf/all.hpp>
#include <future>
#include <thread>

#include "actors/host/actor_engine.h"

namespace souk {
namespace {

constexpr auto stop_longest = std::chrono::seconds(30);

/// Hosts on CAF's workers, logs, store and keys on threads of their own.
class ThreadedEngine final : public ActorEngine {
 public:
  using ActorEngine::ActorEngine;
  ~ThreadedEngine() override { end(); }

  Status recover(RecoveryReport& report) {
    return recover_shards(std::max(1u, std::thread::hardware_concurrency()), report);
  }

  void run() override {
    config_.set("scheduler.policy", caf::atom("sharing"));
    config_.set("scheduler.max-threads", static_cast<std::size_t>(options_.hosts));
    config_.set("scheduler.max-throughput", static_cast<std::size_t>(300));
    config_.set("logger.verbosity", caf::atom("quiet"));
    system_ = std::make_unique<caf::actor_system>(config_);
    spawn(*system_, Threads::store_and_keys);
  }

  void be_driven(std::function<void()> wake) override {
    SOUK_ASSERT(!system_ && options_.hosts == 1);
    wake_driver_ = std::move(wake);
  }
  void take_turns() override {
    if (driven_) driven_->take_turns();
  }

  /// Where another thread drove the host, this one does until its end.
  void stop() override {
    if (!system_) return;
    std::vector<std::future<void>> stopped;
    for (auto& h : hosts_) {
      auto promise = std::make_shared<std::promise<void>>();
      stopped.push_back(promise->get_future());
      caf::anon_send(h, StopMsg{std::move(promise)});
    }
    const auto until = std::chrono::steady_clock::now() + stop_longest;
    while (driven_ && std::chrono::steady_clock::now() < until) {
      driven_->take_turns();
      if (stopped[0].wait_for(std::chrono::seconds(0)) == std::future_status::ready) break;
      driven_->wait(until);
    }
    for (auto& f : stopped)
      if (f.wait_until(until) != std::future_status::ready)
        spdlog::warn(
            "the last checkpoint is not complete; the next start replays more of the journal");
    end();
  }

 private:
  void end() {
    if (!system_) return;
    ending_ = true;
    if (!driven_)
      for (auto& h : hosts_) caf::anon_send(h, EndMsg{});
    caf::anon_send_exit(store_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(keys_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(refold_, caf::exit_reason::user_shutdown);
    forget_actors();
    driven_.reset();
    system_.reset();  // waits for the actors
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

}  // namespace

Result<std::unique_ptr<Engine>, Fault> Engine::recover(const EngineOptions& options,
                                                       EnginePorts ports, RecoveryReport& report) {
  auto engine = std::make_unique<ThreadedEngine>(options, ports);
  if (auto s = engine->recover(report); !s.ok()) return s.error();
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace souk

#include "actors/host/stepped_engine.h"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/host/actor_engine.h"

namespace souk {
namespace {

struct TestingConfig : caf::actor_system_config {
  TestingConfig() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
    set("logger.verbosity", caf::atom("quiet"));
  }
};

struct TestingSystem {
  TestingConfig config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
};

void kill(const caf::actor& actor) {
  const auto raw = caf::actor_cast<caf::strong_actor_ptr>(actor);
  raw->enqueue(nullptr, caf::make_message_id(caf::message_priority::high),
               caf::make_message(caf::exit_msg{actor.address(), caf::exit_reason::kill}), nullptr);
}

/// Behind the port: the actors, which ActorEngine hosts, on CAF's testing scheduler.
class Actors final : public ActorEngine {
 public:
  using ActorEngine::ActorEngine;
  ~Actors() override { stop(); }

  Status recover(RecoveryReport& report) { return recover_shards(1, report); }
  void be_driven(std::function<void()>) override { SOUK_ASSERT(false); }
  void take_turns() override { SOUK_ASSERT(false); }
  void run() override {
    testing_ = std::make_unique<TestingSystem>();
    spawn(testing_->system, Threads::none);
  }
  void stop() override {
    if (!testing_) return;
    for (const auto& host : hosts_) kill(host);
    kill(store_);
    kill(keys_);
    kill(refold_);
    forget_actors();
    while (testing_->scheduler.has_job()) testing_->scheduler.run_once();
    testing_.reset();
  }
  caf::scheduler::test_coordinator& scheduler() const { return testing_->scheduler; }
  using ActorEngine::cores;

 private:
  std::unique_ptr<TestingSystem> testing_;
};

class Stepped final : public SteppedEngine {
 public:
  Stepped(const EngineOptions& options, EnginePorts ports) : actors_(options, ports) {}

  Status recover(RecoveryReport& report) { return actors_.recover(report); }
  std::uint16_t add_sink(ReplySink& sink) override { return actors_.add_sink(sink); }
  void be_driven(std::function<void()> wake) override { actors_.be_driven(std::move(wake)); }
  void take_turns() override { actors_.take_turns(); }
  void run() override { actors_.run(); }
  void submit(std::vector<Request>&& requests) override { actors_.submit(std::move(requests)); }
  void deliver(std::uint16_t sink, std::vector<Reply>&& replies) override {
    actors_.deliver(sink, std::move(replies));
  }
  void assign(std::vector<Assignment>&& assignments) override {
    actors_.assign(std::move(assignments));
  }
  void input(std::vector<Envelope>&& messages) override { actors_.input(std::move(messages)); }
  void payment_answered(const PaymentAnswer& answer) override { actors_.payment_answered(answer); }
  void stop() override { actors_.stop(); }
  const EngineCounters& counters() const override { return actors_.counters(); }
  std::string trouble() const override { return actors_.trouble(); }
  std::uint32_t shards() const override { return actors_.shards(); }

  std::size_t ready() const override { return actors_.scheduler().jobs.size(); }
  void step(std::size_t pick) override {
    auto& jobs = actors_.scheduler().jobs;
    const auto at = jobs.begin() + static_cast<std::ptrdiff_t>(pick);
    std::rotate(jobs.begin(), at, at + 1);
    actors_.scheduler().run_once();
  }
  void pass(std::int64_t ms) override {
    actors_.scheduler().advance_time(std::chrono::milliseconds(ms));
  }
  const std::vector<std::unique_ptr<HostCore>>& hosts() const override { return actors_.cores(); }

 private:
  Actors actors_;
};

}  // namespace

Result<std::unique_ptr<Engine>, Fault> SteppedEngine::recover(const EngineOptions& options,
                                                              EnginePorts ports,
                                                              RecoveryReport& report) {
  auto engine = std::make_unique<Stepped>(options, ports);
  if (auto s = engine->recover(report); !s.ok()) return s.error();
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace souk

#include "actors/host/engine.h"

#include <spdlog/spdlog.h>

#include <caf/all.hpp>
#include <future>
#include <thread>

#include "actors/host/actors.h"

namespace souk {
namespace {

constexpr auto stop_longest = std::chrono::seconds(30);

class CafEngine final : public Engine {
 public:
  CafEngine(const EngineOptions& options, EnginePorts ports) : options_(options), ports_(ports) {
    const ShardContext context{.options = options_,
                               .states = ports.states,
                               .clock = ports.clock,
                               .randomness = ports.randomness,
                               .presenter = ports.presenter,
                               .incarnation = incarnation(ports.randomness),
                               .quote_now = {},
                               .freshness = ports.freshness};
    for (std::uint32_t h = 0; h < options_.hosts; ++h)
      cores_.push_back(std::make_unique<HostCore>(h, context, ports.journal));
  }

  ~CafEngine() override { end(); }

  Status recover(RecoveryReport& report) {
    std::vector<Shard*> shards;
    for (auto& core : cores_)
      for (auto& s : core->shards()) shards.push_back(s.get());
    const std::size_t workers =
        std::min<std::size_t>(std::max(1u, std::thread::hardware_concurrency()), shards.size());
    std::vector<RecoveryReport> reports(workers);
    std::vector<Status> results(workers, Status(Done{}));
    std::atomic<std::size_t> next{0};
    {
      std::vector<std::jthread> threads;
      for (std::size_t w = 0; w < workers; ++w)
        threads.emplace_back([&, w] {
          for (std::size_t i = next++; i < shards.size() && results[w].ok(); i = next++)
            results[w] = shards[i]->recover(ports_.journal, reports[w]);
        });
    }
    for (std::size_t w = 0; w < workers; ++w) {
      if (!results[w].ok()) return results[w];
      report.events += reports[w].events;
      report.entities += reports[w].entities;
      report.ignored_records += reports[w].ignored_records;
      report.last_event_at = std::max(report.last_event_at, reports[w].last_event_at);
      report.last_seqs.resize(options_.shards);
      for (std::size_t s = 0; s < reports[w].last_seqs.size(); ++s)
        report.last_seqs[s] = std::max(report.last_seqs[s], reports[w].last_seqs[s]);
    }
    return Done{};
  }

  void spawn() {
    config_.set("scheduler.policy", caf::atom("sharing"));
    config_.set("scheduler.max-threads", static_cast<std::size_t>(options_.hosts));
    config_.set("scheduler.max-throughput", static_cast<std::size_t>(300));
    config_.set("logger.verbosity", caf::atom("quiet"));
    system_ = std::make_unique<caf::actor_system>(config_);
    journal_ = system_->spawn<caf::detached>(journal_actor, &ports_.journal, &counters_,
                                             ports_.feed, options_.shards);
    store_ = system_->spawn<caf::detached>(store_actor, &ports_.states, &ports_.vault);
    for (std::uint32_t h = 0; h < options_.hosts; ++h)
      hosts_.push_back(system_->spawn(host_actor, h, cores_[h].get(),
                                      HostPorts{.journal = journal_,
                                                .store = store_,
                                                .payments = &ports_.payments,
                                                .counters = &counters_,
                                                .sinks = &sinks_}));
    caf::anon_send(journal_, HostsMsg{hosts_});
    caf::anon_send(store_, StartMsg{});
    for (auto& h : hosts_) caf::anon_send(h, HostsMsg{hosts_});
    for (auto& h : hosts_) caf::anon_send(h, StartMsg{});
  }

  std::uint16_t add_sink(ReplySink& sink) override {
    sinks_.push_back(&sink);
    return static_cast<std::uint16_t>(sinks_.size() - 1);
  }

  void submit(std::vector<Request>&& requests) override {
    if (requests.empty()) return;
    if (hosts_.size() == 1) {
      caf::anon_send(hosts_[0],
                     RequestsMsg{std::make_shared<std::vector<Request>>(std::move(requests))});
      return;
    }
    std::vector<std::shared_ptr<std::vector<Request>>> by_host(hosts_.size());
    for (auto& r : requests) {
      const EntityKey target = r.bind ? EntityKey(*r.bind) : target_of(r.op);
      auto& list = by_host[host_of(shard_of(target, options_.shards), options_.hosts)];
      if (!list) list = std::make_shared<std::vector<Request>>();
      list->push_back(std::move(r));
    }
    for (std::size_t h = 0; h < by_host.size(); ++h)
      if (by_host[h]) caf::anon_send(hosts_[h], RequestsMsg{std::move(by_host[h])});
  }

  void payment_answered(const PaymentAnswer& answer) override {
    auto inputs = std::make_shared<std::vector<ShardInput>>();
    inputs->emplace_back(ProcessAnswer{EntityKey(answer.order), answer});
    caf::anon_send(hosts_[host_of(answer.order.shard(), options_.hosts)],
                   InputsMsg{std::move(inputs)});
  }

  void stop() override {
    if (!system_) return;
    std::vector<std::future<void>> stopped;
    for (auto& h : hosts_) {
      auto promise = std::make_shared<std::promise<void>>();
      stopped.push_back(promise->get_future());
      caf::anon_send(h, StopMsg{std::move(promise)});
    }
    for (auto& f : stopped)
      if (f.wait_for(stop_longest) != std::future_status::ready)
        spdlog::warn(
            "the last checkpoint is not complete; the next start replays more of the journal");
    end();
  }

  const EngineCounters& counters() const override { return counters_; }
  std::uint32_t shards() const override { return options_.shards; }

 private:
  static std::uint64_t incarnation(Randomness& randomness) {
    std::uint64_t n = 0;
    randomness.fill(&n, sizeof n);
    return n;
  }

  void end() {
    if (!system_) return;
    for (auto& h : hosts_) caf::anon_send(h, EndMsg{});
    caf::anon_send_exit(journal_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(store_, caf::exit_reason::user_shutdown);
    hosts_.clear();
    journal_ = nullptr;
    store_ = nullptr;
    system_.reset();  // waits for the actors
  }

  const EngineOptions options_;
  EnginePorts ports_;
  EngineCounters counters_;
  std::vector<std::unique_ptr<HostCore>> cores_;
  std::vector<ReplySink*> sinks_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor journal_, store_;
  std::vector<caf::actor> hosts_;
};

}  // namespace

Result<std::unique_ptr<Engine>, Fault> Engine::start(const EngineOptions& options,
                                                     EnginePorts ports, RecoveryReport& report) {
  auto engine = std::make_unique<CafEngine>(options, ports);
  if (auto s = engine->recover(report); !s.ok()) return s.error();
  engine->spawn();
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace souk

#include "tests/simulation/node.h"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/host/actors.h"

namespace souk::simulation {
namespace {

struct Config : caf::actor_system_config {
  Config() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
    set("logger.verbosity", caf::atom("quiet"));
  }
};

void kill(const caf::actor& actor) {
  const auto raw = caf::actor_cast<caf::strong_actor_ptr>(actor);
  raw->enqueue(nullptr, caf::make_message_id(caf::message_priority::high),
               caf::make_message(caf::exit_msg{actor.address(), caf::exit_reason::kill}), nullptr);
}

}  // namespace

struct Node::Actors {
  Config config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  EngineCounters counters;
  caf::actor journal, store;
  std::vector<caf::actor> hosts;

  ~Actors() {
    for (const auto& host : hosts) kill(host);
    if (journal) kill(journal);
    if (store) kill(store);
    hosts.clear();
    journal = store = nullptr;
    while (scheduler.has_job()) scheduler.run_once();
  }
};

Node::Node(const EngineOptions& options, const Surroundings& around, ReplySink& sink,
           CommitFeed& feed)
    : options_(options),
      around_(around),
      freshness_(options.shards),
      copies_(around.world, freshness_, sink),
      sinks_{&copies_},
      feed_(feed) {
  const ShardContext context{.options = options_,
                             .states = around.states,
                             .clock = around.clock,
                             .randomness = around.randomness,
                             .presenter = around.presenter,
                             .incarnation = around.world.number(),
                             .quote_now = {},
                             .freshness = &freshness_};
  for (std::uint32_t h = 0; h < options_.hosts; ++h)
    cores_.push_back(std::make_unique<HostCore>(h, context, around.journal));
}

Node::~Node() = default;

Status Node::start() {
  around_.journal.start();
  around_.states.start(SimStateStore::Phase::recovering);
  RecoveryReport& report = recovery_;
  for (auto& core : cores_)
    for (auto& shard : core->shards())
      if (auto status = shard->recover(around_.journal, report); !status.ok()) return status;
  around_.states.start(SimStateStore::Phase::serving);
  const bool set_back = around_.world.chance(30);
  around_.clock.start(set_back ? around_.world.between(-60'000, 60'000) : 0, report.last_event_at);

  actors_ = std::make_unique<Actors>();
  Actors& a = *actors_;
  a.journal = a.system.spawn(journal_actor, &around_.journal, &a.counters, &feed_, options_.shards);
  a.store = a.system.spawn(store_actor, &around_.states, &around_.vault);
  for (std::uint32_t h = 0; h < options_.hosts; ++h)
    a.hosts.push_back(a.system.spawn(host_actor, h, cores_[h].get(),
                                     HostPorts{.journal = a.journal,
                                               .store = a.store,
                                               .payments = &around_.provider,
                                               .counters = &a.counters,
                                               .sinks = &sinks_}));
  caf::anon_send(a.journal, HostsMsg{a.hosts});
  for (auto& host : a.hosts) caf::anon_send(host, HostsMsg{a.hosts});
  for (auto& host : a.hosts) caf::anon_send(host, StartMsg{});
  return Done{};
}

void Node::submit(Request&& request) {
  const EntityKey target = request.bind ? EntityKey(*request.bind) : target_of(request.op);
  const std::uint32_t host = host_of(shard_of(target, options_.shards), options_.hosts);
  auto requests = std::make_shared<std::vector<Request>>();
  requests->push_back(std::move(request));
  caf::anon_send(actors_->hosts[host], RequestsMsg{std::move(requests)});
}

void Node::payment_answered(const PaymentAnswer& answer) {
  auto inputs = std::make_shared<std::vector<ShardInput>>();
  inputs->emplace_back(ProcessAnswer{EntityKey(answer.order), answer});
  caf::anon_send(actors_->hosts[host_of(answer.order.shard(), options_.hosts)],
                 InputsMsg{std::move(inputs)});
}

bool Node::has_work() const { return actors_->scheduler.has_job(); }

void Node::work() {
  auto& jobs = actors_->scheduler.jobs;
  const auto at = jobs.begin() + static_cast<std::ptrdiff_t>(around_.world.below(jobs.size()));
  std::rotate(jobs.begin(), at, at + 1);
  actors_->scheduler.run_once();
}

void Node::pass(std::int64_t ms) { actors_->scheduler.advance_time(std::chrono::milliseconds(ms)); }

bool Node::at_rest() const {
  for (const auto& core : cores_) {
    const auto gauges = core->gauges();
    if (gauges.works > 0 || gauges.suspended > 0) return false;
  }
  return true;
}

}  // namespace souk::simulation

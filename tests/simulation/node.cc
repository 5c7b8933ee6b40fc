#include "tests/simulation/node.h"

namespace souk::simulation {

SimNode::SimNode(const EngineOptions& options, std::size_t recent_bytes, const Surroundings& around,
                 ReplySink& sink)
    : options_(options), recent_bytes_(recent_bytes), around_(around), sink_(sink) {}

Status SimNode::start() {
  around_.journal.power_on();
  around_.states.start(SimStateStore::Phase::recovering);
  NodeOptions options;
  options.engine = options_;
  options.recent_bytes_max = recent_bytes_;
  options.make_engine = [this](const EngineOptions& of, EnginePorts ports, RecoveryReport& report) {
    auto engine = SteppedEngine::recover(of, ports, report);
    if (engine.ok()) engine_ = static_cast<SteppedEngine*>(engine->get());
    return engine;
  };
  auto node = Node::recover(std::move(options), {.logs = around_.journal,
                                                 .journal = around_.journal,
                                                 .states = around_.states,
                                                 .vault = around_.vault,
                                                 .payments = around_.provider,
                                                 .clock = around_.clock,
                                                 .randomness = around_.randomness,
                                                 .presenter = around_.presenter});
  if (!node.ok()) return node.error();
  node_ = std::move(*node);
  around_.states.start(SimStateStore::Phase::serving);
  copies_ = std::make_unique<Copies>(around_.world, node_->freshness(), sink_);
  node_->engine().add_sink(*copies_);
  for (const auto& core : engine_->hosts()) core->link(&around_.links);
  around_.links.connect(engine_->hosts().front().get());
  node_->run();
  return Done{};
}

void SimNode::submit(Request&& request) {
  std::vector<Request> requests;
  requests.push_back(std::move(request));
  engine_->submit(std::move(requests));
}

bool SimNode::at_rest() const {
  for (const auto& core : hosts()) {
    const auto gauges = core->gauges();
    if (gauges.works > 0 || gauges.suspended > 0) return false;
  }
  return true;
}

}  // namespace souk::simulation

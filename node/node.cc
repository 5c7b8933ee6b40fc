#include "node/node.h"

#include <fmt/format.h>

#include <cstdlib>

namespace souk {
namespace {

constexpr std::int64_t ms_per_day = 24LL * 60 * 60 * 1'000;

/// `newest`: of the log's events; the epoch: there are none.
Status judge_clock(UnixMs newest, UnixMs now, std::int64_t jump_ms_max) {
  if (jump_ms_max == 0 || newest == UnixMs{}) return Done{};
  const std::int64_t ahead_ms = now.value - newest.value;
  if (std::abs(ahead_ms) <= jump_ms_max) return Done{};
  const bool ahead = ahead_ms > 0;
  return Fault{
      Fault::Kind::mismatch,
      fmt::format("the clock of this machine says {}, {} days {} the newest event of the log ({}). "
                  "Set the clock right and start again. If it is right ({}), start once with "
                  "--clock-jump-days-max 0: {}",
                  to_rfc3339(now), std::abs(ahead_ms) / ms_per_day, ahead ? "after" : "before",
                  to_rfc3339(newest),
                  ahead ? "the directory was not used for so long"
                        : "the log was written while it was ahead",
                  ahead ? "nothing else changes"
                        : "times then go on from the newest event, also after later starts")};
}

}  // namespace

Node::Node(NodeOptions&& options, NodePorts ports)
    : ports_(ports),
      recent_(options.engine.shards, options.recent_bytes_max),
      freshness_(options.engine.shards),
      projections_(std::move(options.read_models), options.projections, source()) {}

Result<std::unique_ptr<Node>, Fault> Node::recover(NodeOptions options, NodePorts ports) {
  const EngineOptions engine_options = options.engine;
  const auto make_engine = options.make_engine;
  const auto give_up = options.give_up;
  const std::int64_t jump_ms_max = options.clock_jump_ms_max;
  std::unique_ptr<Node> node(new Node(std::move(options), ports));
  auto engine = make_engine(engine_options,
                            {.logs = ports.logs,
                             .states = ports.states,
                             .vault = ports.vault,
                             .payments = ports.payments,
                             .clock = ports.clock,
                             .randomness = ports.randomness,
                             .presenter = ports.presenter,
                             .feed = &node->recent_,
                             .freshness = &node->freshness_,
                             .cluster = ports.cluster,
                             .give_up = give_up},
                            node->recovery_);
  if (!engine.ok()) return engine.error();
  node->engine_ = std::move(*engine);
  if (auto s = judge_clock(node->recovery_.last_event_at, ports.clock.now(), jump_ms_max); !s.ok())
    return s.error();
  ports.clock.begin_at(node->recovery_.last_event_at);
  node->recent_.begin_at(node->recovery_.last_seqs);
  if (auto s = node->projections_.open(); !s.ok()) return s.error();
  return node;
}

Node::~Node() {
  if (running_) stop_readers_and_provider();
}

void Node::run() {
  SOUK_ASSERT(!running_);
  running_ = true;
  projections_.start();
  engine_->run();
  ports_.payments.start([this](const PaymentAnswer& a) { engine_->payment_answered(a); });
}

void Node::stop() {
  if (!running_) return;
  running_ = false;
  stop_readers_and_provider();
  engine_->stop();
}

void Node::stop_readers_and_provider() {
  projections_.stop();
  ports_.payments.stop();
}

}  // namespace souk

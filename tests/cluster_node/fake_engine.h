#pragma once
/// The engine as the router sees it: it keeps what comes, and answers when the test says so.
/// Thread: any.
#include <functional>
#include <mutex>
#include <vector>

#include "actors/shard/envelope.h"

namespace souk::cluster_node_test {

class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(std::uint32_t shards) : shards_(shards) {}

  std::uint16_t add_sink(ReplySink& sink) override {
    sinks_.push_back(&sink);
    return static_cast<std::uint16_t>(sinks_.size() - 1);
  }
  void run() override {}
  void be_driven(std::function<void()>) override {}
  void take_turns() override {}
  void submit(std::vector<Request>&& requests) override {
    const std::lock_guard lock(mutex_);
    for (auto& one : requests) requests_.push_back(std::move(one));
  }
  void deliver(std::uint16_t sink, std::vector<Reply>&& replies) override {
    sinks_.at(sink)->deliver(std::move(replies));
  }
  void assign(std::vector<Assignment>&& assignments) override {
    const std::lock_guard lock(mutex_);
    for (auto& one : assignments) assigned_.push_back(one);
  }
  void input(std::vector<Envelope>&& messages) override {
    const std::lock_guard lock(mutex_);
    for (auto& one : messages) messages_.push_back(std::move(one));
  }
  void payment_answered(const PaymentAnswer&) override {}
  void stop() override {}
  const EngineCounters& counters() const override { return counters_; }
  std::string trouble() const override { return {}; }
  std::uint32_t shards() const override { return shards_; }

  std::vector<Request> take_requests() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }
  std::vector<Envelope> take_messages() {
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
  }
  std::vector<Assignment> take_assigned() {
    const std::lock_guard lock(mutex_);
    return std::exchange(assigned_, {});
  }
  /// As the host that owns the shard.
  void answer(const Request& request, ReplyCode code) {
    std::vector<Reply> replies;
    replies.push_back({.ticket = request.reply_to.ticket,
                       .code = code,
                       .op = static_cast<std::uint8_t>(request.op.index()),
                       .entity = target_of(request.op),
                       .version = 3});
    deliver(request.reply_to.sink, std::move(replies));
  }

 private:
  const std::uint32_t shards_;
  EngineCounters counters_;
  std::vector<ReplySink*> sinks_;
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<Envelope> messages_;
  std::vector<Assignment> assigned_;
};

/// The edge of a node.
class FakeEdge final : public ReplySink {
 public:
  void deliver(std::vector<Reply>&& replies) override {
    const std::lock_guard lock(mutex_);
    for (auto& one : replies) replies_.push_back(std::move(one));
  }
  std::vector<Reply> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(replies_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Reply> replies_;
};

/// Waits until `holds`, for 10 s at most.
template <class Holds>
bool eventually(const Holds& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace souk::cluster_node_test

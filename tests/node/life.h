#pragma once
/// A node on a real disk with a payment provider of the test's own, and a client of it.
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "node/disk_ports.h"
#include "tests/support/temporary_directory.h"

namespace souk::test {

/// Approves everything within the call; or keeps silent, and counts.
class TestProvider final : public PaymentProvider {
 public:
  enum class Manner { silent, answers_at_once };
  explicit TestProvider(Manner manner) : manner_(manner) {}

  void start(Answer answer) override {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
    ++starts;
    if (manner_ != Manner::silent)
      for (const auto& call : waiting_) answer_(done(call));
    waiting_.clear();
  }
  void stop() override {
    const std::lock_guard lock(mutex_);
    answer_ = nullptr;
    ++stops;
  }
  void call(std::vector<PaymentCall> calls) override {
    const std::lock_guard lock(mutex_);
    called += calls.size();
    for (const auto& call : calls) {
      last = call;
      if (!answer_)
        waiting_.push_back(call);
      else if (manner_ != Manner::silent)
        answer_(done(call));
    }
  }
  Result<std::optional<PaymentRecord>, Fault> record(OrderId) override {
    return std::optional<PaymentRecord>();
  }
  /// As a provider that is late. False: nobody listens.
  bool answer_late(const PaymentCall& call) {
    const std::lock_guard lock(mutex_);
    if (answer_) answer_(done(call));
    return static_cast<bool>(answer_);
  }

  std::atomic<std::size_t> called{0}, starts{0}, stops{0};
  PaymentCall last;

 private:
  static PaymentAnswer done(const PaymentCall& c) {
    return {c.order, c.op, c.number, PaymentAnswer::Kind::done};
  }
  const Manner manner_;
  std::mutex mutex_;
  Answer answer_;
  std::vector<PaymentCall> waiting_;
};

/// What a test puts in the place of the node's own.
struct Instead {
  NodeClock* clock = nullptr;
  StateStore* states = nullptr;
  std::int64_t clock_jump_ms_max = 0;
};

/// One life of a node over `folder`; recovered, not yet running.
class Life final : public ReplySink {
 public:
  Life(const std::filesystem::path& folder, PaymentProvider& payments, EngineOptions options = {},
       const Instead& instead = {}) {
    options.shards = 4;
    auto opened = DiskPorts::open({.directory = folder, .shards = options.shards});
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().what));
    disk = std::move(*opened);
    const NodePorts own = disk->ports();
    NodeOptions of;
    of.engine = options;
    of.clock_jump_ms_max = instead.clock_jump_ms_max;
    auto recovered =
        Node::recover(std::move(of), {.logs = own.logs,
                                      .journal = own.journal,
                                      .states = instead.states ? *instead.states : own.states,
                                      .vault = own.vault,
                                      .payments = payments,
                                      .clock = instead.clock ? *instead.clock : own.clock,
                                      .randomness = own.randomness,
                                      .presenter = own.presenter});
    if (!recovered.ok()) {
      refused = recovered.error().what;
      return;
    }
    node = std::move(*recovered);
    sink_ = node->engine().add_sink(*this);
  }
  ~Life() override { node.reset(); }

  Reply ask(Op op, bool wait_final = false) {
    Request r;
    r.op = std::move(op);
    r.reply_to = {.who = ReplyTo::Who::client, .sink = sink_, .ticket = ++tickets_, .entity = {}};
    r.cause = disk->ports().randomness.id128();
    r.wait_final = wait_final;
    std::vector<Request> requests;
    requests.push_back(std::move(r));
    node->engine().submit(std::move(requests));
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return !replies_.empty() && replies_.back().ticket == tickets_; });
    return replies_.back();
  }
  void deliver(std::vector<Reply>&& replies) override {
    const std::lock_guard lock(mutex_);
    for (auto& r : replies) replies_.push_back(std::move(r));
    arrived_.notify_all();
  }

  /// Stock of a product, and an order for one of it that its provider decides.
  Reply sell(OrderId order, bool wait_final) {
    const Sku sku = *Sku::parse("tea");
    ProductDefined product;
    product.name = "Tea";
    product.price = {Micros{1'000'000}, *Currency::parse("GBP")};
    CHECK(ask(PutProduct{sku, product}).code == ReplyCode::created);
    CHECK(ask(ReceiveStock{sku, 5, "r"}).code == ReplyCode::ok);
    return ask(PlaceOrder{.order = order,
                          .user = {},
                          .lines = {{sku, 1}},
                          .payment = {"simulated", "ok"},
                          .sealed_address = {},
                          .occurred_at = {}},
               wait_final);
  }

  std::unique_ptr<DiskPorts> disk;
  std::unique_ptr<Node> node;  // null: `refused` says why
  std::string refused;

 private:
  std::uint16_t sink_ = 0;
  std::uint64_t tickets_ = 0;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Reply> replies_;
};

/// An id on shard `shard`.
template <class Id>
Id id_on(std::uint8_t shard, std::uint8_t number) {
  Id128 id;
  id.bytes[1] = shard;
  id.bytes[15] = number;
  return Id{id};
}
inline OrderId order_on(std::uint8_t shard, std::uint8_t number) {
  return id_on<OrderId>(shard, number);
}
inline CartId cart_on(std::uint8_t shard, std::uint8_t number) {
  return id_on<CartId>(shard, number);
}

}  // namespace souk::test

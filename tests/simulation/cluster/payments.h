#pragma once
/// The payment provider outside of all nodes: what a node asks reaches it, and the answer goes to
/// the node that asked last for that order.
#include <map>
#include <memory>

#include "tests/simulation/outside.h"

namespace souk::simulation {

class PaymentHub {
 public:
  explicit PaymentHub(SimProvider& provider) : provider_(provider) {
    provider_.start([this](const PaymentAnswer& answer) {
      const auto asked = asked_by_.find(answer.order);
      if (asked == asked_by_.end()) return;
      const auto listens = listens_.find(asked->second);
      if (listens != listens_.end()) listens->second(answer);
    });
  }
  PaymentHub(const PaymentHub&) = delete;

  /// A node's way to it, in one of its lives.
  class Way final : public PaymentProvider {
   public:
    explicit Way(PaymentHub& hub) : hub_(hub), number_(++hub.ways_) {}
    ~Way() override { Way::stop(); }
    void start(Answer answer) override { hub_.listens_[number_] = std::move(answer); }
    void stop() override { hub_.listens_.erase(number_); }
    void call(std::vector<PaymentCall> calls) override {
      for (const auto& call : calls) hub_.asked_by_[call.order] = number_;
      hub_.provider_.call(std::move(calls));
    }
    Result<std::optional<PaymentRecord>, Fault> record(OrderId order) override {
      return hub_.provider_.record(order);
    }

   private:
    PaymentHub& hub_;
    const std::uint64_t number_;
  };

 private:
  SimProvider& provider_;
  std::uint64_t ways_ = 0;
  std::map<OrderId, std::uint64_t> asked_by_;
  std::map<std::uint64_t, PaymentProvider::Answer> listens_;
};

}  // namespace souk::simulation

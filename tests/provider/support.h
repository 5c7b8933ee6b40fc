#pragma once
/// A payment provider that is served over HTTP, on a real port and a real disk, and one who calls it.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/adapters/payment_simulator/simulator.h"
#include "actors/adapters/remote_provider.h"
#include "actors/adapters/system_clock.h"
#include "gateway/provider/provider_service.h"
#include "tests/support/temporary_directory.h"

namespace souk::test {

using CallOp = PaymentCall::Op;
using AnswerKind = PaymentAnswer::Kind;
using Steady = std::chrono::steady_clock;

inline const Currency gbp = *Currency::parse("GBP");

inline OrderId order(std::uint64_t number) {
  OrderId id;
  for (std::size_t i = 0; i < 8; ++i)
    id.raw.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i) & 0xff);
  return id;
}
inline PaymentCall call_of(CallOp op, std::uint64_t number, std::string token = {},
                           std::int64_t micros = 4'500'000, std::uint32_t refund = 0) {
  return {op, order(number), refund, {micros}, gbp, "simulated", std::move(token)};
}
inline PaymentCall authorise(std::uint64_t number, std::string token = "ok") {
  return call_of(CallOp::authorise, number, std::move(token));
}

/// Lifecycle: serves until it is destroyed; another one may then take its address.
class Served {
 public:
  explicit Served(const std::filesystem::path& folder, const std::string& address = "127.0.0.1:0",
                  const HttpLimits& limits = {})
      : clock_({0}) {
    auto opened = PaymentSimulator::open(folder, clock_);
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().what));
    simulator = std::move(*opened);
    service_ = std::make_unique<ProviderService>(*simulator);
    auto server = HttpServer::listen(address, false, limits, *service_);
    REQUIRE_MESSAGE(server.ok(), (server.ok() ? "" : server.error().what));
    server_ = std::move(*server);
    service_->start(*server_);
    io_ = std::thread([this] { server_->run(); });
  }
  ~Served() {
    service_->end();
    server_->drain(5'000);
    io_.join();
    service_->stop();
  }
  std::string listens() const { return server_->address(); }
  ProviderAddress address() const { return *parse_provider_url("http://" + listens()); }

  std::unique_ptr<PaymentSimulator> simulator;

 private:
  SystemClock clock_;
  std::unique_ptr<ProviderService> service_;
  std::unique_ptr<HttpServer> server_;
  std::thread io_;
};

/// One who calls, and all that was answered.
class Caller {
 public:
  enum class Begins { now, later };
  explicit Caller(const ProviderAddress& where, ProviderPatience patience = {},
                  Begins begins = Begins::now)
      : remote_(where, patience) {
    if (begins == Begins::now) start();
  }
  void start() {
    remote_.start([this](const PaymentAnswer& answer) {
      const std::lock_guard lock(mutex_);
      answers_.push_back(answer);
      changed_.notify_all();
    });
  }
  RemoteProvider* operator->() { return &remote_; }

  /// The first `count` answers, taken away; fewer where no more come in time.
  std::vector<PaymentAnswer> take(std::size_t count,
                                  std::chrono::milliseconds at_most = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return answers_.size() >= count; });
    const auto end =
        answers_.begin() + static_cast<std::ptrdiff_t>(std::min(count, answers_.size()));
    std::vector<PaymentAnswer> taken(answers_.begin(), end);
    answers_.erase(answers_.begin(), end);
    return taken;
  }
  /// The one answer to one call.
  AnswerKind ask(PaymentCall call) {
    remote_.call({call});
    const auto answers = take(1);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].order == call.order);
    CHECK(answers[0].op == call.op);
    CHECK(answers[0].number == call.number);
    return answers[0].kind;
  }
  PaymentRecord record(std::uint64_t number) {
    const auto found = remote_.record(order(number));
    REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.error().what));
    REQUIRE(found->has_value());
    return **found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<PaymentAnswer> answers_;
  RemoteProvider remote_;
};

/// Waits until `condition` holds, at most 20 s; returns whether it does.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 4'000 && !condition(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return condition();
}

}  // namespace souk::test

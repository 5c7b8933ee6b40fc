#include <chrono>
#include <thread>

#include "tests/node/life.h"

using namespace souk;
using souk::test::Life;
using souk::test::order_on;
using souk::test::TestProvider;

namespace {

/// The loop of a thread that drives an engine's host, between its wakes.
class Driver {
 public:
  explicit Driver(Engine& engine) : engine_(engine) {
    engine.be_driven([this] {
      const std::lock_guard lock(mutex_);
      woken_ = true;
      wakes_.notify_one();
    });
  }
  /// Turns until `done`, or false after ten seconds without a wake.
  template <class Done>
  bool until(const Done& done) {
    while (!done()) {
      std::unique_lock lock(mutex_);
      if (!wakes_.wait_for(lock, std::chrono::seconds(10), [&] { return woken_; })) return false;
      woken_ = false;
      lock.unlock();
      engine_.take_turns();
    }
    return true;
  }

 private:
  Engine& engine_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool woken_ = false;
};

struct Replies final : ReplySink {
  void deliver(std::vector<Reply>&& replies) override {
    for (auto& reply : replies) all.push_back(std::move(reply));
  }
  std::vector<Reply> all;
};

}  // namespace

TEST_CASE("driven host: a thread of somebody else drives it to its end, and nothing is lost") {
  const souk::test::TemporaryDirectory folder;
  TestProvider payments(TestProvider::Manner::answers_at_once);
  {
    Life life(folder.path(), payments);
    Driver driver(life.node->engine());
    life.node->run();
    std::atomic<bool> ends{false};
    std::thread thread([&] { CHECK(driver.until([&] { return ends.load(); })); });
    CHECK(life.sell(order_on(1, 1), true).code == ReplyCode::ok);
    ends = true;  // it looks after its next turn, at the latest a tick of the host
    thread.join();
    life.node->stop();  // the last checkpoint is driven from here
  }
  Life next(folder.path(), payments);
  CHECK(next.node->recovery().events == 0);  // all is in the checkpoint
  next.node->run();
  CHECK(next.ask(GetOrder{order_on(1, 1)}).code == ReplyCode::ok);
}

TEST_CASE("driven host: what its driver submits is handled before submit returns") {
  const souk::test::TemporaryDirectory folder;
  TestProvider payments(TestProvider::Manner::silent);
  Replies replies;
  Life life(folder.path(), payments);
  Engine& engine = life.node->engine();
  const std::uint16_t sink = engine.add_sink(replies);
  Driver driver(engine);
  life.node->run();
  const auto submit = [&](Op&& op) {
    std::vector<Request> requests(1);
    requests[0].op = std::move(op);
    requests[0].reply_to = {.who = ReplyTo::Who::client, .sink = sink, .ticket = 1, .entity = {}};
    engine.submit(std::move(requests));
  };
  ProductDefined product;
  product.name = "Tea";
  product.price = {Micros{1'000'000}, *Currency::parse("GBP")};
  submit(PutProduct{*Sku::parse("tea"), product});  // waits for the claim, and for its commit
  CHECK(replies.all.empty());
  REQUIRE(driver.until([&] { return replies.all.size() == 1; }));
  CHECK(replies.all[0].code == ReplyCode::created);
  submit(GetOrder{order_on(1, 1)});
  REQUIRE(replies.all.size() == 2);  // without a wake: it rests on no commit
  CHECK(replies.all[1].code == ReplyCode::not_found);
  submit(ReceiveStock{*Sku::parse("tea"), 5, "r"});
  CHECK(replies.all.size() == 2);  // not before it is durable
  CHECK(driver.until([&] { return replies.all.size() == 3; }));
  life.node->stop();
}

TEST_CASE("driven host: one that ends without a stop leaves what was acknowledged") {
  const souk::test::TemporaryDirectory folder;
  TestProvider payments(TestProvider::Manner::silent);
  {
    Life life(folder.path(), payments);
    Driver driver(life.node->engine());
    life.node->run();
    std::atomic<bool> ends{false};
    std::thread thread([&] { (void)driver.until([&] { return ends.load(); }); });
    CHECK(life.sell(order_on(1, 2), false).code == ReplyCode::accepted);
    ends = true;
    thread.join();
  }
  Life next(folder.path(), payments);
  next.node->run();
  CHECK(next.ask(GetOrder{order_on(1, 2)}).code == ReplyCode::ok);
}

#include "node/node.h"

#include <thread>

#include "tests/node/life.h"

using namespace souk;
using namespace souk::test;
using Manner = TestProvider::Manner;

namespace {

/// Until `what` holds; the test program's own time-out ends a wait that is for ever.
template <class What>
void wait_until(const What& what) {
  while (!what()) std::this_thread::yield();
}

/// Leaves an order behind whose payment nobody has answered.
void leave_pending(const fs::path& folder, OrderId order) {
  TestProvider silent(Manner::silent);
  Life life(folder, silent);
  life.node->run();
  CHECK(life.sell(order, false).code == ReplyCode::accepted);
  wait_until([&] { return silent.called > 0; });
}

}  // namespace

TEST_CASE("node: between recovery and run nothing happens") {
  const TemporaryDirectory home;
  leave_pending(home.path(), order_on(1, 7));
  TestProvider provider(Manner::answers_at_once);
  Life life(home.path(), provider);
  const Seq end = life.node->source().recent.last_seq(ShardId{1});
  CHECK(end > 0);
  CHECK(end == life.node->recovery().last_seqs[1]);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(provider.called == 0);
  CHECK(provider.starts == 0);
  CHECK(life.node->engine().counters().commits == 0);
}

TEST_CASE("node: answers of the provider within its call at the start find the engine") {
  const TemporaryDirectory home;
  const OrderId order = order_on(2, 7);
  leave_pending(home.path(), order);
  TestProvider provider(Manner::answers_at_once);
  Life life(home.path(), provider);
  const auto recovered = life.node->recovery().last_seqs;
  life.node->run();
  std::string json;
  wait_until([&] {
    json = life.ask(GetOrder{order}).body.json;
    return json.find("\"status\":\"confirmed\"") != std::string::npos;
  });
  // What was committed since the start is not hidden by what recovery had found.
  const ShardId shard{2};
  Seq durable = 0;
  CHECK(life.node->source()
            .journal
            .scan(shard, 1,
                  [&](Offset, std::string_view bytes) {
                    const auto header = decode_batch_header(bytes);
                    REQUIRE(header.ok());
                    durable = std::max(durable, header->last_seq());
                    return true;
                  })
            .ok());
  CHECK(durable > recovered[2]);
  wait_until([&] { return life.node->source().recent.last_seq(shard) >= durable; });
}

TEST_CASE("node: a provider that goes on answering finds nobody once the node ends") {
  for (const auto end : {"stopped", "as a crash would"}) {
    CAPTURE(end);
    const TemporaryDirectory home;
    TestProvider provider(Manner::answers_at_once);
    std::atomic<bool> over{false};
    std::jthread late;
    {
      Life life(home.path(), provider);
      life.node->run();
      CHECK(life.sell(order_on(3, 9), true).code == ReplyCode::ok);
      const PaymentCall call = provider.last;
      late = std::jthread([&, call] {
        while (!over) provider.answer_late(call);
      });
      if (std::string(end) == "stopped") life.node->stop();
    }
    CHECK(provider.stops > 0);
    CHECK_FALSE(provider.answer_late(provider.last));
    over = true;
  }
}

TEST_CASE("node: one that never ran ends without a word, and the next finds all") {
  const TemporaryDirectory home;
  const OrderId order = order_on(0, 7);
  leave_pending(home.path(), order);
  TestProvider provider(Manner::answers_at_once);
  { const Life life(home.path(), provider); }  // as where its port is in use
  CHECK(provider.called == 0);
  Life life(home.path(), provider);
  life.node->run();
  wait_until(
      [&] { return life.ask(GetOrder{order}).body.json.find("confirmed") != std::string::npos; });
  life.node->stop();
  life.node->stop();  // a second time does nothing
}

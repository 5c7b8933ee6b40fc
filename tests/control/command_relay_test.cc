#include "cluster/control/command_relay.h"

#include <doctest/doctest.h>

#include <optional>
#include <tuple>

#include "cluster/control/command_codec.h"

using namespace souk;
using namespace souk::cluster;

namespace {

/// A relay at node `a`, whose links are a list.
struct Desk {
  struct Frame {
    std::string to;
    std::uint64_t id;
    std::string bytes;
  };
  std::vector<Frame> commands, outcomes;
  std::vector<std::pair<OperatorCommand, CommandDone>> here, for_peers;
  Sent links = Sent::yes;
  std::vector<CommandOutcome> heard;
  CommandRelay relay{"a",
                     {.send_command =
                          [this](const std::string& to, std::uint64_t id, std::string bytes) {
                            if (links == Sent::yes) commands.push_back({to, id, std::move(bytes)});
                            return links;
                          },
                      .send_outcome =
                          [this](const std::string& to, std::uint64_t id, std::string bytes) {
                            outcomes.push_back({to, id, std::move(bytes)});
                            return Sent::yes;
                          },
                      .do_for_peer =
                          [this](OperatorCommand command, CommandDone done) {
                            for_peers.emplace_back(std::move(command), std::move(done));
                          },
                      .do_here =
                          [this](OperatorCommand command, CommandDone done) {
                            here.emplace_back(std::move(command), std::move(done));
                          }}};

  void ask(OperatorCommand command, std::int64_t now_ms = 0) {
    relay.ask(
        std::move(command), [this](CommandOutcome outcome) { heard.push_back(outcome); }, now_ms);
  }
  void answers(CommandOutcome outcome, const std::string& from = "b") {
    relay.answered(from, commands.back().id, encode(outcome));
  }
};

const OperatorCommand drain{"ann", DrainNode{"c"}};

}  // namespace

TEST_CASE("command relay: a command goes to the controller, and its answer to who asked") {
  Desk desk;
  desk.ask(drain);
  CHECK(desk.commands.empty());
  desk.relay.tick("b", 1);
  REQUIRE(desk.commands.size() == 1);
  CHECK(desk.commands[0].to == "b");
  CHECK(std::get<DrainNode>(decode_command(desk.commands[0].bytes)->wish).node == "c");
  desk.relay.tick("b", 2);
  CHECK(desk.commands.size() == 1);
  desk.answers(Done{});
  REQUIRE(desk.heard.size() == 1);
  CHECK(desk.heard[0].ok());
  desk.answers(Done{});
  CHECK(desk.heard.size() == 1);
}

TEST_CASE("command relay: without a controller it waits, and then says so: nothing was done") {
  Desk desk;
  desk.ask(drain);
  desk.relay.tick("", command_wait_ms - 1);
  CHECK(desk.heard.empty());
  desk.relay.tick("", command_wait_ms);
  REQUIRE(desk.heard.size() == 1);
  CHECK(desk.heard[0].error().kind == Refused::Kind::not_done);
  CHECK(desk.heard[0].error().why.find("no controller was heard") != std::string::npos);
}

TEST_CASE("command relay: a controller that does not answer leaves it in doubt") {
  Desk desk;
  desk.ask(drain);
  desk.relay.tick("b", 1);
  desk.relay.tick("b", command_wait_ms);
  REQUIRE(desk.heard.size() == 1);
  CHECK(desk.heard[0].error().kind == Refused::Kind::in_doubt);
  CHECK(desk.heard[0].error().why.find("controller b did not answer") != std::string::npos);
}

TEST_CASE("command relay: one that is no controller any more is left for the next") {
  Desk desk;
  desk.ask(drain);
  desk.relay.tick("b", 1);
  desk.answers(Refused("this node is not the controller", Refused::Kind::not_done));
  CHECK(desk.heard.empty());
  desk.relay.tick("c", 2);
  REQUIRE(desk.commands.size() == 2);
  CHECK(desk.commands[1].to == "c");
  // What the first one says late counts for nothing.
  desk.answers(Refused("late"), "b");
  CHECK(desk.heard.empty());
  desk.answers(Refused("b is silent"), "c");
  REQUIRE(desk.heard.size() == 1);
  CHECK(desk.heard[0].error().why == "b is silent");
}

TEST_CASE("command relay: a node that becomes the controller does what it waited with itself") {
  Desk desk;
  desk.ask(drain);
  desk.relay.tick("a", 1);
  REQUIRE(desk.here.size() == 1);
  desk.here[0].second(Done{});
  CHECK(desk.heard.size() == 1);
}

TEST_CASE("command relay: a lost link repeats what may be repeated, the rest is in doubt") {
  Desk desk;
  desk.ask(drain);
  desk.ask({"ann", CancelMove{7}});
  desk.relay.tick("b", 1);
  REQUIRE(desk.commands.size() == 2);
  desk.relay.lost("c");
  CHECK(desk.heard.empty());
  desk.relay.lost("b");
  REQUIRE(desk.heard.size() == 1);
  CHECK(desk.heard[0].error().kind == Refused::Kind::in_doubt);
  desk.relay.tick("c", 2);
  REQUIRE(desk.commands.size() == 3);
  CHECK(std::holds_alternative<DrainNode>(decode_command(desk.commands[2].bytes)->wish));
}

TEST_CASE("command relay: one that could not be sent is sent later") {
  Desk desk;
  desk.links = Sent::no_link;
  desk.ask(drain);
  desk.relay.tick("b", 1);
  desk.links = Sent::yes;
  desk.relay.tick("b", 2);
  CHECK(desk.commands.size() == 1);
}

TEST_CASE("command relay: as many as may wait do, one more is told so") {
  Desk desk;
  for (std::size_t i = 0; i < commands_max; ++i) desk.ask(drain);
  CHECK(desk.heard.empty());
  desk.ask(drain);
  REQUIRE(desk.heard.size() == 1);
  CHECK(desk.heard[0].error().kind == Refused::Kind::not_done);
}

TEST_CASE("command relay: the end answers all, and what comes later") {
  Desk desk;
  desk.ask(drain);
  desk.relay.tick("b", 1);
  desk.ask(drain);
  desk.relay.stop();
  REQUIRE(desk.heard.size() == 2);
  CHECK(desk.heard[0].error().kind == Refused::Kind::in_doubt);
  CHECK(desk.heard[1].error().kind == Refused::Kind::not_done);
  desk.ask(drain);
  CHECK(desk.heard.size() == 3);
}

TEST_CASE("command relay: what a peer asks for is done here, and answered to that peer") {
  Desk desk;
  desk.relay.asked("c", 42, encode(drain));
  REQUIRE(desk.for_peers.size() == 1);
  desk.for_peers[0].second(Refused("b is silent"));
  REQUIRE(desk.outcomes.size() == 1);
  CHECK(desk.outcomes[0].to == "c");
  CHECK(desk.outcomes[0].id == 42);
  CHECK((*decode_outcome(desk.outcomes[0].bytes)).error().why == "b is silent");
  desk.relay.asked("c", 43, "rubbish");
  REQUIRE(desk.outcomes.size() == 2);
  CHECK_FALSE(decode_outcome(desk.outcomes[1].bytes)->ok());
}

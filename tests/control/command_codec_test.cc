#include "cluster/control/command_codec.h"

#include <doctest/doctest.h>

#include "tests/control/support.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

/// Each kind of wish, with what it holds at its limit.
std::vector<OperatorCommand> all_commands() {
  const std::string node(node_name_bytes_max, 'n');
  return {{"ann", MoveShard{shard(65'535), node}},
          {"ann", DrainNode{node}},
          {"ann", CordonNode{node}},
          {"ann", UncordonNode{node}},
          {"ann", WeighNode{node, 10'000}},
          {"ann", PutNodeInZone{node, std::string(zone_bytes_max, 'z')}},
          {"ann", ForgetNode{node}},
          {"ann", PinShard{shard(7), node}},
          {"ann", UnpinShard{shard(7)}},
          {std::string(who_bytes_max, 'w'), Rebalance{}},
          {"ann", CancelMove{UINT64_MAX}},
          {"ann", NoteDown{std::string(note_bytes_max, 't')}}};
}

}  // namespace

TEST_CASE("command codec: every command comes back as it went") {
  std::set<std::size_t> kinds;
  for (const OperatorCommand& command : all_commands()) {
    const auto back = decode_command(encode(command));
    REQUIRE(back.ok());
    CHECK(back->who == command.who);
    CHECK(back->wish.index() == command.wish.index());
    // Bytes hold all that there is of it.
    CHECK(encode(*back) == encode(command));
    kinds.insert(command.wish.index());
  }
  CHECK(kinds.size() == std::variant_size_v<decltype(OperatorCommand::wish)>);
}

TEST_CASE("command codec: one that differs in anything has other bytes") {
  const std::vector<std::pair<OperatorCommand, OperatorCommand>> pairs = {
      {{"ann", MoveShard{shard(1), "a"}}, {"ann", MoveShard{shard(2), "a"}}},
      {{"ann", MoveShard{shard(1), "a"}}, {"ann", MoveShard{shard(1), "b"}}},
      {{"ann", MoveShard{shard(1), "a"}}, {"bob", MoveShard{shard(1), "a"}}},
      {{"ann", PinShard{shard(1), "a"}}, {"ann", MoveShard{shard(1), "a"}}},
      {{"ann", DrainNode{"a"}}, {"ann", CordonNode{"a"}}},
      {{"ann", WeighNode{"a", 1}}, {"ann", WeighNode{"a", 2}}},
      {{"ann", PutNodeInZone{"a", ""}}, {"ann", PutNodeInZone{"a", "z"}}},
      {{"ann", CancelMove{1}}, {"ann", CancelMove{2}}},
      {{"ann", NoteDown{"x"}}, {"ann", NoteDown{"y"}}}};
  for (const auto& [one, other] : pairs) CHECK(encode(one) != encode(other));
}

TEST_CASE("command codec: texts beyond their limits, and rubbish, are corrupt") {
  const auto kind = [](const OperatorCommand& command) {
    const auto back = decode_command(encode(command));
    return back.ok() ? std::optional<Fault::Kind>() : std::optional(back.error().kind);
  };
  CHECK(kind({std::string(who_bytes_max + 1, 'w'), Rebalance{}}) == Fault::Kind::corrupt);
  CHECK(kind({"ann", DrainNode{std::string(node_name_bytes_max + 1, 'n')}}) ==
        Fault::Kind::corrupt);
  CHECK(kind({"ann", NoteDown{std::string(note_bytes_max + 1, 't')}}) == Fault::Kind::corrupt);
  CHECK_FALSE(decode_command("rubbish that is no message").ok());
  const std::string whole = encode(OperatorCommand{"ann", DrainNode{"b"}});
  CHECK_FALSE(decode_command(std::string_view(whole).substr(0, whole.size() / 2)).ok());
}

TEST_CASE("command codec: outcomes come back, with their words and their kind") {
  using Kind = Refused::Kind;
  CHECK(decode_outcome(encode(CommandOutcome(Done{})))->ok());
  for (const Kind kind : {Kind::no, Kind::not_done, Kind::in_doubt}) {
    const auto back = decode_outcome(encode(CommandOutcome(Refused("b is silent", kind))));
    REQUIRE(back.ok());
    REQUIRE_FALSE(back->ok());
    CHECK(back->error().why == "b is silent");
    CHECK(back->error().kind == kind);
  }
  CHECK_FALSE(decode_outcome("\xff").ok());
}

#include "gateway/api/cluster/operator_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace souk {
namespace {

using namespace cluster;

constexpr std::uint64_t of_node = bit_of(FieldId::node);
constexpr std::uint64_t of_shard = bit_of(FieldId::shard);

/// What each command takes beside `command` and `who`; all of it must be given.
struct Row {
  std::string_view name;
  std::uint64_t takes;
  OperatorCommand (*make)(const FieldSet&);
};

std::string text_of(const FieldSet& given, FieldId id) { return std::string(given.at(id).text); }
std::string node_of(const FieldSet& given) { return text_of(given, FieldId::node); }
ShardId shard_of(const FieldSet& given) {
  return {static_cast<std::uint16_t>(given.at(FieldId::shard).number)};
}
template <class Wish>
OperatorCommand about_node(const FieldSet& given) {
  return {{}, Wish{node_of(given)}};
}

const std::array rows = {
    Row{"move", of_node | of_shard,
        [](const FieldSet& g) {
          return OperatorCommand{{}, MoveShard{shard_of(g), node_of(g)}};
        }},
    Row{"pin", of_node | of_shard,
        [](const FieldSet& g) {
          return OperatorCommand{{}, PinShard{shard_of(g), node_of(g)}};
        }},
    Row{"unpin", of_shard,
        [](const FieldSet& g) {
          return OperatorCommand{{}, UnpinShard{shard_of(g)}};
        }},
    Row{"drain", of_node, about_node<DrainNode>},
    Row{"cordon", of_node, about_node<CordonNode>},
    Row{"uncordon", of_node, about_node<UncordonNode>},
    Row{"forget", of_node, about_node<ForgetNode>},
    Row{"weight", of_node | bit_of(FieldId::weight),
        [](const FieldSet& g) {
          return OperatorCommand{
              {}, WeighNode{node_of(g), static_cast<std::uint32_t>(g.at(FieldId::weight).number)}};
        }},
    Row{"zone", of_node | bit_of(FieldId::zone),
        [](const FieldSet& g) {
          return OperatorCommand{{}, PutNodeInZone{node_of(g), text_of(g, FieldId::zone)}};
        }},
    Row{"rebalance", 0,
        [](const FieldSet&) {
          return OperatorCommand{{}, Rebalance{}};
        }},
    Row{"cancel", bit_of(FieldId::number),
        [](const FieldSet& g) {
          return OperatorCommand{
              {}, CancelMove{static_cast<std::uint64_t>(g.at(FieldId::number).number)}};
        }},
    Row{"note", bit_of(FieldId::note),
        [](const FieldSet& g) {
          return OperatorCommand{{}, NoteDown{text_of(g, FieldId::note)}};
        }},
};

/// How many letters are another, too many or too few.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view given, std::span<const std::string> words) {
  std::string_view best;
  std::size_t least = given.size() / 3 + 2;
  for (const std::string& word : words)
    if (const auto far = distance(given, word); far < least) {
      least = far;
      best = word;
    }
  return best;
}

bool node_exists(std::string_view name, const ClusterView& view, Problem& problem) {
  if (view.state.id_of(name) != nobody) return true;
  constexpr std::size_t shown_max = 20;
  std::vector<std::string> names;
  for (const Node& node : view.state.cluster().nodes) names.push_back(node.name);
  const auto near = nearest(name, names);
  std::string detail = fmt::format("there is no node '{}'", name);
  detail += near.empty() ? "." : fmt::format("; is it '{}'?", near);
  const bool all = names.size() <= shown_max;
  if (!all) names.resize(shown_max);
  detail += fmt::format(" The nodes are {}{}", fmt::join(names, ", "), all ? "" : ", ...");
  problem = not_found(std::move(detail));
  problem.path = "node";
  return false;
}

bool shard_exists(std::int64_t shard, const ClusterView& view, Problem& problem) {
  const auto count = static_cast<std::int64_t>(view.owners.size());
  if (shard >= 0 && shard < count) return true;
  problem = not_found(fmt::format("there is no shard {}; the nearest is {}, they are 0 to {}",
                                  shard, count - 1, count - 1));
  problem.path = "shard";
  return false;
}

bool read_operator_command(const FieldSet& given, const ClusterView& view, OperatorCommand& out,
                           Problem& problem) {
  const auto row = std::ranges::find(rows, given.at(FieldId::command).text, &Row::name);
  SOUK_ASSERT(row != rows.end());
  for (const Field& field : operator_shape().fields) {
    if (field.need == Need::required ||
        given.has(field.id) == ((row->takes & bit_of(field.id)) != 0))
      continue;
    problem = invalid_request(std::string(field.name),
                              given.has(field.id) ? fmt::format("is not of {}", row->name)
                                                  : fmt::format("must be given for {}", row->name));
    return false;
  }
  if (given.has(FieldId::node) && !node_exists(given.at(FieldId::node).text, view, problem))
    return false;
  if (given.has(FieldId::shard) && !shard_exists(given.at(FieldId::shard).number, view, problem))
    return false;
  out = row->make(given);
  out.who = text_of(given, FieldId::who);
  if (const auto* cancel = std::get_if<CancelMove>(&out.wish);
      cancel && !view.state.moves().contains(cancel->number)) {
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, move] : view.state.moves()) numbers.push_back(number);
    problem = not_found(fmt::format(
        "move {} is not under way; {}", cancel->number,
        numbers.empty() ? "none is" : fmt::format("under way are {}", fmt::join(numbers, ", "))));
    problem.path = "number";
    return false;
  }
  return true;
}

std::string words_of(const OperatorCommand& command) {
  return std::visit(
      Overloaded{
          [](const MoveShard& c) { return fmt::format("move {} --to {}", c.shard.value, c.to); },
          [](const DrainNode& c) { return fmt::format("drain {}", c.node); },
          [](const CordonNode& c) { return fmt::format("cordon {}", c.node); },
          [](const UncordonNode& c) { return fmt::format("uncordon {}", c.node); },
          [](const WeighNode& c) { return fmt::format("weight {} {}", c.node, c.weight); },
          [](const PutNodeInZone& c) { return fmt::format("zone {} {}", c.node, c.zone); },
          [](const ForgetNode& c) { return fmt::format("forget {}", c.node); },
          [](const PinShard& c) { return fmt::format("pin {} --to {}", c.shard.value, c.to); },
          [](const UnpinShard& c) { return fmt::format("unpin {}", c.shard.value); },
          [](const Rebalance&) { return std::string("rebalance"); },
          [](const CancelMove& c) { return fmt::format("cancel {}", c.number); },
          [](const NoteDown& c) { return fmt::format("note \"{}\"", c.text); },
      },
      command.wish);
}

Problem problem_of(const cluster::Refused& refused) {
  switch (refused.kind) {
    case cluster::Refused::Kind::no:
      return {409, "illegal_state", refused.why, {}};
    case cluster::Refused::Kind::not_done:
      return {503, "not_done", refused.why, {}};
    case cluster::Refused::Kind::in_doubt:
      return {503, "unavailable", refused.why, {}};
  }
  SOUK_ASSERT(false);
}

}  // namespace souk

// souk cluster status, nodes, shards, explain, history, erasures: what changes nothing.
#include <fmt/format.h>

#include <cstdio>

#include "tools/souk/verbs/cluster_client.h"

namespace souk::cli {
namespace {

constexpr std::int64_t shard_max = 65'535;
constexpr std::int64_t history_max = 10'000;

Outcome<ExitCode> status(const Invocation& call) {
  ApiClient client(call.url);
  const auto answer = client.get("/v1/cluster");
  const auto shown = show(call, answer, status_text);
  if (!shown) return shown;
  const auto document = Json::parse(answer->body);
  if (!document) return Failure{ExitCode::refused, "the server's answer is not JSON"};
  const bool well = (*document)["shards_served"].integer() == (*document)["shards"].integer() &&
                    !(*document)["controller"].is_null();
  return well ? ExitCode::ok : ExitCode::refused;
}

Outcome<ExitCode> nodes(const Invocation& call) {
  return read_and_show(call, "/v1/cluster/nodes", nodes_text);
}

/// Those that stand by or copy, with what they lack.
std::string others_text(const Json& shard) {
  std::string text;
  for (const Json& replica : shard["replicas"].items()) {
    const std::string& holds = replica["holds"].text();
    if (holds == "owner") continue;
    text += (text.empty() ? "" : ", ") + replica["node"].text();
    if (holds == "copying") text += " (copies)";
    if (const auto lag = count_of(replica["lag_records"]); lag > 0)
      text += fmt::format(" ({} behind)", with_thousands(lag));
  }
  return text.empty() ? "-" : text;
}

std::string mark_of(const Json& shard) {
  if (!is_true(shard["served"])) return "not served";
  if (!shard["moves"].is_null()) return shard["moves"].text();
  if (is_true(shard["held"])) return "held";
  return shard["pinned_to"].is_null() ? "" : "pinned to " + shard["pinned_to"].text();
}

std::string shards_text(const Json& answer) {
  Table table({{"SHARD", Align::right},
               {"OWNER"},
               {"STANDBY"},
               {"EPOCH", Align::right},
               {"MARK"},
               {"WHY THERE"}});
  for (const Json& shard : answer["shards"].items())
    table.add({shard["shard"].text(), name_or_dash(shard["owner"]), others_text(shard),
               shard["epoch"].text(), mark_of(shard), shard["why"].text()});
  return table.empty() ? "No shards.\n" : table.text();
}

std::string explain_text(const Json& answer) {
  std::string text;
  for (const Json& shard : answer["shards"].items()) {
    text += fmt::format("Shard {}\n", shard["shard"].text());
    for (const Json& line : shard["explain"].items()) text += "  " + line.text() + "\n";
  }
  return text;
}

Outcome<ExitCode> shards(const Invocation& call) {
  QueryString query;
  query.add("node", call.get("node"));
  return read_and_show(call, "/v1/cluster/shards" + query.text(), shards_text);
}

Outcome<ExitCode> explain(const Invocation& call) {
  const auto shard = integer_argument(call, "shard", 0, shard_max);
  if (!shard) return shard.error();
  return read_and_show(call, fmt::format("/v1/cluster/shards?shard={}", *shard), explain_text);
}

Outcome<ExitCode> history(const Invocation& call) {
  const auto last = integer_argument(call, "last", 1, history_max);
  if (!last) return last.error();
  return read_and_show(call, fmt::format("/v1/cluster/moves?history={}", *last), moves_text);
}

std::string erasures_text(const Json& answer) {
  Table table({{"PERSON"}, {"ASKED AT"}, {"WAITS FOR"}});
  for (const Json& one : answer["erasures"].items()) {
    std::string names;
    for (const Json& name : one["waits_for"].items())
      names += (names.empty() ? "" : ", ") + name.text();
    table.add({one["person"].text(), one["asked_at"].text(), names});
  }
  return table.empty() ? "Nothing waits to be erased.\n" : table.text();
}

Outcome<ExitCode> erasures(const Invocation& call) {
  return read_and_show(call, "/v1/cluster/erasures", erasures_text);
}

}  // namespace

Verbs cluster_show_verbs() {
  return {
      {.path = "cluster status",
       .summary = "Show whether the cluster is well, in numbers and in words",
       .examples = {"souk cluster status", "souk cluster status --json"},
       .arguments = {},
       .run = status,
       .details = "Any node answers, for the whole cluster. Exits with 1 where a shard is not "
                  "served or no controller is heard."},
      {.path = "cluster nodes",
       .summary = "Show the nodes: what each has, and in what state it is",
       .examples = {"souk cluster nodes"},
       .arguments = {},
       .run = nodes,
       .details = "OWNS and STANDS BY are numbers of shards; LAG is how many records the standby "
                  "that is the furthest\nbehind still lacks; MOVES are under way."},
      {.path = "cluster shards",
       .summary = "Show who owns each shard, who stands by, and why",
       .examples = {"souk cluster shards", "souk cluster shards --node b"},
       .arguments = {option("node", "Only the shards that this node has")},
       .run = shards},
      {.path = "cluster explain",
       .summary = "Say why a shard is where it is, what it waits for, or why it is stuck",
       .examples = {"souk cluster explain 7"},
       .arguments = {required("shard", "Its number")},
       .run = explain},
      {.path = "cluster history",
       .summary = "Show what happened to the cluster, when, and who wanted it",
       .examples = {"souk cluster history --last 50"},
       .arguments = {option("last", "So many lines, at most 10000", "20")},
       .run = history},
      {.path = "cluster erasures",
       .summary = "Show persons whose keys are still somewhere though they are to be erased",
       .examples = {"souk cluster erasures"},
       .arguments = {},
       .run = erasures}};
}

}  // namespace souk::cli

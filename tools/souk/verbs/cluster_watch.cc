// souk cluster watch: a picture that is drawn anew each second.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "tools/souk/verbs/cluster_client.h"

namespace souk::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t seconds_max = 86'400;
constexpr std::chrono::milliseconds between{1'000};
constexpr std::size_t bar_columns = 30;
constexpr std::string_view clear_screen = "\x1b[H\x1b[J";

struct Sample {
  Json cluster, nodes, moves;
  Clock::time_point at;
};

Outcome<Sample> sample(ApiClient& client) {
  Sample taken;
  for (const auto& [to, target] :
       {std::pair{&taken.cluster, "/v1/cluster"}, std::pair{&taken.nodes, "/v1/cluster/nodes"},
        std::pair{&taken.moves, "/v1/cluster/moves"}}) {
    auto document = cluster_document(client, target);
    if (!document) return document.error();
    *to = std::move(*document);
  }
  taken.at = Clock::now();
  return taken;
}

std::map<std::string, std::uint64_t> records_of(const Sample& sample) {
  std::map<std::string, std::uint64_t> records;
  for (const Json& node : sample.nodes["nodes"].items())
    records[node["name"].text()] = count_of(node["records"]);
  return records;
}

/// Of each node: what was committed meanwhile. A shard that changed its owner brings its past along:
/// such a step is no rate.
std::map<std::string, double> rates(const Sample& before, const Sample& now) {
  std::map<std::string, double> all;
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  std::map<std::string, std::string> owns;
  for (const Json& node : before.nodes["nodes"].items())
    owns[node["name"].text()] = node["owns"].text();
  const auto old = records_of(before);
  for (const Json& node : now.nodes["nodes"].items()) {
    const std::string& name = node["name"].text();
    const auto was = old.find(name);
    const std::uint64_t is = count_of(node["records"]);
    if (was == old.end() || is < was->second || owns[name] != node["owns"].text() || seconds <= 0)
      continue;
    all[name] = static_cast<double>(is - was->second) / seconds;
  }
  return all;
}

std::string picture(const Sample& before, const Sample& now) {
  const auto per_second = rates(before, now);
  const auto shards = std::max<std::uint64_t>(1, count_of(now.cluster["shards"]));
  Table table({{"NODE"},
               {"STATE"},
               {"OWNS", Align::right},
               {"SHARDS"},
               {"STANDS BY", Align::right},
               {"LAG", Align::right},
               {"COMMITS/S", Align::right}});
  double all = 0;
  for (const Json& node : now.nodes["nodes"].items()) {
    const std::string& name = node["name"].text();
    const auto owns = count_of(node["owns"]);
    const auto rate = per_second.find(name);
    if (rate != per_second.end()) all += rate->second;
    table.add({name + (is_true(node["controller"]) ? " *" : ""), node["state"].text(),
               std::to_string(owns), std::string(owns * bar_columns / shards, '#'),
               node["stands_by"].text(), with_thousands(count_of(node["lag_records"])),
               rate == per_second.end() ? "-" : fmt::format("{:.0f}", rate->second)});
  }
  std::string text =
      fmt::format("{}  seen from {}  {} of {} shards served  {:.0f} commits/s  (* controller)\n\n",
                  now.cluster["cluster"].text(), now.cluster["node"].text(),
                  now.cluster["shards_served"].text(), now.cluster["shards"].text(), all);
  text += table.text() + "\n" + moves_text(now.moves);
  for (const Json& one : now.cluster["troubles"].items()) text += "! " + one.text() + "\n";
  return text;
}

/// One member of a sample, as the server wrote it.
std::string json_text(const Json& value) {
  std::string text;
  switch (value.type()) {
    case Json::Type::null:
      return "null";
    case Json::Type::string:
      return json_string(value.text());
    case Json::Type::boolean:
    case Json::Type::number:
      return value.text();
    case Json::Type::array:
      for (const Json& one : value.items()) text += (text.empty() ? "" : ",") + json_text(one);
      return "[" + text + "]";
    case Json::Type::object:
      for (const auto& [name, one] : value.members())
        text += (text.empty() ? "" : ",") + json_string(name) + ":" + json_text(one);
      return "{" + text + "}";
  }
  return text;
}

std::string json_line(const Sample& before, const Sample& now) {
  JsonObject per_second;
  for (const auto& [name, rate] : rates(before, now))
    per_second.raw(name, fmt::format("{:.1f}", rate));
  return JsonObject{}
             .raw("cluster", json_text(now.cluster))
             .raw("nodes", json_text(now.nodes["nodes"]))
             .raw("moves", json_text(now.moves["moves"]))
             .raw("commits_per_second", per_second.done())
             .done() +
         "\n";
}

Outcome<ExitCode> watch(const Invocation& call) {
  const auto seconds = integer_argument(call, "for", 1, seconds_max);
  if (!seconds) return seconds.error();
  ApiClient client(call.url);
  auto before = sample(client);
  if (!before) return before.error();
  const auto until = Clock::now() + std::chrono::seconds(*seconds);
  const bool draws = ::isatty(STDOUT_FILENO) == 1 && !call.json() && !call.has("once");
  do {
    std::this_thread::sleep_for(between);
    auto now = sample(client);
    std::string text;
    if (draws) text += clear_screen;
    if (now) {
      text += call.json() ? json_line(*before, *now) : picture(*before, *now);
    } else if (call.has("once") || !draws) {
      return now.error();
    } else {
      text += now.error().message + "\n";  // it may come back: who watches wants to see that
    }
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    if (now) before = std::move(now);
  } while (!call.has("once") && Clock::now() < until);
  return ExitCode::ok;
}

}  // namespace

Verbs cluster_watch_verbs() {
  return {{.path = "cluster watch",
           .summary = "Show a live picture: shards by node, moves, lag of standbys, commits/s",
           .examples = {"souk cluster watch", "souk cluster watch --once",
                        "souk cluster watch --for 10 --json"},
           .arguments = {option("for", "Seconds until it ends; else with Ctrl-C", "86400"),
                         flag("once", "One picture, and end: for scripts")},
           .run = watch,
           .details = "COMMITS/S are the records that the logs of a node's shards get: one holds "
                      "what was acknowledged together.\nWith --json each picture is a line."}};
}

}  // namespace souk::cli

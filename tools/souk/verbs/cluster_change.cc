// souk cluster move, drain, rebalance and the other verbs that change something: the plan first,
// then a question, then progress.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "tools/souk/verbs/cluster_client.h"
#include "tools/souk/verbs/cluster_wait.h"

namespace souk::cli {
namespace {

constexpr std::int64_t shard_max = 65'535;
constexpr std::int64_t weight_max = 10'000;
constexpr std::int64_t wait_seconds_max = 86'400;

/// A command as the server takes it, and what to wait for after it.
struct Change {
  std::string body;
  ClusterWait wait = {};
};

Outcome<std::int64_t> number_of(const std::string& text, std::string_view what, std::int64_t least,
                                std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && value >= least && value <= most)
    return value;
  return Failure{ExitCode::usage, fmt::format("{}: wanted a whole number from {} to {}, got \"{}\"",
                                              what, least, most, text)};
}

/// What follows the command's word. The verbs and `plan` read it alike.
struct Words {
  std::string command;
  std::vector<std::string> rest;
  std::string to;  // --to
  std::string who;
};

Outcome<Change> change_of(const Words& words) {
  using For = ClusterWait::For;
  const std::string& command = words.command;
  JsonObject body;
  body.text("command", command);
  body.text("who", words.who);
  const auto wants = [&](std::size_t count) { return words.rest.size() == count; };
  const auto usage = [&](std::string_view how) {
    return Failure{ExitCode::usage, fmt::format("wanted: {} {}", command, how)};
  };
  if (command == "move" || command == "pin") {
    if (!wants(1) || words.to.empty()) return usage("SHARD --to NODE");
    const auto shard = number_of(words.rest[0], "shard", 0, shard_max);
    if (!shard) return shard.error();
    body.raw("shard", std::to_string(*shard)).text("node", words.to);
    return Change{body.done(), {.what = For::moved, .node = words.to, .shard = *shard}};
  }
  if (!words.to.empty()) return Failure{ExitCode::usage, "--to is of move and pin"};
  if (command == "unpin") {
    if (!wants(1)) return usage("SHARD");
    const auto shard = number_of(words.rest[0], "shard", 0, shard_max);
    if (!shard) return shard.error();
    return Change{body.raw("shard", std::to_string(*shard)).done(), {.what = For::still}};
  }
  if (command == "drain" || command == "cordon" || command == "uncordon" || command == "forget") {
    if (!wants(1)) return usage("NODE");
    body.text("node", words.rest[0]);
    if (command == "drain")
      return Change{body.done(), {.what = For::drained, .node = words.rest[0]}};
    return Change{body.done(), {.what = command == "uncordon" ? For::still : For::nothing}};
  }
  if (command == "weight") {
    if (!wants(2)) return usage("NODE WEIGHT");
    const auto weight = number_of(words.rest[1], "weight", 1, weight_max);
    if (!weight) return weight.error();
    body.text("node", words.rest[0]).raw("weight", std::to_string(*weight));
    return Change{body.done(), {.what = For::still}};
  }
  if (command == "zone") {
    if (!wants(2)) return usage("NODE ZONE");
    return Change{body.text("node", words.rest[0]).text("zone", words.rest[1]).done(),
                  {.what = For::still}};
  }
  if (command == "rebalance") {
    if (!wants(0)) return usage("");
    return Change{body.done(), {.what = For::still}};
  }
  if (command == "cancel") {
    if (!wants(1)) return usage("NUMBER");
    const auto number = number_of(words.rest[0], "number", 1, INT64_MAX);
    if (!number) return number.error();
    return Change{body.raw("number", std::to_string(*number)).done()};
  }
  if (command == "note") {
    std::string text;
    for (const std::string& word : words.rest) text += (text.empty() ? "" : " ") + word;
    if (text.empty()) return usage("TEXT");
    return Change{body.text("note", text).done()};
  }
  return Failure{
      ExitCode::usage,
      fmt::format("there is no command \"{}\"; there are move, drain, rebalance, cordon, "
                  "uncordon, weight, zone, pin, unpin, forget, cancel and note",
                  command)};
}

std::string who_of(const Invocation& call) {
  return call.has("who") ? call.get("who") : who_asks();
}

Outcome<HttpAnswer> post(ApiClient& client, const std::string& target, const std::string& body) {
  auto answer = client.http().call(
      {.method = "POST", .target = target, .body = body, .content_type = "application/json"});
  if (!answer) return unreachable(client.http().url(), answer.error());
  return std::move(*answer);
}

bool agreed() {
  if (::isatty(STDIN_FILENO) != 1) return false;
  std::fputs("Do it? [y/N] ", stderr);
  std::fflush(stderr);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

Outcome<ExitCode> finish(const Invocation& call, const Change& change, const Json& plan) {
  const auto moves = plan["moves"].items().size();
  // A drain is over when the node has nothing: perhaps it has nothing now.
  const bool waits = !call.has("no-wait") && change.wait.what != ClusterWait::For::nothing &&
                     (moves > 0 || change.wait.what == ClusterWait::For::drained);
  std::string words = "done";
  if (waits) {
    const auto seconds = integer_argument(call, "wait", 1, wait_seconds_max);
    if (!seconds) return seconds.error();
    if (!call.json())
      std::fputs("Begun. It goes on also when this is ended with Ctrl-C.\n", stderr);
    ClusterWait wait = change.wait;
    wait.seconds_max = *seconds;
    const auto waited = wait_for_cluster(call, wait);
    if (!waited) return waited.error();
    words = *waited;
  } else if (call.has("no-wait") && moves > 0) {
    words = "begun; souk cluster watch shows how it goes on";
  }
  if (call.json())
    fmt::print("{}\n", JsonObject{}
                           .text("command", plan["command"].text())
                           .text("outcome", words)
                           .raw("moves", std::to_string(moves))
                           .done());
  else
    fmt::print("{}\n", words);
  return ExitCode::ok;
}

Outcome<ExitCode> carry_out(const Invocation& call, const Words& words) {
  const auto change = change_of(words);
  if (!change) return change.error();
  if (const auto seconds = integer_argument(call, "wait", 1, wait_seconds_max); !seconds)
    return seconds.error();
  ApiClient client(call.url);
  const auto planned = post(client, "/v1/cluster/plans", change->body);
  if (!planned) return planned.error();
  if (planned->status != 200 || call.has("dry-run")) return show(call, planned, plan_text);
  const auto plan = Json::parse(planned->body);
  if (!plan) return Failure{ExitCode::refused, "the server's answer is not JSON"};
  if (!call.json()) fmt::print("{}", plan_text(*plan));
  std::fflush(stdout);
  if (!call.has("yes") && !agreed())
    return Failure{ExitCode::refused, "nothing was done: say --yes, or answer y at a terminal"};
  const auto answer = post(client, "/v1/cluster/moves", change->body);
  if (!answer) return answer.error();
  if (answer->status != 200) return show(call, answer, plan_text);
  return finish(call, *change, *plan);
}

Outcome<ExitCode> run(const Invocation& call) {
  Words words{.command = call.verb.substr(call.verb.rfind(' ') + 1),
              .rest = {},
              .to = call.get("to"),
              .who = who_of(call)};
  for (const char* name : {"shard", "node", "weight", "zone", "number"})
    if (call.has(name)) words.rest.push_back(call.get(name));
  for (const std::string& word : call.all("text")) words.rest.push_back(word);
  return carry_out(call, words);
}

Outcome<ExitCode> plan(const Invocation& call) {
  Words words{
      .command = {}, .rest = call.all("command"), .to = call.get("to"), .who = who_of(call)};
  if (words.rest.empty()) return read_and_show(call, "/v1/cluster/moves", moves_text);
  words.command = words.rest.front();
  words.rest.erase(words.rest.begin());
  const auto change = change_of(words);
  if (!change) return change.error();
  ApiClient client(call.url);
  return show(call, post(client, "/v1/cluster/plans", change->body), plan_text);
}

Argument to_node() { return option("to", "The node's name"); }
Argument who_option() {
  return option("who", "Who wants it, for the history (default: USER@HOST)");
}

Verb change(const char* name, const char* summary, const char* example,
            std::vector<Argument> arguments, std::string details = {}) {
  arguments.push_back(flag("dry-run", "Show the plan, and do nothing"));
  arguments.push_back(flag("yes", "Do not ask"));
  arguments.push_back(flag("no-wait", "Return when it has begun"));
  arguments.push_back(option("wait", "Seconds to wait for its end", "600"));
  arguments.push_back(who_option());
  return {.path = std::string("cluster ") + name,
          .summary = summary,
          .examples = {example, std::string(example) + " --dry-run"},
          .arguments = std::move(arguments),
          .run = run,
          .details = std::move(details)};
}

}  // namespace

Verbs cluster_change_verbs() {
  const Argument node = required("node", "Its name");
  const Argument shard = required("shard", "Its number");
  return {
      {.path = "cluster plan",
       .summary = "Show what a command would move, from where, to where and why; changes nothing",
       .examples = {"souk cluster plan", "souk cluster plan drain b",
                    "souk cluster plan move 7 --to c"},
       .arguments = {any_words("command",
                               "As the verbs are called: drain b; none: what moves and "
                               "is to come by itself"),
                     to_node(), who_option()},
       .run = plan},
      change("move", "Move a shard to a node, and keep it there", "souk cluster move 7 --to c",
             {shard, to_node()},
             "The shard stays until it is moved or pinned elsewhere, the node is drained or lost, "
             "or souk cluster rebalance."),
      change("drain", "Take everything from a node, before it is stopped for maintenance",
             "souk cluster drain b", {node},
             "Ends with \"b is safe to stop\": then the node owns and holds nothing. souk cluster "
             "uncordon b gives it work again."),
      change("rebalance", "Give each node its share; frees shards that were moved or held",
             "souk cluster rebalance", {}),
      change("cordon", "Give a node nothing new; it keeps what it has", "souk cluster cordon b",
             {node}),
      change("uncordon", "Give a cordoned or drained node work again", "souk cluster uncordon b",
             {node}),
      change("weight", "Say how much a node can carry, beside others of weight 1",
             "souk cluster weight b 2", {node, required("weight", "1 to 10000")}),
      change("zone", "Say in which zone a node is: owner and standby are in different ones",
             "souk cluster zone b rack-2", {node, required("zone", "Its name")}),
      change("pin", "Bind a shard to a node", "souk cluster pin 7 --to c", {shard, to_node()},
             "It goes back to the node whenever that can have it; souk cluster unpin frees it."),
      change("unpin", "Free a shard that is pinned", "souk cluster unpin 7", {shard}),
      change("forget", "Strike a node that does not live any more from the list",
             "souk cluster forget b", {node}),
      change("cancel", "Cancel a move that is under way; its shard then stays as it is",
             "souk cluster cancel 12",
             {required("number", "Of the move, as souk cluster watch and plan show it")},
             "A drain as a whole is undone by souk cluster uncordon NODE."),
      change("note", "Write a line into the history", "souk cluster note new disks in b",
             {any_words("text", "The line")})};
}

}  // namespace souk::cli

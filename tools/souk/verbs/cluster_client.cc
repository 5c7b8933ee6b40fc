#include "tools/souk/verbs/cluster_client.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace souk::cli {
namespace {

constexpr std::size_t moves_shown_max = 40;

/// `1.2 s`, `250 ms`.
std::string duration(std::int64_t ms) {
  return ms < 1'000 ? fmt::format("{} ms", ms)
                    : fmt::format("{:.1f} s", static_cast<double>(ms) / 1'000);
}

std::string time_text(const Json& at) {
  std::string text = at.text();
  if (const auto t = text.find('T'); t != std::string::npos) text[t] = ' ';
  return text;
}

std::string when(const Json& move) {
  const auto wave = move["wave"].integer();
  return wave == 0 ? "at once" : fmt::format("after wave {}", wave - 1);
}

void add_rest(std::string& text, std::size_t all) {
  if (all > moves_shown_max)
    text += fmt::format("... and {} more (--json shows all)\n", all - moves_shown_max);
}

/// Empty: its node was not heard yet, or is of an older build.
std::string read_models_text(const Json& has) {
  if (has.type() != Json::Type::boolean) return {};
  return is_true(has) ? "yes" : "no";
}

}  // namespace

Outcome<Json> cluster_document(ApiClient& client, const std::string& target) {
  const auto answer = client.get(target);
  if (!answer) return answer.error();
  auto document = Json::parse(answer->body);
  if (answer->status != 200 || !document) return refused(*answer);
  return std::move(*document);
}

std::string who_asks() {
  std::array<char, 256> host{};  // its last byte stays 0
  const bool named = ::gethostname(host.data(), host.size() - 1) == 0;
  const char* user = std::getenv("USER");
  if (!user || !*user) user = std::getenv("LOGNAME");
  std::string who = user && *user ? user : fmt::format("uid-{}", ::getuid());
  constexpr std::size_t who_max = 128;
  who = (who + "@" + (named ? host.data() : "somewhere")).substr(0, who_max);
  // What is no plain text would be refused.
  std::ranges::replace_if(
      who, [](char c) { return c < '!' || c > '~'; }, '?');
  return who;
}

std::string name_or_dash(const Json& value) { return value.is_null() ? "-" : value.text(); }

/// Of the node that was asked: `6 shards published; orders 0, stock 12, products 0 events behind`.
std::string integration_text(const Json& integration) {
  if (integration.is_null()) return {};
  std::string behind;
  for (const Json& topic : integration["topics"].items())
    behind += fmt::format("{}{} {}", behind.empty() ? "" : ", ", topic["topic"].text(),
                          with_thousands(count_of(topic["lag_events"])));
  return fmt::format("{} shards published; {} events behind", integration["shards"].text(), behind);
}

std::string status_text(const Json& cluster) {
  const auto& troubles = cluster["troubles"].items();
  const Json& integration = cluster["integration"];
  std::string text = facts_text(
      {{"cluster", cluster["cluster"].text()},
       {"seen from", cluster["node"].text()},
       {"controller", name_or_dash(cluster["controller"])},
       {"nodes",
        fmt::format("{} of {} alive", cluster["nodes_alive"].text(), cluster["nodes"].text())},
       {"shards",
        fmt::format("{} of {} served", cluster["shards_served"].text(), cluster["shards"].text())},
       {"moves", fmt::format("{} under way, {} to come", cluster["moves_under_way"].text(),
                             cluster["moves_to_come"].text())},
       {"integration", integration_text(integration)}});
  for (const Json& topic : integration["topics"].items())
    if (!topic["trouble"].is_null()) text += "! " + topic["trouble"].text() + "\n";
  if (troubles.empty()) return text + "All is well.\n";
  for (const Json& one : troubles) text += "! " + one.text() + "\n";
  return text;
}

std::string nodes_text(const Json& nodes) {
  Table table({{"NODE"},
               {"STATE"},
               {"ROLE"},
               {"ZONE"},
               {"WEIGHT", Align::right},
               {"OWNS", Align::right},
               {"STANDS BY", Align::right},
               {"MOVES", Align::right},
               {"LAG", Align::right},
               {"READ MODELS"},
               {"HTTP"},
               {"BUILD"}});
  for (const Json& node : nodes["nodes"].items())
    table.add({node["name"].text(), node["state"].text(),
               is_true(node["controller"]) ? "controller" : "", node["zone"].text(),
               node["weight"].text(), node["owns"].text(), node["stands_by"].text(),
               node["moves"].text(), with_thousands(count_of(node["lag_records"])),
               read_models_text(node["read_models"]), node["http"].text(), node["build"].text()});
  return table.text();
}

std::string moves_text(const Json& moves) {
  Table table({{"MOVE", Align::right},
               {"SHARD", Align::right},
               {"WHAT"},
               {"FROM"},
               {"TO"},
               {"FOR", Align::right},
               {"WHO"},
               {"WHY"}});
  for (const Json& move : moves["moves"].items())
    table.add({move["number"].text(), move["shard"].text(), move["kind"].text(),
               name_or_dash(move["from"]), name_or_dash(move["to"]),
               duration(move["for_ms"].integer()), move["who"].text(), move["why"].text()});
  std::string text = table.empty() ? "Nothing moves.\n" : table.text();
  const auto& to_come = moves["to_come"].items();
  if (!to_come.empty()) text += fmt::format("To come: {}\n", to_come.size());
  for (std::size_t i = 0; i < std::min(to_come.size(), moves_shown_max); ++i)
    text += "  " + to_come[i]["words"].text() + "\n";
  add_rest(text, to_come.size());
  const auto& history = moves["history"].items();
  for (const Json& line : history)
    text +=
        fmt::format("{}  {}: {}\n", time_text(line["at"]), line["who"].text(), line["what"].text());
  return text;
}

std::string plan_text(const Json& plan) {
  const auto& moves = plan["moves"].items();
  std::string text = fmt::format("Plan for: {}\n", plan["command"].text());
  Table table({{"SHARD", Align::right},
               {"WHAT"},
               {"FROM"},
               {"TO"},
               {"WHEN"},
               {"PAUSE", Align::right},
               {"BYTES", Align::right},
               {"WHY"}});
  for (std::size_t i = 0; i < std::min(moves.size(), moves_shown_max); ++i) {
    const Json& move = moves[i];
    const auto pause = move["pause_ms"].integer();
    const bool hands_over = move["kind"].text() == "hand over";
    table.add({move["shard"].text(), move["kind"].text(), name_or_dash(move["from"]),
               name_or_dash(move["to"]), when(move),
               !hands_over  ? "none"
               : pause == 0 ? "not measured yet"
                            : "< " + duration(pause),
               with_thousands(count_of(move["bytes"])), move["why"].text()});
  }
  text += table.empty() ? "Nothing moves.\n" : table.text();
  add_rest(text, moves.size());
  if (!moves.empty())
    text += fmt::format("{} move{} in {} wave{}\n", moves.size(), moves.size() == 1 ? "" : "s",
                        plan["waves"].text(), plan["waves"].integer() == 1 ? "" : "s");
  for (const Json& note : plan["notes"].items()) text += "Note: " + note.text() + "\n";
  return text;
}

}  // namespace souk::cli

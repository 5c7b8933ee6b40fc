// souk projections ...
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

#include "tools/souk/cli/progress.h"
#include "tools/souk/cli/rows.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

constexpr std::chrono::milliseconds look_again{100};

std::uint64_t count_of(const Json& value) { return static_cast<std::uint64_t>(value.integer()); }

std::string rebuild_text(const Json& model) {
  const Json& rebuild = model["rebuild"];
  if (!rebuild.is_null())
    return fmt::format("{} of {} events", with_thousands(count_of(rebuild["done"])),
                       with_thousands(count_of(rebuild["total"])));
  return model["last_rebuild"].text();
}

std::string projections_text(const Json& answer) {
  Table table({{"NAME"},
               {"STATE"},
               {"LAG", Align::right},
               {"SECONDS", Align::right},
               {"EVENTS/S", Align::right},
               {"STUCK"},
               {"STALE", Align::right},
               {"REBUILD"}});
  Table stale({{"MODEL"}, {"ENTITY"}, {"EVENT"}, {"HELD", Align::right}, {"AT"}, {"WHY"}});
  std::string faults;
  for (const Json& model : answer["projections"].items()) {
    const std::string& name = model["name"].text();
    const auto& waiting = model["stale"].items();
    table.add({name, model["state"].text(), with_thousands(count_of(model["lag_events"])),
               cell_text(model["lag_seconds"]),
               with_thousands(count_of(model["events_per_second"])),
               model["stuck"].text() == "true" ? "yes" : "no", std::to_string(waiting.size()),
               rebuild_text(model)});
    for (const Json& one : waiting)
      stale.add({name, one["entity"].text(), one["event"].text(), one["held"].text(),
                 one["at"].text(), one["why"].text()});
    if (const auto& fault = model["fault"].text(); !fault.empty())
      faults += name + ": " + fault + "\n";
  }
  std::string text = table.text();
  if (!faults.empty()) text += "\n" + faults;
  if (!stale.empty()) text += "\n" + stale.text();
  return text;
}

Outcome<ExitCode> list(const Invocation& invocation) {
  return read_and_show(invocation, "/v1/projections", projections_text);
}

std::string outcome_text(const Json& answer) { return answer["outcome"].text() + "\n"; }

/// The last word of the verb is what is asked for.
Outcome<HttpAnswer> mend(const Invocation& invocation) {
  const std::string step = invocation.verb.substr(invocation.verb.rfind(' ') + 1);
  QueryString query;
  query.add("entity", invocation.get("entity"));
  return ApiClient(invocation.url)
      .command(
          "POST",
          "/v1/projections/" + path_segment(invocation.get("name")) + "/" + step + query.text(), "",
          random_key());
}

Outcome<ExitCode> mend_and_show(const Invocation& invocation) {
  return show(invocation, mend(invocation), outcome_text);
}

Outcome<Json> state_of(ApiClient& client, const std::string& name) {
  const auto answer = client.get("/v1/projections");
  if (!answer) return answer.error();
  const auto all = Json::parse(answer->body);
  if (answer->status != 200 || !all) return refused(*answer);
  for (const Json& model : (*all)["projections"].items())
    if (model["name"].text() == name) return model;
  return Failure{ExitCode::refused, "refused: not_found: " + name + " is no longer there"};
}

/// Until no rebuild is under way. Prints how it ended.
Outcome<ExitCode> wait_for_rebuild(const Invocation& invocation) {
  ApiClient client(invocation.url);
  std::optional<Progress> progress;
  for (;; std::this_thread::sleep_for(look_again)) {
    const auto model = state_of(client, invocation.get("name"));
    if (!model) return model.error();
    const Json& rebuild = (*model)["rebuild"];
    if (!rebuild.is_null()) {
      const std::uint64_t total = count_of(rebuild["total"]);
      if (!progress) progress.emplace("events", total);
      progress->at(count_of(rebuild["done"]), total);
      continue;
    }
    if (progress) progress->finish();
    const std::string& ended = (*model)["last_rebuild"].text();
    const std::string text = invocation.json() ? JsonObject{}.text("outcome", ended).done() : ended;
    std::fputs((text + "\n").c_str(), stdout);
    const bool good = !ended.starts_with("failed") && ended != "cancelled";
    return good ? ExitCode::ok : ExitCode::refused;
  }
}

Outcome<ExitCode> rebuild(const Invocation& invocation) {
  const bool waits = invocation.has("wait") || ::isatty(STDERR_FILENO) == 1;
  const auto answer = mend(invocation);
  if (!waits || !answer || answer->status != 200) return show(invocation, answer, outcome_text);
  return wait_for_rebuild(invocation);
}

Verb step(const char* name, const char* summary, const char* example) {
  return {.path = std::string("projections ") + name,
          .summary = summary,
          .examples = {example},
          .arguments = {required("name", "Of the read model, such as search or analytics")},
          .run = mend_and_show};
}

}  // namespace

Verbs projections_verbs() {
  const Argument entity =
      option("entity", "Only this one, such as \"cart c0...\" or \"sku MUG-1\"; else all");
  Verb list_all{.path = "projections",
                .summary = "Show the read models: position, lag, rate, and what is stale",
                .examples = {"souk projections", "souk projections --json"},
                .arguments = {},
                .run = list,
                .details =
                    "LAG is in events that are durable and not yet visible; SECONDS is for how "
                    "long\nthe model has not been at the end of the log."};
  Verb build = step("rebuild", "Build a model anew beside the live copy, then switch",
                    "souk projections rebuild search --wait");
  build.run = rebuild;
  build.arguments.push_back(flag("wait", "Wait for its end, also where no terminal is"));
  build.details =
      "On a terminal it waits and shows a bar; Ctrl-C leaves the rebuild going. Exits with 1 "
      "where\n"
      "the rebuild failed or was cancelled.";
  Verb retry = step("retry", "Give the events of stale entities to the model again",
                    "souk projections retry search --entity \"sku MUG-1\"");
  Verb skip = step("skip", "Pass over the events that made entities stale",
                   "souk projections skip search --entity \"sku MUG-1\"");
  retry.arguments.push_back(entity);
  skip.arguments.push_back(entity);
  return {
      list_all,
      step("pause", "Stop reading the log; answers stay as they are",
           "souk projections pause search"),
      step("resume", "Go on reading", "souk projections resume search"),
      build,
      step("cancel", "Give up a rebuild; the live copy stays", "souk projections cancel search"),
      retry,
      skip};
}

}  // namespace souk::cli

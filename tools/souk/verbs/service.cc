// souk health, souk metrics, souk completions
#include <cstdio>

#include "tools/souk/cli/completions.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

Outcome<ExitCode> health(const Invocation& invocation) {
  ApiClient client(invocation.url);
  const auto alive = client.get("/healthz");
  if (!alive) return alive.error();
  const auto ready = client.get("/readyz");
  if (!ready) return ready.error();
  const bool live = alive->status == 200, up = ready->status == 200;
  const std::string text = invocation.json()
                               ? std::string("{\"live\":") + (live ? "true" : "false") +
                                     ",\"ready\":" + (up ? "true" : "false") + "}\n"
                               : facts_text({{"url", invocation.url.text()},
                                             {"live", live ? "yes" : "no"},
                                             {"ready", up ? "yes" : "no"}});
  std::fwrite(text.data(), 1, text.size(), stdout);
  return live && up ? ExitCode::ok : ExitCode::refused;
}

/// `name{labels} value` lines of the Prometheus text format.
struct Sample {
  std::string name, value;
};

std::vector<Sample> parse_metrics(std::string_view text, std::string_view wanted) {
  std::vector<Sample> samples;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t blank = line.rfind(' ');
    if (line.empty() || line.front() == '#' || blank == std::string_view::npos) continue;
    if (line.find(wanted) == std::string_view::npos) continue;
    samples.push_back({std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))});
  }
  return samples;
}

Outcome<ExitCode> metrics(const Invocation& invocation) {
  const auto answer = ApiClient(invocation.url).get("/metrics");
  if (!answer) return answer.error();
  if (answer->status != 200) return refused(*answer);
  const auto samples = parse_metrics(answer->body, invocation.get("word"));
  std::string text;
  if (invocation.json()) {
    JsonObject object;
    for (const Sample& sample : samples) {
      const bool finite = sample.value.find_first_not_of("0123456789.+-eE") == std::string::npos;
      object.raw(sample.name, finite ? sample.value : json_string(sample.value));
    }
    text = object.done() + "\n";
  } else {
    Table table({{"METRIC"}, {"VALUE", Align::right}});
    for (const Sample& sample : samples) {
      if (sample.name.find("_bucket{") == std::string::npos) table.add({sample.name, sample.value});
    }
    text = table.text();
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode::ok;
}

Outcome<ExitCode> print_completions(const Invocation& invocation) {
  const std::string& shell = invocation.get("shell");
  const std::string script = completions(all_verbs(), shell == "bash"  ? Shell::bash
                                                      : shell == "zsh" ? Shell::zsh
                                                                       : Shell::fish);
  std::fwrite(script.data(), 1, script.size(), stdout);
  return ExitCode::ok;
}

}  // namespace

Verbs service_verbs() {
  Argument shell = required("shell", "Which shell");
  shell.choices = {"bash", "zsh", "fish"};
  Argument word = option("word", "Only metrics with this word");
  word.kind = Argument::Kind::optional_positional;
  return {{.path = "health",
           .summary = "Say whether the daemon is alive and ready",
           .examples = {"souk health", "souk --url http://127.0.0.1:9090 health --json"},
           .arguments = {},
           .run = health,
           .details =
               "Exits with 1 where it is alive but not ready, with 3 where it cannot be reached."},
          {.path = "metrics",
           .summary = "Show the daemon's metrics",
           .examples = {"souk metrics", "souk metrics commits"},
           .arguments = {word},
           .run = metrics},
          {.path = "completions",
           .summary = "Print completions for a shell",
           .examples = {"source <(souk completions bash)"},
           .arguments = {shell},
           .run = print_completions}};
}

}  // namespace souk::cli

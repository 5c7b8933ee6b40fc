#include "tools/souk/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <sstream>

#ifndef SOUK_VERSION
#define SOUK_VERSION "unknown"
#endif

namespace souk::cli {
namespace {

constexpr const char* default_url = "http://127.0.0.1:8080";
constexpr int words_max = 1'000;

const char* group_summary(std::string_view path) {
  struct Group {
    std::string_view path;
    const char* summary;
  };
  static constexpr Group groups[] = {
      {"product", "The catalogue"},
      {"stock", "What lies in the warehouse"},
      {"user", "The people who shop"},
      {"cart", "Carts and their lines"},
      {"order", "Orders, from the purchase to the refund"},
      {"payment", "What the payment provider has on record"},
      {"return", "Goods that come back without an order"},
      {"import", "Fill a shop from a file"},
      {"export", "Write what a shop has to a file"},
      {"bench", "Load and latency"},
      {"cluster", "Several nodes on one log: who owns what, and what is to move"},
      {"report", "What was sold, to whom, and what was not"},
  };
  for (const Group& group : groups)
    if (group.path == path) return group.summary;
  return "";
}

std::string footer(const Verb& verb) {
  std::string out;
  if (!verb.details.empty()) out += verb.details + "\n";
  if (!verb.examples.empty()) {
    if (!out.empty()) out += "\n";
    out += "Examples:\n";
    for (const std::string& example : verb.examples) out += "  " + example + "\n";
  }
  return out;
}

/// What CLI11 writes into while it parses, for one verb.
struct Binding {
  const Verb* verb = nullptr;
  CLI::App* app = nullptr;
  std::vector<std::pair<const Argument*, CLI::Option*>> options;
};

class Tree {
 public:
  Tree(CLI::App& root, const Verbs& verbs) : root_(root) {
    for (const Verb& verb : verbs) add(verb);
  }
  const Binding* parsed() const {
    for (const Binding& binding : bindings_)
      if (binding.app->parsed() && binding.app->get_subcommands().empty()) return &binding;
    return nullptr;
  }

 private:
  /// The group of that name: one of `group_summary`, or a verb that came before and has verbs of
  /// its own beside what it does alone.
  CLI::App* child(CLI::App* parent, const std::string& name, const std::string& path) {
    const auto there =
        parent->get_subcommands([&](CLI::App* app) { return app->get_name() == name; });
    if (!there.empty()) return there.front();
    CLI::App* made = parent->add_subcommand(name, group_summary(path));
    made->require_subcommand(1);
    made->fallthrough();
    return made;
  }
  void add(const Verb& verb) {
    std::istringstream words(verb.path);
    std::vector<std::string> steps;
    for (std::string word; words >> word;) steps.push_back(word);
    CLI::App* parent = &root_;
    std::string path;
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
      path += (i == 0 ? "" : " ") + steps[i];
      parent = child(parent, steps[i], path);
    }
    CLI::App* app = parent->add_subcommand(steps.back(), verb.summary);
    app->fallthrough();
    app->footer(footer(verb));
    Binding binding{.verb = &verb, .app = app, .options = {}};
    for (const Argument& argument : verb.arguments)
      binding.options.emplace_back(&argument, add_argument(*app, argument));
    bindings_.push_back(std::move(binding));
  }
  static CLI::Option* add_argument(CLI::App& app, const Argument& argument) {
    using Kind = Argument::Kind;
    if (argument.kind == Kind::flag) return app.add_flag("--" + argument.name, argument.help);
    const bool positional = argument.kind == Kind::positional ||
                            argument.kind == Kind::optional_positional ||
                            argument.kind == Kind::words;
    std::string name = positional ? argument.name : "--" + argument.name;
    if (argument.letter != 0) name += std::string(",-") + argument.letter;
    CLI::Option* made = app.add_option(name, argument.help);
    made->type_name(positional ? "" : "VALUE");
    if (argument.kind == Kind::positional) made->required();
    if (argument.kind == Kind::words) {
      made->expected(1, words_max)->allow_extra_args()->take_all();
    } else if (argument.kind == Kind::repeated) {
      made->expected(1)->take_all();
    } else {
      made->expected(1);
    }
    if (!argument.choices.empty()) made->check(CLI::IsMember(argument.choices));
    if (!argument.fallback.empty()) made->default_str(argument.fallback);
    return made;
  }

  CLI::App& root_;
  std::vector<Binding> bindings_;
};

Invocation collect(const Binding& binding) {
  Invocation invocation;
  invocation.verb = binding.verb->path;
  for (const auto& [argument, parsed] : binding.options) {
    if (parsed->count() > 0) {
      invocation.values[argument->name] = parsed->results();
    } else if (!argument->fallback.empty()) {
      invocation.values[argument->name] = {argument->fallback};
    }
  }
  return invocation;
}

int fail(const Failure& failure) {
  std::fflush(stdout);
  std::fprintf(stderr, "souk: %s\n", failure.message.c_str());
  return static_cast<int>(failure.code);
}

}  // namespace

int run_command_line(int argc, const char* const* argv, const Verbs& verbs) {
  CLI::App root("Souk's command line: shop, operate, import and measure over HTTP.", "souk");
  std::string url = default_url;
  bool json = false;
  root.add_option("--url", url, "The daemon to talk to")->envname("SOUK_URL")->type_name("URL");
  root.add_flag("--json", json, "Print the server's JSON instead of tables");
  root.set_version_flag("--version", std::string("souk ") + SOUK_VERSION);
  root.require_subcommand(1);
  root.footer(
      "Exit codes: 0 ok, 1 refused or failed, 2 usage, 3 cannot reach the daemon.\n"
      "`souk VERB --help` shows examples; `souk completions bash` prints shell completions.");
  const Tree tree(root, verbs);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? static_cast<int>(ExitCode::ok)
                                 : static_cast<int>(ExitCode::usage);
  }
  const Binding* binding = tree.parsed();
  if (!binding) return fail({ExitCode::usage, "a verb is missing; see souk --help"});
  Invocation invocation = collect(*binding);
  invocation.format = json ? Format::json : Format::table;
  const auto parsed_url = parse_url(url);
  if (!parsed_url)
    return fail({ExitCode::usage, "--url: wanted http://HOST:PORT, got \"" + url + "\""});
  invocation.url = *parsed_url;
  const Outcome<ExitCode> outcome = binding->verb->run(invocation);
  if (!outcome) return fail(outcome.error());
  return static_cast<int>(*outcome);
}

}  // namespace souk::cli

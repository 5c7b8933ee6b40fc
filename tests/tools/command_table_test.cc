#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "tools/souk/cli/command_line.h"
#include "tools/souk/cli/completions.h"
#include "tools/souk/shop/purchase.h"
#include "tools/souk/verbs/verbs.h"

using namespace souk::cli;

namespace {

Invocation seen;
Outcome<ExitCode> remember(const Invocation& invocation) {
  seen = invocation;
  return ExitCode::ok;
}
Outcome<ExitCode> fail_unreachable(const Invocation&) {
  return Failure{ExitCode::unreachable, "cannot reach the test"};
}

Verbs small_table() {
  Argument colour = option("colour", "Which", "red");
  colour.choices = {"red", "blue"};
  Argument many = option("line", "Lines");
  many.kind = Argument::Kind::repeated;
  return {{.path = "thing put",
           .summary = "Puts a thing",
           .examples = {"souk thing put x"},
           .arguments = {required("name", "Its name"), required("delta", "A number"), colour, many,
                         flag("fast", "Faster")},
           .run = remember},
          {.path = "find",
           .summary = "Finds things",
           .examples = {"souk find x"},
           .arguments = {any_words("words", "What"), option("sort", "Order")},
           .run = remember},
          {.path = "pumps",
           .summary = "Shows the pumps",
           .examples = {"souk pumps"},
           .arguments = {},
           .run = remember},
          {.path = "pumps stop",
           .summary = "Stops one",
           .examples = {"souk pumps stop 1"},
           .arguments = {required("name", "Which")},
           .run = remember},
          {.path = "break",
           .summary = "Fails",
           .examples = {},
           .arguments = {},
           .run = fail_unreachable}};
}

/// Runs with standard output and error out of sight.
int run(std::vector<const char*> words) {
  words.insert(words.begin(), "souk");
  std::fflush(stdout);
  const int out = ::dup(STDOUT_FILENO), error = ::dup(STDERR_FILENO);
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  ::dup2(::fileno(nowhere), STDOUT_FILENO);
  ::dup2(::fileno(nowhere), STDERR_FILENO);
  const int code = run_command_line(static_cast<int>(words.size()), words.data(), small_table());
  std::fflush(stdout);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(error, STDERR_FILENO);
  ::close(out);
  ::close(error);
  std::fclose(nowhere);
  return code;
}

}  // namespace

TEST_CASE("command line: arguments, options, defaults and flags reach the verb") {
  seen = {};
  CHECK(run({"--url", "http://[::1]:7", "thing", "put", "x", "-3", "--line", "a=1", "--line", "b=2",
             "--json"}) == 0);
  CHECK(seen.url == Url{"::1", "7"});
  CHECK(seen.json());
  CHECK(seen.get("name") == "x");
  CHECK(seen.get("delta") == "-3");
  CHECK(seen.get("colour") == "red");
  CHECK(seen.all("line") == std::vector<std::string>{"a=1", "b=2"});
  CHECK_FALSE(seen.has("fast"));
  CHECK(run({"thing", "put", "x", "1", "--fast", "--colour", "blue"}) == 0);
  CHECK(seen.has("fast"));
  CHECK(seen.get("colour") == "blue");
  CHECK(seen.url == Url{"127.0.0.1", "8080"});
}

TEST_CASE("command line: words are joined, also none of them, and those behind two dashes") {
  CHECK(run({"find", "blue", "mug", "--sort=-price"}) == 0);
  CHECK(seen.joined("words") == "blue mug");
  CHECK(seen.get("sort") == "-price");
  CHECK(seen.verb == "find");
  CHECK(run({"find"}) == 0);
  CHECK(seen.joined("words").empty());
  CHECK(run({"find", "--", "tea", "-green"}) == 0);
  CHECK(seen.joined("words") == "tea -green");
  CHECK(run({"find", "-"}) == 0);
  CHECK(seen.joined("words") == "-");
}

TEST_CASE("command line: a verb may have verbs of its own beside what it does alone") {
  CHECK(run({"pumps"}) == 0);
  CHECK(seen.verb == "pumps");
  CHECK(run({"pumps", "--json"}) == 0);
  CHECK(seen.json());
  CHECK(run({"pumps", "stop", "1"}) == 0);
  CHECK(seen.verb == "pumps stop");
  CHECK(run({"pumps", "start"}) == 2);
  CHECK(run({"pumps", "stop"}) == 2);
}

TEST_CASE(
    "command line: help and version exit with 0, wrong usage with 2, failures with their own "
    "code") {
  CHECK(run({"--help"}) == 0);
  CHECK(run({"thing", "--help"}) == 0);
  CHECK(run({"thing", "put", "--help"}) == 0);
  CHECK(run({"--version"}) == 0);
  CHECK(run({}) == 2);
  CHECK(run({"thing"}) == 2);
  CHECK(run({"nothing"}) == 2);
  CHECK(run({"thing", "put", "x"}) == 2);
  CHECK(run({"thing", "put", "x", "1", "--colour", "green"}) == 2);
  CHECK(run({"thing", "put", "x", "1", "--unknown"}) == 2);
  CHECK(run({"--url", "nonsense", "break"}) == 2);
  CHECK(run({"break"}) == 3);
}

TEST_CASE("command line: every verb has a summary and examples that begin with itself") {
  std::set<std::string> paths;
  for (const Verb& verb : all_verbs()) {
    CAPTURE(verb.path);
    CHECK(paths.insert(verb.path).second);
    CHECK(!verb.summary.empty());
    const bool runs = verb.run != nullptr;
    CHECK(runs);
    CHECK(!verb.examples.empty());
    const bool shown = std::ranges::any_of(verb.examples, [&](const std::string& example) {
      return example.find(verb.path) != std::string::npos;
    });
    CHECK(shown);
  }
}

TEST_CASE("completions: every verb and option of the table is in each shell's script") {
  for (const Shell shell : {Shell::bash, Shell::zsh, Shell::fish}) {
    const std::string script = completions(small_table(), shell);
    for (const char* word : {"thing", "put", "break", "colour", "blue", "line", "fast"}) {
      CAPTURE(word);
      CHECK(script.find(word) != std::string::npos);
    }
    CHECK(script.find("'thing put'") != std::string::npos);
  }
}

TEST_CASE("arguments: whole numbers within their bounds, nothing else") {
  Invocation invocation;
  const auto value = [&](const std::string& text) {
    invocation.values["n"] = {text};
    return integer_argument(invocation, "n", -5, 10);
  };
  CHECK(*value("10") == 10);
  CHECK(*value("-5") == -5);
  for (const char* text : {"11", "-6", "", "1.5", "1x", "+1", " 1", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK(value(text).error().code == ExitCode::usage);
  }
}

TEST_CASE("arguments: a line is split at the last marks, so that a SKU may hold them") {
  const auto line = line_argument("a=b@c=2@1.50", Pricing::priced);
  REQUIRE(line);
  CHECK(line->sku == "a=b@c");
  CHECK(line->quantity == 2);
  CHECK(line->price == "1.50");
  CHECK(line_argument("MUG-1=3", Pricing::unpriced)->quantity == 3);
  for (const char* text : {"", "a", "=1", "a=", "a=0", "a=-1", "a=1.5"}) {
    CAPTURE(text);
    CHECK(line_argument(text, Pricing::unpriced).error().code == ExitCode::usage);
  }
  CHECK_FALSE(line_argument("a=1", Pricing::priced).ok());
}

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "tools/souk/audit.h"
#include "tools/souk/json.h"
#include "tools/souk/verbs.h"

namespace souk::cli {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + "\"";
}

void print_json(const AuditReport& r) {
  std::string rows;
  for (const auto& v : r.violations)
    rows += fmt::format("{}{{\"promise\":{},\"entity\":{},\"position\":{},\"what\":{}}}",
                        rows.empty() ? "" : ",", in_quotes(v.promise), in_quotes(v.entity),
                        in_quotes(v.position), in_quotes(v.what));
  fmt::print(
      "{{\"shards\":{},\"records\":{},\"transactions\":{},\"events\":{},\"entities\":{},\"orders\":"
      "{},\"skus\":{},"
      "\"stored_states\":{},\"ignored_records\":{},\"violations_found\":{},\"violations\":[{}]}}\n",
      r.shards, r.records, r.transactions, r.events, r.entities, r.orders, r.skus, r.stored_states,
      r.ignored_records, r.violations_found, rows);
}

void print_table(const AuditReport& r) {
  for (const auto& v : r.violations)
    fmt::print("{} violated by {} at {}: {}\n", v.promise, v.entity, v.position, v.what);
  if (r.violations_found > r.violations.size())
    fmt::print("... and {} more\n", r.violations_found - r.violations.size());
  fmt::print(
      "{} shards, {} records, {} events, {} entities ({} orders, {} SKUs), {} stored states: {}\n",
      r.shards, r.records, r.events, r.entities, r.orders, r.skus, r.stored_states,
      r.violations_found == 0 ? "every promise holds"
                              : fmt::format("{} violations", r.violations_found));
}

Outcome<ExitCode> verify(const Invocation& call) {
  const bool terminal = isatty(STDERR_FILENO) == 1;
  auto report = audit(call.get("data-dir"), [&](std::uint64_t done, std::uint64_t of) {
    if (terminal)
      fmt::print(stderr, "\rverifying shard {} of {}{}", done, of, done == of ? "\n" : "");
  });
  if (!report.ok()) return Failure{ExitCode::refused, report.error().what};
  call.json() ? print_json(*report) : print_table(*report);
  return report->violations_found == 0 ? ExitCode::ok : ExitCode::refused;
}

}  // namespace

Verbs verify_verbs() {
  return {{.path = "verify",
           .summary = "Check the promises over a data directory of a stopped soukd",
           .examples = {"souk verify --data-dir data"},
           .arguments = {option("data-dir", "the directory that soukd was given", "data")},
           .run = verify,
           .details = "Reads the whole log: that no acknowledged record is missing or damaged "
                      "(P1), that no idempotency\n"
                      "key took effect twice (P2), that stock adds up and was never oversold (P3), "
                      "that the money the\n"
                      "provider kept is what the orders say, and that stored states equal the fold "
                      "of the log, byte for\n"
                      "byte (P6). Prints each violation with its entity and position and ends with "
                      "1 if there is any."}};
}

}  // namespace souk::cli

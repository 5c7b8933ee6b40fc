#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "events/journal/rocksdb_scrub.h"
#include "events/json_text.h"
#include "tools/read_models.h"
#include "tools/souk/audit/audit.h"
#include "tools/souk/cli/progress.h"
#include "tools/souk/client/json.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void print_json(const AuditReport& r) {
  std::string rows;
  for (const auto& v : r.violations)
    rows += fmt::format("{}{{\"promise\":{},\"entity\":{},\"position\":{},\"what\":{}}}",
                        rows.empty() ? "" : ",", json_text(v.promise), json_text(v.entity),
                        json_text(v.position), json_text(v.what));
  std::string models;
  for (const auto& m : r.read_models) {
    models += fmt::format(
        "{}{{\"name\":{},\"events\":{},\"lag_events\":{},\"stale_entities\":{},\"held_events\":{},"
        "\"left_out_events\":{}",
        models.empty() ? "" : ",", json_text(m.name), m.events, m.lag_events, m.stale_entities,
        m.held_events, m.left_out_events);
    if (!m.not_compared.empty()) models += ",\"not_compared\":" + json_text(m.not_compared);
    models += '}';
  }
  fmt::print(
      "{{\"shards\":{},\"records\":{},\"transactions\":{},\"events\":{},\"entities\":{},\"orders\":"
      "{},\"skus\":{},"
      "\"stored_states\":{},\"ignored_records\":{},\"accounts\":{},\"other_accounts\":{},{}"
      "\"read_models\":[{}],\"violations_found\":{},"
      "\"violations\":[{}]}}\n",
      r.shards, r.records, r.transactions, r.events, r.entities, r.orders, r.skus, r.stored_states,
      r.ignored_records, r.accounts, r.other_accounts,
      r.money_not_compared.empty()
          ? ""
          : fmt::format("\"money_not_compared\":{},", json_text(r.money_not_compared)),
      models, r.violations_found, rows);
}

void print_read_model(const ReadModelReport& m) {
  std::string line = fmt::format("read model {}: ", m.name);
  line += m.not_compared.empty() ? fmt::format("{} events", m.events)
                                 : "not compared: " + m.not_compared;
  if (m.lag_events > 0) line += fmt::format(", {} behind the log", m.lag_events);
  if (m.stale_entities > 0)
    line +=
        fmt::format(", {} stale entities ({} events held back)", m.stale_entities, m.held_events);
  if (m.left_out_events > 0)
    line += fmt::format(", {} events left out that it cannot take", m.left_out_events);
  fmt::print("{}\n", line);
}

void print_table(const AuditReport& r) {
  for (const auto& v : r.violations)
    fmt::print("{} violated by {} at {}: {}\n", v.promise, v.entity, v.position, v.what);
  if (r.violations_found > r.violations.size())
    fmt::print("... and {} more\n", r.violations_found - r.violations.size());
  for (const auto& m : r.read_models) print_read_model(m);
  if (!r.money_not_compared.empty())
    fmt::print("money: not compared: {}\n", r.money_not_compared);
  else if (r.other_accounts > 0)
    fmt::print(
        "money: {} of the provider's {} accounts are of orders that this log does not have\n",
        r.other_accounts, r.accounts);
  fmt::print(
      "{} shards, {} records, {} events, {} entities ({} orders, {} SKUs), {} stored states: {}\n",
      r.shards, r.records, r.events, r.entities, r.orders, r.skus, r.stored_states,
      r.violations_found > 0         ? fmt::format("{} violations", r.violations_found)
      : r.money_not_compared.empty() ? "every promise holds"
                                     : "every promise holds, but for the money");
}

/// A bar for each phase.
class Bars final : public AuditWatch {
 public:
  void begin(const std::string& phase, const std::string& things, std::uint64_t total) override {
    bar_.emplace(things, total);
    bar_->phase(phase);
  }
  void add(std::uint64_t done) override { bar_->add(done); }

 private:
  std::optional<Progress> bar_;
};

/// Every block of every store: the audit reads what the promises need, which is not all.
std::vector<Violation> scrub(const std::filesystem::path& data_dir) {
  std::vector<Violation> found;
  const auto stores = stores_under(data_dir);
  Progress bar("stores", stores.size());
  for (const auto& store : stores) {
    if (auto status = check_tables(store); !status.ok())
      found.push_back({.promise = "stored bytes",
                       .entity = std::filesystem::relative(store, data_dir).string() + "/",
                       .position = "its tables",
                       .what = status.error().what});
    bar.add(1);
  }
  return found;
}

Outcome<ExitCode> verify(const Invocation& call) {
  auto report = [&] {
    Bars bars;
    std::optional<std::string> provider_dir;
    if (call.has("provider-dir")) provider_dir = call.get("provider-dir");
    return audit(call.get("data-dir"), read_models(), bars, provider_dir);
  }();
  if (!report.ok()) return Failure{ExitCode::refused, report.error().what};
  if (call.has("scrub"))
    for (auto& violation : scrub(call.get("data-dir"))) {
      ++report->violations_found;
      report->violations.push_back(std::move(violation));
    }
  call.json() ? print_json(*report) : print_table(*report);
  return report->violations_found == 0 ? ExitCode::ok : ExitCode::refused;
}

}  // namespace

Verbs verify_verbs() {
  return {{.path = "verify",
           .summary = "Check the promises over a data directory of a stopped soukd",
           .examples = {"souk verify --data-dir data"},
           .arguments = {option("data-dir", "the directory that soukd was given", "data"),
                         option("provider-dir",
                                "the directory of the souk provider that soukd called, stopped; "
                                "without it the money of such a soukd is not compared"),
                         flag("scrub",
                              "read every block of every store too, also those that "
                              "neither the audit nor a start reads")},
           .run = verify,
           .details =
               "Reads the whole log: that no acknowledged record is missing or damaged "
               "(P1), that no idempotency\n"
               "key took effect twice (P2), that stock adds up and was never oversold (P3), "
               "that the money the\n"
               "provider kept is what the orders say and that it knows of no other order, that "
               "what was sealed can be\n"
               "opened unless its key was destroyed, that stored states equal the fold of "
               "the log, byte for byte\n"
               "(P6), and that each read model equals the fold of the log at the position "
               "that it names (P5); for\n"
               "that it is copied and folded anew in a temporary folder ($TMPDIR), which "
               "needs twice its room.\n"
               "Changes nothing in the directory. Prints each violation with its entity and "
               "position and ends with\n"
               "1 if there is any. A read model that is behind the log is none: it is "
               "reported."}};
}

}  // namespace souk::cli

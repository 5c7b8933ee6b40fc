// souk bench http | batch | drop | orders
#include <fmt/format.h>

#include <charconv>
#include <cstdio>

#include "tools/souk/cli/table.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/load/run.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

Outcome<double> number_argument(const Invocation& invocation, std::string_view name, double least,
                                double most) {
  const std::string& text = invocation.get(name);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() ||
      !(value >= least && value <= most))
    return Failure{ExitCode::usage, fmt::format("{}: wanted a number from {} to {}, got \"{}\"",
                                                name, least, most, text)};
  return value;
}

std::string status_name(int status) { return status == 0 ? "no answer" : std::to_string(status); }

std::string report_json(const LoadReport& report, const Mix& mix,
                        const std::vector<Promise>& promises) {
  std::string statuses, checks;
  for (const auto& [status, count] : report.by_status)
    statuses += fmt::format("{}\"{}\":{}", statuses.empty() ? "" : ",", status_name(status), count);
  for (const Promise& promise : promises)
    checks += (checks.empty() ? "" : ",") +
              JsonObject{}
                  .text("what", promise.what)
                  .raw("held", promise.held ? "true" : "false")
                  .optional_text("detail", promise.held ? "" : promise.detail)
                  .done();
  return fmt::format(
      "{{\"seconds\":{:.3f},\"commands\":{},\"per_second\":{:.1f},\"p50_ms\":{:.3f},\"p99_ms\":{:."
      "3f},"
      "\"p999_ms\":{:.3f},\"max_ms\":{:.3f},\"orders_confirmed\":{},\"orders_rejected\":{},"
      "\"by_status\":{{{}}},\"promises\":[{}]}}\n",
      report.seconds, report.commands,
      static_cast<double>(report.commands) / std::max(1e-9, report.seconds),
      report.latency.quantile_ms(0.5), report.latency.quantile_ms(0.99),
      report.latency.quantile_ms(0.999), report.latency.max_ms(), mix.confirmed(), mix.rejected(),
      statuses, checks);
}

std::string report_text(const LoadReport& report, const Mix& mix,
                        const std::vector<Promise>& promises) {
  Table table({{"MEASURED"}, {"", Align::right}});
  const double per_second = static_cast<double>(report.commands) / std::max(1e-9, report.seconds);
  table.add({"commands", with_thousands(report.commands)});
  table.add({"seconds", fmt::format("{:.2f}", report.seconds)});
  table.add({"commands/s", with_thousands(static_cast<std::uint64_t>(per_second))});
  table.add({"p50 ms", fmt::format("{:.2f}", report.latency.quantile_ms(0.5))});
  table.add({"p99 ms", fmt::format("{:.2f}", report.latency.quantile_ms(0.99))});
  table.add({"p99.9 ms", fmt::format("{:.2f}", report.latency.quantile_ms(0.999))});
  table.add({"max ms", fmt::format("{:.2f}", report.latency.max_ms())});
  if (mix.confirmed() + mix.rejected() > 0) {
    table.add({"orders confirmed", with_thousands(mix.confirmed())});
    table.add({"orders rejected", with_thousands(mix.rejected())});
  }
  for (const auto& [status, count] : report.by_status)
    table.add({(status == 0 ? "" : "status ") + status_name(status), with_thousands(count)});
  std::string text = table.text();
  for (const std::string& fault : report.faults) text += "fault: " + fault + "\n";
  for (const Promise& promise : promises)
    text += (promise.held ? "held: " : "VIOLATED: ") + promise.what +
            (promise.held ? "" : " (" + promise.detail + ")") + "\n";
  return text;
}

Outcome<ExitCode> measure(const Invocation& invocation, const LoadOptions& load,
                          const MixOptions& options) {
  Mix mix(options, invocation.url);
  if (auto prepared = mix.prepare(); !prepared) return prepared.error();
  auto report = run_load(load, invocation.url, mix);
  if (!report) return report.error();
  auto promises = mix.check(load.wire, report->lost);
  if (!promises) return promises.error();
  const std::string text = invocation.json() ? report_json(*report, mix, *promises)
                                             : report_text(*report, mix, *promises);
  std::fwrite(text.data(), 1, text.size(), stdout);
  for (const Promise& promise : *promises)
    if (!promise.held) return ExitCode::refused;
  return ExitCode::ok;
}

/// The options that all loads share. Something where one is wrong.
std::optional<Failure> read_options(const Invocation& invocation, LoadOptions& load,
                                    MixOptions& mix) {
  auto connections = integer_argument(invocation, "connections", 1, 10'000);
  if (!connections) return connections.error();
  auto seconds = number_argument(invocation, "seconds", 0.1, 86'400);
  if (!seconds) return seconds.error();
  auto rate = number_argument(invocation, "rate", 0, 1e7);
  if (!rate) return rate.error();
  auto skus = integer_argument(invocation, "skus", 1, 1'000'000);
  if (!skus) return skus.error();
  auto stock = integer_argument(invocation, "stock", 1, 1'000'000);
  if (!stock) return stock.error();
  auto seed = integer_argument(invocation, "seed", 0, INT64_MAX);
  if (!seed) return seed.error();
  load.connections = static_cast<std::size_t>(*connections);
  load.seconds = *seconds;
  load.rate = *rate;
  mix.skus = static_cast<std::size_t>(*skus);
  mix.stock = *stock;
  mix.seed = static_cast<std::uint64_t>(*seed);
  if (invocation.has("carts")) {
    auto carts = integer_argument(invocation, "carts", 1, 1'000'000);
    if (!carts) return carts.error();
    mix.carts = static_cast<std::size_t>(*carts);
  }
  if (invocation.has("mix")) mix.kind = *mix_kind(invocation.get("mix"));
  return std::nullopt;
}

Outcome<ExitCode> bench_http(const Invocation& invocation) {
  LoadOptions load;
  MixOptions mix;
  if (const auto failed = read_options(invocation, load, mix)) return *failed;
  return measure(invocation, load, mix);
}

Outcome<ExitCode> bench_batch(const Invocation& invocation) {
  LoadOptions load;
  MixOptions mix;
  if (const auto failed = read_options(invocation, load, mix)) return *failed;
  auto batch = integer_argument(invocation, "batch", 1, 100'000);
  if (!batch) return batch.error();
  load.batch = static_cast<std::size_t>(*batch);
  load.wire = invocation.get("format") == "capnp" ? Wire::capnp : Wire::ndjson;
  return measure(invocation, load, mix);
}

Outcome<ExitCode> bench_drop(const Invocation& invocation) {
  LoadOptions load;
  MixOptions mix{.kind = MixKind::drop};
  if (const auto failed = read_options(invocation, load, mix)) return *failed;
  return measure(invocation, load, mix);
}

Outcome<ExitCode> bench_orders(const Invocation& invocation) {
  LoadOptions load;
  MixOptions mix{.kind = MixKind::place_order};
  if (const auto failed = read_options(invocation, load, mix)) return *failed;
  return measure(invocation, load, mix);
}

std::vector<Argument> load_arguments(const char* connections, const char* skus, const char* stock) {
  return {option("connections", "How many at a time", connections),
          option("seconds", "How long", "5"),
          option("rate", "Commands per second, open loop; 0: as fast as answers come", "0"),
          option("skus", "How many SKUs", skus),
          option("stock", "Pieces of each SKU", stock),
          option("seed", "Of the choices", "1")};
}

Argument choice(std::string name, std::string help, std::string fallback,
                std::vector<std::string> choices) {
  Argument made = option(std::move(name), std::move(help), std::move(fallback));
  made.choices = std::move(choices);
  return made;
}

const char* const load_details =
    "Makes its own products, stock and carts, then loads the daemon and checks at the end, over "
    "HTTP,\n"
    "that stock adds up and every cart holds what was acknowledged; exits with 1 where a promise "
    "was\n"
    "violated. Latency is per request; with --rate it counts from when the request was due.";

}  // namespace

Verbs bench_verbs() {
  Verb http{.path = "bench http",
            .summary = "Single commands as JSON",
            .examples = {"souk bench http", "souk bench http --mix read --connections 16",
                         "souk bench http --rate 5000 --seconds 30"},
            .arguments = load_arguments("64", "100", "1000000"),
            .run = bench_http,
            .details = load_details};
  http.arguments.push_back(choice("mix", "What is asked", "add-to-cart",
                                  {"add-to-cart", "place-order", "drop", "read"}));
  http.arguments.push_back(option("carts", "How many carts", "2000"));
  Verb batch{.path = "bench batch",
             .summary = "Commands in batches, as JSON lines or Cap'n Proto",
             .examples = {"souk bench batch", "souk bench batch --format capnp --batch 1000"},
             .arguments = load_arguments("4", "100", "1000000"),
             .run = bench_batch,
             .details = load_details};
  batch.arguments.push_back(
      choice("mix", "What is asked", "add-to-cart", {"add-to-cart", "place-order", "drop"}));
  batch.arguments.push_back(option("carts", "How many carts", "2000"));
  batch.arguments.push_back(option("batch", "Commands per request", "500"));
  batch.arguments.push_back(
      choice("format", "How they are written", "ndjson", {"ndjson", "capnp"}));
  return {http,
          batch,
          {.path = "bench drop",
           .summary = "Everybody wants the same SKU",
           .examples = {"souk bench drop", "souk bench drop --stock 500 --connections 256"},
           .arguments = load_arguments("64", "1", "10000"),
           .run = bench_drop,
           .details = load_details},
          {.path = "bench orders",
           .summary = "Orders of three lines over many SKUs",
           .examples = {"souk bench orders", "souk bench orders --connections 16 --skus 1000"},
           .arguments = load_arguments("64", "10000", "100000"),
           .run = bench_orders,
           .details = load_details}};
}

}  // namespace souk::cli

// souk provider: the payment simulator, outside of the nodes that call it.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "actors/adapters/payment_simulator/simulator.h"
#include "actors/adapters/system_clock.h"
#include "gateway/http/loopback.h"
#include "gateway/provider/provider_service.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

constexpr int drain_ms = 5'000;
constexpr std::size_t connections_max = 1'024;

/// A folder that only a ledger is in; made where there is none.
Outcome<std::filesystem::path> ledger_folder(const std::string& name) {
  const std::filesystem::path folder(name);
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder, error);
  if (made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  const bool empty = std::filesystem::is_empty(folder, error);
  if (error) return Failure{ExitCode::refused, name + ": " + error.message()};
  if (!empty && !std::filesystem::exists(folder / "CURRENT", error))
    return Failure{ExitCode::refused,
                   name +
                       ": it is not empty and is no provider's ledger (it has no "
                       "CURRENT): name an empty or a new directory"};
  return folder;
}

/// Until SIGTERM or SIGINT. REQUIRES: they are blocked in every thread.
void serve_until(const sigset_t& signals, HttpServer& server, ProviderService& service,
                 const std::string& listen) {
  service.start(server);
  std::thread io([&] { server.run(); });
  fmt::print("souk provider ready listen={}\n", listen);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  service.end();
  server.drain(drain_ms);
  io.join();
  service.stop();
}

Outcome<ExitCode> provider(const Invocation& call) {
  const std::string& listen = call.get("listen");
  if (!is_loopback(listen) && !call.has("allow-unauthenticated"))
    return Failure{ExitCode::usage,
                   "--listen " + listen +
                       ": it is not a loopback address, and whoever reaches it can move money: "
                       "listen to 127.0.0.1, or give --allow-unauthenticated"};
  const auto folder = ledger_folder(call.get("data-dir"));
  if (!folder) return folder.error();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e level=%l logger=%n %v");
  SystemClock clock({});
  auto simulator = PaymentSimulator::open(*folder, clock);
  if (!simulator.ok()) return Failure{ExitCode::refused, simulator.error().what};
  ProviderService service(**simulator);
  HttpLimits limits;
  limits.connections_max = connections_max;
  auto server = HttpServer::listen(listen, false, limits, service);
  if (!server.ok()) return Failure{ExitCode::refused, server.error().what};
  serve_until(signals, **server, service, (*server)->address());
  return ExitCode::ok;
}

}  // namespace

Verbs provider_verbs() {
  return {
      {.path = "provider",
       .summary = "Serve the simulated payment provider to the nodes of a cluster",
       .examples = {"souk provider --data-dir provider --listen 127.0.0.1:8090"},
       .arguments = {option("data-dir", "its ledger; made if it is not there", "provider"),
                     option("listen", "ADDRESS:PORT to serve on; port 0 picks a free one",
                            "127.0.0.1:8090"),
                     flag("allow-unauthenticated",
                          "listen on other addresses than loopback although nobody has to log in")},
       .run = provider,
       .details =
           "Nodes call it with: soukd --payment-provider http://ADDRESS:PORT. What it has answered "
           "is "
           "on its disk; a call\n"
           "that is repeated, by whatever node, is answered as it was and takes effect once.\n"
           "Prints one line when it serves, and ends at SIGTERM. Its directory is of this process "
           "alone."}};
}

}  // namespace souk::cli

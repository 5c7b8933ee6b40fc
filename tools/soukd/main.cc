// soukd: wires the ports, the engine and the HTTP server, and ends them in order.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "actors/adapters/data_directory.h"
#include "actors/adapters/payment_simulator/simulator.h"
#include "actors/adapters/rocksdb_state_store.h"
#include "actors/adapters/sodium_vault.h"
#include "actors/adapters/system_clock.h"
#include "actors/host/engine.h"
#include "events/journal/rocksdb_journal.h"
#include "gateway/api/commands/presenter.h"
#include "gateway/api/edge/service.h"
#include "gateway/api/reads/read_side.h"
#include "gateway/http/server.h"
#include "projections/runner/projection_set.h"
#include "tools/read_models.h"
#include "tools/soukd/config.h"

extern char** environ;

namespace souk {
namespace {

/// The machine's time, never behind the newest event of the log.
class DaemonClock final : public Clock {
 public:
  UnixMs now() override { return base_.now().plus_ms(ahead_.load(std::memory_order_relaxed)); }
  void raise(UnixMs floor) {
    const UnixMs at = base_.now();
    if (floor <= at) return;
    spdlog::warn("the clock is behind the log, going on from there behind_ms={}",
                 floor.value - at.value);
    ahead_.store(floor.value - at.value, std::memory_order_relaxed);
  }

 private:
  SystemClock base_{UnixMs{}};
  std::atomic<std::int64_t> ahead_{0};
};

/// Everything that is open while the daemon serves, in the order of its making.
struct Daemon {
  std::unique_ptr<DataDirectory> directory;
  std::unique_ptr<RocksDbJournal> journal;
  std::unique_ptr<RocksdbStateStore> states;
  std::unique_ptr<SodiumVault> vault;
  DaemonClock clock;
  SystemRandomness randomness;
  std::unique_ptr<JsonPresenter> presenter;
  std::unique_ptr<PaymentSimulator> payments;
  std::unique_ptr<RecentLog> recent;
  std::unique_ptr<Freshness> freshness;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<ProjectionSet> projections;
  std::unique_ptr<ReadSide> read_side;
  std::unique_ptr<ApiCommon> common;
  std::unique_ptr<Api> api;
  std::unique_ptr<HttpServer> server;
  RecoveryReport recovery;
};

/// Of encoded batches that read models have not had yet.
constexpr std::size_t recent_bytes_max = 32 << 20;

EngineOptions engine_options(const Config& c) {
  EngineOptions o;
  o.shards = static_cast<std::uint32_t>(c.shards);
  o.hosts = c.hosts > 0 ? static_cast<std::uint32_t>(c.hosts)
                        : std::max(1u, std::thread::hardware_concurrency() / 2);
  o.hosts = std::min(o.hosts, o.shards);
  o.memory_bytes = static_cast<std::size_t>(c.memory_mb) << 20;
  o.hold_ms = c.hold_ms;
  o.payment_retry_ms = c.payment_retry_ms;
  o.payment_deadline_ms = c.payment_deadline_ms;
  o.checkpoint_events = static_cast<std::uint64_t>(c.checkpoint_events);
  o.checkpoint_ms = c.checkpoint_ms;
  return o;
}

template <class T>
Status take(Result<std::unique_ptr<T>, Fault>&& opened, std::unique_ptr<T>& into) {
  if (!opened.ok()) return opened.error();
  into = std::move(*opened);
  return Done{};
}

Status open_ports(Daemon& d, const Loaded& loaded) {
  const Config& c = loaded.config;
  std::optional<std::uint32_t> shards;
  if (loaded.origin.contains("shards")) shards = static_cast<std::uint32_t>(c.shards);
  if (auto s = take(DataDirectory::open(c.data_dir, shards), d.directory); !s.ok()) return s;
  if (auto s = take(RocksDbJournal::open(d.directory->journal()), d.journal); !s.ok()) return s;
  if (auto s = take(RocksdbStateStore::open({.path = d.directory->states()}), d.states); !s.ok())
    return s;
  if (auto s = take(SodiumVault::open({.path = d.directory->keys()}), d.vault); !s.ok()) return s;
  d.presenter = std::make_unique<JsonPresenter>(*Currency::parse(c.default_currency));
  Daemon* self = &d;
  return take(
      PaymentSimulator::open(d.directory->provider(), d.clock,
                             [self](const PaymentAnswer& a) { self->engine->payment_answered(a); }),
      d.payments);
}

Status start(Daemon& d, const Loaded& loaded, std::chrono::steady_clock::time_point began) {
  if (auto s = open_ports(d, loaded); !s.ok()) return s;
  EngineOptions options = engine_options(loaded.config);
  options.shards = d.directory->manifest().shards;
  options.hosts = std::min(options.hosts, options.shards);
  d.recent = std::make_unique<RecentLog>(options.shards, recent_bytes_max);
  d.freshness = std::make_unique<Freshness>(options.shards);
  auto engine = Engine::start(options,
                              {.journal = *d.journal,
                               .states = *d.states,
                               .vault = *d.vault,
                               .payments = *d.payments,
                               .clock = d.clock,
                               .randomness = d.randomness,
                               .presenter = *d.presenter,
                               .feed = d.recent.get(),
                               .freshness = d.freshness.get()},
                              d.recovery);
  if (!engine.ok()) return engine.error();
  d.engine = std::move(*engine);
  d.clock.raise(d.recovery.last_event_at);
  d.recent->begin_at(d.recovery.last_seqs);
  SearchOptions search;
  if (!loaded.config.search_synonyms.empty()) search.synonyms = loaded.config.search_synonyms;
  d.projections = std::make_unique<ProjectionSet>(read_models(search), d.directory->projections(),
                                                  LogSource{*d.journal, *d.recent});
  d.projections->start();
  d.read_side = std::make_unique<ReadSide>(*d.projections, LogSource{*d.journal, *d.recent});
  if (d.recovery.ignored_records > 0)
    spdlog::warn("records of failed commits were passed over count={}", d.recovery.ignored_records);
  ApiOptions api;
  api.version = SOUK_VERSION;
  api.recovery = d.recovery;
  api.recovery_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  api.view_cache_bytes = static_cast<std::size_t>(loaded.config.view_cache_mb) << 20;
  api.tickets_max = static_cast<std::size_t>(loaded.config.in_flight_max);
  d.common = std::make_unique<ApiCommon>(*d.engine, *d.vault, *d.payments, d.randomness,
                                         *d.read_side, *d.freshness, api);
  d.api = std::make_unique<Api>(*d.common);
  HttpLimits limits;
  limits.connections_max = static_cast<std::size_t>(loaded.config.connections_max);
  if (auto s = take(HttpServer::listen(loaded.config.http, false, limits, *d.api), d.server);
      !s.ok())
    return s;
  d.common->metrics().add_server(*d.server);
  return Done{};
}

/// Blocks until SIGTERM or SIGINT. REQUIRES: they are blocked in every thread.
void wait_for_end() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  int signal = 0;
  sigwait(&set, &signal);
  spdlog::info("ending signal={}", signal);
}

void set_up_logs(const std::string& level) {
  auto logger =
      std::make_shared<spdlog::logger>("soukd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  spdlog::set_default_logger(std::move(logger));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e level=%l logger=%n %v");
  spdlog::set_level(spdlog::level::from_str(level));
  spdlog::flush_on(spdlog::level::info);
}

int serve(const Loaded& loaded) {
  const auto began = std::chrono::steady_clock::now();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  set_up_logs(loaded.config.log_level);

  Daemon d;
  if (auto s = start(d, loaded, began); !s.ok()) {
    fmt::print(stderr, "soukd: {}\n", s.error().what);
    if (d.engine) d.engine->stop();
    return 1;
  }
  std::thread io([&] { d.server->run(); });
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  fmt::print("souk ready http={} shards={} recovered_events={} in={}ms\n", d.server->address(),
             d.engine->shards(), d.recovery.events, took.count());
  std::fflush(stdout);
  spdlog::info("ready http={} shards={} recovered_events={} loaded_entities={} in_ms={}",
               d.server->address(), d.engine->shards(), d.recovery.events, d.recovery.entities,
               took.count());

  wait_for_end();
  d.common->drain();
  d.server->drain(static_cast<int>(loaded.config.drain_ms));
  io.join();
  d.common->stop();
  d.projections->stop();
  d.payments->stop();
  d.engine->stop();
  spdlog::info("ended");
  return 0;
}

}  // namespace
}  // namespace souk

int main(int argc, char** argv) {
  using souk::Mode;
  std::vector<std::string> environment;
  for (char** e = environ; *e; ++e) environment.emplace_back(*e);
  const souk::Loaded loaded = souk::load_config({argv + 1, argv + argc}, environment);
  switch (loaded.mode) {
    case Mode::help:
      fmt::print("{}", souk::help_text());
      return 0;
    case Mode::version:
      fmt::print("soukd {}\n", SOUK_VERSION);
      return 0;
    case Mode::print_config:
      fmt::print("{}", souk::print_config(loaded));
      break;
    default:
      break;
  }
  if (!loaded.mistakes.empty()) {
    fmt::print(stderr, "{}", souk::explain(loaded.mistakes));
    return 1;
  }
  if (loaded.mode == Mode::check_config) fmt::print("the configuration is sound\n");
  if (loaded.mode != Mode::serve) return 0;
  return souk::serve(loaded);
}

// soukd: wires the ports, the engine and the HTTP server, and ends them in order.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <thread>

#include "actors/adapters/secret_file.h"
#include "events/fault_log.h"
#include "gateway/api/edge/service.h"
#include "gateway/api/reads/read_side.h"
#include "gateway/api/reads/remote_questions.h"
#include "gateway/http/server.h"
#include "node/disk_ports.h"
#include "node/kafka_cluster.h"
#include "node/kafka_publisher.h"
#include "projections/sql/sql_worker.h"
#include "tools/read_models.h"
#include "tools/soukd/config.h"

extern char** environ;

namespace souk {
namespace {

/// On so few cores the I/O thread drives the shards: a wake-up between two threads costs more there
/// than what they do at once.
constexpr unsigned small_machine_cores = 2;

/// SIGTERM or SIGINT waits to be taken. REQUIRES: they are blocked in every thread.
bool asked_to_end() {
  sigset_t waiting;
  sigemptyset(&waiting);
  sigpending(&waiting);
  return sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1;
}

/// Everything that is open while the daemon serves, in the order of its making. It ends in order
/// whatever step of the start failed: first what asks the node, then the node, whose hosts answer
/// into `api`, then the rest backwards.
struct Daemon {
  Daemon() = default;
  Daemon(const Daemon&) = delete;
  ~Daemon() {
    if (cluster) cluster->stop();
    if (common) common->stop();
    publisher.reset();
    node.reset();
  }

  std::uint64_t incarnation = 0;  // in a cluster
  std::unique_ptr<DiskPorts> ports;
  std::unique_ptr<KafkaCluster> cluster;  // none: it is alone
  std::unique_ptr<Node> node;
  std::unique_ptr<KafkaPublisher> publisher;  // none: nothing is published
  std::unique_ptr<ReadSide> read_side;
  std::unique_ptr<RemoteQuestions> remote_questions;  // of a node without read models
  std::unique_ptr<ApiCommon> common;
  std::unique_ptr<QuestionsOfPeers> questions_of_peers;  // of one with them, in a cluster
  std::unique_ptr<Api> api;
  std::unique_ptr<HttpServer> server;
};

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

/// So long an ending node waits for others to own what it owned.
constexpr std::chrono::milliseconds leave_patience{3'000};

const Fault asked{Fault::Kind::unavailable, "asked to end while starting"};

/// Those of later starts are higher, whatever is random in them.
std::uint64_t new_incarnation() {
  using namespace std::chrono;
  const auto ms = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  std::uint64_t n = 0;
  SystemRandomness().fill(&n, sizeof n);
  constexpr int random_bits = 20;
  return static_cast<std::uint64_t>(ms) << random_bits | n >> (64 - random_bits);
}

Result<KafkaOptions, Fault> kafka_options(const Config& c) {
  KafkaOptions kafka{.brokers = c.kafka, .cluster = c.cluster};
  if (!c.kafka_config.empty()) {
    auto properties = read_kafka_properties(c.kafka_config);
    if (!properties.ok()) return properties.error();
    kafka.properties = std::move(*properties);
  }
  return kafka;
}

/// The node's place among the others, where it has some.
Status join(Daemon& d, const Config& c) {
  if (c.node.empty()) return Done{};
  auto kafka = kafka_options(c);
  if (!kafka.ok()) return kafka.error();
  const auto colon = c.peer.rfind(':');
  cluster::ClusterNodeOptions options;
  options.shards = d.ports->shards();
  options.genesis = d.ports->directory().manifest().shared->genesis;
  options.incarnation = d.incarnation;
  options.zone = c.zone;
  options.weight = static_cast<std::uint32_t>(c.weight);
  options.no_read_models = c.no_read_models;
  options.peer = c.peer_address;
  options.link.cluster = c.cluster;
  options.link.node = c.node;
  options.link.build = SOUK_VERSION;
  options.link.listen_host = c.peer.substr(0, colon);
  std::from_chars(c.peer.data() + colon + 1, c.peer.data() + c.peer.size(),
                  options.link.listen_port);
  if (!c.peer_ca.empty()) options.link.tls = {c.peer_ca, c.peer_certificate, c.peer_key};
  auto joined = KafkaCluster::open(*kafka, options, &asked_to_end);
  if (!joined.ok()) return joined.error();
  d.cluster = std::move(*joined);
  return d.cluster->share_keys(d.ports->vault());
}

Status open_ports(Daemon& d, const Loaded& loaded) {
  const Config& c = loaded.config;
  DiskPortsOptions options{.directory = c.data_dir,
                           .currency = *Currency::parse(c.default_currency)};
  if (loaded.origin.contains("shards")) options.shards = static_cast<std::uint32_t>(c.shards);
  if (!c.secret_file.empty()) {
    auto secret = read_secret_file(c.secret_file);
    if (!secret.ok()) return secret.error();
    options.secret = std::move(*secret);
  }
  if (!c.kafka.empty()) {
    auto kafka = kafka_options(c);
    if (!kafka.ok()) return kafka.error();
    if (!c.node.empty()) d.incarnation = new_incarnation();
    options.kafka = DiskPortsOptions::Kafka{std::move(*kafka), c.kafka_single, d.incarnation,
                                            !c.no_read_models};
    options.give_up = &asked_to_end;
  }
  options.provider = parse_provider_url(c.payment_provider);
  auto ports = DiskPorts::open(options);
  if (!ports.ok()) return ports.error();
  d.ports = std::move(*ports);
  return join(d, c);
}

NodePorts ports_of(Daemon& d) {
  NodePorts ports = d.ports->ports();
  if (!d.cluster) return ports;
  return {ports.logs,       ports.journal,
          ports.states,     d.cluster->vault(),
          ports.payments,   ports.clock,
          ports.randomness, ports.presenter,
          ports.directory,  &d.cluster->node().router()};
}

Status recover(Daemon& d, const Config& config) {
  NodeOptions options;
  options.engine = engine_options(config);
  options.engine.shards = d.ports->shards();
  options.engine.hosts = std::min(options.engine.hosts, options.engine.shards);
  SearchOptions search;
  if (!config.search_synonyms.empty()) search.synonyms = config.search_synonyms;
  if (!config.no_read_models) options.read_models = read_models(search);
  options.projections = d.ports->directory().projections();
  options.clock_jump_ms_max = config.clock_jump_days_max * 24 * 60 * 60 * 1'000;
  options.give_up = &asked_to_end;
  if (d.cluster) {
    options.engine.clustered = true;
    options.engine.incarnation = d.incarnation;
    options.engine.recovers_late = config.no_read_models;
  }
  auto node = Node::recover(std::move(options), ports_of(d));
  if (!node.ok()) return node.error();
  d.node = std::move(*node);
  if (d.cluster) d.cluster->node().wire(d.node->engine());
  if (auto s = d.ports->raise_format(); !s.ok()) return s;
  if (const auto ignored = d.node->recovery().ignored_records; ignored > 0)
    spdlog::warn("records of failed commits were passed over count={}", ignored);
  return Done{};
}

/// By shard, whether this node owns it, as its log says.
std::vector<bool> owned_by(const Daemon& d) {
  std::vector<bool> owned(d.ports->shards(), !d.cluster);
  const auto view = d.cluster ? d.cluster->node().view() : nullptr;
  for (std::size_t s = 0; view && s < owned.size() && s < view->owners.size(); ++s)
    owned[s] = view->owners[s].incarnation == d.incarnation;
  return owned;
}

Status publish(Daemon& d, const Config& config) {
  if (!config.integration_topics) return Done{};
  auto kafka = kafka_options(config);
  if (!kafka.ok()) return kafka.error();
  auto publisher = KafkaPublisher::open(*kafka, d.node->source(), [&d] { return owned_by(d); });
  if (!publisher.ok()) return publisher.error();
  d.publisher = std::move(*publisher);
  return Done{};
}

Status listen(Daemon& d, const Config& config, std::chrono::steady_clock::time_point began) {
  Node& node = *d.node;
  d.read_side = std::make_unique<ReadSide>(node.projections(), node.source(),
                                           *Currency::parse(config.default_currency));
  ApiOptions api;
  api.version = SOUK_VERSION;
  api.recovery = node.recovery();
  api.recovery_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  api.view_cache_bytes = static_cast<std::size_t>(config.view_cache_mb) << 20;
  api.tickets_max = static_cast<std::size_t>(config.in_flight_max);
  api.stores = [&d] {
    auto troubles = d.ports->troubles();
    if (!d.publisher) return troubles;
    for (const auto& topic : d.publisher->status().topics)
      if (!topic.trouble.empty())
        troubles.push_back({"integration",
                            fmt::format("the topic of {} is not written, the log says why: other "
                                        "systems hear nothing new of it",
                                        name_of(topic.topic)),
                            StoreTrouble::Costs::nothing_yet});
    return troubles;
  };
  if (d.publisher) api.publisher = [&publisher = *d.publisher] { return publisher.status(); };
  if (d.cluster) {
    api.operators = &d.cluster->node();
    api.erasures = [&vault = d.cluster->vault()] {
      std::vector<ErasureUnderWay> under_way;
      const auto unconfirmed = vault.unconfirmed();
      if (!unconfirmed.ok()) return under_way;
      for (const auto& one : *unconfirmed)
        under_way.push_back({one.person.text(), UnixMs{one.since_ms}, one.nodes});
      return under_way;
    };
  }
  if (d.cluster) {
    auto& relay = d.cluster->node().questions();
    api.questions = [&relay] { return relay.figures(); };
    if (config.no_read_models) {
      d.remote_questions = std::make_unique<RemoteQuestions>(relay);
      api.elsewhere = d.remote_questions.get();
    }
  }
  const NodePorts ports = ports_of(d);
  d.common = std::make_unique<ApiCommon>(node.engine(), ports.vault, ports.payments,
                                         ports.randomness, *d.read_side, node.freshness(), api);
  if (d.cluster && !config.no_read_models) {
    d.questions_of_peers = std::make_unique<QuestionsOfPeers>(*d.common);
    d.cluster->node().questions().answer_by(
        [&peers = *d.questions_of_peers](std::string_view question, cluster::AnswerDone done) {
          peers.ask(question, std::move(done));
        });
  }
  d.api = std::make_unique<Api>(*d.common);
  HttpLimits limits;
  limits.connections_max = static_cast<std::size_t>(config.connections_max);
  auto server = HttpServer::listen(config.http, false, limits, *d.api);
  if (!server.ok()) return server.error();
  d.server = std::move(*server);
  d.common->metrics().add_server(*d.server);
  if (d.cluster) d.cluster->node().serves_at(d.server->address());
  return Done{};
}

/// All but the running of it: only then does anything happen. Looks now and then whether it shall
/// end already.
Status prepare(Daemon& d, const Loaded& loaded, std::chrono::steady_clock::time_point began) {
  if (asked_to_end()) return Fault(asked);
  if (auto s = open_ports(d, loaded); !s.ok()) return s;
  if (asked_to_end()) return Fault(asked);
  if (auto s = recover(d, loaded.config); !s.ok()) return s;
  if (asked_to_end()) return Fault(asked);
  if (auto s = publish(d, loaded.config); !s.ok()) return s;
  return listen(d, loaded.config, began);
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

/// An exception that nothing caught, in whatever thread: in words, before the process ends.
[[noreturn]] void end_in_words() {
  std::string what = "no exception";
  if (const auto thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      what = e.what();
    } catch (...) {
      what = "something that is no std::exception";
    }
  }
  spdlog::error(
      "the process ends: a start replays what is durable; look at its limits of memory, threads "
      "and files what=\"{}\"",
      one_line(what));
  spdlog::default_logger()->flush();
  std::abort();
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
  std::set_terminate(&end_in_words);

  Daemon d;
  if (auto s = prepare(d, loaded, began); !s.ok() && asked_to_end()) {
    spdlog::info("ended before it served");
    return 0;
  } else if (!s.ok()) {
    fmt::print(stderr, "soukd: {}\n", s.error().what);
    return 1;
  }
  if (loaded.config.hosts == 0 && std::thread::hardware_concurrency() <= small_machine_cores)
    d.node->engine().be_driven([&d] { d.server->wake(); });
  d.node->run();
  if (d.cluster) d.cluster->node().run();
  if (d.publisher) d.publisher->start();
  d.read_side->warm_up();
  std::thread io([&] { d.server->run(); });
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  const RecoveryReport& recovery = d.node->recovery();
  fmt::print("souk ready http={} shards={} recovered_events={} in={}ms\n", d.server->address(),
             d.ports->shards(), recovery.events, took.count());
  std::fflush(stdout);
  spdlog::info("ready http={} shards={} recovered_events={} loaded_entities={} in_ms={}",
               d.server->address(), d.ports->shards(), recovery.events, recovery.entities,
               took.count());

  wait_for_end();
  if (d.cluster) d.cluster->node().leave(leave_patience);
  d.common->drain();
  d.server->drain(static_cast<int>(loaded.config.drain_ms));
  io.join();
  if (d.cluster) d.cluster->stop();
  d.common->stop();
  if (d.publisher) d.publisher->stop();
  d.node->stop();
  spdlog::info("ended");
  return 0;
}

}  // namespace
}  // namespace souk

int main(int argc, char** argv) {
  using souk::Mode;
  if (argc == 2 && std::string_view(argv[1]) == souk::sql_worker_word)
    return souk::sql_worker_main();
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
  try {
    return souk::serve(loaded);
  } catch (const std::exception& e) {
    fmt::print(stderr,
               "soukd: it cannot start: {}; look at its limits of memory, threads and files\n",
               e.what());
    return 1;
  }
}

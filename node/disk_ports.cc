#include "node/disk_ports.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <thread>

#include "actors/adapters/secret_file.h"
#include "events/fault_log.h"
#include "events/shared_log/kafka_topics.h"

namespace souk {
void MachineNodeClock::begin_at(UnixMs newest) {
  const UnixMs at = base_.now();
  if (newest <= at) return;
  spdlog::warn("the clock is behind the log, going on from there behind_ms={}",
               newest.value - at.value);
  ahead_ms_.store(newest.value - at.value, std::memory_order_relaxed);
}

namespace {

constexpr std::chrono::seconds told_every{2};
/// So often it is looked whether the logs are begun, before the topic is refused as one that is not.
constexpr int begun_tries = 10;
constexpr std::chrono::milliseconds begun_again{300};

struct Topic {
  SharedLogName name;
  std::uint32_t partitions = 0;
};

/// Calls `ask` until it is answered, or somebody gives up.
template <class Ask>
auto patiently(const std::function<bool()>& give_up, const Ask& ask) {
  FaultLog waits("waiting for the brokers of Kafka");
  while (true) {
    auto answer = ask();
    if (answer.ok() || answer.error().kind != Fault::Kind::unavailable || give_up()) return answer;
    waits.failed(fmt::format("what=\"{}\"", one_line(answer.error().what)));
  }
}

/// Waits for the brokers; then the topic is one that keeps what is acknowledged, or it is refused.
Result<Topic, Fault> look_at_topic(const DiskPortsOptions& options) {
  const KafkaOptions& kafka = options.kafka->options;
  const std::string name = kafka.events_topic();
  auto topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.error();
  auto id = patiently(options.give_up, [&] { return (*topics)->cluster_id(); });
  if (!id.ok()) return id.error();
  const auto facts = patiently(options.give_up, [&] { return (*topics)->look(name); });
  if (!facts.ok()) return facts.error();
  if (facts->partitions == 0)
    return Fault{
        Fault::Kind::mismatch,
        fmt::format("there is no topic {} at {}: make the cluster's topics once with: souk "
                    "cluster init --kafka {} --cluster {}",
                    name, kafka.brokers, kafka.brokers, kafka.cluster)};
  const auto faults =
      faults_of(name, *facts, {options.shards.value_or(0), options.kafka->single}, kafka.brokers);
  if (!faults.empty())
    return Fault{Fault::Kind::mismatch, fmt::format("{}", fmt::join(faults, "\n"))};
  return Topic{{kafka.cluster, std::move(*id)}, facts->partitions};
}

/// A node with another secret would know no key of an order again, and none of a person.
Status check_secret(const DiskPortsOptions& options, const Genesis& genesis) {
  const KafkaOptions& kafka = options.kafka->options;
  if (genesis.secret_check == 0) return Done{};
  if (!options.secret)
    return Fault{Fault::Kind::mismatch,
                 fmt::format("the nodes of cluster {} share a secret: name its file with "
                             "--secret-file; souk cluster init made it",
                             kafka.cluster)};
  if (secret_check(*options.secret) == genesis.secret_check) return Done{};
  return Fault{Fault::Kind::mismatch,
               fmt::format("the secret given is not the one of cluster {}: copy the file that souk "
                           "cluster init made, or that another node has",
                           kafka.cluster)};
}

/// A node without a name claims every shard, over and over: it must be the only one.
Status check_alone(const DiskPortsOptions& options) {
  const KafkaOptions& kafka = options.kafka->options;
  auto topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.error();
  const auto facts =
      patiently(options.give_up, [&] { return (*topics)->look(kafka.control_topic()); });
  if (!facts.ok()) return facts.error();
  if (facts->partitions != 1) return Done{};
  auto broker = KafkaBroker::open(kafka, kafka.control_topic(), 1);
  if (!broker.ok()) return broker.error();
  const auto ends = patiently(options.give_up, [&] { return (*broker)->ends(); });
  if (!ends.ok()) return ends.error();
  constexpr Offset after_genesis = 2;
  if (ends->front() <= after_genesis) return Done{};
  return Fault{Fault::Kind::mismatch,
               fmt::format("cluster {} has nodes with names, and this one would take every shard "
                           "from them: start it with --node NAME, or serve another --cluster",
                           kafka.cluster)};
}

}  // namespace

Status DiskPorts::open_own_log() {
  auto logs = GroupCommit::open(*stores_.journal, shards());
  if (!logs) return logs.error();
  logs_ = std::move(*logs);
  return Done{};
}

/// The way to the log, the number that it begins with, and whether this node may write to it.
Status DiskPorts::open_broker(const DiskPortsOptions& options, std::uint32_t shards,
                              SharedLogName& name) {
  const KafkaOptions& kafka = options.kafka->options;
  auto broker = KafkaBroker::open(kafka, kafka.events_topic(), shards);
  if (!broker) return broker.error();
  broker_ = std::move(*broker);
  const auto read = [&] {
    return patiently(options.give_up, [&] { return genesis::read(*broker_); });
  };
  auto genesis = read();
  // Leaders that have just been elected may not know yet how far their logs go.
  for (int tries = 0; genesis.ok() && !*genesis && tries < begun_tries; ++tries) {
    if (options.give_up()) break;
    std::this_thread::sleep_for(begun_again);
    genesis = read();
  }
  if (!genesis.ok()) return genesis.error();
  if (!*genesis)
    return Fault{
        Fault::Kind::mismatch,
        fmt::format("topic {} is not begun yet: say once more: souk cluster init --kafka {} "
                    "--cluster {}",
                    kafka.events_topic(), kafka.brokers, kafka.cluster)};
  name.genesis = (*genesis)->number;
  if (const auto fits = check_secret(options, **genesis); !fits.ok()) return fits;
  return options.kafka->incarnation == 0 ? check_alone(options) : Done{};
}

Status DiskPorts::open_shared_log(const DiskPortsOptions& options) {
  SharedLogsOptions logs_options;
  logs_options.shards = shards();
  logs_options.genesis = directory().manifest().shared->genesis;
  logs_options.incarnation = options.kafka->incarnation;
  auto logs = SharedLogs::open(*broker_, *stores_.journal, logs_options);
  if (!logs) return logs.error();
  shared_ = logs->get();
  logs_ = std::move(*logs);
  auto told_at = std::chrono::steady_clock::now();
  return shared_->catch_up(
      [&](std::uint64_t copied, std::uint64_t of) {
        const auto now = std::chrono::steady_clock::now();
        if (now - told_at > told_every) {
          told_at = now;
          spdlog::info("copying the log records={} of={}", copied, of);
        }
        return !options.give_up();
      },
      options.kafka->catches_up ? SharedLogs::Of::all : SharedLogs::Of::none);
}

Result<std::unique_ptr<DiskPorts>, Fault> DiskPorts::open(const DiskPortsOptions& options) {
  std::unique_ptr<DiskPorts> p(new DiskPorts(options.currency));
  std::optional<SharedLogName> shared;
  std::optional<std::uint32_t> shards = options.shards;
  if (options.kafka) {
    auto topic = look_at_topic(options);
    if (!topic) return topic.error();
    shared = std::move(topic->name);
    shards = topic->partitions;
    if (auto s = p->open_broker(options, *shards, *shared); !s.ok()) return s.error();
  }
  auto stores = Stores::open(options.directory, shards, options.secret, shared,
                             options.provider ? LedgerPlace::elsewhere : LedgerPlace::here);
  if (!stores) return stores.error();
  p->stores_ = std::move(*stores);
  if (auto s = options.kafka ? p->open_shared_log(options) : p->open_own_log(); !s.ok())
    return s.error();
  p->open_payments(options);
  p->begin_scrubbing();
  return p;
}

void DiskPorts::open_payments(const DiskPortsOptions& options) {
  if (options.provider)
    remote_ = std::make_unique<RemoteProvider>(*options.provider);
  else
    simulator_ = std::make_unique<PaymentSimulator>(std::move(stores_.provider), clock_);
}

void DiskPorts::begin_scrubbing() {
  std::vector<ScrubInTurn::Step> stores{
      [journal = stores_.journal.get()](std::size_t bytes) { return journal->scrub(bytes); },
      [states = stores_.states.get()](std::size_t bytes) { return states->scrub(bytes); },
      [vault = stores_.vault.get()](std::size_t bytes) { return vault->scrub(bytes); }};
  if (simulator_)
    stores.push_back(
        [&ledger = simulator_->ledger()](std::size_t bytes) { return ledger.scrub(bytes); });
  scrubber_ = std::make_unique<Scrubber>(ScrubInTurn(std::move(stores)));
}

std::optional<StoreTrouble> DiskPorts::provider_trouble() const {
  using enum StoreTrouble::Costs;
  if (remote_ && remote_->away())
    return StoreTrouble{"provider",
                        "the payment provider outside cannot be reached, the log says why: nobody "
                        "can pay",
                        commands};
  if (simulator_ && simulator_->failing())
    return StoreTrouble{
        "provider", "the disk of the payment provider takes no writes: nobody can pay", commands};
  if (simulator_ && simulator_->ledger().damaged())
    return StoreTrouble{"provider",
                        "the payment provider has a damaged block, some payments cannot be read: "
                        "restore the folder from a backup",
                        nothing_yet};
  return std::nullopt;
}

std::vector<StoreTrouble> DiskPorts::troubles() const {
  using enum StoreTrouble::Costs;
  std::vector<StoreTrouble> all;
  if (const auto halted = shared_ ? shared_->any_halted() : std::nullopt)
    all.push_back({"log",
                   fmt::format("shard {} is halted: {}", halted->first.value, halted->second.what),
                   commands});
  if (!stores_.journal->damage().empty())
    all.push_back({"journal",
                   "the journal has a damaged block, the log says where: restore the data "
                   "directory from a copy",
                   nothing_yet});
  if (stores_.states->failing())
    all.push_back({"states",
                   "the disk of states takes no writes: memory grows, and the next start takes "
                   "longer",
                   nothing_yet});
  else if (stores_.states->damaged())
    all.push_back({"states",
                   "states have a damaged block: what it held is folded from the journal, and "
                   "the next start folds all anew",
                   nothing_yet});
  if (stores_.vault->failing())
    all.push_back({"keys",
                   "the disk of keys takes no writes: nobody can register, change an address or "
                   "be erased",
                   commands});
  else if (stores_.vault->damaged())
    all.push_back({"keys",
                   "the keys have a damaged block: what was sealed with them is shown as null; "
                   "restore the folder from a backup",
                   nothing_yet});
  if (auto trouble = provider_trouble()) all.push_back(std::move(*trouble));
  return all;
}

}  // namespace souk

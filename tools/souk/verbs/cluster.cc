// souk cluster init and certificates: what a cluster stands on.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "actors/adapters/secret_file.h"
#include "actors/adapters/system_clock.h"
#include "cluster/links/certificates.h"
#include "events/integration/kafka_topic_writer.h"
#include "events/limits.h"
#include "events/shared_log/kafka_broker.h"
#include "events/shared_log/kafka_topics.h"
#include "events/shared_log/shared_logs.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/verbs/cluster_client.h"
#include "tools/souk/verbs/kafka_arguments.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

constexpr std::int64_t replicas_of_a_cluster = 3;
constexpr std::int64_t replicas_max = 15;
constexpr std::chrono::seconds begin_patience{30};

bool agreed() {
  if (::isatty(STDIN_FILENO) != 1) return false;
  fmt::print(stderr, "Do it? [y/N] ");
  std::fflush(stderr);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

/// What init does, each in words before it is done.
struct Plan {
  struct Topic {
    KafkaTopics::NewTopic topic;
    bool makes = false;
    std::string_view what;
  };
  std::vector<Topic> topics;  // of events first
  const KafkaTopics::NewTopic& events() const { return topics[0].topic; }
  bool makes_topic() const {
    return std::ranges::any_of(topics, [](const Topic& one) { return one.makes; });
  }
  std::string secret_file;
  bool makes_secret = false;
  std::string kafka_id;
};

std::string words_of(const Plan& plan, const KafkaOptions& options) {
  std::string text = fmt::format("cluster {} on the Kafka cluster {} ({})\n", options.cluster,
                                 plan.kafka_id, options.brokers);
  for (const auto& [topic, makes, what] : plan.topics) {
    const bool one = topic.partitions == 1;
    text += makes ? fmt::format("  make the topic {}: {} partition{}, {} replica{} each, {}\n",
                                topic.name, topic.partitions, one ? "" : "s (shards)",
                                topic.replicas, topic.replicas == 1 ? "" : "s", what)
                  : fmt::format("  the topic {} is there, with {} partition{}\n", topic.name,
                                topic.partitions, one ? "" : "s (shards)");
  }
  text += plan.makes_secret
              ? fmt::format("  make the secret {}: copy it to every node\n", plan.secret_file)
              : fmt::format("  the secret {} is there\n", plan.secret_file);
  return text;
}

/// Until the brokers know the leaders of all logs: they hear of a new topic one after another, and elect
/// anew after a start.
template <class Ask>
auto patiently(const Ask& ask) {
  const auto until = std::chrono::steady_clock::now() + begin_patience;
  while (true) {
    auto answer = ask();
    if (answer.ok() || answer.error().kind != Fault::Kind::unavailable ||
        std::chrono::steady_clock::now() > until)
      return answer;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// The one that the cluster was made with, if it was.
Status check_secret(const KafkaOptions& options, std::uint32_t shards,
                    const std::string& secret_file) {
  const auto broker = KafkaBroker::open(options, options.events_topic(), shards);
  if (!broker.ok()) return broker.error();
  const auto genesis = patiently([&] { return genesis::read(**broker); });
  if (!genesis.ok()) return genesis.error();
  if (!*genesis || (*genesis)->secret_check == 0) return Done{};
  const auto secret = read_secret_file(secret_file);
  if (secret.ok() && secret_check(*secret) == (*genesis)->secret_check) return Done{};
  return Fault{
      Fault::Kind::mismatch,
      fmt::format("{} the secret that cluster {} was made with: name that one's file, "
                  "which each node has",
                  secret.ok() ? secret_file + " is not" : secret.error().what + ". It must be",
                  options.cluster)};
}

/// What is there was made before: by a first try that was cut off, or by somebody else, with other
/// settings. Errors: mismatch; unavailable.
Status look_at(Plan::Topic& one, const KafkaOptions& options, KafkaTopics& topics,
               const TopicDemands& demands) {
  KafkaTopics::NewTopic& topic = one.topic;
  const auto facts = topics.look(topic.name);
  if (!facts.ok()) return facts.error();
  one.makes = facts->partitions == 0;
  if (one.makes) return Done{};
  const auto retention = topic.settings.find("retention.ms");
  if (retention == topic.settings.end()) {  // for other systems: the operator's
    if (auto fits =
            fits_integration_topic(topic.name, facts->partitions, topic.partitions, options);
        !fits.ok())
      return fits;
  } else if (retention->second == "-1") {
    const auto faults = faults_of(topic.name, *facts, demands, options.brokers);
    if (!faults.empty())
      return Fault{Fault::Kind::mismatch, fmt::format("{}", fmt::join(faults, "\n"))};
  }
  topic.partitions = facts->partitions;
  topic.replicas = facts->replicas;
  return Done{};
}

Outcome<Plan> plan_of(const Invocation& call, const KafkaOptions& options, KafkaTopics& topics) {
  const auto shards = integer_argument(call, "shards", 1, limits::shards_max);
  if (!shards) return shards.error();
  const bool single = call.has("kafka-single");
  const auto replicas =
      single ? Outcome<std::int64_t>(std::int64_t{1})
             : integer_argument(call, "replicas", replicas_of_a_cluster, replicas_max);
  if (!replicas) return replicas.error();
  Plan plan;
  auto id = topics.cluster_id();
  if (!id.ok()) return refused_by({id.error().kind, options.brokers + ": " + id.error().what});
  plan.kafka_id = std::move(*id);
  const auto copies = static_cast<std::uint32_t>(*replicas);
  plan.topics = {{events_topic(options, static_cast<std::uint32_t>(*shards), copies), false,
                  "keeps everything"},
                 {control_topic(options, copies), false, "keeps everything"},
                 {liveness_topic(options, copies), false, "keeps minutes"}};
  for (auto& one : plan.topics)
    if (const auto fits = look_at(one, options, topics, {.single = single}); !fits.ok())
      return refused_by(fits.error());
  if (call.has("integration"))
    for (auto& topic : integration_topics_of(options, plan.events().partitions, copies)) {
      Plan::Topic one{std::move(topic), false, "for other systems, kept as the brokers do"};
      if (const auto fits = look_at(one, options, topics, {.single = single}); !fits.ok())
        return refused_by(fits.error());
      plan.topics.push_back(std::move(one));
    }
  plan.secret_file = call.get("secret-file");
  std::error_code error;
  plan.makes_secret = !std::filesystem::exists(plan.secret_file, error);
  if (!plan.topics[0].makes)
    if (const auto fits = check_secret(options, plan.events().partitions, plan.secret_file);
        !fits.ok())
      return refused_by(fits.error());
  if (!plan.makes_secret)
    if (const auto read = read_secret_file(plan.secret_file); !read.ok())
      return refused_by(read.error());
  return plan;
}

/// Also those that a first try left without a beginning. Returns how they begin.
Result<Genesis, Fault> begin_logs(const KafkaOptions& options, const std::string& topic,
                                  std::uint32_t shards, const Genesis& genesis) {
  const auto broker = KafkaBroker::open(options, topic, shards);
  if (!broker.ok()) return broker.error();
  return patiently([&] { return genesis::make(**broker, genesis); });
}

/// Events and control begin alike.
Status begin_all(const KafkaOptions& options, std::uint32_t shards,
                 const std::string& secret_file) {
  const auto secret = read_secret_file(secret_file);
  if (!secret.ok()) return secret.error();
  SystemRandomness randomness;
  Genesis genesis{.secret_check = secret_check(*secret)};
  randomness.fill(&genesis.number, sizeof genesis.number);
  const auto events = begin_logs(options, options.events_topic(), shards, genesis);
  if (!events.ok()) return events.error();
  const auto control = begin_logs(options, options.control_topic(), 1, *events);
  if (!control.ok()) return control.error();
  if (control->number == events->number) return Done{};
  return Fault{Fault::Kind::mismatch,
               fmt::format("the topics {} and {} were not made together: delete both and begin "
                           "anew, or restore what is missing",
                           options.events_topic(), options.control_topic())};
}

Outcome<ExitCode> init(const Invocation& call) {
  const auto options = kafka_options(call);
  if (!options) return options.error();
  const auto topics = KafkaTopics::open(*options);
  if (!topics.ok()) return refused_by(topics.error());
  const auto plan = plan_of(call, *options, **topics);
  if (!plan) return plan.error();
  const bool dry = call.has("dry-run");
  const bool changes = plan->makes_topic() || plan->makes_secret;
  if (!call.json()) fmt::print("{}", words_of(*plan, *options));
  if (changes && !dry && !call.has("yes") && !agreed())
    return Failure{ExitCode::refused, "nothing was done: say --yes, or answer y at a terminal"};
  if (!dry && plan->makes_secret)
    if (const auto made = make_secret_file(plan->secret_file); !made.ok())
      return refused_by(made.error());
  for (const auto& one : plan->topics)
    if (!dry && one.makes)
      if (const auto made = (*topics)->make(one.topic); !made.ok()) return refused_by(made.error());
  if (!dry)
    if (const auto begun = begin_all(*options, plan->events().partitions, plan->secret_file);
        !begun.ok())
      return refused_by(begun.error());
  if (call.json()) {
    JsonObject object;
    object.text("cluster", options->cluster);
    object.text("kafka", plan->kafka_id);
    object.text("topic", plan->events().name);
    object.raw("shards", std::to_string(plan->events().partitions));
    object.raw("replicas", std::to_string(plan->events().replicas));
    object.text("secret_file", plan->secret_file);
    object.raw("made_topic", plan->makes_topic() && !dry ? "true" : "false");
    object.raw("made_secret", plan->makes_secret && !dry ? "true" : "false");
    fmt::print("{}\n", object.done());
    return ExitCode::ok;
  }
  if (dry) return ExitCode::ok;
  fmt::print("{}. A node starts with:\n  soukd --kafka {} --cluster {} --secret-file {}{}{}{}\n",
             changes ? "Done" : "Nothing is left to do", options->brokers, options->cluster,
             plan->secret_file,
             call.has("kafka-config") ? " --kafka-config " + call.get("kafka-config") : "",
             call.has("kafka-single") ? " --kafka-single" : "",
             call.has("integration") ? " --integration-topics" : "");
  return ExitCode::ok;
}

Outcome<ExitCode> certificates(const Invocation& call) {
  if (call.all("node").empty()) return Failure{ExitCode::usage, "name the nodes: a b c"};
  const std::string& directory = call.get("directory");
  const auto made =
      cluster::make_trial_certificates(directory, call.get("cluster"), call.all("node"));
  if (!made.ok()) return refused_by(made.error());
  if (call.json()) {
    fmt::print("{}\n", JsonObject{}.text("directory", directory).done());
    return ExitCode::ok;
  }
  fmt::print(
      "Done. Copy {0}/authority.pem and its own two files to each node, which starts with:\n"
      "  soukd ... --peer-ca {0}/authority.pem --peer-certificate {0}/NODE.pem --peer-key "
      "{0}/NODE.key\nWhoever has {0}/authority.key can make nodes: keep it elsewhere.\n",
      directory);
  return ExitCode::ok;
}

}  // namespace

Verbs cluster_verbs() {
  Verbs all = {
      {.path = "cluster init",
       .summary = "Make what a cluster stands on: its topics in Kafka, and its secret",
       .examples = {"souk cluster init --kafka kafka1:9092,kafka2:9092,kafka3:9092",
                    "souk cluster init --kafka 127.0.0.1:9092 --kafka-single --integration --yes"},
       .arguments = {kafka_option(), kafka_cluster_option(),
                     option("shards", "partitions of the log; their number never changes", "64"),
                     option("replicas", "brokers that have each partition, at least 3", "3"),
                     flag("kafka-single", "one broker will do: what it loses is lost. For trials"),
                     kafka_config_option(),
                     option("secret-file", "where the secret stands, or shall", "souk-secret"),
                     flag(
                         "integration",
                         "also the topics orders, stock and products, as CloudEvents for other "
                         "systems; they take disk for as long as the brokers keep records (7 days, "
                         "unless they say else)"),
                     flag("dry-run", "show what would be done, and do nothing"),
                     flag("yes", "do not ask")},
       .run = init,
       .details =
           "Safe to repeat: what is there stays as it is. A topic that is there with settings "
           "that would lose what\n"
           "was acknowledged is refused, with the command that mends each of them.\n"
           "The secret makes ids and hashes of idempotency keys: all nodes must have the same, "
           "and nobody else any."},
      {.path = "cluster certificates",
       .summary = "Make certificates with which nodes know each other, for a trial of a cluster",
       .examples = {"souk cluster certificates --directory certificates --cluster souk a b c"},
       .arguments = {any_words("node", "Names of nodes"),
                     option("directory", "where they go", "souk-certificates"),
                     option("cluster", "the cluster's name", "souk")},
       .run = certificates,
       .details = "Safe to repeat: an authority that is there signs for more nodes. Where there is "
                  "an authority of\nyour own, let it sign NODE.CLUSTER.souk instead."}};
  for (const auto make : {cluster_show_verbs, cluster_change_verbs, cluster_watch_verbs})
    for (Verb& verb : make()) all.push_back(std::move(verb));
  return all;
}

}  // namespace souk::cli

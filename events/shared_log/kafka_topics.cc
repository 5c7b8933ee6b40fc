#include "events/shared_log/kafka_topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "events/fault_log.h"
#include "events/shared_log/kafka_handle.h"

namespace souk {

using namespace kafka;

namespace {

constexpr int patience_ms = 5'000;
constexpr std::uint32_t replicas_min = 3;
constexpr std::int64_t in_sync_min = 2;
constexpr std::int64_t message_bytes_min = 1'000'000;

/// librdkafka has no destroyers for these that fit a deleter each.
struct EndsRequests {
  void operator()(rd_kafka_ConfigResource_t* one) const { rd_kafka_ConfigResource_destroy(one); }
  void operator()(rd_kafka_NewTopic_t* one) const { rd_kafka_NewTopic_destroy(one); }
  void operator()(rd_kafka_AdminOptions_t* one) const { rd_kafka_AdminOptions_destroy(one); }
};
template <class T>
using Request = std::unique_ptr<T, EndsRequests>;

std::string words_of(rd_kafka_ConfigSource_t source) {
  switch (source) {
    case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG:
      return "set on the topic";
    case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG:
      return "set on a broker";
    case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG:
      return "the cluster's own default; what stands in the brokers' files may count for nothing";
    case RD_KAFKA_CONFIG_SOURCE_STATIC_BROKER_CONFIG:
      return "the broker's file";
    case RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG:
      return "Kafka's default";
    default:
      return rd_kafka_ConfigSource_name(source);
  }
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : INT64_MIN;
}

struct Demand {
  std::string_view setting;
  std::string_view wanted;  // for the command that mends it
  bool (*fits)(const std::string& value);
  std::string_view cost;
  bool of_replicas = false;  // says nothing where there is one broker
};

const Demand demands_of_events[] = {
    {"min.insync.replicas", "2", [](const std::string& v) { return number(v) >= in_sync_min; },
     "a record would be acknowledged by one broker, and lost with it", true},
    {"unclean.leader.election.enable", "false", [](const std::string& v) { return v == "false"; },
     "a broker that lacks what was acknowledged could become the leader", true},
    {"cleanup.policy", "delete", [](const std::string& v) { return v == "delete"; },
     "records would vanish out of the middle of the log"},
    {"retention.ms", "-1", [](const std::string& v) { return v == "-1"; },
     "the beginning of the log would vanish after that time"},
    {"retention.bytes", "-1", [](const std::string& v) { return v == "-1"; },
     "the beginning of the log would vanish beyond that size"},
    {"max.message.bytes", "1048588",
     [](const std::string& v) { return number(v) >= message_bytes_min; },
     "a large record would be refused"},
};

}  // namespace

std::vector<std::string> faults_of(const std::string& topic, const TopicFacts& facts,
                                   const TopicDemands& demands, const std::string& brokers) {
  std::vector<std::string> found;
  if (demands.partitions > 0 && facts.partitions != demands.partitions)
    found.push_back(fmt::format(
        "topic {} has {} partitions, and this node {} shards: a shard is a partition, and their "
        "number never changes. Name the cluster that this data directory belongs to",
        topic, facts.partitions, demands.partitions));
  if (!demands.single && facts.replicas < replicas_min)
    found.push_back(fmt::format(
        "topic {} has {} replica{} (min.insync.replicas counts for nothing beyond that): what its "
        "brokers lose is lost. Make it anew with three brokers, or raise the replicas with "
        "kafka-reassign-partitions.sh; for a trial with one broker say --kafka-single",
        topic, facts.replicas, facts.replicas == 1 ? "" : "s"));
  for (const Demand& demand : demands_of_events) {
    if (demand.of_replicas && demands.single) continue;
    const auto setting = facts.settings.find(std::string(demand.setting));
    if (setting == facts.settings.end() || demand.fits(setting->second.value)) continue;
    found.push_back(
        fmt::format("topic {}: {} is {} ({}): {}. Mend it with: kafka-configs.sh "
                    "--bootstrap-server {} --alter --entity-type topics --entity-name {} "
                    "--add-config {}={}",
                    topic, demand.setting, setting->second.value, setting->second.source,
                    demand.cost, brokers, topic, demand.setting, demand.wanted));
  }
  return found;
}

struct KafkaTopics::Impl {
  Owned<rd_kafka_t> handle;

  Result<Owned<rd_kafka_event_t>, Fault> wait(rd_kafka_queue_t* queue, const char* doing) const {
    Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue, 2 * patience_ms));
    if (!event) return Fault{Fault::Kind::unavailable, fmt::format("{}: no answer", doing)};
    if (const auto error = rd_kafka_event_error(event.get()))
      return Fault{
          Fault::Kind::unavailable,
          fmt::format("{}: {}", doing, one_line(rd_kafka_event_error_string(event.get())))};
    return event;
  }
  Request<rd_kafka_AdminOptions_t> options(rd_kafka_admin_op_t what) const {
    Request<rd_kafka_AdminOptions_t> made(rd_kafka_AdminOptions_new(handle.get(), what));
    char why[256];
    rd_kafka_AdminOptions_set_request_timeout(made.get(), patience_ms, why, sizeof why);
    return made;
  }
  Result<TopicFacts, Fault> read_partitions(const std::string& topic);
  Status read_settings(const std::string& topic, TopicFacts& facts);
};

KafkaTopics::KafkaTopics(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaTopics::~KafkaTopics() = default;

Result<std::unique_ptr<KafkaTopics>, Fault> KafkaTopics::open(const KafkaOptions& options) {
  auto conf = make_conf(options, {});
  if (!conf.ok()) return conf.error();
  auto handle = make_handle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle.ok()) return handle.error();
  auto impl = std::make_unique<Impl>();
  impl->handle = std::move(*handle);
  return std::unique_ptr<KafkaTopics>(new KafkaTopics(std::move(impl)));
}

Result<std::string, Fault> KafkaTopics::cluster_id() {
  char* id = rd_kafka_clusterid(impl_->handle.get(), patience_ms);
  if (!id) return Fault{Fault::Kind::unavailable, "the brokers do not answer"};
  const std::string text(id);
  rd_kafka_mem_free(impl_->handle.get(), id);
  return text;
}

Result<TopicFacts, Fault> KafkaTopics::Impl::read_partitions(const std::string& topic) {
  TopicFacts facts;
  const Owned<rd_kafka_topic_t> asked(rd_kafka_topic_new(handle.get(), topic.c_str(), nullptr));
  const rd_kafka_metadata_t* raw = nullptr;
  const auto error = rd_kafka_metadata(handle.get(), 0, asked.get(), &raw, patience_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return fault_of("ask the brokers for a topic", error);
  const Owned<const rd_kafka_metadata_t> metadata(raw);
  if (metadata->topic_cnt != 1) return facts;
  const auto& one = metadata->topics[0];
  if (one.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return facts;
  if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fault_of("ask the brokers for a topic", one.err);
  facts.partitions = static_cast<std::uint32_t>(one.partition_cnt);
  facts.replicas = one.partition_cnt > 0 ? UINT32_MAX : 0;
  for (int p = 0; p < one.partition_cnt; ++p)
    facts.replicas =
        std::min(facts.replicas, static_cast<std::uint32_t>(one.partitions[p].replica_cnt));
  return facts;
}

Result<std::uint32_t, Fault> KafkaTopics::partitions(const std::string& topic) {
  const auto facts = impl_->read_partitions(topic);
  if (!facts.ok()) return facts.error();
  return facts->partitions;
}

Result<TopicFacts, Fault> KafkaTopics::look(const std::string& topic) {
  auto facts = impl_->read_partitions(topic);
  if (!facts.ok() || facts->partitions == 0) return facts;
  if (auto s = impl_->read_settings(topic, *facts); !s.ok()) return s.error();
  return facts;
}

Status KafkaTopics::Impl::read_settings(const std::string& topic, TopicFacts& facts) {
  constexpr auto doing = "ask the brokers for a topic's settings";
  const Request<rd_kafka_ConfigResource_t> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle.get()));
  const auto how = options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_ConfigResource_t* asked[] = {resource.get()};
  rd_kafka_DescribeConfigs(handle.get(), asked, 1, how.get(), queue.get());
  const auto event = wait(queue.get(), doing);
  if (!event.ok()) return event.error();
  std::size_t count = 0;
  const auto* result = rd_kafka_event_DescribeConfigs_result(event->get());
  const auto** resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
  for (std::size_t r = 0; r < count; ++r) {
    if (const auto error = rd_kafka_ConfigResource_error(resources[r]))
      return fault_of(doing, error);
    std::size_t entries = 0;
    const auto** all = rd_kafka_ConfigResource_configs(resources[r], &entries);
    for (std::size_t i = 0; i < entries; ++i) {
      const char* value = rd_kafka_ConfigEntry_value(all[i]);
      facts.settings[rd_kafka_ConfigEntry_name(all[i])] = {
          value ? value : "", words_of(rd_kafka_ConfigEntry_source(all[i]))};
    }
  }
  return Done{};
}

Result<KafkaTopics::Made, Fault> KafkaTopics::make(const NewTopic& topic) {
  constexpr auto doing = "make a topic";
  char why[512];
  const Request<rd_kafka_NewTopic_t> wanted(
      rd_kafka_NewTopic_new(topic.name.c_str(), static_cast<int>(topic.partitions),
                            static_cast<int>(topic.replicas), why, sizeof why));
  if (!wanted) return Fault{Fault::Kind::mismatch, fmt::format("topic {}: {}", topic.name, why)};
  for (const auto& [name, value] : topic.settings)
    rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(impl_->handle.get()));
  const auto how = impl_->options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_AdminOptions_set_operation_timeout(how.get(), patience_ms, why, sizeof why);
  rd_kafka_NewTopic_t* asked[] = {wanted.get()};
  rd_kafka_CreateTopics(impl_->handle.get(), asked, 1, how.get(), queue.get());
  const auto event = impl_->wait(queue.get(), doing);
  if (!event.ok()) return event.error();
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return Made::was_there;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* words = rd_kafka_topic_result_error_string(results[i]);
    return Fault{Fault::Kind::mismatch,
                 fmt::format("topic {}: {}", topic.name, words ? words : rd_kafka_err2str(error))};
  }
  return Made::made;
}

namespace {

KafkaTopics::NewTopic kept_topic(const std::string& name, std::uint32_t partitions,
                                 std::uint32_t replicas) {
  return {.name = name,
          .partitions = partitions,
          .replicas = replicas,
          .settings = {{"min.insync.replicas", replicas >= replicas_min ? "2" : "1"},
                       {"unclean.leader.election.enable", "false"},
                       {"cleanup.policy", "delete"},
                       {"retention.ms", "-1"},
                       {"retention.bytes", "-1"},
                       {"max.message.bytes", "1048588"},
                       {"message.timestamp.type", "LogAppendTime"}}};
}

}  // namespace

KafkaTopics::NewTopic events_topic(const KafkaOptions& options, std::uint32_t shards,
                                   std::uint32_t replicas) {
  return kept_topic(options.events_topic(), shards, replicas);
}

KafkaTopics::NewTopic control_topic(const KafkaOptions& options, std::uint32_t replicas) {
  return kept_topic(options.control_topic(), 1, replicas);
}

KafkaTopics::NewTopic liveness_topic(const KafkaOptions& options, std::uint32_t replicas) {
  return {.name = options.liveness_topic(),
          .partitions = 1,
          .replicas = replicas,
          .settings = {{"min.insync.replicas", "1"},
                       {"cleanup.policy", "delete"},
                       {"retention.ms", "600000"},
                       {"max.message.bytes", "1048588"},
                       {"message.timestamp.type", "LogAppendTime"}}};
}

}  // namespace souk

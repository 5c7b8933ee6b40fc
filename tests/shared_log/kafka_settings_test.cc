// What a node stands on is looked at first: the topic's settings, and how the brokers are reached.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "events/shared_log/kafka_handle.h"
#include "events/shared_log/kafka_topics.h"

namespace souk::shared_log_test {
namespace {

TopicFacts sound() {
  TopicFacts facts{.partitions = 64, .replicas = 3, .settings = {}};
  KafkaOptions options;
  options.cluster = "shop";
  for (const auto& [name, value] : events_topic(options, 64, 3).settings)
    facts.settings[name] = {value, "set on the topic"};
  return facts;
}

}  // namespace

TEST_CASE("kafka: a topic as souk cluster init makes it is sound") {
  CHECK(faults_of("shop.events", sound(), {64, false}, "b:1").empty());
  CHECK(faults_of("shop.events", sound(), {0, true}, "b:1").empty());
}

TEST_CASE("kafka: each setting that would lose what is acknowledged is told, with what mends it") {
  const struct {
    const char* name;
    const char* value;
    const char* mended;
  } bad[] = {{"min.insync.replicas", "1", "min.insync.replicas=2"},
             {"unclean.leader.election.enable", "true", "unclean.leader.election.enable=false"},
             {"cleanup.policy", "compact,delete", "cleanup.policy=delete"},
             {"retention.ms", "604800000", "retention.ms=-1"},
             {"retention.bytes", "1000", "retention.bytes=-1"},
             {"max.message.bytes", "1000", "max.message.bytes=1048588"}};
  for (const auto& one : bad) {
    CAPTURE(one.name);
    TopicFacts facts = sound();
    facts.settings[one.name] = {one.value, "Kafka's default"};
    const auto faults = faults_of("shop.events", facts, {64, false}, "b:1,c:2");
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].find(std::string(one.name) + " is " + one.value + " (Kafka's default)") !=
          std::string::npos);
    CHECK(faults[0].find("--bootstrap-server b:1,c:2") != std::string::npos);
    CHECK(faults[0].find(std::string("--entity-name shop.events --add-config ") + one.mended) !=
          std::string::npos);
  }
}

TEST_CASE("kafka: replicas are counted, since min.insync.replicas is capped at them") {
  TopicFacts facts = sound();
  facts.replicas = 1;
  REQUIRE(faults_of("t", facts, {64, false}, "b:1").size() == 1);
  CHECK(faults_of("t", facts, {64, true}, "b:1").empty());
  facts = sound();
  facts.partitions = 16;
  CHECK(faults_of("t", facts, {64, false}, "b:1").size() == 1);
  facts.settings["retention.ms"].value = "5";
  CHECK(faults_of("t", facts, {64, false}, "b:1").size() == 2);
}

TEST_CASE("kafka: settings say how brokers are reached, and nothing that promises rest on") {
  for (const char* name : {"security.protocol", "ssl.ca.location", "sasl.username", "debug"})
    CHECK(check_kafka_property(name).ok());
  for (const char* name : {"acks", "enable.idempotence", "message.timeout.ms", "", "ssl"})
    CHECK_FALSE(check_kafka_property(name).ok());
  for (const char* name : {"souk", "a", "Shop_2-b"}) CHECK(check_cluster_name(name).ok());
  for (const char* name : {"", "a.b", "a b", "ä"}) CHECK_FALSE(check_cluster_name(name).ok());
  CHECK_FALSE(check_cluster_name(std::string(101, 'a')).ok());

  const auto path = std::filesystem::temp_directory_path() / "souk-kafka-settings-test";
  const auto read = [&](const char* text) {
    std::ofstream(path) << text;
    return read_kafka_properties(path.string());
  };
  const auto good = read("# a comment\n\n security.protocol = SSL \r\nsasl.password=a=b\n");
  REQUIRE(good.ok());
  CHECK(good->at("security.protocol") == "SSL");
  CHECK(good->at("sasl.password") == "a=b");
  const auto bad = read("security.protocol=SSL\nacks=1\n");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().what.find("line 2") != std::string::npos);
  CHECK_FALSE(read("no equals sign\n").ok());
  std::filesystem::remove(path);
  CHECK_FALSE(read_kafka_properties(path.string()).ok());
}

TEST_CASE("kafka: a login that this librdkafka cannot do is refused in words") {
  CHECK(kafka::check_login("sasl.mechanism", "PLAIN", 0x020002ff).ok());
  CHECK(kafka::check_login("sasl.mechanism", "SCRAM-SHA-256", 0x020800ff).ok());
  const auto old = kafka::check_login("sasl.mechanisms", "SCRAM-SHA-512", 0x020002ff);
  REQUIRE_FALSE(old.ok());
  CHECK(old.error().what.find("librdkafka 2.0.2") != std::string::npos);
  CHECK_FALSE(kafka::check_login("sasl.mechanism", "SCRAM-SHA-256", 0x020600ff).ok());
}

}  // namespace souk::shared_log_test

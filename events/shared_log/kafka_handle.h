#pragma once
/// What the files of the Kafka adapter share: handles of librdkafka that end by themselves, and its
/// settings. Included by kafka_*.cc only.
#include <librdkafka/rdkafka.h>

#include <map>
#include <memory>
#include <string>

#include "events/result.h"
#include "events/shared_log/kafka_options.h"

namespace souk::kafka {

struct Ends {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
template <class T>
using Owned = std::unique_ptr<T, Ends>;

using Settings = std::map<std::string, std::string>;

/// `settings` over those of `options`, which may say how the brokers are reached and nothing else.
/// Errors: mismatch, with the setting.
Result<Owned<rd_kafka_conf_t>, Fault> make_conf(const KafkaOptions& options,
                                                const Settings& settings);
/// Takes the conf. What librdkafka logs goes to our log. Errors: mismatch.
Result<Owned<rd_kafka_t>, Fault> make_handle(rd_kafka_type_t type, Owned<rd_kafka_conf_t> conf);

/// Whether librdkafka of this version can do what the setting says. Errors: mismatch, with words.
Status check_login(const std::string& name, const std::string& value, int version);

Fault fault_of(const char* doing, rd_kafka_resp_err_t error);

}  // namespace souk::kafka

#pragma once
/// What the verbs that speak to Kafka themselves have in common.
#include "events/shared_log/kafka_options.h"
#include "tools/souk/cli/verb.h"

namespace souk::cli {

/// --kafka, --cluster, --kafka-config.
Argument kafka_option();
Argument kafka_cluster_option();
Argument kafka_config_option();
/// What they say. Errors: usage.
Outcome<KafkaOptions> kafka_options(const Invocation& call);

/// Brokers that cannot be reached are the exit code 3.
Failure refused_by(const Fault& fault);

}  // namespace souk::cli

#include "tools/souk/verbs/kafka_arguments.h"

namespace souk::cli {

Argument kafka_option() { return option("kafka", "HOST:PORT,... of the brokers"); }

Argument kafka_cluster_option() {
  return option("cluster", "its name, after which the topics are named", "souk");
}

Argument kafka_config_option() {
  return option("kafka-config",
                "a file of lines NAME=VALUE that say how the brokers are reached "
                "(security.protocol, ssl.*, sasl.*)");
}

Outcome<KafkaOptions> kafka_options(const Invocation& call) {
  KafkaOptions options{.brokers = call.get("kafka"), .cluster = call.get("cluster")};
  if (options.brokers.empty())
    return Failure{ExitCode::usage, "--kafka HOST:PORT,... is missing: which brokers?"};
  if (const auto fits = check_cluster_name(options.cluster); !fits.ok())
    return Failure{ExitCode::usage, "--cluster " + fits.error().what};
  if (call.has("kafka-config")) {
    auto properties = read_kafka_properties(call.get("kafka-config"));
    if (!properties.ok()) return Failure{ExitCode::usage, properties.error().what};
    options.properties = std::move(*properties);
  }
  return options;
}

Failure refused_by(const Fault& fault) {
  const bool away = fault.kind == Fault::Kind::unavailable;
  return {away ? ExitCode::unreachable : ExitCode::refused, fault.what};
}

}  // namespace souk::cli

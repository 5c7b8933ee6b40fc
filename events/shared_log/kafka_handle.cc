#include "events/shared_log/kafka_handle.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string_view>

#include "events/fault_log.h"

namespace souk::kafka {
namespace {

/// syslog's levels: up to 4 it is a warning or worse. While brokers are away it says so several times
/// a second.
void log_line(const rd_kafka_t*, int level, const char* facility, const char* text) {
  static FaultLog warns("kafka client warns");
  const bool retries = std::string_view(facility) == "GETPID";  // a broker that has just started
  if (level <= 4 && !retries)
    warns.failed(fmt::format("facility={} what=\"{}\"", facility, one_line(text)));
  else
    spdlog::debug("kafka client facility={} what=\"{}\"", facility, one_line(text));
}

constexpr int scram_mended = 0x02060100;  // 2.6.1

}  // namespace

Status check_login(const std::string& name, const std::string& value, int version) {
  if (!name.starts_with("sasl.mechanism") || !value.starts_with("SCRAM") || version >= scram_mended)
    return Done{};
  return Fault{
      Fault::Kind::mismatch,
      fmt::format("{}={}: librdkafka {}.{}.{} of this machine cannot log in with SCRAM at "
                  "Kafka 4, which takes the second message at its word (mended in librdkafka "
                  "2.6.1; Debian 13 has 2.8). Use sasl.mechanism=PLAIN over TLS, or client "
                  "certificates (ssl.certificate.location, ssl.key.location)",
                  name, value, version >> 24, version >> 16 & 0xFF, version >> 8 & 0xFF)};
}

Result<Owned<rd_kafka_conf_t>, Fault> make_conf(const KafkaOptions& options,
                                                const Settings& settings) {
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  char why[512];
  Status status = Done{};
  const auto set = [&](const std::string& name, const std::string& value) {
    if (!status.ok()) return;
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) !=
        RD_KAFKA_CONF_OK)
      status = Fault{Fault::Kind::mismatch, fmt::format("kafka setting {}: {}", name, why)};
  };
  set("bootstrap.servers", options.brokers);
  set("client.id", "souk");
  for (const auto& [name, value] : options.properties) {
    if (auto fits = check_kafka_property(name); !fits.ok()) return fits.error();
    if (auto fits = check_login(name, value, rd_kafka_version()); !fits.ok()) return fits.error();
    set(name, value);
  }
  // A leader that is frozen is left after that, also where a new one stands long before; and a
  // client with Nagle's algorithm waits 40 ms now and then.
  set("socket.timeout.ms", "3000");
  set("socket.nagle.disable", "true");
  set("reconnect.backoff.ms", "10");
  set("reconnect.backoff.max.ms", "500");
  set("log.connection.close", "false");
  for (const auto& [name, value] : settings) set(name, value);
  if (!status.ok()) return status.error();
  rd_kafka_conf_set_log_cb(conf.get(), &log_line);
  return conf;
}

Result<Owned<rd_kafka_t>, Fault> make_handle(rd_kafka_type_t type, Owned<rd_kafka_conf_t> conf) {
  char why[512];
  Owned<rd_kafka_t> handle(rd_kafka_new(type, conf.get(), why, sizeof why));
  if (!handle) return Fault{Fault::Kind::mismatch, fmt::format("kafka client: {}", why)};
  conf.release();  // the handle's from now on
  return handle;
}

Fault fault_of(const char* doing, rd_kafka_resp_err_t error) {
  return {Fault::Kind::unavailable, fmt::format("{}: {}", doing, rd_kafka_err2str(error))};
}

}  // namespace souk::kafka

#include "events/integration/kafka_topic_writer.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "events/cloud_event.h"
#include "events/fault_log.h"
#include "events/shared_log/kafka_handle.h"

namespace souk {

using namespace kafka;

namespace {

constexpr int ask_timeout_ms = 2'000;
constexpr std::chrono::seconds read_patience{4};
constexpr std::size_t messages_at_once = 64;
constexpr int events_at_once = 1'000;
/// Room for key, headers and the batch around it.
constexpr std::size_t message_bytes_max = integration_record_bytes_max + 64 * 1024;
constexpr auto header_shard = "souk-shard", header_position = "souk-position",
               header_content_type = "content-type";

std::optional<Seq> parse_position(std::string_view text) {
  Seq position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return position;
}

/// Of a record as the publisher writes it; nothing: it is none.
std::optional<Seq> position_of(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return std::nullopt;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_header_get_last(headers, header_position, &value, &size) !=
      RD_KAFKA_RESP_ERR_NO_ERROR)
    return std::nullopt;
  return parse_position({static_cast<const char*>(value), size});
}

struct Producer {
  Owned<rd_kafka_t> handle;
  Owned<rd_kafka_topic_t> topic;
  Owned<rd_kafka_queue_t> queue;
  std::optional<Fault> refused;  // what send() met
  bool dead = false;             // it has said that it failed
  Producer() = default;
  Producer(Producer&&) = default;
  Producer& operator=(Producer&&) = default;
  ~Producer() {
    if (!handle) return;
    rd_kafka_purge(handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    queue.reset();
    topic.reset();
  }
};

using Partitions = Owned<rd_kafka_topic_partition_list_t>;

}  // namespace

struct KafkaTopicWriter::Impl {
  KafkaOptions options;
  std::uint32_t shards = 0;
  int event_fd = -1;
  std::array<std::string, integration_topic_count> names;
  std::array<std::unique_ptr<Producer>, integration_topic_count> producers;
  Owned<rd_kafka_t> consumer;
  Owned<rd_kafka_queue_t> consumed;
  /// Behind the last record that is known of each partition, as Kafka counts.
  std::array<std::vector<std::int64_t>, integration_topic_count> ends;
  FaultLog brokers_fail{"the brokers of the integration topics cannot be reached"};

  ~Impl() {
    for (auto& producer : producers) producer.reset();
    consumed.reset();
    consumer.reset();
    if (event_fd >= 0) ::close(event_fd);
  }

  const std::string& name(IntegrationTopic topic) const { return names[index(topic)]; }
  static std::size_t index(IntegrationTopic topic) { return static_cast<std::size_t>(topic); }
  Result<std::unique_ptr<Producer>, Fault> make_producer(IntegrationTopic topic) const;
  Status make_consumer();
  bool take_reports(IntegrationTopic topic, Listener& listener);
  void take_report(IntegrationTopic topic, const rd_kafka_message_t& message, Listener& listener);
  void fail(IntegrationTopic topic, const Fault& why, Listener& listener);
  void drain_consumer();

  Partitions list_of(IntegrationTopic topic, const std::vector<ShardId>& of,
                     std::int64_t offset) const;
  Status check_topic(IntegrationTopic topic) const;
  Result<std::vector<std::int64_t>, Fault> bounds(IntegrationTopic topic,
                                                  const std::vector<ShardId>& of,
                                                  std::int64_t which) const;
  Status read_last(IntegrationTopic topic, const std::vector<ShardId>& of,
                   const std::vector<std::int64_t>& begins, std::vector<Seq>& found);
  Status read_notes(IntegrationTopic topic, const std::vector<ShardId>& of,
                    std::vector<Seq>& found) const;
};

Result<std::unique_ptr<Producer>, Fault> KafkaTopicWriter::Impl::make_producer(
    IntegrationTopic topic) const {
  auto conf = make_conf(options, {{"enable.idempotence", "true"},
                                  {"enable.gapless.guarantee", "true"},
                                  {"acks", "all"},
                                  {"max.in.flight.requests.per.connection", "4"},
                                  {"linger.ms", "10"},
                                  {"message.timeout.ms", "0"},
                                  {"retry.backoff.ms", "50"},
                                  {"compression.codec", "lz4"},
                                  {"message.max.bytes", std::to_string(message_bytes_max)},
                                  {"queue.buffering.max.messages", "20000"},
                                  {"queue.buffering.max.kbytes", "16384"},
                                  // A producer makes what it does not find, unless it is told.
                                  {"allow.auto.create.topics", "false"},
                                  {"topic.metadata.propagation.max.ms", "5000"}});
  if (!conf.ok()) return conf.error();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  auto handle = make_handle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle.ok()) return handle.error();
  auto made = std::make_unique<Producer>();
  made->handle = std::move(*handle);
  made->topic.reset(rd_kafka_topic_new(made->handle.get(), name(topic).c_str(), nullptr));
  if (!made->topic)
    return Fault{Fault::Kind::mismatch, fmt::format("{}: not a name of a topic", name(topic))};
  made->queue.reset(rd_kafka_queue_get_main(made->handle.get()));
  static constexpr std::uint64_t one = 1;
  rd_kafka_queue_io_event_enable(made->queue.get(), event_fd, &one, sizeof one);
  return made;
}

Status KafkaTopicWriter::Impl::make_consumer() {
  auto conf = make_conf(options, {{"group.id", options.cluster + ".integration"},
                                  {"enable.auto.commit", "false"},
                                  {"auto.offset.reset", "error"},
                                  {"isolation.level", "read_uncommitted"},
                                  {"check.crcs", "true"},
                                  {"allow.auto.create.topics", "false"},
                                  {"fetch.wait.max.ms", "100"},
                                  {"queued.max.messages.kbytes", "16384"}});
  if (!conf.ok()) return conf.error();
  auto handle = make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle.ok()) return handle.error();
  consumer = std::move(*handle);
  rd_kafka_poll_set_consumer(consumer.get());
  consumed.reset(rd_kafka_queue_get_consumer(consumer.get()));
  return Done{};
}

KafkaTopicWriter::KafkaTopicWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaTopicWriter::~KafkaTopicWriter() = default;

Result<std::unique_ptr<KafkaTopicWriter>, Fault> KafkaTopicWriter::open(const KafkaOptions& options,
                                                                        std::uint32_t shards) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->shards = shards;
  impl->event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (impl->event_fd < 0) return Fault{Fault::Kind::unavailable, "no file descriptor is left"};
  for (const auto topic : integration_topics) {
    const auto i = Impl::index(topic);
    impl->names[i] = topic_name(topic, options.cluster);
    impl->ends[i].resize(shards, 0);
    auto producer = impl->make_producer(topic);
    if (!producer.ok()) return producer.error();
    impl->producers[i] = std::move(*producer);
  }
  if (auto s = impl->make_consumer(); !s.ok()) return s.error();
  return std::unique_ptr<KafkaTopicWriter>(new KafkaTopicWriter(std::move(impl)));
}

// ---- writing ----

TopicWriter::Sent KafkaTopicWriter::send(const Record& record) {
  Producer& producer = *impl_->producers[Impl::index(record.topic)];
  if (producer.dead || producer.refused) return Sent::full;
  const std::string shard = std::to_string(record.shard.value);
  const std::string position = std::to_string(record.position);
  rd_kafka_headers_t* headers = rd_kafka_headers_new(3);
  const auto add = [&](const char* name, std::string_view value) {
    rd_kafka_header_add(headers, name, -1, value.data(), static_cast<ssize_t>(value.size()));
  };
  add(header_content_type, cloud_event_content_type);
  add(header_shard, shard);
  add(header_position, position);
  const auto error = rd_kafka_producev(
      producer.handle.get(), RD_KAFKA_V_RKT(producer.topic.get()),
      RD_KAFKA_V_PARTITION(record.shard.value), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
      // librdkafka only reads it
      RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
      RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(record.position)),
      RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Sent::taken;
  rd_kafka_headers_destroy(headers);
  if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
    producer.refused = fault_of(
        fmt::format("topic {}, shard {}, position {}", impl_->name(record.topic), shard, position)
            .c_str(),
        error);
  return Sent::full;
}

void KafkaTopicWriter::Impl::fail(IntegrationTopic topic, const Fault& why, Listener& listener) {
  Producer& producer = *producers[index(topic)];
  if (std::exchange(producer.dead, true)) return;
  // What is behind the one that failed must not come before it.
  rd_kafka_purge(producer.handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
  listener.failed(topic, why);
}

void KafkaTopicWriter::Impl::take_report(IntegrationTopic topic, const rd_kafka_message_t& message,
                                         Listener& listener) {
  const auto position = reinterpret_cast<Seq>(message._private);
  if (producers[index(topic)]->dead) return;
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(topic,
                fault_of(fmt::format("topic {}, shard {}, position {}", name(topic),
                                     message.partition, position)
                             .c_str(),
                         message.err),
                listener);
  auto& end = ends[index(topic)][static_cast<std::size_t>(message.partition)];
  if (message.offset >= 0 && message.offset < end)
    spdlog::warn("an integration topic was made again, it begins anew topic={} shard={} offset={}",
                 name(topic), message.partition, message.offset);
  if (message.offset >= 0) end = message.offset + 1;
  brokers_fail.passed();
  listener.written(topic, {static_cast<std::uint16_t>(message.partition)}, position);
}

bool KafkaTopicWriter::Impl::take_reports(IntegrationTopic topic, Listener& listener) {
  bool any = false;
  Producer& producer = *producers[index(topic)];
  for (int left = events_at_once; left > 0; --left) {
    const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(producer.queue.get(), 0));
    if (!event) break;
    any = true;
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) {
      while (const auto* message = rd_kafka_event_message_next(event.get()))
        take_report(topic, *message, listener);
    } else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR) {
      const auto words = one_line(rd_kafka_event_error_string(event.get()));
      if (rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR__FATAL)
        fail(topic, {Fault::Kind::unavailable, fmt::format("topic {}: {}", name(topic), words)},
             listener);
      else
        brokers_fail.failed(fmt::format("topic={} what=\"{}\"", name(topic), words));
    }
  }
  if (producer.refused && !producer.dead) {
    fail(topic, *producer.refused, listener);
    any = true;
  }
  return any;
}

/// What nobody waits for any more: errors, and records of a reading that was given up.
void KafkaTopicWriter::Impl::drain_consumer() {
  std::array<rd_kafka_message_t*, messages_at_once> messages;
  const auto count =
      rd_kafka_consume_batch_queue(consumed.get(), 0, messages.data(), messages.size());
  for (std::ptrdiff_t i = 0; i < count; ++i)
    rd_kafka_message_destroy(messages[static_cast<std::size_t>(i)]);
}

void KafkaTopicWriter::poll(std::chrono::milliseconds patience, Listener& listener) {
  Impl& impl = *impl_;
  impl.drain_consumer();
  const auto take = [&] {
    bool any = false;
    for (const auto topic : integration_topics) any = impl.take_reports(topic, listener) || any;
    return any;
  };
  if (take() || patience.count() == 0) return;
  pollfd waits{.fd = impl.event_fd, .events = POLLIN, .revents = 0};
  if (::poll(&waits, 1, static_cast<int>(patience.count())) <= 0) return;
  std::uint64_t count = 0;
  if (::read(impl.event_fd, &count, sizeof count) < 0) return;
  take();
}

void KafkaTopicWriter::start_anew(IntegrationTopic topic) {
  auto made = impl_->make_producer(topic);
  SOUK_ASSERT(made.ok());  // of settings that were taken before
  impl_->producers[Impl::index(topic)] = std::move(*made);
}

// ---- where the topics stand ----

Partitions KafkaTopicWriter::Impl::list_of(IntegrationTopic topic, const std::vector<ShardId>& of,
                                           std::int64_t offset) const {
  Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(of.size())));
  for (const ShardId shard : of)
    rd_kafka_topic_partition_list_add(list.get(), name(topic).c_str(), shard.value)->offset =
        offset;
  return list;
}

Status KafkaTopicWriter::Impl::check_topic(IntegrationTopic topic) const {
  const Owned<rd_kafka_topic_t> handle(
      rd_kafka_topic_new(consumer.get(), name(topic).c_str(), nullptr));
  const rd_kafka_metadata_t* raw = nullptr;
  const auto error = rd_kafka_metadata(consumer.get(), 0, handle.get(), &raw, ask_timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return fault_of("ask the brokers for a topic", error);
  const Owned<const rd_kafka_metadata_t> metadata(raw);
  const auto& one = metadata->topics[0];
  const bool gone = one.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR && !gone)
    return fault_of("ask the brokers for a topic", one.err);
  return fits_integration_topic(
      name(topic), gone ? 0 : static_cast<std::uint32_t>(one.partition_cnt), shards, options);
}

/// `which`: RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END.
Result<std::vector<std::int64_t>, Fault> KafkaTopicWriter::Impl::bounds(
    IntegrationTopic topic, const std::vector<ShardId>& of, std::int64_t which) const {
  constexpr auto doing = "ask the brokers for a topic's bounds";
  const auto asked = list_of(topic, of, which);
  const auto error = rd_kafka_offsets_for_times(consumer.get(), asked.get(), ask_timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return fault_of(doing, error);
  std::vector<std::int64_t> found;
  for (int i = 0; i < asked->cnt; ++i) {
    const auto& one = asked->elems[i];
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return fault_of(doing, one.err);
    if (one.offset < 0) return Fault{Fault::Kind::unavailable, "the brokers do not know it yet"};
    found.push_back(one.offset);
  }
  return found;
}

/// Of each partition that has one: all are read at once.
Status KafkaTopicWriter::Impl::read_last(IntegrationTopic topic, const std::vector<ShardId>& of,
                                         const std::vector<std::int64_t>& begins,
                                         std::vector<Seq>& found) {
  const Partitions wanted(rd_kafka_topic_partition_list_new(static_cast<int>(of.size())));
  for (std::size_t i = 0; i < of.size(); ++i)
    if (const auto end = ends[index(topic)][of[i].value]; end > begins[i])
      rd_kafka_topic_partition_list_add(wanted.get(), name(topic).c_str(), of[i].value)->offset =
          end - 1;
  if (wanted->cnt == 0) return Done{};
  drain_consumer();
  if (const auto error = rd_kafka_assign(consumer.get(), wanted.get()))
    return fault_of("read the last records of a topic", error);
  Status status = Done{};
  int left = wanted->cnt;
  const auto until = std::chrono::steady_clock::now() + read_patience;
  while (left > 0 && status.ok()) {
    if (std::chrono::steady_clock::now() > until)
      status = Fault{Fault::Kind::unavailable,
                     fmt::format("topic {}: its last records do not come", name(topic))};
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(consumer.get(), 100));
    if (!message || !message->rkt) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const auto position = position_of(*message);
      const auto at =
          std::ranges::find(of, ShardId{static_cast<std::uint16_t>(message->partition)});
      if (!position)
        status = Fault{Fault::Kind::mismatch,
                       fmt::format("topic {}, partition {}: its last record has no header {}: "
                                   "somebody else writes to it. Let nobody, delete it, and make it "
                                   "anew with: souk cluster init --integration",
                                   name(topic), message->partition, header_position)};
      else if (at != of.end() && found[static_cast<std::size_t>(at - of.begin())] == 0) {
        found[static_cast<std::size_t>(at - of.begin())] = *position;
        --left;
      }
    } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      status = fault_of("read the last records of a topic", message->err);
    }
  }
  rd_kafka_assign(consumer.get(), nullptr);
  return status;
}

/// A note of a topic that has less than it had then counts for nothing.
Status KafkaTopicWriter::Impl::read_notes(IntegrationTopic topic, const std::vector<ShardId>& of,
                                          std::vector<Seq>& found) const {
  const auto asked = list_of(topic, of, RD_KAFKA_OFFSET_INVALID);
  const auto error = rd_kafka_committed(consumer.get(), asked.get(), ask_timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fault_of("ask the brokers for what was noted", error);
  for (std::size_t i = 0; i < of.size(); ++i) {
    const auto& one = asked->elems[i];
    if (one.offset < 0 || one.offset > ends[index(topic)][of[i].value]) continue;
    const auto position =
        parse_position({static_cast<const char*>(one.metadata), one.metadata_size});
    if (position) found[i] = std::max(found[i], *position);
  }
  return Done{};
}

Result<std::vector<Seq>, Fault> KafkaTopicWriter::places(IntegrationTopic topic,
                                                         const std::vector<ShardId>& shards) {
  Impl& impl = *impl_;
  if (auto s = impl.check_topic(topic); !s.ok()) return s.error();
  const auto begins = impl.bounds(topic, shards, RD_KAFKA_OFFSET_BEGINNING);
  if (!begins.ok()) return begins.error();
  const auto ends = impl.bounds(topic, shards, RD_KAFKA_OFFSET_END);
  if (!ends.ok()) return ends.error();
  for (std::size_t i = 0; i < shards.size(); ++i)
    impl.ends[Impl::index(topic)][shards[i].value] = (*ends)[i];
  std::vector<Seq> found(shards.size(), 0);
  if (auto s = impl.read_last(topic, shards, *begins, found); !s.ok()) return s.error();
  if (auto s = impl.read_notes(topic, shards, found); !s.ok()) return s.error();
  return found;
}

void KafkaTopicWriter::note(const std::vector<Note>& notes) {
  if (notes.empty()) return;
  const Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(notes.size())));
  for (const Note& note : notes) {
    auto* one = rd_kafka_topic_partition_list_add(list.get(), impl_->name(note.topic).c_str(),
                                                  note.shard.value);
    one->offset = impl_->ends[Impl::index(note.topic)][note.shard.value];
    const std::string position = std::to_string(note.position);
    one->metadata = ::strdup(position.c_str());  // the list frees it
    one->metadata_size = position.size();
  }
  rd_kafka_commit(impl_->consumer.get(), list.get(), 1);
}

// ---- the topics ----

Status fits_integration_topic(const std::string& name, std::uint32_t partitions,
                              std::uint32_t shards, const KafkaOptions& options) {
  const auto init = fmt::format(
      "souk cluster init --integration --kafka {} --cluster {} --secret-file FILE (the one that "
      "the nodes have)",
      options.brokers, options.cluster);
  if (partitions == shards) return Done{};
  if (partitions == 0)
    return Fault{Fault::Kind::mismatch,
                 fmt::format("there is no topic {}: make the integration topics with: {}; or start "
                             "without --integration-topics",
                             name, init)};
  return Fault{Fault::Kind::mismatch,
               fmt::format("topic {} has {} partitions, and the cluster {} shards: a shard is a "
                           "partition. Delete the topic, and make it with: {}",
                           name, partitions, shards, init)};
}

Status check_integration_topics(KafkaTopics& topics, const KafkaOptions& options,
                                std::uint32_t shards) {
  for (const auto topic : integration_topics) {
    const std::string name = topic_name(topic, options.cluster);
    const auto facts = topics.look(name);
    if (!facts.ok()) return facts.error();
    if (auto s = fits_integration_topic(name, facts->partitions, shards, options); !s.ok())
      return s;
  }
  return Done{};
}

std::vector<KafkaTopics::NewTopic> integration_topics_of(const KafkaOptions& options,
                                                         std::uint32_t shards,
                                                         std::uint32_t replicas) {
  std::vector<KafkaTopics::NewTopic> all;
  for (const auto topic : integration_topics)
    all.push_back({.name = topic_name(topic, options.cluster),
                   .partitions = shards,
                   .replicas = replicas,
                   // By the time at which a record was appended, not that of a client's clock.
                   .settings = {{"message.timestamp.type", "LogAppendTime"},
                                {"min.insync.replicas", replicas > 2 ? "2" : "1"},
                                {"unclean.leader.election.enable", "false"},
                                {"cleanup.policy", "delete"},
                                {"max.message.bytes", std::to_string(message_bytes_max)}}});
  return all;
}

}  // namespace souk

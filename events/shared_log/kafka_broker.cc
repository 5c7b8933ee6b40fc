#include "events/shared_log/kafka_broker.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "events/fault_log.h"
#include "events/shared_log/kafka_handle.h"

namespace souk {

using namespace kafka;

namespace {

/// Kafka takes batches of 1,048,588 bytes, and librdkafka messages of 1,000,000, both as they are
/// before compression: a part stays below with its header.
constexpr std::size_t part_bytes_max = 900'000;
constexpr int end_timeout_ms = 3'000;
constexpr std::size_t messages_at_once = 512;
constexpr int events_at_once = 1'000;
constexpr std::uint32_t shards_a_producer = 8;
constexpr std::uint32_t producers_max = 8;

/// A producer, its topic and the queue of its reports.
struct Producer {
  Owned<rd_kafka_t> handle;
  Owned<rd_kafka_topic_t> topic;
  Owned<rd_kafka_queue_t> queue;
  bool dead = false;  // it met a fatal error; what it has sent is being reported
  Producer() = default;
  Producer(Producer&&) = default;
  Producer& operator=(Producer&& other) = default;
  ~Producer() {
    if (!handle) return;
    // What is not sent yet is not: whoever waits for it has been told, or is gone.
    rd_kafka_purge(handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    queue.reset();
    topic.reset();
  }
};

}  // namespace

struct KafkaBroker::Impl {
  KafkaOptions options;
  std::string topic;
  int event_fd = -1;

  std::shared_mutex producers_mutex;                 // shared: produces; exclusive: replaces
  std::vector<std::unique_ptr<Producer>> producers;  // shard s has number s % size
  std::unique_ptr<Producer> spare;
  std::vector<std::unique_ptr<Producer>> dead;
  std::atomic<std::uint64_t> lost{0};

  Owned<rd_kafka_t> consumer;
  Owned<rd_kafka_queue_t> consumed;
  struct Reading {
    Offset from = 0;        // 0: not read
    bool begun = false;     // `from` has come: what stood in the queue of a reading before is gone
    bool assigned = false;  // at the consumer, from a place that was right once
    bool changed = false;   // the consumer is to be told
  };
  std::vector<Reading> readings;
  bool readings_changed = false;

  struct Refused {
    ShardId shard;
    std::uint64_t tag = 0;
    std::string why;
  };
  std::mutex refused_mutex;
  std::vector<Refused> refused;  // what librdkafka did not take

  FaultLog brokers_fail{"the brokers cannot be reached"};

  ~Impl() {
    producers.clear();
    spare.reset();
    dead.clear();
    consumed.reset();
    consumer.reset();
    if (event_fd >= 0) ::close(event_fd);
  }

  Result<std::unique_ptr<Producer>, Fault> make_producer();
  Status make_producers(std::uint32_t shards);
  Status make_consumer(Use use);
  void listen_to(rd_kafka_queue_t* queue) const {
    static constexpr std::uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, event_fd, &one, sizeof one);
  }
  bool take_reports(Producer& from, Listener& listener);
  bool take_refused(Listener& listener);
  bool take_messages(Listener& listener);
  void take_message(const rd_kafka_message_t& message, Listener& listener);
  void bury();
  void replace(std::unique_ptr<Producer>& producer);
  void tell_consumer();
};

Result<std::unique_ptr<Producer>, Fault> KafkaBroker::Impl::make_producer() {
  auto conf = make_conf(options, {{"enable.idempotence", "true"},
                                  {"acks", "all"},
                                  // With five a handle burns a core while a broker is silent.
                                  {"max.in.flight.requests.per.connection", "4"},
                                  {"linger.ms", "0"},
                                  {"message.timeout.ms", "10000"},
                                  {"retry.backoff.ms", "10"},
                                  {"topic.metadata.refresh.fast.interval.ms", "50"},
                                  {"compression.codec", "lz4"},
                                  // Else a topic that was deleted comes back, made anyhow.
                                  {"allow.auto.create.topics", "false"},
                                  {"queue.buffering.max.messages", "1000000"}});
  if (!conf.ok()) return conf.error();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  auto handle = make_handle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!handle.ok()) return handle.error();
  auto made = std::make_unique<Producer>();
  made->handle = std::move(*handle);
  made->topic.reset(rd_kafka_topic_new(made->handle.get(), topic.c_str(), nullptr));
  if (!made->topic)
    return Fault{Fault::Kind::mismatch, fmt::format("{}: not a name of a topic", topic)};
  made->queue.reset(rd_kafka_queue_get_main(made->handle.get()));
  listen_to(made->queue.get());
  return made;
}

Status KafkaBroker::Impl::make_producers(std::uint32_t shards) {
  producers.resize(
      std::clamp((shards + shards_a_producer - 1) / shards_a_producer, 1U, producers_max));
  for (auto& producer : producers) {
    auto made = make_producer();
    if (!made.ok()) return made.error();
    producer = std::move(*made);
  }
  auto made = make_producer();
  if (!made.ok()) return made.error();
  spare = std::move(*made);
  return Done{};
}

Status KafkaBroker::Impl::make_consumer(Use use) {
  auto conf = make_conf(options, {{"group.id", "souk"},  // demanded, and never joined
                                  {"enable.auto.commit", "false"},
                                  {"auto.offset.reset", "error"},
                                  {"isolation.level", "read_uncommitted"},
                                  {"check.crcs", "true"},
                                  // Who reads to an end goes on to the next shard behind it.
                                  {"fetch.wait.max.ms", use == Use::read ? "10" : "100"},
                                  {"fetch.error.backoff.ms", "10"},
                                  {"queued.min.messages", "10000"},
                                  {"queued.max.messages.kbytes", "16384"}});
  if (!conf.ok()) return conf.error();
  auto handle = make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle.ok()) return handle.error();
  consumer = std::move(*handle);
  rd_kafka_poll_set_consumer(consumer.get());
  consumed.reset(rd_kafka_queue_get_consumer(consumer.get()));
  listen_to(consumed.get());
  return Done{};
}

KafkaBroker::KafkaBroker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaBroker::~KafkaBroker() = default;

Result<std::unique_ptr<KafkaBroker>, Fault> KafkaBroker::open(const KafkaOptions& options,
                                                              const std::string& topic,
                                                              std::uint32_t shards, Use use) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->topic = topic;
  impl->readings.resize(shards);
  impl->event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (impl->event_fd < 0) return Fault{Fault::Kind::unavailable, "no file descriptor is left"};
  if (use == Use::read_and_write)
    if (auto s = impl->make_producers(shards); !s.ok()) return s.error();
  if (auto s = impl->make_consumer(use); !s.ok()) return s.error();
  return std::unique_ptr<KafkaBroker>(new KafkaBroker(std::move(impl)));
}

void KafkaBroker::produce(ShardId shard, std::uint64_t tag, std::string_view bytes) {
  std::string why;
  {
    const std::shared_lock lock(impl_->producers_mutex);
    const auto& producers = impl_->producers;
    SOUK_ASSERT(!producers.empty());
    const int sent = rd_kafka_produce(
        producers[shard.value % producers.size()]->topic.get(), shard.value, RD_KAFKA_MSG_F_COPY,
        // librdkafka only reads it
        const_cast<char*>(bytes.data()), bytes.size(), nullptr, 0, reinterpret_cast<void*>(tag));
    if (sent == 0) return;
    why = rd_kafka_err2str(rd_kafka_last_error());
  }
  {
    const std::lock_guard lock(impl_->refused_mutex);
    impl_->refused.push_back({shard, tag, std::move(why)});
  }
  wake();
}

// ---- reading ----

/// Many at once: each call of the consumer's takes it through all its partitions.
void KafkaBroker::Impl::tell_consumer() {
  if (!std::exchange(readings_changed, false)) return;
  const Owned<rd_kafka_topic_partition_list_t> gone(rd_kafka_topic_partition_list_new(8));
  const Owned<rd_kafka_topic_partition_list_t> come(rd_kafka_topic_partition_list_new(8));
  for (std::size_t p = 0; p < readings.size(); ++p) {
    Reading& reading = readings[p];
    if (!std::exchange(reading.changed, false)) continue;
    const auto partition = static_cast<std::int32_t>(p);
    if (std::exchange(reading.assigned, reading.from != 0))
      rd_kafka_topic_partition_list_add(gone.get(), topic.c_str(), partition);
    if (reading.from != 0)
      rd_kafka_topic_partition_list_add(come.get(), topic.c_str(), partition)->offset =
          static_cast<std::int64_t>(reading.from) - 1;
  }
  const auto said = [](rd_kafka_error_t* error) {
    if (!error) return;
    spdlog::error("partitions cannot be read what=\"{}\"", one_line(rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
  };
  if (gone->cnt > 0) said(rd_kafka_incremental_unassign(consumer.get(), gone.get()));
  if (come->cnt > 0) said(rd_kafka_incremental_assign(consumer.get(), come.get()));
}

void KafkaBroker::read(ShardId shard, Offset from) {
  auto& reading = impl_->readings[shard.value];
  reading.from = from;
  reading.begun = false;
  reading.changed = impl_->readings_changed = true;
}

void KafkaBroker::stop_reading(ShardId shard) {
  if (impl_->readings[shard.value].from != 0) read(shard, 0);
}

void KafkaBroker::Impl::take_message(const rd_kafka_message_t& message, Listener& listener) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return;
  const bool of_partition = message.rkt && message.partition >= 0 &&
                            static_cast<std::size_t>(message.partition) < readings.size();
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const bool gone = message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                      message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
    if (gone && of_partition && readings[static_cast<std::size_t>(message.partition)].from != 0)
      listener.reading_failed(ShardId{static_cast<std::uint16_t>(message.partition)},
                              {Fault::Kind::corrupt, rd_kafka_message_errstr(&message)});
    else
      brokers_fail.failed(fmt::format("what=\"{}\"", one_line(rd_kafka_message_errstr(&message))));
    return;
  }
  Reading& reading = readings[static_cast<std::size_t>(message.partition)];
  const auto offset = static_cast<Offset>(message.offset) + 1;
  if (reading.from == 0 || (!reading.begun && offset != reading.from)) return;
  reading.begun = true;
  listener.arrived(ShardId{static_cast<std::uint16_t>(message.partition)}, offset,
                   {static_cast<const char*>(message.payload), message.len});
}

bool KafkaBroker::Impl::take_messages(Listener& listener) {
  std::array<rd_kafka_message_t*, messages_at_once> messages;
  const auto count =
      rd_kafka_consume_batch_queue(consumed.get(), 0, messages.data(), messages.size());
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const Owned<rd_kafka_message_t> message(messages[static_cast<std::size_t>(i)]);
    take_message(*message, listener);
  }
  return count > 0;
}

// ---- reports ----

bool KafkaBroker::Impl::take_reports(Producer& from, Listener& listener) {
  bool any = false;
  for (int left = events_at_once; left > 0; --left) {
    const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(from.queue.get(), 0));
    if (!event) break;
    any = true;
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR) {
      const auto error = rd_kafka_event_error(event.get());
      if (error == RD_KAFKA_RESP_ERR__FATAL)
        from.dead = true;
      else
        brokers_fail.failed(
            fmt::format("what=\"{}\"", one_line(rd_kafka_event_error_string(event.get()))));
      continue;
    }
    if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
    while (const auto* message = rd_kafka_event_message_next(event.get())) {
      Report report{.shard = {static_cast<std::uint16_t>(message->partition)},
                    .tag = reinterpret_cast<std::uint64_t>(message->_private),
                    .why = {}};
      // A report of success may lack its offset, and one of failure may carry a wrong one.
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset >= 0 &&
          rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_PERSISTED) {
        report.offset = static_cast<Offset>(message->offset) + 1;
        brokers_fail.passed();
      } else {
        report.why = message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? "a report without an offset"
                                                                : rd_kafka_err2str(message->err);
      }
      listener.reported(report);
    }
  }
  return any;
}

bool KafkaBroker::Impl::take_refused(Listener& listener) {
  std::vector<Refused> taken;
  {
    const std::lock_guard lock(refused_mutex);
    taken.swap(refused);
  }
  for (const auto& one : taken)
    listener.reported({.shard = one.shard, .tag = one.tag, .offset = 0, .why = one.why});
  return !taken.empty();
}

/// A producer that met a fatal error takes nothing more; what it had sent is reported as unknown.
void KafkaBroker::Impl::replace(std::unique_ptr<Producer>& producer) {
  char why[512] = "";
  rd_kafka_fatal_error(producer->handle.get(), why, sizeof why);
  lost.fetch_add(1, std::memory_order_relaxed);
  spdlog::warn("the kafka client gave up a producer, another takes over what=\"{}\"",
               one_line(why));
  rd_kafka_purge(producer->handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                             RD_KAFKA_PURGE_F_NON_BLOCKING);
  {
    const std::unique_lock lock(producers_mutex);
    dead.push_back(std::move(producer));
    producer = std::move(spare);
  }
  if (auto made = make_producer(); made.ok()) spare = std::move(*made);
  SOUK_ASSERT(producer && spare);  // made of settings that were taken before
}

void KafkaBroker::Impl::bury() {
  for (auto& producer : producers)
    if (producer->dead) replace(producer);
  std::erase_if(dead, [](const auto& one) { return rd_kafka_outq_len(one->handle.get()) == 0; });
}

void KafkaBroker::poll(std::chrono::milliseconds patience, Listener& listener) {
  Impl& impl = *impl_;
  impl.tell_consumer();
  const auto take = [&] {
    bool any = false;
    for (auto& one : impl.producers) any = impl.take_reports(*one, listener) || any;
    if (impl.spare) any = impl.take_reports(*impl.spare, listener) || any;
    for (auto& one : impl.dead) any = impl.take_reports(*one, listener) || any;
    any = impl.take_refused(listener) || any;
    any = impl.take_messages(listener) || any;
    impl.bury();
    return any;
  };
  if (take()) return;
  pollfd waits{.fd = impl.event_fd, .events = POLLIN, .revents = 0};
  if (::poll(&waits, 1, static_cast<int>(patience.count())) <= 0) return;
  std::uint64_t count = 0;
  if (::read(impl.event_fd, &count, sizeof count) < 0) return;
  take();
}

void KafkaBroker::wake() {
  const std::uint64_t one = 1;
  if (::write(impl_->event_fd, &one, sizeof one) < 0) return;  // full: it is awake
}

Result<std::vector<Offset>, Fault> KafkaBroker::ends() {
  const auto shards = static_cast<int>(impl_->readings.size());
  const Owned<rd_kafka_topic_partition_list_t> asked(rd_kafka_topic_partition_list_new(shards));
  for (int p = 0; p < shards; ++p)
    rd_kafka_topic_partition_list_add(asked.get(), impl_->topic.c_str(), p)->offset =
        RD_KAFKA_OFFSET_END;
  constexpr auto doing = "ask the brokers for the logs' ends";
  const auto error = rd_kafka_offsets_for_times(impl_->consumer.get(), asked.get(), end_timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return fault_of(doing, error);
  std::vector<Offset> ends;
  for (int i = 0; i < asked->cnt; ++i) {
    const auto& one = asked->elems[i];
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return fault_of(doing, one.err);
    if (one.offset < 0) return Fault{Fault::Kind::unavailable, "the brokers do not know it yet"};
    ends.push_back(static_cast<Offset>(one.offset) + 1);
  }
  return ends;
}

std::size_t KafkaBroker::part_bytes() const { return part_bytes_max; }

std::uint64_t KafkaBroker::producers_lost() const {
  return impl_->lost.load(std::memory_order_relaxed);
}

}  // namespace souk

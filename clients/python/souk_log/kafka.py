"""Reads the topic of events: a plain consumer with its partitions assigned by hand, no group, nothing written."""
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from .reader import Events, Partition, check_types
from .records import Corrupt, LogError

SILENCE_SECONDS_MAX = 30
MESSAGES_AT_ONCE = 1_000
_GONE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # the broker does not have it, or not any more
_SETTINGS = {
    "group.id": "souk_log",  # librdkafka demands one; it is never joined
    "enable.auto.commit": False, "auto.offset.reset": "error", "isolation.level": "read_uncommitted",
    "check.crcs": True, "fetch.wait.max.ms": 10, "queued.max.messages.kbytes": 32_768, "client.id": "souk_log"}


class Unreachable(LogError):
    """The brokers do not answer."""


def consumer(brokers, settings=None):
    """`settings`: how the brokers are reached, as in soukd's --kafka-config (security.protocol, ssl.*, sasl.*)."""
    return Consumer({**_SETTINGS, "bootstrap.servers": brokers, **(settings or {})})


def partitions_of(client, topic):
    """How many shards the topic has."""
    try:
        found = client.list_topics(topic, timeout=SILENCE_SECONDS_MAX).topics.get(topic)
    except KafkaException as error:
        raise Unreachable(f"the brokers do not answer: {error}") from None
    if found is not None and found.error is not None and found.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
        raise LogError(f"{topic}: {found.error.str()}")
    if found is None or not found.partitions:
        raise LogError(f"there is no topic {topic}: is the cluster called otherwise?")
    return len(found.partitions)


def end_of(client, topic, shard):
    """Kafka's offset behind the last record of the shard."""
    try:
        return client.get_watermark_offsets(TopicPartition(topic, shard), timeout=SILENCE_SECONDS_MAX)[1]
    except KafkaException as error:
        raise Unreachable(f"the brokers do not answer: {error}") from None


def read_shard(client, topic, shard, end, types=None):
    """The events of one shard up to Kafka's offset `end`."""
    partition = Partition(shard, types)
    if end == 0:
        return
    client.assign([TopicPartition(topic, shard, OFFSET_BEGINNING)])
    heard = time.monotonic()
    offset = 0
    while offset < end:
        messages = client.consume(MESSAGES_AT_ONCE, timeout=0.2)
        if not messages and time.monotonic() - heard > SILENCE_SECONDS_MAX:
            raise Unreachable(f"record {offset + 1} of shard {shard} does not come")
        for message in messages:
            if message.error():
                if message.error().code() in _GONE:
                    raise Corrupt(f"log of shard {shard}, record {offset + 1}: {message.error()}")
                if message.error().code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    raise LogError(f"{topic}: {message.error()}")
                continue  # it tries again; of the group, which is never joined, it may hear that it must not
            if message.partition() != shard or message.offset() >= end:
                continue
            heard = time.monotonic()
            yield from partition.take(message.offset() + 1, message.value() or b"")
            offset = message.offset() + 1
    client.unassign()


def read_kafka(brokers, cluster="souk", *, shards=None, types=None, settings=None):
    """Events of the topic CLUSTER.events up to where each shard ended when this was called, as souk_log.Events.
    shards: which (all); types: names of events, as "order_placed" (all); settings: see consumer()."""
    types = check_types(types)
    topic = cluster + ".events"
    client = consumer(brokers, settings)
    try:
        count = partitions_of(client, topic)
        wanted = sorted(set(range(count) if shards is None else shards))
        if wanted and not 0 <= wanted[0] <= wanted[-1] < count:
            raise ValueError(f"{topic} has shards 0 to {count - 1}")
        ends = {shard: end_of(client, topic, shard) for shard in wanted}
    except BaseException:
        client.close()
        raise

    def events():
        try:
            for shard in wanted:
                yield from read_shard(client, topic, shard, ends[shard], types)
        finally:
            client.close()

    return Events(events())

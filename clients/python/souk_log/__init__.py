"""Reads the event log of Souk, from Kafka or from bytes: what counts of it, as the engine itself decides it.

    import souk_log
    for event in souk_log.read_kafka("kafka1:9092", cluster="shop"):
        print(event["shard"], event["seq"], event["type"], event["data"])
    table = souk_log.read_kafka("kafka1:9092", cluster="shop", types=["order_placed"]).to_arrow()

An event is a dict with the members of a line of `souk replay --export`: shard, seq, at, type, entity_type, entity, cause,
correlation, idempotency, outcome, data. What is sealed is base64 of the sealed bytes; tokens of payments are left out."""
from .events import TYPES, decode_payload, events_of
from .log_fold import Folded, FoldState, fold, shared_log_begin
from .reader import Events, Partition, read_records
from .records import Corrupt, Header, LogError, Unsupported, chain_after, decode_header, split_records
from .sales_figures import sales

__all__ = ["TYPES", "Corrupt", "Events", "FoldState", "Folded", "Header", "LogError", "Partition", "Unsupported",
           "chain_after", "decode_header", "decode_payload", "events_of", "fold", "read_kafka", "read_records", "sales",
           "shared_log_begin", "split_records"]


def read_kafka(brokers, cluster="souk", **options):
    """The events of a cluster's topic, up to where it ended when this was called: see souk_log.kafka.read_kafka."""
    from .kafka import read_kafka as read  # the client of Kafka is needed here only
    return read(brokers, cluster, **options)

"""From the records of partitions to events."""
import json
from collections import Counter

from . import log_fold as rules
from .events import TYPES, events_of
from .records import CLAIM, Corrupt, LogError, decode_header


class Partition:
    """Folds the log of one shard, record by record. `counts`: records by what became of them."""

    def __init__(self, shard, types=None):
        self.shard, self.types = shard, types
        self.state, self.counts = rules.shared_log_begin(), Counter()

    def take(self, offset, record):
        """The events of the record at `offset` (of Souk: Kafka's and one) that count; raises LogError with its place."""
        try:
            if offset == 1:
                self._check_first(record)
            folded = rules.fold(self.state, offset, record)
            self.counts["skipped: " + folded.why if folded.what == rules.SKIPPED else folded.what] += 1
            if folded.what != rules.COUNTS_EVENTS:
                return []
            return list(events_of(self.shard, folded.header, folded.payload, self.types))
        except LogError as error:
            raise type(error)(f"log of shard {self.shard}, record {offset}: {error}") from None

    @staticmethod
    def _check_first(record):
        header, _ = decode_header(record)
        if header.type != CLAIM or header.epoch != 1:
            raise Corrupt("it does not begin as one of Souk does")


class Events:
    """Events to go through once, in the order of shards and sequence numbers. Memory does not grow with them."""

    def __init__(self, events):
        self._events = iter(events)

    def __iter__(self):
        return self._events

    def to_arrow(self, rows_at_once=65_536):
        """A pyarrow.Table: `at` is a timestamp, `data` the JSON of the event's members."""
        import pyarrow as pa
        names = ("shard", "seq", "at", "type", "entity_type", "entity", "cause", "correlation", "idempotency", "outcome",
                 "data")
        kinds = {"shard": pa.uint16(), "seq": pa.uint64(), "at": pa.timestamp("ms", tz="UTC"),
                 "type": pa.dictionary(pa.int32(), pa.string()), "entity_type": pa.dictionary(pa.int32(), pa.string()),
                 "outcome": pa.dictionary(pa.int32(), pa.string())}
        schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
        batches, columns = [], {name: [] for name in names}

        def cut():
            arrays = []
            for name in names:
                texts = pa.array(columns[name], pa.string() if name not in ("shard", "seq") else kinds[name])
                if name == "at":
                    texts = texts.cast(kinds["at"])
                elif name in ("type", "entity_type", "outcome"):
                    texts = texts.dictionary_encode()
                arrays.append(texts)
                columns[name].clear()
            batches.append(pa.record_batch(arrays, schema=schema))

        for event in self:
            for name in names:
                value = event[name]
                columns[name].append(json.dumps(value, ensure_ascii=False, separators=(",", ":")) if name == "data" else value)
            if len(columns["seq"]) >= rows_at_once:
                cut()
        if columns["seq"]:
            cut()
        return pa.Table.from_batches(batches, schema=schema).unify_dictionaries()


def check_types(types):
    """A set of types, or None for all."""
    if types is None:
        return None
    wanted = {types} if isinstance(types, str) else set(types)
    for name in wanted:
        if name not in TYPES:
            raise ValueError(f"no event is called {name!r}; there are: {' '.join(TYPES)}")
    return wanted


def read_records(logs, types=None):
    """The events of logs that are there as records: an iterable for each shard, from its first record on."""
    types = check_types(types)

    def events():
        for shard, log in enumerate(logs):
            partition = Partition(shard, types)
            for offset, record in enumerate(log, 1):
                yield from partition.take(offset, record)

    return Events(events())

"""The events of a Souk cluster as a data source of Spark 4: `spark.read.format("souk")`. A partition is a shard; which records
count is decided by souk_log, on the executors.

    spark.dataSource.register(SoukSource)
    spark.read.format("souk").option("kafka", "kafka1:9092").option("cluster", "shop").option("types", "order_placed").load()

Options: kafka, cluster (souk), types (comma separated; all), kafka.NAME: how brokers are reached (kafka.security.protocol)."""
import json
from datetime import datetime

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

COLUMNS = ("shard", "seq", "at", "type", "entity_type", "entity", "cause", "correlation", "idempotency", "outcome", "data")
SCHEMA = ("shard INT, seq BIGINT, at TIMESTAMP, type STRING, entity_type STRING, entity STRING, cause STRING, "
          "correlation STRING, idempotency STRING, outcome STRING, data STRING")


class SoukSource(DataSource):
    @classmethod
    def name(cls):
        return "souk"

    def schema(self):
        return SCHEMA

    def reader(self, schema):
        return SoukReader(dict(self.options))


class Shard(InputPartition):
    """A shard up to an end that all of one read share."""

    def __init__(self, shard, end):
        super().__init__(shard)
        self.shard, self.end = shard, end


class SoukReader(DataSourceReader):
    def __init__(self, options):
        self.brokers = options["kafka"]
        self.topic = options.get("cluster", "souk") + ".events"
        self.types = {name for name in options.get("types", "").split(",") if name} or None
        self.settings = {name[len("kafka."):]: value for name, value in options.items() if name.startswith("kafka.")}

    def partitions(self):
        from souk_log import kafka
        client = kafka.consumer(self.brokers, self.settings)
        try:
            return [Shard(shard, kafka.end_of(client, self.topic, shard))
                    for shard in range(kafka.partitions_of(client, self.topic))]
        finally:
            client.close()

    def read(self, partition):
        from souk_log import kafka
        client = kafka.consumer(self.brokers, self.settings)
        try:
            for event in kafka.read_shard(client, self.topic, partition.shard, partition.end, self.types):
                yield tuple(self._cell(name, event[name]) for name in COLUMNS)
        finally:
            client.close()

    @staticmethod
    def _cell(name, value):
        if name == "data":
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return datetime.fromisoformat(value.replace("Z", "+00:00")) if name == "at" else value

"""python -m souk_log events|sales --kafka HOST:PORT,... [--cluster NAME]: lines of JSON of events, or figures of sales."""
import argparse
import json
import sys

from . import read_kafka
from .records import LogError
from .sales_figures import GROUPS, TYPES, sales


def settings_of(path):
    """A file of lines NAME=VALUE, as soukd's --kafka-config."""
    found = {}
    if path:
        with open(path, encoding="utf-8") as file:
            for line in map(str.strip, file):
                if line and not line.startswith("#"):
                    name, _, value = line.partition("=")
                    found[name.strip()] = value.strip()
    return found


def main():
    arguments = argparse.ArgumentParser(prog="souk_log", description=__doc__)
    arguments.add_argument("what", choices=["events", "sales"])
    arguments.add_argument("--kafka", required=True, metavar="HOST:PORT,...")
    arguments.add_argument("--cluster", default="souk")
    arguments.add_argument("--kafka-config", metavar="FILE", help="NAME=VALUE lines: security.protocol, ssl.*, sasl.*")
    arguments.add_argument("--type", action="append", help="events: only of this type; may be repeated")
    arguments.add_argument("--shard", action="append", type=int, help="events: only this shard; may be repeated")
    arguments.add_argument("--group-by", choices=GROUPS, default="month")
    arguments.add_argument("--currency", default="GBP")
    given = arguments.parse_args()
    reach = {"cluster": given.cluster, "settings": settings_of(given.kafka_config)}
    try:
        if given.what == "sales":
            figures = sales(read_kafka(given.kafka, types=TYPES, **reach), given.group_by, given.currency)
            for key in sorted(figures, key=lambda key: (key is not None, key)):
                print(json.dumps({given.group_by: key, **figures[key].as_dict()}, ensure_ascii=False))
            return 0
        for event in read_kafka(given.kafka, shards=given.shard, types=given.type, **reach):
            sys.stdout.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    except (LogError, ValueError) as error:
        print(f"souk_log: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

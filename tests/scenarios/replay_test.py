#!/usr/bin/env python3
"""souk replay and clients/python read the log of a live node out of Kafka: the same events as SQL shows, the same figures as
the analytics, whatever happened to the node meanwhile. usage: replay_test.py [--version V]"""
import argparse
import json
import os
import subprocess
import sys
from decimal import Decimal
from urllib.parse import quote

from kafka_cluster import VERSION, KafkaCluster, need_kafka
from kafka_log_test import FEW_SHARDS, Findings, init, souk
from skips import skipped
from souk_client import PATIENCE, Daemon, Shop, binary, eventually, money
from souk_log_venv import ENVIRONMENT, PYTHON, why_no_souk_log

SHOP = ["--products", "40", "--users", "30", "--orders", "120", "--seed", "7"]
COLUMNS = ["shard", "seq", "at", "type", "entity_type", "entity", "cause", "correlation", "idempotency", "outcome", "data"]
ROWS_MAX = 1000  # of an answer of the analytics
GROUPS = ("month", "day", "product", "country", "customer")


def fill(daemon):
    """A generated shop, and what it lacks: goods that come back, by order and without one."""
    subprocess.run([binary("souk"), "--url", f"http://{daemon.address}", "generate", *SHOP], check=True,
                   capture_output=True, timeout=120 * PATIENCE)
    shop = Shop(daemon.client())
    sku = shop.product(stock=50)
    statuses = []

    def post(path, body):
        answer = shop.client.post(path, body, key=f"replay-{len(statuses)}")
        statuses.append(answer.status)
        return answer

    order = post("/v1/orders?wait=final", {"lines": [{"sku": sku, "quantity": 3}], "payment": {"method": "simulated"}})
    path = "/v1/orders/" + order.json["order_id"]
    post(f"{path}/ship", {})
    post(f"{path}/return", {"lines": [{"sku": sku, "quantity": 1}]})
    post(f"{path}/refund", {"amount": money("0.10")})
    post("/v1/orders?wait=final", {"lines": [{"sku": sku, "quantity": 1}], "payment": {"method": "simulated"},
                                   "occurred_at": "2025-02-28T23:59:59.999Z"})
    post("/v1/returns", {"lines": [{"sku": sku, "quantity": 2, "unit_price": money("2.345678")}], "reference": "C1",
                         "occurred_at": "2025-03-01T00:00:00.000Z"})
    return statuses


def wait_for_read_models(client):
    eventually(lambda: client.get("/v1/projections").json["projections"],
               lambda models: all(model["lag_events"] == 0 for model in models), 30)


def log_by_sql(client):
    wait_for_read_models(client)
    rows = []
    for shard in range(FEW_SHARDS):
        query = f"SELECT {','.join(COLUMNS)} FROM events WHERE shard = {shard} ORDER BY seq"
        rows += client.get("/v1/sql?limit=100000&q=" + quote(query)).json["rows"]
    return [{**dict(zip(COLUMNS, row)), "data": json.loads(row[-1])} for row in rows]


def without_sealed(event):
    return {**event, "data": {name: value for name, value in event["data"].items() if not name.startswith("sealed_")}}


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def api_sales(client, group):
    """key -> figures, money as Decimal."""
    rows = client.get(f"/v1/analytics/sales?group_by={group}&limit={ROWS_MAX}&currency=GBP").json["rows"]
    return {row[group]: {name: Decimal(value["amount"]) if isinstance(value, dict) else value
                         for name, value in row.items() if name != group} for row in rows}


def differing(wanted, got):
    """The keys whose figures differ. Where the answer was cut, only those that it has."""
    return {key for key in (wanted if len(wanted) == ROWS_MAX else wanted.keys() | got.keys()) if wanted.get(key) != got.get(key)}


def our_sales(reach, group):
    done = subprocess.run([PYTHON, "-m", "souk_log", "sales", "--group-by", group, *reach], env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=120 * PATIENCE, check=True)
    rows = {}
    for row in lines_of(done.stdout):
        key = row.pop(group)
        rows[key] = {name: Decimal(value) if isinstance(value, str) else value for name, value in row.items()}
        if group == "product":
            del rows[key]["refunded"], rows[key]["rounding"]
    return rows


def by_souk(found, reach, wanted):
    """The command line against SQL."""
    exported = souk("replay", *reach, "--export", "-")
    found.check(exported.returncode == 0, f"--export - ends with 0 {exported.stderr.strip()[-200:]}")
    events = lines_of(exported.stdout)
    found.check([without_sealed(event) for event in events] == wanted,
                f"its {len(events)} events are the {len(wanted)} that SQL shows")
    found.check(any("sealed_email" in event["data"] for event in events), "what is sealed stands there sealed")
    found.check(souk("replay", *reach, "--export", "-").stdout == exported.stdout, "and again the same bytes")
    counted = json.loads(souk("--json", "replay", *reach, "--verify").stdout)
    types = {}
    for event in wanted:
        types[event["type"]] = types.get(event["type"], 0) + 1
    found.check(counted["sound"] and counted["violations_found"] == 0, f"--verify finds nothing {counted.get('violations')}")
    found.check(counted["events"] == len(wanted) and counted["by_type"] == types, "it counts the same by type")
    found.check(counted["claims"] >= 3 * FEW_SHARDS, f"{counted['claims']} claims: the beginnings, and one a start")
    found.check(counted["first_at"] == min(e["at"] for e in wanted) and
                counted["last_at"] == max(e["at"] for e in wanted), "and the same times")
    found.check([shard["last_seq"] for shard in counted["shards"]] ==
                [sum(e["shard"] == s for e in wanted) for s in range(FEW_SHARDS)], "shard by shard")
    some = lines_of(souk("replay", *reach, "--export", "-", "--type", "order_placed", "--shard", "1", "--shard", "2").stdout)
    found.check([without_sealed(event) for event in some] ==
                [e for e in wanted if e["type"] == "order_placed" and e["shard"] in (1, 2)], "--type and --shard select")
    table = souk("replay", *reach)
    found.check(table.returncode == 0 and "order_placed" in table.stdout and "all" in table.stdout, "a table without --json")
    return exported.stdout


def by_souk_log(found, reach, lines, sales):
    """The Python package against the command line, and its figures against those of the API."""
    done = subprocess.run([PYTHON, "-m", "souk_log", "events", *reach], env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=120 * PATIENCE, check=False)
    found.check(done.returncode == 0 and done.stdout == lines,
                f"souk_log reads the same lines {done.stderr.strip()[-300:]}")
    for group, wanted in sales.items():
        ours = our_sales(reach, group)
        wrong = differing(wanted, ours)
        found.check(bool(wanted) and not wrong, f"sales by {group}: {len(wanted)} rows, {len(wrong)} differ "
                    f"{[(key, wanted.get(key), ours.get(key)) for key in list(wrong)[:2]] if wrong else ''}")


def refusals(found, kafka, reach):
    nowhere = souk("replay", "--kafka", kafka.bootstrap, "--cluster", "nobody")
    found.check(nowhere.returncode == 1 and "there is no topic nobody.events" in nowhere.stderr, "a cluster that is not there")
    kafka.create_topic("strange.events", partitions=1)
    kafka.tool("org.apache.kafka.tools.ProducerPerformance", "--topic", "strange.events", "--num-records", "1",
               "--record-size", "100", "--throughput", "-1", "--producer-props", f"bootstrap.servers={kafka.bootstrap}")
    strange = souk("replay", "--kafka", kafka.bootstrap, "--cluster", "strange")
    found.check(strange.returncode == 1 and "does not begin as one of Souk does" in strange.stderr,
                f"a topic of somebody else {strange.stderr.strip()[-200:]}")
    for wrong in (["replay"], ["replay", "here", *reach], ["replay", *reach, "--type", "order"],
                  ["replay", *reach, "--shard", "4"]):
        done = souk(*wrong)
        found.check(done.returncode == 2, f"{' '.join(wrong[:1] + wrong[-2:])}: usage {done.stderr.strip()[:80]}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--version", default=VERSION)
    given = arguments.parse_args()
    need_kafka(given.version)
    found = Findings()
    why = why_no_souk_log()
    if why:
        skipped("souk-log", why)
    with KafkaCluster(brokers=1, version=given.version) as kafka:
        secret = os.path.join(kafka.home, "souk-secret")
        done = init(kafka, "shop", secret, "--kafka-single", "--yes", shards=FEW_SHARDS)
        found.check(done.returncode == 0, f"init {done.stderr.strip()}")
        reach = ["--kafka", kafka.bootstrap, "--cluster", "shop"]
        with Daemon(*reach, "--kafka-single", "--secret-file", secret) as daemon:
            done = fill(daemon)
            found.check(all(200 <= status < 300 for status in done), f"a shop, orders, returns, a refund: {done}")
            daemon.kill()
            daemon.start()
            client = daemon.client()
            wanted = log_by_sql(client)
            lines = by_souk(found, reach, wanted)
            if not why:
                by_souk_log(found, reach, lines, {group: api_sales(client, group) for group in GROUPS})
            refusals(found, kafka, reach)
            found.check(daemon.stop() == 0, "SIGTERM ends it")
            copied = souk("replay", daemon.data_dir, "--export", "-", "--verify")
            found.check(copied.returncode == 0 and copied.stdout == lines,
                        f"its directory has the same lines {copied.stderr.strip()[-200:]}")
    away = souk("replay", "--kafka", "127.0.0.1:1")
    found.check(away.returncode == 3, f"brokers that are not there: {away.returncode} {away.stderr.strip()[-160:]}")
    print(f"{found.wrong} wrong")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

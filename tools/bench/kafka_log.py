"""What the log in Kafka costs: the same node with its own log and with one broker, in turns; and the broker's own load
generator beside it, with as many bytes a record as a command takes in the log."""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "scenarios"))
from kafka_cluster import KafkaCluster, setup, why_no_kafka  # noqa: E402
from souk_client import Client, Daemon, Shop, binary, money  # noqa: E402

RECORDS = 200_000
# A shard's record carries what its customers asked for meanwhile: of few customers each has one of its own.
CUSTOMERS = (64, 512)
# Brokers as they are in production: with the second compiler.
setup.JVM[:] = [word for word in setup.JVM if "TieredStopAtLevel" not in word]


def start_cluster(brokers):
    """Brokers and the topics of a cluster; options of soukd."""
    kafka = KafkaCluster(brokers=brokers).__enter__()
    secret = os.path.join(kafka.home, "secret")
    single = ["--kafka-single"] if brokers == 1 else []
    subprocess.run([binary("souk"), "cluster", "init", "--kafka", kafka.bootstrap, "--secret-file", secret, "--yes",
                    *single], check=True, capture_output=True)
    return kafka, ["--kafka", kafka.bootstrap, "--secret-file", secret, *single]


def producer_performance(kafka, bytes_each, rate=-1, records=RECORDS):
    """records/s, median and p99 of a round trip in ms."""
    topic = f"perf-{uuid.uuid4().hex[:8]}"
    kafka.create_topic(topic, partitions=64 if rate < 0 else 1)
    done = subprocess.run(
        setup.tool_command(kafka.version, "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records",
                           str(records), "--record-size", str(bytes_each), "--throughput", str(rate), "--producer-props",
                           f"bootstrap.servers={kafka.bootstrap}", "acks=all", "compression.type=lz4"),
        capture_output=True, text=True, check=True).stdout
    last = done.strip().splitlines()[-1]
    per_second = float(re.search(r"([\d.]+) records/sec", last)[1])
    median, p99 = (float(re.search(rf"(\d+) ms {which}", last)[1]) for which in ("50th", "99th"))
    return per_second, median, p99


def metric(daemon, name):
    with_labels = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", Client(daemon.address).get("/metrics").raw.decode(), re.M)
    return float(with_labels[1])


def against_own_log(table, wrk, carts_wanted, products, rounds, seconds, options, customers):
    with tempfile.TemporaryDirectory(prefix="souk-bench-") as home, Daemon() as own, Daemon(*options) as shared:
        what = f"add-to-cart, {customers} customers"
        runs, places = {f"{what}, own log": [], f"{what}, log in one broker": []}, []
        for daemon in (own, shared):
            shop = Shop(daemon.client())
            for number in range(products):
                shop.client.put(f"/v1/products/p{number}", {"name": f"p{number}", "price": money("1.25")})
            places.append((daemon.address, [shop.cart() for _ in range(carts_wanted)]))
        for address, carts in places:
            wrk(home, address, carts, 2, customers)  # warm
        for turn in range(rounds):
            both = list(zip(runs, places))
            for name, (address, carts) in both if turn % 2 == 0 else reversed(both):
                runs[name].append(wrk(home, address, carts, seconds, customers))
        pairs = [theirs[0] / ours[0] for ours, theirs in zip(*runs.values())]
        for name, measured in runs.items():
            note = f"{statistics.median(pairs):.2f} of own (pairs {min(pairs):.2f} to {max(pairs):.2f})"
            table.add(name, *[statistics.median(run[i] for run in measured) for i in range(4)],
                      sum(run[4] for run in measured), note if "broker" in name else "")


def souk_bench(address, *mix, seconds):
    done = subprocess.run([binary("souk"), "--url", f"http://{address}", "--json", "bench", *mix, "--seconds",
                           str(seconds)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"souk bench {' '.join(mix)}: {done.returncode} {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def against_producer(table, kafka, options, rounds, seconds):
    ratios = []
    for _ in range(rounds):
        with Daemon(*options) as daemon:
            said = souk_bench(daemon.address, "batch", "--format", "capnp", seconds=seconds)
            each = int(metric(daemon, "souk_commit_bytes_total") / metric(daemon, "souk_committed_events_total"))
        rate, median, p99 = producer_performance(kafka, max(each, 1))
        ratios.append(said["per_second"] / rate)
    table.add("souk bench batch (capnp), log in one broker", said["per_second"], said["p50_ms"], said["p99_ms"],
              said["p999_ms"], 0, f"{statistics.median(ratios):.2f} of ProducerPerformance "
              f"({min(ratios):.2f} to {max(ratios):.2f})")
    table.add(f"ProducerPerformance, {each} bytes, acks=all, lz4", rate, median, p99, 0, 0)


def half_load(table, options, kafka, rounds, seconds):
    with Daemon(*options) as daemon:
        full = souk_bench(daemon.address, "http", seconds=seconds)["per_second"]
        runs = [souk_bench(daemon.address, "http", "--rate", str(int(full / 2)), seconds=seconds) for _ in range(rounds)]
    for name in ("per_second", "p50_ms", "p99_ms", "p999_ms"):
        runs[0][name] = statistics.median(run[name] for run in runs)
    _, median, p99 = producer_performance(kafka, 300, rate=2_000, records=10_000)
    table.add("souk bench http at half its rate, three brokers", runs[0]["per_second"], runs[0]["p50_ms"],
              runs[0]["p99_ms"], runs[0]["p999_ms"], 0, f"a produce of ProducerPerformance at 2,000/s: median {median:.0f} ms")


def warm(options, seconds):
    """A broker that has just started is compiled while it serves: for half a minute it takes a half to a fifth of what it
    takes then."""
    with Daemon(*options) as daemon:
        souk_bench(daemon.address, "http", seconds=6 * seconds)


def measure(table, wrk, carts, products, rounds, seconds):
    why = why_no_kafka()
    if why:
        print(f"the log in Kafka: skipped, {why}", file=sys.stderr)
        return
    kafka, options = start_cluster(1)
    try:
        warm(options, seconds)
        for customers in CUSTOMERS:
            against_own_log(table, wrk, carts, products, rounds, seconds, options, customers)
        against_producer(table, kafka, options, max(1, rounds // 2), seconds)
    finally:
        kafka.close()
    kafka, options = start_cluster(3)
    try:
        warm(options, seconds)
        half_load(table, options, kafka, rounds, seconds)
    finally:
        kafka.close()

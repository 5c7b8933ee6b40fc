"""What customers notice of a cluster of three nodes on one broker: while shards are moved, when a node ends, when one dies.
Customers ask one node all the time; each wait is from the question to the answer, with errors counted."""
import os
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "scenarios"))
from cluster_nodes import Nodes  # noqa: E402
from kafka_cluster import KafkaCluster, why_no_kafka  # noqa: E402
from souk_client import LOST, eventually  # noqa: E402

SHARDS = 64
CUSTOMERS = 4
ENDS_MAX = 3


class Customers:
    """Open carts by keys, at one node, without a pause."""

    def __init__(self, nodes, name):
        self.stopping, self.waits, self.errors, self.lock = threading.Event(), [], 0, threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(nodes.client_of(name), f"{name}{i}-{time.monotonic_ns()}"))
                        for i in range(CUSTOMERS)]

    def _run(self, client, word):
        number = 0
        while not self.stopping.is_set():
            number += 1
            began = time.monotonic()
            try:
                good = client.post("/v1/carts", {}, key=f"{word}-{number}").status == 201
            except LOST:
                good = False
            with self.lock:
                self.waits.append((began, time.monotonic() - began))
                self.errors += 0 if good else 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def longest(self, since, until):
        """Of those who asked in that time. Units: s."""
        with self.lock:
            return max((wait for began, wait in self.waits if since - 0.5 <= began <= until), default=0.0)


def add(table, what, customers, longest, note):
    waits = sorted(wait for _, wait in customers.waits)
    seconds = customers.waits[-1][0] - customers.waits[0][0]
    ms = [1_000 * waits[min(int(len(waits) * part), len(waits) - 1)] for part in (0.5, 0.99, 0.999)]
    worst = ", ".join(f"{1_000 * one:.0f}" for one in longest)
    table.add(what, len(waits) / seconds, *ms, customers.errors, f"{note}; longest wait ms: {worst}")


def owned_by(client, name):
    return sum(shard["owner"] == name for shard in client.get("/v1/cluster/shards").json["shards"])


def settled(client):
    return eventually(lambda: client.get("/v1/cluster/moves").json, lambda moves: not moves["moves"] and not moves["to_come"], 90)


def measure(table, rounds):
    why = why_no_kafka()
    if why:
        print(f"skipped cluster: {why}", file=sys.stderr)
        return
    with KafkaCluster(brokers=1) as kafka, Nodes(kafka, single=True, shards=SHARDS) as nodes:
        nodes.wait_served()
        operator = nodes.client_of("a")
        settled(operator)
        with Customers(nodes, "a") as customers:
            time.sleep(5)
        add(table, "carts opened at one node of three", customers, [], "nothing else happens")

        waits, shard = [], 0
        with Customers(nodes, "a") as customers:
            time.sleep(1)
            for _ in range(10 * rounds):
                shard = (shard + 7) % SHARDS
                at = operator.get(f"/v1/cluster/shards?shard={shard}").json["shards"][0]
                to = next(name for name in nodes.names if name != at["owner"])
                began = time.monotonic()
                moved = operator.post("/v1/cluster/moves", {"command": "move", "shard": shard, "node": to, "who": "bench"})
                if moved.status >= 300:
                    raise RuntimeError(f"move: {moved!r}")
                eventually(lambda number=shard: operator.get(f"/v1/cluster/shards?shard={number}").json["shards"][0]["owner"],
                           lambda owner, wanted=to: owner == wanted, 20)
                waits.append(customers.longest(began, time.monotonic()))
        waits.sort()
        add(table, "  while shards are moved by hand", customers, [statistics.median(waits), waits[-1]],
            f"{len(waits)} moves, median and worst of them")
        operator.post("/v1/cluster/moves", {"command": "rebalance", "who": "bench"})
        settled(operator)

        waits, took = [], []
        with Customers(nodes, "a") as customers:
            for command in ("drain", "uncordon") * max(rounds // 2, 1):
                began = time.monotonic()
                operator.post("/v1/cluster/moves", {"command": command, "node": "b", "who": "bench"})
                time.sleep(0.5)
                settled(operator)
                took.append(time.monotonic() - began)
                waits.append(customers.longest(began, time.monotonic()))
        add(table, "  while a node is drained, and serves again", customers, waits,
            f"{SHARDS} shards in all; seconds: " + ", ".join(f"{one:.1f}" for one in took))

        for what, name, end in (("asked to end", "c", lambda node: nodes.daemons[node].stop()), ("killed", "b", nodes.kill)):
            waits, owned = [], []
            with Customers(nodes, "a") as customers:
                for _ in range(min(rounds, ENDS_MAX)):
                    # A node that came back is a place for shards again after 10 s, then 20 s, 40 s, ...
                    has = eventually(lambda at=name: owned_by(operator, at), lambda shards: shards >= SHARDS // 4, 180)
                    settled(operator)
                    nodes.down.add(name)
                    began = time.monotonic()
                    end(name)
                    time.sleep(4)
                    waits.append(customers.longest(began, time.monotonic()))
                    owned.append(has)
                    nodes.start(name)
            add(table, f"  when another node is {what}", customers, waits,
                f"{len(owned)} times, with {', '.join(map(str, owned))} of {SHARDS} shards")

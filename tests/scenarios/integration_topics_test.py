#!/usr/bin/env python3
"""Orders, stock and products as CloudEvents in Kafka, from three nodes that die and hand shards over: what a consumer folds
of them, repeats dropped by position, is what the shop shows.
usage: integration_topics_test.py [--seconds S] [--kill-broker] [--seed N] [--version V] [PART...]
parts: shop, refusals"""
import argparse
import collections
import json
import os
import random
import re
import sys
import threading
import time

from cluster_nodes import Nodes, souk
from crash_test import Customer, Ledger
from kafka_cluster import VERSION, KafkaCluster, need_kafka
from kafka_log_test import Findings
from souk_client import PATIENCE, TREE, Daemon, Shop, eventually

sys.path.insert(0, os.path.join(TREE, "tools", "kafka"))
import records  # noqa: E402  (tools/kafka)

SHARDS, CUSTOMERS, SKUS = 8, 4, 12
TOPICS = ("orders", "stock", "products")
TYPE = re.compile(r"souk\.[a-z]+\.[a-z_]+\.v1")
STATUS = {"souk.order.placed.v1": "pending", "souk.order.confirmed.v1": "confirmed", "souk.order.rejected.v1": "rejected",
          "souk.order.cancelled.v1": "cancelled", "souk.order.shipped.v1": "shipped", "souk.order.delivered.v1": "delivered"}
PIECES = {"souk.stock.received.v1": 1, "souk.stock.sold.v1": -1, "souk.stock.returned.v1": 1}


class Consumer:
    """Reads the topics from their beginnings, as another system would."""

    def __init__(self, bootstrap, cluster):
        self.bootstrap, self.cluster = bootstrap, cluster
        self.status, self.on_hand, self.versions = {}, collections.Counter(), collections.Counter()
        self.seen, self.repeats, self.wrong, self.personal = 0, 0, [], []

    def read(self):
        for topic in TOPICS:
            for partition, found in records.read_topic(self.bootstrap, f"{self.cluster}.{topic}").items():
                self.partition(topic, partition, found)
        return self

    def partition(self, topic, partition, found):
        last, values = 0, {}
        for record in found:
            position = int(record.headers["souk-position"])
            if position <= last:
                self.repeats += 1
                if values.get(position) != (record.key, record.value, record.headers):
                    self.wrong.append(f"{topic}/{partition}: position {position} comes again as {record}")
                continue
            last, values[position] = position, (record.key, record.value, record.headers)
            event = json.loads(record.value)
            if not self.fits(topic, partition, position, record, event):
                self.wrong.append(f"{topic}/{partition}: {record}")
            self.seen += 1
            if re.search(rb"ann@|Ann Personal|sealed|token", record.value):
                self.personal.append(record.value)
            self.fold(event)

    def fits(self, topic, partition, position, record, event):
        return (record.headers["content-type"] == b"application/cloudevents+json"
                and record.headers["souk-shard"] == str(partition).encode() and event["soukshard"] == partition
                and event["soukposition"] == str(position) and event["id"] == f"{partition}:{position}"
                and event["specversion"] == "1.0" and event["source"] == f"/souk/{self.cluster}"
                and event["datacontenttype"] == "application/json" and event["subject"] == record.key.decode()
                and bool(TYPE.fullmatch(event["type"])) and (topic == "orders") == (event["subject"] in self.status
                                                                                   or event["type"] == "souk.order.placed.v1"))

    def fold(self, event):
        kind, subject, data = event["type"], event["subject"], event["data"]
        if kind in STATUS:
            self.status[subject] = STATUS[kind]
        elif kind in PIECES:
            self.on_hand[subject] += PIECES[kind] * data["quantity"]
        elif kind == "souk.stock.adjusted.v1":
            self.on_hand[subject] += data["delta"]
        elif kind.startswith("souk.product."):
            self.versions[subject] += 1

    def as_shown(self):
        return {"status": self.status, "on_hand": dict(self.on_hand), "versions": dict(self.versions)}


class Merchant(threading.Thread):
    """Changes products, counts stock, and cancels, ships and delivers what was ordered."""

    def __init__(self, nodes, skus, ledger, stopping, seed):
        super().__init__(daemon=True)
        self.hands = Customer(99, seed, nodes, skus, ledger, stopping)
        self.skus, self.ledger, self.stopping, self.chance = skus, ledger, stopping, random.Random(seed)

    def run(self):
        number = 0
        try:
            while not self.stopping.is_set():
                number += 1
                self.turn(number)
                time.sleep(0.02)
        except TimeoutError:
            pass
        self.hands.client.close()

    def turn(self, number):
        sku, orders = self.chance.choice(self.skus), list(self.ledger.orders)
        what = self.chance.randrange(4)
        if what == 0:
            self.hands.sure("PUT", f"/v1/products/{sku}", {"name": f"Thing {number}", "price": {
                "amount": "2.50", "currency": "GBP"}}, None)
        elif what == 1:
            self.hands.sure("POST", f"/v1/inventory/{sku}/adjust", {"delta": self.chance.choice([-1, 2]), "reason": "counted"},
                            f"count-{number}")
        elif orders:
            order = self.chance.choice(orders)
            for verb in self.chance.choice((["cancel"], ["ship"], ["ship", "deliver"])):
                self.hands.sure("POST", f"/v1/orders/{order}/{verb}", {}, f"{verb}-{number}")


def person(shop, sku, ledger):
    """Somebody with a name and an address orders."""
    user = shop.client.post("/v1/users", {"email": "ann@example.org", "name": "Ann Personal"}, key="ann").json["user_id"]
    cart = shop.cart(user_id=user)
    shop.add(cart, sku)
    ledger.orders[shop.check_out(cart).json["order_id"]] = (cart, "ok")


def shown_by(shop, ledger, skus):
    """The shop's own documents, in the consumer's words."""
    figures = {sku: shop.stock(sku) for sku in skus}
    return {"status": {order: shop.order(order, 60)["status"] for order in ledger.orders},
            "on_hand": {sku: one["on_hand"] for sku, one in figures.items()},
            "versions": {sku: int(shop.client.get(f"/v1/products/{sku}").headers["etag"].strip('"').split("-")[0])
                         for sku in skus}}


def lag_of(nodes):
    """Events of owned shards that are not in the topics, over all nodes that run; and who publishes how many shards."""
    lag, shards = 0, {}
    for name in nodes.names:
        if name in nodes.down:
            continue
        told = nodes.client_of(name).get("/v1/cluster").json["integration"]
        lag += sum(topic["lag_events"] for topic in told["topics"])
        shards[name] = told["shards"]
    return lag, shards


def disturb(nodes, seconds, chance, kill_broker):
    """Moves shards to and fro; kills the owner of some in the middle, and starts it again; the broker, too, where asked."""
    began, killed, moved = time.monotonic(), False, 0
    while time.monotonic() < began + seconds * PATIENCE:
        if kill_broker and time.monotonic() > began + seconds * PATIENCE * 2 / 3:
            kill_broker = False
            nodes.kafka.kill(1)
            time.sleep(1)
            nodes.kafka.start(1)
            nodes.kafka.wait_ready()
        client = nodes.client_of("a")
        moved += client.post("/v1/cluster/moves", {"command": "move", "shard": chance.randrange(SHARDS),
                                                   "node": chance.choice(nodes.names), "who": "test"}).status == 200
        time.sleep(0.4)
        if not killed and time.monotonic() > began + seconds * PATIENCE / 3:
            nodes.kill("b")
            killed = True
            time.sleep(2 * PATIENCE)
            nodes.start("b")
    return moved


def shop_part(found, given):
    with KafkaCluster(brokers=1, version=given.version) as kafka, \
            Nodes(kafka, single=True, shards=SHARDS, init=["--integration"], options=["--integration-topics"]) as nodes:
        nodes.wait_served()
        ledger, stopping, chance = Ledger(), threading.Event(), random.Random(given.seed)
        shop = Shop(nodes.client_of("a"))
        skus = [shop.product(stock=1_000) for _ in range(SKUS)]
        people = [Customer(i, given.seed, nodes, skus, ledger, stopping) for i in range(CUSTOMERS)]
        person(shop, skus[0], ledger)
        people.append(Merchant(nodes, skus, ledger, stopping, given.seed))
        for one in people:
            one.start()
        moved = disturb(nodes, given.seconds, chance, given.kill_broker)
        stopping.set()
        for one in people:
            one.join(60 * PATIENCE)
        shop_shows = shown_by(shop, ledger, skus)
        lag, shards = eventually(lambda: lag_of(nodes), lambda seen: seen[0] == 0 and sum(seen[1].values()) == SHARDS, 20)
        found.check(lag == 0 and sum(shards.values()) == SHARDS, f"all is published {lag}, by {shards}")
        consumer = eventually(lambda: Consumer(kafka.bootstrap, nodes.cluster).read(),
                              lambda one: one.as_shown() == shop_shows, 10)
        said = collections.Counter(shop_shows["status"].values())
        print(f"{consumer.seen} events, {consumer.repeats} repeats; orders {dict(said)}; {moved} moves", flush=True)
        found.check(not ledger.wrong, f"the customers are served {ledger.wrong[:3]}")
        found.check(len(ledger.orders) > 10 and consumer.seen > 200, f"there was something to see: {consumer.seen}")
        found.check(not consumer.wrong, f"records are as they shall be, and repeats have equal bytes {consumer.wrong[:2]}")
        for what, wanted in shop_shows.items():
            seen = consumer.as_shown()[what]
            differs = {one: (seen.get(one), wanted.get(one)) for one in set(seen) | set(wanted)
                       if seen.get(one) != wanted.get(one)}
            found.check(not differs, f"{what}: the topics fold to what the shop shows {list(differs.items())[:3]}")
        found.check(not consumer.personal, f"nothing in them is personal {consumer.personal}")
        shown_part(found, nodes)
        lost_topic_part(found, nodes, shop, shop_shows["versions"])


def shown_part(found, nodes):
    url = f"http://{nodes.daemons['a'].address}"
    told = souk("--url", url, "cluster", "status").stdout
    found.check(re.search(r"integration +\d+ shards published; orders 0, stock 0, products 0 events behind", told),
                f"souk cluster status tells how far it is {told}")
    page = nodes.client_of("a").get("/metrics").raw.decode()
    found.check('souk_integration_lag_events{topic="orders"} 0' in page and "souk_integration_shards" in page,
                "and so do the metrics")


def lost_topic_part(found, nodes, shop, versions):
    """A topic is deleted: it is told, customers do not notice, and the others go on. Made again, it has the whole history."""
    kafka = nodes.kafka
    kafka.delete_topic(f"{nodes.cluster}.products")
    sku = shop.product(stock=3)

    def troubles():
        shop.product(stock=1)
        return [topic["trouble"] for name in nodes.names
                for topic in nodes.client_of(name).get("/v1/cluster").json["integration"]["topics"] if topic["trouble"]]

    told = eventually(troubles, lambda texts: any("there is no topic shop.products" in text for text in texts), 30)
    found.check(any("souk cluster init --integration" in text for text in told), f"a deleted topic is told, with what to do {told[:1]}")
    found.check(shop.figures(sku) == (3, 0, 3), "the shop goes on")
    done = souk("cluster", "init", "--kafka", kafka.bootstrap, "--cluster", nodes.cluster, "--shards", str(SHARDS),
                "--secret-file", nodes.secret, "--kafka-single", "--integration", "--yes")
    found.check(done.returncode == 0, f"it is made again {done.stdout}{done.stderr}")
    wanted = {**versions, **{shop.product(stock=1): 1 for _ in range(4)}}
    seen = eventually(lambda: Consumer(kafka.bootstrap, nodes.cluster).read(),
                      lambda one: all(one.versions[each] == count for each, count in wanted.items()), 30)
    lacks = {each: (seen.versions[each], count) for each, count in wanted.items() if seen.versions[each] != count}
    found.check(not lacks, f"and has all from the beginning, and what is new {lacks}")
    found.check(not eventually(troubles, lambda texts: not texts, 20), "nothing is wrong any more")


def refusals_part(found, given):
    with KafkaCluster(brokers=1, version=given.version) as kafka:
        secret = os.path.join(kafka.home, "secret")
        init = ["cluster", "init", "--kafka", kafka.bootstrap, "--shards", "4", "--secret-file", secret, "--kafka-single",
                "--yes"]
        found.check(souk(*init).returncode == 0, "a cluster without integration topics")
        common = ["--kafka", kafka.bootstrap, "--kafka-single", "--secret-file", secret, "--integration-topics"]
        found.refuses(Daemon(*common), ["there is no topic souk.orders", "souk cluster init --integration"],
                      "a node that shall publish to topics that are not there")
        found.refuses(Daemon("--integration-topics"), ["integration_topics is given, and kafka is not"],
                      "a node without Kafka that shall publish")
        kafka.create_topic("souk.stock", partitions=3)
        done = souk(*init, "--integration")
        found.check(done.returncode == 1 and "souk.stock has 3 partitions" in done.stderr, f"a topic of another size {done.stderr}")
        kafka.delete_topic("souk.stock")
        done = souk(*init, "--integration")
        found.check(done.returncode == 0 and "--integration-topics" in done.stdout, f"they are made {done.stdout}")
        with Daemon(*common) as alone:
            shop = Shop(alone.client())
            sku = shop.product(stock=7)
            seen = eventually(lambda: Consumer(kafka.bootstrap, "souk").read(), lambda one: one.on_hand[sku] == 7, 10)
            found.check(seen.on_hand[sku] == 7 and seen.versions[sku] == 1, "a node that is alone publishes all shards")
            began = time.monotonic()
            alone.stop()
            found.check(time.monotonic() - began < 8 * PATIENCE, f"it ends in {time.monotonic() - began:.1f} s")
            alone.start()
            sku = Shop(alone.client()).product(stock=1)
            seen = eventually(lambda: Consumer(kafka.bootstrap, "souk").read(), lambda one: one.on_hand[sku] == 1, 10)
            found.check(seen.on_hand[sku] == 1 and seen.repeats == 0 and not seen.wrong, f"after a restart {seen.repeats} repeats")


PARTS = {"shop": shop_part, "refusals": refusals_part}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=9, help="so long customers shop")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kill-broker", action="store_true")
    parser.add_argument("--version", default=VERSION)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    given = parser.parse_args()
    need_kafka(given.version)
    print(f"--seed {given.seed}", flush=True)
    found = Findings()
    for part in given.parts or PARTS:
        PARTS[part](found, given)
    print(f"{found.wrong} wrong")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

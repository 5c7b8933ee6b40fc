#!/usr/bin/env python3
"""Three nodes on real Kafka brokers: any node serves any client, a standby takes over, and nothing acknowledged is lost or
doubled while nodes and brokers fail.
usage: cluster_test.py [--kills N] [--clients N] [--seed N] [--version V] [PART...]    parts: shop, faults"""
import argparse
import random
import sys
import threading
import time

from cluster_nodes import Nodes
from crash_test import Customer, Ledger, judge, stock_the_shop
from kafka_cluster import VERSION, KafkaCluster, need_kafka
from kafka_log_test import Findings
from souk_client import PATIENCE, Shop, eventually

SHARDS = 16


def persons_part(found, nodes):
    """Who registered at one node is known by name at all, and erased at all."""
    clients = {name: nodes.client_of(name) for name in nodes.names}
    users = {}
    for name, client in clients.items():
        made = client.post("/v1/users", {"email": f"ann-{name}@example.org", "name": f"Ann {name}"}, key=f"user-{name}")
        found.check(made.status == 201, f"node {name} registers a person {made.status}")
        users[name] = made.json["user_id"]
    shown = {(at, of): clients[at].get(f"/v1/users/{user}").json.get("name")
             for at in nodes.names for of, user in users.items()}
    wrong = {pair: text for pair, text in shown.items() if text != f"Ann {pair[1]}"}
    found.check(not wrong, f"each node knows all of them by name {wrong}")
    erased = clients["c"].call("DELETE", f"/v1/users/{users['a']}", key="erase-a")
    found.check(erased.status in (200, 202, 204), f"one is erased at another node {erased!r}")
    gone = {at: eventually(lambda at=at: clients[at].get(f"/v1/users/{users['a']}").status, lambda s: s != 200, 10)
            for at in nodes.names}
    found.check(set(gone.values()) <= {404, 410}, f"and is gone at all {gone}")


def leave_part(found, nodes):
    """A node that is asked to end hands over what it owns: customers of the others see no error and hardly a pause."""
    client, longest, wrong, number = nodes.client_of("a"), 0.0, [], 0
    nodes.down.add("c")
    stopping = threading.Thread(target=nodes.daemons["c"].stop)
    stopping.start()
    while stopping.is_alive() or number < 100:
        number += 1
        sent = time.monotonic()
        answer = client.post("/v1/carts", {}, key=f"leave-{number}")
        longest = max(longest, time.monotonic() - sent)
        if answer.status != 201:
            wrong.append(answer)
    stopping.join()
    handed = [line for line in nodes.daemons["c"].log().splitlines() if "was handed over" in line]
    found.check(not wrong, f"a node ended: {number} carts, no error {wrong[:1]}, longest wait {longest * 1000:.0f} ms")
    found.check(handed and "left=0" in handed[0], f"and left nothing behind {handed}")
    nodes.start("c")
    nodes.wait_served()


def shop_part(found, given):
    with KafkaCluster(brokers=1, version=given.version) as kafka, Nodes(kafka, single=True, shards=SHARDS) as nodes:
        began = time.monotonic()
        nodes.wait_served()
        print(f"all served {time.monotonic() - began:.1f} s after the nodes were ready", flush=True)
        shops = {name: Shop(nodes.client_of(name)) for name in nodes.names}
        sku = shops["a"].product(stock=30)
        for name, shop in shops.items():
            cart = shop.cart()
            added = shop.add(cart, sku, 2)
            found.check(added.status == 200, f"node {name} takes any cart")
            out = shop.check_out(cart)
            found.check(out.status == 200, f"node {name} checks out: {out!r}")
        for name, shop in shops.items():
            found.check(shop.figures(sku) == (24, 0, 24), f"node {name} sees the stock: {shop.figures(sku)}")
        key = "one-key"
        first = shops["a"].client.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=key)
        again = shops["b"].client.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=key)
        found.check((first.status, first.raw) == (again.status, again.raw),
                    "a key that was used at one node is known at another")
        persons_part(found, nodes)
        for level in ("local", "barrier", "standby"):
            read = eventually(lambda at=level: shops["c"].client.get(f"/v1/inventory/{sku}",
                                                                     headers={"Souk-Read-Level": at}),
                              lambda answer: answer.status == 200 and answer.json["on_hand"] == 25, 5)
            found.check(read.status == 200 and read.json["on_hand"] == 25, f"a read of level {level}: {read!r}")
        bad = shops["c"].client.get(f"/v1/inventory/{sku}", headers={"Souk-Read-Level": "best"})
        found.check(bad.status in (400, 422) and b"standby" in bad.raw, f"another level is refused {bad!r}")
        # The owner of some shards dies: others take over.
        nodes.kill("b")
        died = time.monotonic()
        longest = 0.0
        for number in range(200):
            sent = time.monotonic()
            answer = shops["a"].client.post("/v1/carts", {}, key=f"after-{number}")
            found.check(answer.status == 201, f"{answer!r}") if answer.status != 201 else None
            longest = max(longest, time.monotonic() - sent)
        found.check(longest < 8 * PATIENCE, f"after a kill the longest wait was {longest:.2f} s")
        print(f"200 carts within {time.monotonic() - died:.1f} s", flush=True)
        nodes.start("b")
        nodes.wait_served()
        found.check(Shop(nodes.client_of("b")).figures(sku) == (25, 0, 25), "it comes back, and knows all")
        leave_part(found, nodes)


def faults_part(found, given):
    print(f"seed={given.seed} kills={given.kills} clients={given.clients}", flush=True)
    chance, ledger, stopping = random.Random(given.seed), Ledger(), threading.Event()
    names = ["a", "b", "c"]
    with KafkaCluster(brokers=3, version=given.version, clients=names) as kafka, \
            Nodes(kafka, way=kafka.bootstrap_of, shards=SHARDS, seed=given.seed) as nodes:
        nodes.wait_served()
        skus = stock_the_shop(Shop(nodes.client()), chance, ledger)
        customers = [Customer(i, given.seed, nodes, skus, ledger, stopping) for i in range(given.clients)]
        for customer in customers:
            customer.start()

        def kill_node():
            name = chance.choice(names)
            nodes.kill(name)
            time.sleep(chance.uniform(0, 6))
            nodes.start(name)

        def kill_two():
            two = chance.sample(names, 2)
            for name in two:
                nodes.kill(name)
            time.sleep(chance.uniform(0, 4))
            for name in two:
                nodes.start(name)

        def pause_node():
            daemon = nodes.daemons[chance.choice(names)]
            daemon.pause()
            time.sleep(chance.uniform(1, 5))
            daemon.resume()

        def cut_node():
            name = chance.choice(names)
            kafka.proxies[name].cut()
            time.sleep(chance.uniform(0.2, 5))
            kafka.proxies[name].passes()

        def kill_broker():
            broker = kafka.leader("shop.events", chance.randrange(SHARDS))
            kafka.kill(broker)
            time.sleep(chance.uniform(0, 6))
            kafka.restart(broker)
            kafka.wait_in_sync("shop.events")

        faults = [kill_node, cut_node, pause_node, kill_broker, kill_two]
        for number in range(given.kills):
            time.sleep(chance.uniform(0.3, 1.5) * PATIENCE)
            fault = faults[number % len(faults)]
            began = time.monotonic()
            fault()
            before = sum(ledger.answers.values())
            eventually(lambda: sum(ledger.answers.values()), lambda now: now > before + 20, 60)
            print(f"{fault.__name__}: served again {time.monotonic() - began:.1f} s after it began, "
                  f"{sum(ledger.answers.values())} answers", flush=True)
        stopping.set()
        for customer in customers:
            customer.join(120 * PATIENCE)
        print(f"answers {dict(ledger.answers)}, {len(ledger.orders)} orders, {len(ledger.carts)} carts", flush=True)
        found.check(len(ledger.orders) >= given.kills, "orders were placed")
        nodes.wait_served()
        for name in names:
            judge(Shop(nodes.client_of(name)), ledger, skus)
        found.check(not ledger.wrong, f"{len(ledger.wrong)} wrong of what was acknowledged")


PARTS = {"shop": shop_part, "faults": faults_part}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=5)
    arguments.add_argument("--clients", type=int, default=6)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments.add_argument("--version", default=VERSION)
    arguments.add_argument("parts", nargs="*", choices=[[], *PARTS])
    given = arguments.parse_args()
    need_kafka(given.version)
    found = Findings()
    for part in given.parts or PARTS:
        PARTS[part](found, given)
    print(f"{found.wrong} wrong")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

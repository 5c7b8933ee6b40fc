#!/usr/bin/env python3
"""Three nodes on real Kafka brokers: any node serves any client, a standby takes over, and nothing acknowledged is lost or
doubled while nodes and brokers fail.
usage: cluster_test.py [--kills N] [--minutes M] [--clients N] [--seed N] [--version V] [--other DIR] [PART...]
parts: shop, roles, strangers, faults (N of them, or for M minutes); upgrade (with the build in DIR; only where it is named)"""
import argparse
import os
import random
import re
import shutil
import sys
import threading
import time

from cluster_faults import Faults, Operator
from cluster_nodes import Nodes, souk
from crash_test import Customer, Ledger, judge, stock_the_shop
from histories_test import SOUND, Cart, History, Product, Session, Stock
from kafka_cluster import VERSION, KafkaCluster, need_kafka
from kafka_log_test import Findings
from souk_client import BIN_DIR, LOST, PATIENCE, Daemon, NotReady, Shop, binary, eventually

SHARDS = 16
HISTORY_CLIENTS, HISTORY_PAUSE_S, HISTORY_OPERATIONS_MAX = 4, 0.05, 3_000


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


def refusals_part(found, nodes):
    """Who does not belong to the cluster does not get in."""
    kafka = nodes.kafka
    with open(os.path.join(kafka.home, "another-secret"), "w", encoding="ascii") as file:
        file.write("ab" * 48 + "\n")
    common = ["--kafka", kafka.bootstrap, "--kafka-single", "--cluster", nodes.cluster]
    member = ["--node", "d", "--payment-provider", nodes.provider.url, "--insecure-peers"]
    found.refuses(Daemon(*common, "--secret-file", nodes.secret), ["has nodes with names", "--node NAME"],
                  "a node without a name")
    found.refuses(Daemon(*common, *member, "--secret-file", file.name), ["the secret given is not the one of cluster shop"],
                  "a node with another secret")
    with Daemon() as own:
        own.stop()
        found.refuses(Daemon(*common, *member, "--secret-file", nodes.secret, data_dir=own.data_dir),
                      ["a log of its own"], "a node whose directory has a log of its own")


def old_state_part(found, nodes):
    """A node whose data directory is put back to what it was goes on from there, to all that happened since."""
    shop, daemon = Shop(nodes.client_of("a")), nodes.daemons["c"]
    sku = shop.product(stock=10)
    person = shop.client.post("/v1/users", {"email": "old@example.org", "name": "Old State"}, key="old-person").json["user_id"]
    eventually(lambda: nodes.client_of("c").get(f"/v1/users/{person}").json.get("name"), lambda name: name == "Old State", 10)
    nodes.down.add("c")
    daemon.stop()
    kept = daemon.data_dir + "-kept"
    shutil.copytree(daemon.data_dir, kept)
    nodes.start("c")
    nodes.wait_served()
    for _ in range(4):
        cart = shop.cart()
        shop.add(cart, sku, 2)
        shop.check_out(cart)
    found.check(shop.client.call("DELETE", f"/v1/users/{person}", key="erase-old").status in (200, 202, 204), "a person is erased")
    nodes.kill("c")
    shutil.rmtree(daemon.data_dir)
    shutil.move(kept, daemon.data_dir)
    nodes.start("c")
    nodes.wait_served()
    client = nodes.client_of("c")
    found.check(Shop(client).figures(sku) == (2, 0, 2), f"an old state: it knows what was sold since: {Shop(client).figures(sku)}")
    seen = eventually(lambda: client.get(f"/v1/users/{person}"), lambda answer: answer.status in (404, 410), 10)
    found.check(seen.status in (404, 410), f"and the person stays erased {seen!r}")
    open_ones = eventually(lambda: client.get("/v1/cluster/erasures").json, lambda told: not told["erasures"], 20)
    found.check(not open_ones["erasures"], f"on every copy {open_ones}")
    moved = [client.post("/v1/cluster/moves", {"command": "move", "shard": shard, "node": "c", "who": "test"}).status
             for shard in range(4)]
    owners = eventually(lambda: [client.get(f"/v1/cluster/shards?shard={shard}").json["shards"][0]["owner"]
                                 for shard in range(4)], lambda names: names == ["c"] * 4, 30)
    found.check(owners == ["c"] * 4, f"it owns shards again {moved} {owners}")
    added = [shop.client.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=f"old-{i}").status for i in range(4)]
    found.check(added == [200] * 4 and Shop(client).figures(sku) == (6, 0, 6), f"and serves them {added}")


def made_again_part(found, nodes):
    """The topics are deleted and made again under load: nobody acknowledges what would stand in another log."""
    kafka = nodes.kafka
    shops = {name: Shop(nodes.client_of(name)) for name in nodes.names}
    skus = [shops["a"].product(stock=5) for _ in range(8)]
    asking, statuses, stopping = [], {name: [] for name in nodes.names}, threading.Event()

    def ask(name):
        client, number = nodes.client_of(name, timeout=5), 0
        while not stopping.is_set():
            number += 1
            try:
                answer = client.post(f"/v1/inventory/{skus[number % 8]}/receive", {"quantity": 1}, key=f"{name}-again-{number}")
                statuses[name].append((time.monotonic(), answer.status))
            except LOST:
                client.close()

    for name in nodes.names:
        asking.append(threading.Thread(target=ask, args=(name,)))
        asking[-1].start()
    time.sleep(1)
    for topic in ("events", "control", "liveness"):
        kafka.delete_topic(f"{nodes.cluster}.{topic}")
    deleted = time.monotonic()
    done = souk("cluster", "init", "--kafka", kafka.bootstrap, "--cluster", nodes.cluster, "--shards", str(SHARDS),
                "--secret-file", nodes.secret, "--kafka-single", "--yes")
    # A node may write to the new topic before it is begun: then it is nobody's.
    spoilt = "does not begin as one of Souk does"
    found.check(done.returncode == 0 or spoilt in done.stderr, f"the topics are made again {done.stderr.strip()}")
    for name, shop in shops.items():
        ready = eventually(lambda at=shop: at.client.get("/readyz"), lambda answer: b"made again" in answer.raw, 30)
        found.check(ready.status == 503 and b"made again" in ready.raw, f"node {name} says why it serves no more: {ready!r}")
    stopping.set()
    for thread in asking:
        thread.join(60 * PATIENCE)
    late = {name: sum(status == 200 and at > deleted for at, status in told) for name, told in statuses.items()}
    before = {name: sum(status == 200 and at <= deleted for at, status in told) for name, told in statuses.items()}
    found.check(all(before.values()) and not any(late.values()), f"acknowledged before {before}, since then {late}")
    nodes.kill("b")
    try:
        nodes.start("b")
        found.check(False, "a start on another log is refused")
    except NotReady as refusal:
        found.check("made again" in str(refusal) or spoilt in str(refusal), f"a start on another log is refused {str(refusal)[-300:]}")


def strangers_part(found, given):
    with KafkaCluster(brokers=1, version=given.version) as kafka, Nodes(kafka, single=True, shards=SHARDS) as nodes:
        nodes.wait_served()
        refusals_part(found, nodes)
        old_state_part(found, nodes)
        made_again_part(found, nodes)


class Roles:
    """Nodes a and b have no read models, c has: whichever node is asked, the answer is the same."""

    def __init__(self, found, nodes):
        self.found, self.nodes = found, nodes
        self.clients = {name: nodes.client_of(name) for name in nodes.names}
        self.position = ""

    def ask(self, name, path, accept=None):
        """What a node answers that has seen all that was done."""
        headers = {"Souk-Min-Position": self.position}
        if accept:
            headers["Accept"] = accept
        return self.clients[name].get(path, headers=headers)

    def fill(self):
        """A small shop, through a node without read models."""
        shop, seen = Shop(self.clients["a"]), {}
        self.skus = [shop.product(stock=30, price=price) for price in ("2.50", "4.00", "7.25")]
        for sku in self.skus:
            cart = shop.cart()
            shop.add(cart, sku, 2)
            out = shop.check_out(cart)
            self.found.check(out.status == 200, f"an order at a node without read models: {out!r}")
            for one in out.headers["souk-position"].split(","):
                shard, seq = (int(part) for part in one.split(":"))
                seen[shard] = max(seq, seen.get(shard, 0))
        self.position = ",".join(f"{shard}:{seq}" for shard, seq in seen.items())

    def same_everywhere(self, path, holds, accept=None):
        answers = {name: self.ask(name, path, accept) for name in self.nodes.names}
        told = answers["c"]
        # What goes on meanwhile moves the position on.
        fields = {name: (answer.status, re.sub(rb'"position":"[^"]*"', b"", answer.raw), answer.headers.get("content-type"), answer.headers.get("cache-control"))
                  for name, answer in answers.items()}
        self.found.check(told.status == 200 and holds(told) and len(set(fields.values())) == 1,
                         f"{path} {accept or ''} is the same at every node: {answers}")

    def answers(self):
        sku = self.skus[0]
        self.same_everywhere(f"/v1/search?q={sku}", lambda answer: answer.json["hits"][0]["sku"] == sku)
        self.same_everywhere("/v1/suggest?q=thin", lambda answer: answer.json["suggestions"])
        self.same_everywhere("/v1/analytics/sales?group_by=product",
                             lambda answer: answer.json["total"]["revenue"]["amount"] == "27.50" and len(answer.json["rows"]) == 3)
        self.same_everywhere("/v1/sql?q=SELECT+sku+FROM+products+ORDER+BY+sku",
                             lambda answer: [row[0] for row in answer.json["rows"]] == sorted(self.skus))
        self.same_everywhere("/v1/sql?q=SELECT+count(*)+AS+n+FROM+orders", lambda answer: answer.raw == b"n\r\n3\r\n", "text/csv")
        self.same_everywhere("/v1/sql?limit=1&q=SELECT+id+FROM+orders", lambda answer: answer.headers["souk-truncated"] == "true")
        self.same_everywhere("/v1/sql/tables", lambda answer: answer.json["tables"])
        large = "/v1/sql?q=WITH+RECURSIVE+n(i)+AS+(SELECT+1+UNION+ALL+SELECT+i%2B1+FROM+n+LIMIT+60)+SELECT+printf('%25500000d',i)+FROM+n"
        self.same_everywhere(large, lambda answer: len(answer.raw) > 25_000_000)

    def own_writes(self):
        """Written at one node, and seen at another."""
        for number in range(20):
            sku = f"own-{number}"
            put = self.clients["a"].put(f"/v1/products/{sku}", {"name": f"Mine {number}", "brand": "Acme", "category": ["home"],
                                                               "price": {"amount": "1.00", "currency": "GBP"}})
            self.position = put.headers["souk-position"]
            seen = self.ask("b", f"/v1/search?q=mine+{number}")
            if seen.status != 200 or sku not in [hit["sku"] for hit in seen.json["hits"]]:
                self.found.check(False, f"a write at a is seen at b: {seen!r}")
        self.found.check(True, "20 writes at a were seen at b, by their positions")
        shard = self.position.split(":")[0]
        never = self.clients["b"].get("/v1/search", headers={"Souk-Min-Position": f"{shard}:999999999"})
        self.found.check(never.status == 504 and never.json["code"] == "position_not_reached", f"a position that is not reached: {never!r}")

    def refusals(self):
        for path, status, code in (("/v1/search?limit=0", 422, "invalid_request"), ("/v1/sql", 422, "invalid_request"),
                                   ("/v1/search?q=%zz", 400, "invalid_target"), ("/v1/sql?q=DROP+TABLE+orders", 422, "forbidden_sql"),
                                   ("/v1/sql?q=SELEC+1", 422, "invalid_sql")):
            answer = self.clients["a"].get(path)
            self.found.check((answer.status, answer.json["code"]) == (status, code), f"{path} is refused: {answer!r}")
        none = self.clients["a"].get("/v1/projections")
        self.found.check(none.status == 200 and none.json == {"projections": []}, f"a node without read models shows none: {none!r}")
        rebuild = self.clients["a"].post("/v1/projections/search/rebuild")
        self.found.check(rebuild.status == 404 and "no read models" in rebuild.json["detail"], f"and has none to rebuild: {rebuild!r}")
        self.found.check(len(self.clients["c"].get("/v1/projections").json["projections"]) == 2, "a node with them shows both")
        ready = self.clients["a"].get("/readyz")
        self.found.check(ready.status == 200, f"a node without read models is ready: {ready!r}")
        told = {node["name"]: node["read_models"] for node in self.clients["b"].get("/v1/cluster/nodes").json["nodes"]}
        self.found.check(told == {"a": False, "b": False, "c": True}, f"each node is shown with what it has: {told}")
        table = souk("--url", f"http://{self.nodes.daemons['a'].address}", "cluster", "nodes").stdout
        self.found.check("READ MODELS" in table, f"also by souk cluster nodes: {table}")
        folders = {name: os.path.isdir(os.path.join(self.nodes.daemons[name].data_dir, "projections", "analytics"))
                   for name in self.nodes.names}
        self.found.check(folders == {"a": False, "b": False, "c": True}, f"and only c keeps one {folders}")

    def without_any(self):
        """The only node with read models dies, and comes back."""
        clients = {name: self.clients[name] for name in ("a", "b")}
        self.nodes.kill("c")
        for name, client in clients.items():
            gone = eventually(lambda at=client: at.get("/v1/search"), lambda answer: b"no node with read" in answer.raw, 5)
            self.found.check(gone.status == 503 and gone.json["code"] == "unavailable" and gone.headers.get("retry-after") == "1"
                             and "no node with read models can be reached" in gone.json["detail"],
                             f"node {name} without any says so: {gone!r}")
        orders = [Shop(client).cart() for client in clients.values()]
        self.found.check(len(orders) == 2, "and takes carts")
        troubles = eventually(lambda: clients["a"].get("/v1/cluster").json["troubles"],
                              lambda told: any("No node with read models lives" in one for one in told), 10)
        self.found.check(any("No node with read models lives" in one for one in troubles), f"operators see it: {troubles}")
        self.nodes.start("c")
        for name, client in clients.items():
            back = eventually(lambda at=client: at.get(f"/v1/search?q={self.skus[0]}"), lambda answer: answer.status == 200, 20)
            self.found.check(back.status == 200 and back.json["hits"][0]["sku"] == self.skus[0], f"node {name} answers again: {back!r}")


def asked_at_its_end(found, nodes):
    """The node with read models is asked to end while the others ask it: what they get is an answer, or a 503 with words."""
    clients = [nodes.client_of(name) for name in ("a", "b")]
    answers, stopping = [], threading.Event()

    def ask(client):
        while not stopping.is_set():
            answers.append(client.get("/v1/sql?q=SELECT+count(*)+FROM+orders"))

    asking = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in asking:
        thread.start()
    eventually(lambda: len(answers), lambda count: count > 20, 30)
    nodes.down.add("c")
    found.check(nodes.daemons["c"].stop() == 0, "the node with read models ends when asked")
    time.sleep(0.5)
    stopping.set()
    for thread in asking:
        thread.join(60 * PATIENCE)
    statuses = {status: sum(answer.status == status for answer in answers) for status in {answer.status for answer in answers}}
    wrong = [answer for answer in answers if answer.status != 200 and
             not (answer.status in (429, 503) and answer.headers.get("retry-after"))]
    found.check(not wrong and statuses.get(200, 0) > 10 and statuses.get(503, 0) > 0, f"all were answered: {statuses} {wrong[:2]}")


def roles_part(found, given):
    without = {name: ["--no-read-models"] for name in ("a", "b")}
    with KafkaCluster(brokers=1, version=given.version) as kafka, \
            Nodes(kafka, single=True, shards=SHARDS, options_of=without) as nodes:
        nodes.wait_served()
        roles = Roles(found, nodes)
        roles.fill()
        roles.answers()
        roles.own_writes()
        roles.refusals()
        roles.without_any()
        nodes.wait_served()
        asked_at_its_end(found, nodes)
        log = nodes.daemons["a"].log()
        found.check("assertion" not in log and "level=error" not in log, f"the log of a has no error {log[-500:]}")


class Watcher(threading.Thread):
    """Asks one node, one thing after another; each must be answered well."""

    def __init__(self, nodes, name):
        super().__init__(daemon=True)
        self.client, self.name_, self.stopping = nodes.client_of(name), name, threading.Event()
        self.count, self.longest, self.wrong = 0, 0.0, []
        self.start()

    def run(self):
        while not self.stopping.is_set():
            self.count += 1
            sent = time.monotonic()
            try:
                answer = self.client.post("/v1/carts", {}, key=f"watch-{self.name_}-{sent}")
                if answer.status != 201:
                    self.wrong.append(answer)
            except LOST as error:
                self.wrong.append(error)
            self.longest = max(self.longest, time.monotonic() - sent)

    def end(self):
        self.stopping.set()
        self.join(60 * PATIENCE)


def upgrade_part(found, given):
    """One node after the other gets another build, and the one before again, while customers shop."""
    chance, ledger, stopping = random.Random(given.seed), Ledger(), threading.Event()
    builds = {"this build": binary("soukd"), "the other build": os.path.join(os.path.abspath(given.other or BIN_DIR), "soukd")}
    with KafkaCluster(brokers=1, version=given.version) as kafka, \
            Nodes(kafka, single=True, shards=SHARDS, seed=given.seed, program=builds["the other build"]) as nodes:
        nodes.wait_served()
        skus = stock_the_shop(Shop(nodes.client()), chance, ledger)
        customers = [Customer(i, given.seed, nodes, skus, ledger, stopping) for i in range(given.clients)]
        for customer in customers:
            customer.start()
        for to in ("this build", "the other build", "this build"):
            for name in nodes.names:
                watcher = Watcher(nodes, chance.choice([other for other in nodes.names if other != name]))
                nodes.down.add(name)
                found.check(nodes.daemons[name].stop() == 0, f"node {name} ends when asked")
                nodes.daemons[name].program = builds[to]
                nodes.start(name)
                nodes.wait_served()
                watcher.end()
                found.check(not watcher.wrong and watcher.count > 20,
                            f"node {name} has {to}: {watcher.count} carts at another node, {len(watcher.wrong)} errors "
                            f"{watcher.wrong[:1]}, longest wait {1000 * watcher.longest:.0f} ms")
        stopping.set()
        for customer in customers:
            customer.join(60 * PATIENCE)
        print(f"answers {dict(ledger.answers)}, {len(ledger.orders)} orders", flush=True)
        found.check(len(ledger.orders) > 20, "orders were placed")
        for name in nodes.names:
            judge(Shop(nodes.client_of(name)), ledger, skus)
        found.check(not ledger.wrong, f"{len(ledger.wrong)} wrong of what was acknowledged")


def begin_history(shop, seed, nodes, stopping):
    """(history, sessions): clients whose every answer is kept, for what is linearizable."""
    history, skus = History(), [shop.product() for _ in range(3)]
    entities = [Cart(shop, skus), Cart(shop, skus), Stock(shop), Stock(shop), Product(shop)]
    for entity in entities:
        document = shop.client.get(entity.path).json
        history.begin(entity.id, document["version"], entity.amounts(document))
    sessions = [Session(i, seed, nodes, entities, history, stopping, SOUND) for i in range(HISTORY_CLIENTS)]
    for session in sessions:
        session.pause_s, session.read_headers = HISTORY_PAUSE_S, {"Souk-Read-Level": "barrier"}
        session.start()
    return history, sessions


def judge_history(found, history, sessions):
    for session in sessions:
        session.join(60 * PATIENCE)
    wrong = [what for session in sessions for what in session.wrong]
    good, said = history.judge()
    undecided = not good and all("undecided" in line or " operations on " in line or not line.strip()
                                 for line in said.splitlines())
    found.check((good or undecided) and not wrong,
                f"linearizable: {history.operations} operations, {history.in_doubt} in doubt: {said.strip()} {wrong[:2]}")


def faults_part(found, given):
    print(f"seed={given.seed} kills={given.kills} minutes={given.minutes} clients={given.clients} Kafka {given.version}",
          flush=True)
    chance, ledger, stopping = random.Random(given.seed), Ledger(), threading.Event()
    names = ["a", "b", "c"]
    with KafkaCluster(brokers=3, version=given.version, clients=names) as kafka, \
            Nodes(kafka, way=kafka.bootstrap_of, shards=SHARDS, seed=given.seed, cuts=True,
                  options_of={"c": ["--no-read-models"]}) as nodes:
        nodes.wait_served()
        skus = stock_the_shop(Shop(nodes.client()), chance, ledger)
        customers = [Customer(i, given.seed, nodes, skus, ledger, stopping) for i in range(given.clients)]
        for customer in customers:
            customer.start()
        over = threading.Event()
        history, sessions = begin_history(Shop(nodes.client()), given.seed, nodes, over)
        operator = Operator(nodes, random.Random(f"{given.seed} operator"))
        operating = threading.Thread(target=operator.run, args=(stopping,))
        operating.start()
        faults, number, worst = Faults(kafka, nodes, chance), 0, 0.0
        until = time.monotonic() + 60 * given.minutes
        while number < given.kills or time.monotonic() < until:
            number += 1
            time.sleep(chance.uniform(0.3, 1.5) * PATIENCE)
            fault = faults.next()
            began = time.monotonic()
            fault()
            before, ended = sum(ledger.answers.values()), time.monotonic()
            eventually(lambda: sum(ledger.answers.values()), lambda now: now > before + 20, 60)
            took = time.monotonic() - ended
            worst = max(worst, took)
            print(f"{fault.__name__}: {ended - began:.1f} s, served again {took:.1f} s after its end, "
                  f"{sum(ledger.answers.values())} answers", flush=True)
            if len(history.lines) > HISTORY_OPERATIONS_MAX:
                over.set()  # more is beyond what the checker decides
        stopping.set()
        over.set()
        for thread in [*customers, operating]:
            thread.join(120 * PATIENCE)
        print(f"{number} faults, {operator.done} commands of an operator, served again after {worst:.1f} s at worst; answers "
              f"{dict(ledger.answers)}, {len(ledger.orders)} orders, {len(ledger.carts)} carts", flush=True)
        found.check(len(ledger.orders) >= given.kills, "orders were placed")
        found.check(operator.done >= 1, "shards were moved")
        nodes.wait_served()
        for name in names:
            judge(Shop(nodes.client_of(name)), ledger, skus)
        found.check(not ledger.wrong, f"{len(ledger.wrong)} wrong of what was acknowledged")
        judge_history(found, history, sessions)


PARTS = {"shop": shop_part, "roles": roles_part, "strangers": strangers_part, "upgrade": upgrade_part, "faults": faults_part}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=5)
    arguments.add_argument("--minutes", type=float, default=0.0)
    arguments.add_argument("--clients", type=int, default=6)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments.add_argument("--other", help="where soukd of another build is")
    arguments.add_argument("--version", default=VERSION)
    arguments.add_argument("parts", nargs="*", choices=[[], *PARTS])
    given = arguments.parse_args()
    need_kafka(given.version)
    found = Findings()
    for part in given.parts or [name for name in PARTS if name != "upgrade"]:
        PARTS[part](found, given)
    print(f"{found.wrong} wrong")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What an operator does to three nodes on a real broker, by `souk cluster`: each change shows its plan, is done while customers
buy, and stands in the history with who wanted it; any node shows and takes the same.
usage: operators_test.py [--version V] [PART...]    parts: looks, words, moves, drains, controller; tour"""
import argparse
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from cluster_nodes import Nodes
from kafka_cluster import VERSION, KafkaCluster, need_kafka
from kafka_log_test import Findings
from souk_client import LOST, PATIENCE, TREE, Shop, binary, eventually

SHARDS = 12
WAIT = str(int(120 * PATIENCE))


class Operator:
    """`souk cluster ...` at a node."""

    def __init__(self, nodes, node="a", who="ann@desk"):
        self.nodes, self.node, self.who = nodes, node, who

    def at(self, node):
        return Operator(self.nodes, node, self.who)

    def run(self, *words, timeout=150):
        return subprocess.run([binary("souk"), "--url", f"http://{self.nodes.daemons[self.node].address}", "cluster", *words],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout * PATIENCE,
                              check=False)

    def change(self, *words):
        return self.run(*words, "--yes", "--who", self.who, "--wait", WAIT)

    def json(self, *words):
        done = self.run(*words, "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"souk cluster {' '.join(words)} --json: exit {done.returncode}, {done.stdout[:300]!r} "
                                 f"{done.stderr[:300]!r}") from None

    def node_json(self, name):
        return next(node for node in self.json("nodes")["nodes"] if node["name"] == name)

    def shard(self, number):
        return self.json("explain", str(number))["shards"][0]

    def owners(self):
        return [shard["owner"] for shard in self.json("shards")["shards"]]

    def settle(self, seconds=60):
        """Nothing moves, and nothing is to come, for a second."""
        def still():
            for _ in range(3):
                status = self.json("status")
                if status["moves_under_way"] or status["moves_to_come"] or status["shards_served"] != SHARDS:
                    return False
                time.sleep(0.3)
            return True
        return eventually(still, lambda now: now, seconds)


class Customers(threading.Thread):
    """A trickle of carts at every node that is up, while operators work. Each answer that is no success is an error."""

    def __init__(self, nodes):
        super().__init__(daemon=True)
        self.nodes, self.ending, self.errors, self.carts, self.slowest = nodes, threading.Event(), [], [], 0.0

    def run(self):
        shop, name, number = None, None, 0
        while not self.ending.is_set():
            up = [one for one in self.nodes.names if one not in self.nodes.down]
            if name != up[number % len(up)]:
                name = up[number % len(up)]
                shop = Shop(self.nodes.client_of(name))
            number += 1
            sent = time.monotonic()
            try:
                answer = shop.client.post("/v1/carts", {}, key=shop.fresh())
            except LOST as lost:
                if name not in self.nodes.down:
                    self.errors.append(f"{name}: {lost!r}")
                continue
            if answer.status == 201:
                self.carts.append(answer.json["cart_id"])
            elif name not in self.nodes.down:
                self.errors.append(f"{name}: {answer!r}")
            self.slowest = max(self.slowest, time.monotonic() - sent)
            time.sleep(0.01)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join(30 * PATIENCE)


def looks_part(found, nodes, operator):
    views = {name: operator.at(name).json("status") for name in nodes.names}
    found.check(len({view["controller"] for view in views.values()}) == 1 and views["a"]["controller"] in nodes.names,
                f"all nodes name one controller: {views['a']['controller']}")
    found.check(all(view["shards_served"] == SHARDS and view["nodes_alive"] == 3 for view in views.values()),
                "all nodes see all nodes and shards")
    found.check(len({json.dumps(operator.at(name).owners()) for name in nodes.names}) == 1,
                "all nodes name the same owners")
    status = operator.run("status")
    found.check(status.returncode == 0 and f"{SHARDS} of {SHARDS} served" in status.stdout, "status is a text")
    found.check(all(re.search(rf"^{name} ", operator.run("nodes").stdout, re.M) for name in nodes.names), "nodes is a table")
    owner = operator.owners()[3]
    told = operator.run("explain", "3").stdout
    found.check(f"{owner} owns it" in told and "Wanted owner" in told, f"explain tells who owns a shard: {told[:60]!r}")
    rows = operator.json("shards", "--node", "b")["shards"]
    found.check(rows and all("b" in [row["owner"], *(one["node"] for one in row["replicas"])] for row in rows),
                "shards --node b are those that it has")
    once = operator.run("watch", "--once")
    found.check(once.returncode == 0 and "COMMITS/S" in once.stdout and "\x1b" not in once.stdout, "watch --once is a picture")
    found.check(set(operator.json("watch", "--once")) >= {"cluster", "nodes", "moves"}, "watch --once --json is an object")
    began = time.monotonic()
    lines = operator.run("watch", "--for", "2", "--json").stdout.splitlines()
    found.check(len(lines) >= 2 and all(json.loads(line) for line in lines) and time.monotonic() - began < 8 * PATIENCE,
                f"watch --for 2 --json is a line a second, and ends: {len(lines)}")
    found.check(operator.json("erasures") == {"erasures": []}, "nothing waits to be erased")
    metrics = nodes.client_of("a").get("/v1/cluster")
    found.check(metrics.status == 200 and metrics.json["cluster"] == "shop", "/v1/cluster answers")


def moves_part(found, nodes, operator):
    owners = operator.owners()
    to = next(name for name in nodes.names if name != owners[0])
    before = operator.json("history", "--last", "10000")["history"]
    plan = operator.json("move", "0", "--to", to, "--dry-run")
    found.check(any(move["kind"] == "hand over" and (move["from"], move["to"]) == (owners[0], to) and move["why"]
                    for move in plan["moves"]), f"the plan says what moves from where to where, and why: {plan['moves']}")
    found.check(operator.json("plan", "move", "0", "--to", to)["moves"] == plan["moves"], "plan says the same")
    found.check(operator.owners() == owners and operator.json("history", "--last", "10000")["history"] == before,
                "a dry run changes nothing")
    asked = operator.run("move", "0", "--to", to)
    found.check(asked.returncode == 1 and "nothing was done" in asked.stderr and "Plan for" in asked.stdout,
                "without --yes and a terminal nothing is done, and the plan is shown")
    with Customers(nodes) as customers:
        for number in range(3):
            shard = number
            owner = operator.owners()[shard]
            to = next(name for name in nodes.names if name != owner)
            done = operator.at(nodes.names[number]).change("move", str(shard), "--to", to)
            found.check(done.returncode == 0 and f"{to} owns shard {shard}" in done.stdout,
                        f"move {shard} --to {to}, asked of node {nodes.names[number]}: {done.stdout[-60:]!r} {done.stderr[-200:]!r}")
            found.check(operator.owners()[shard] == to, f"it is at {to}")
        time.sleep(0.5)
    found.check(len(customers.carts) > 50 and not customers.errors,
                f"{len(customers.carts)} carts meanwhile, errors {customers.errors[:3]}, slowest {customers.slowest:.2f} s")
    told = "\n".join(operator.shard(0)["explain"])
    found.check("asked to move" in told and "ann@desk" in told, f"explain says who moved a shard: {told!r}")
    history = operator.json("history", "--last", "200")["history"]
    found.check(any(line["who"] == "ann@desk" and "shard 0 is to move" in line["what"] for line in history),
                "the history has who wanted it")
    done = operator.change("pin", "4", "--to", "c")
    found.check(done.returncode == 0 and operator.shard(4)["pinned_to"] == "c" and operator.owners()[4] == "c",
                f"pin: {done.stdout[-60:]!r} {done.stderr[-200:]!r}")
    no = operator.change("move", "4", "--to", "a")
    found.check(no.returncode == 1 and "is pinned to c" in no.stderr, f"a pinned shard is not moved: {no.stderr!r}")
    found.check(operator.change("unpin", "4").returncode == 0 and operator.shard(4)["pinned_to"] is None, "unpin")
    done = operator.change("weight", "c", "3")
    found.check(done.returncode == 0 and operator.node_json("c")["weight"] == 3, f"weight: {done.stderr[-200:]!r}")
    operator.change("rebalance")
    operator.settle()
    owns = {node["name"]: node["owns"] for node in operator.json("nodes")["nodes"]}
    found.check(owns["c"] > owns["a"] and owns["c"] > owns["b"], f"a node of weight 3 has more: {owns}")
    operator.change("weight", "c", "1")
    done = operator.change("zone", "c", "rack-2")
    found.check(done.returncode == 0 and operator.node_json("c")["zone"] == "rack-2", f"zone: {done.stderr[-200:]!r}")
    operator.change("zone", "c", "")
    found.check(operator.change("note", "new", "disks").returncode == 0 and
                operator.json("history", "--last", "50")["history"][-1]["what"] == "new disks" or
                any(line["what"] == "new disks" for line in operator.json("history", "--last", "50")["history"]), "note")
    found.check(operator.change("rebalance").returncode == 0 and operator.settle(), "rebalance ends, and nothing moves then")
    cancel_part(found, nodes, operator)


def stick(nodes, operator, victim, shard):
    """A move to a node that has just fallen asleep. It fails a moment later, when the node counts as silent: what is cancelled
    until then. None: that was too slow."""
    nodes.daemons[victim].pause()
    if operator.run("move", str(shard), "--to", victim, "--yes", "--no-wait", "--who", "ann@desk").returncode:
        return None
    moves = eventually(lambda: operator.json("plan")["moves"], lambda now: [one for one in now if one["shard"] == shard], 1)
    move = next((one for one in moves if one["shard"] == shard), None)
    if not move:
        return None
    told = operator.run("explain", str(shard)).stdout
    done = operator.change("cancel", str(move["number"]))
    return (move["number"], told, done) if done.returncode == 0 else None


def cancel_part(found, nodes, operator):
    """A move waits for a standby that does not answer: it is stuck, explained and cancelled."""
    victim = next(name for name in nodes.names if name not in (operator.node, operator.json("status")["controller"]))
    for attempt in range(5):
        shard = next(number for number, owner in enumerate(operator.owners()) if owner != victim)
        stuck = stick(nodes, operator, victim, shard)
        if stuck or attempt == 4:
            break
        nodes.daemons[victim].resume()
        eventually(lambda: operator.json("status")["nodes_alive"], lambda now: now == 3, 30)
        operator.change("rebalance")
        operator.settle()
    found.check(stuck is not None, f"a move was stuck, and cancelled, at attempt {attempt + 1}")
    if stuck:
        number, told, _ = stuck
        found.check(f"Move {number} is under way" in told, f"explain of a stuck shard: {told!r}")
        found.check(operator.shard(shard)["held"], "its shard is held then")
        found.check("It is held" in operator.run("explain", str(shard)).stdout, "explain says that it is held")
        found.check(any(line["who"] == "ann@desk" and "was cancelled" in line["what"]
                        for line in operator.json("history", "--last", "50")["history"]), "the history has who cancelled")
    nodes.daemons[victim].resume()
    eventually(lambda: operator.json("status")["nodes_alive"], lambda now: now == 3, 30)
    found.check(operator.change("rebalance").returncode == 0 and not operator.shard(shard)["held"], "rebalance lets it go")
    operator.settle()


def drains_part(found, nodes, operator):
    shop = Shop(nodes.client_of("a"))
    sku = shop.product(stock=50)
    found.check(operator.change("cordon", "c").returncode == 0 and operator.node_json("c")["state"] == "cordoned", "cordon")
    no = operator.change("move", str(operator.owners().index("a")), "--to", "c")
    found.check(no.returncode == 1 and "cordoned" in no.stderr, f"a cordoned node gets nothing: {no.stderr!r}")
    found.check(operator.change("uncordon", "c").returncode == 0 and operator.node_json("c")["wish"] == "serve", "uncordon")
    with Customers(nodes) as customers:
        began = time.monotonic()
        done = operator.change("drain", "b")
        found.check(done.returncode == 0 and "b is safe to stop" in done.stdout and "Plan for: drain b" in done.stdout,
                    f"drain, {time.monotonic() - began:.1f} s: {done.stdout[-100:]!r} {done.stderr[-300:]!r}")
        node = operator.node_json("b")
        found.check((node["owns"], node["stands_by"], node["safe_to_stop"]) == (0, 0, True), f"it has nothing: {node}")
        found.check("b" not in operator.owners(), "it owns nothing")
        nodes.down.add("b")
        time.sleep(0.2)
        found.check(nodes.daemons["b"].stop() == 0, "it is stopped")
        for _ in range(20):
            cart = shop.cart()
            found.check(shop.add(cart, sku, 1).status == 200 and shop.check_out(cart).status == 200, "a sale") \
                if _ == 0 else shop.check_out(cart) if shop.add(cart, sku, 1).status == 200 else None
        time.sleep(0.5)
    found.check(len(customers.carts) > 50 and not customers.errors,
                f"{len(customers.carts)} carts meanwhile, errors {customers.errors[:3]}, slowest {customers.slowest:.2f} s")
    nodes.start("b")
    lost = [cart for cart in customers.carts if nodes.client_of("b").get(f"/v1/carts/{cart}").status != 200]
    found.check(not lost, f"nothing is lost: {len(lost)} of {len(customers.carts)} carts")
    found.check(shop.figures(sku) == (30, 0, 30), f"the stock is right: {shop.figures(sku)}")
    found.check("b" not in operator.owners(), "a drained node gets nothing when it is back")
    eventually(lambda: operator.node_json("b")["alive"], lambda now: now, 20)
    found.check(operator.change("uncordon", "b").returncode == 0, "uncordon gives it work again")
    eventually(lambda: operator.node_json("b")["owns"], lambda now: now > 0, 60)
    operator.settle()
    found.check(operator.node_json("b")["owns"] > 0, f"it has its share again: {operator.node_json('b')['owns']}")


def words_part(found, nodes, operator):
    def refuses(words, code, *said):
        done = operator.run(*words)
        found.check(done.returncode == code and all(one in done.stderr for one in said),
                    f"souk cluster {' '.join(words)}: {done.returncode} {done.stderr.strip()[:160]!r}")
    refuses(["drain", "bb", "--yes"], 1, "there is no node 'bb'", "is it 'b'?", "a, b, c")
    refuses(["explain", "99"], 1, f"there is no shard 99; the nearest is {SHARDS - 1}")
    refuses(["cancel", "999999", "--yes"], 1, "move 999999 is not under way")
    refuses(["move", "0", "--to", "x", "--yes"], 1, "there is no node 'x'")
    refuses(["move", "0", "--yes"], 2, "SHARD --to NODE")
    refuses(["move", "zero", "--to", "a", "--yes"], 2, "wanted a whole number")
    refuses(["weight", "a", "0", "--yes"], 2, "from 1 to 10000")
    refuses(["forget", "a", "--yes"], 1, "a is alive: stop it first")
    refuses(["plan", "drian", "b"], 2, "there is no command")
    refuses(["shards", "--node", "bb"], 1, "is it 'b'?")
    gone = subprocess.run([binary("souk"), "--url", "http://127.0.0.1:9", "cluster", "status"], capture_output=True, text=True,
                          check=False, timeout=60)
    found.check(gone.returncode == 3 and "cannot reach" in gone.stderr, "a node that is not there: 3")


def controller_part(found, nodes, operator):
    """The controller dies while a node is drained: the next one goes on."""
    controller = operator.json("status")["controller"]
    drained = next(name for name in nodes.names if name != controller)
    other = next(name for name in nodes.names if name not in (controller, drained))
    at = operator.at(other)
    began = at.run("drain", drained, "--yes", "--no-wait", "--who", "ann@desk")
    found.check(began.returncode == 0, f"the drain of {drained} begins: {began.stderr[-200:]!r}")
    nodes.kill(controller)
    died = time.monotonic()
    new = eventually(lambda: at.json("status")["controller"], lambda now: now not in (controller, None), 30)
    print(f"{new} is the controller {time.monotonic() - died:.1f} s after {controller} died", flush=True)
    found.check(new in (drained, other), f"another node takes the controller's place: {new}")
    done = at.change("drain", drained)
    found.check(done.returncode == 0 and f"{drained} is safe to stop" in done.stdout,
                f"the drain goes on: {done.stdout[-100:]!r} {done.stderr[-300:]!r}")
    found.check(at.owners() == [other] * SHARDS, f"all is with the last node: {at.owners()}")
    told = at.run("status").stdout
    found.check(f"! {controller} is away" in told and "no standby" in told, f"status says what is wrong: {told[-300:]!r}")
    nodes.start(controller)
    found.check(at.change("uncordon", drained).returncode in (0, 1), "uncordon")
    eventually(lambda: at.json("status")["nodes_alive"], lambda now: now == 3, 30)


def free_ports(count):
    """The first of `count` ports in a row that nobody has."""
    while True:
        first = random.randrange(20_000, 30_000)
        try:
            for port in range(first, first + count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue


def tour_part(found):
    """`tools/dev cluster`, and the tour of docs/cluster.md as it is pasted."""
    with open(os.path.join(TREE, "docs", "cluster.md"), encoding="utf-8") as file:
        _, tour, _ = re.findall(r"^```sh\n(.*?)^```", file.read(), re.M | re.S)
    home = tempfile.mkdtemp(prefix="souk-cluster-")
    script = [sys.executable, "-B", os.path.join(TREE, "tools", "cluster", "cluster.py")]

    def call(command, *options):
        return subprocess.run([*script, command, "--dir", home, *options], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=300 * PATIENCE)
    ports = free_ports(20)
    try:
        started = call("start", "--port", str(ports), "--peer-port", str(ports + 5), "--kafka-port", str(ports + 10),
                       "--provider-port", str(ports + 15))
        found.check(started.returncode == 0 and f"http://127.0.0.1:{ports}" in started.stdout and "Paste:" in started.stderr,
                    f"tools/dev cluster start: {started.returncode} {started.stdout!r} {started.stderr[-300:]!r}")
        found.check(call("status").returncode == 0, "all of it is ready")
        at = f"http://127.0.0.1:{ports}"
        end = time.monotonic() + 60 * PATIENCE
        while subprocess.run([binary("souk"), "--url", at, "cluster", "status"], capture_output=True,
                             check=False).returncode and time.monotonic() < end:
            time.sleep(0.3)
        pasted = tour.replace("build/release/souk", binary("souk")).replace("http://127.0.0.1:8080", at)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", pasted], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=300 * PATIENCE)
        found.check(done.returncode == 0 and "b is safe to stop" in done.stdout and "c owns shard 7" in done.stdout,
                    f"the tour works as it is pasted: {done.returncode} {done.stderr[-600:]!r}")
        again = call("start")
        found.check(again.returncode == 0, f"started twice it runs on: {again.stderr[-200:]!r}")
        stopped = call("stop")
        found.check(stopped.returncode == 0 and "3 node(s) of Souk ended" in stopped.stderr, f"stop: {stopped.stderr!r}")
        found.check(call("status").returncode == 1, "nothing runs then")
        back = call("start")
        found.check(back.returncode == 0, f"it starts again with its data: {back.stderr[-300:]!r}")
    finally:
        call("stop")
        shutil.rmtree(home, ignore_errors=True)


PARTS = {"looks": looks_part, "words": words_part, "moves": moves_part, "drains": drains_part, "controller": controller_part}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--version", default=VERSION)
    arguments.add_argument("parts", nargs="*", choices=[[], *PARTS, "tour"])
    given = arguments.parse_args()
    need_kafka(given.version)
    found = Findings()
    if not given.parts or "tour" in given.parts:
        tour_part(found)
    if given.parts != ["tour"]:
        operate(found, given)
    print(f"{found.wrong} wrong")
    return 1 if found.wrong else 0


def operate(found, given):
    with KafkaCluster(brokers=1, version=given.version) as kafka, Nodes(kafka, single=True, shards=SHARDS) as nodes:
        nodes.wait_served()
        operator = Operator(nodes)
        found.check(operator.settle(90), "the cluster comes to rest")
        for part in [one for one in given.parts if one != "tour"] or PARTS:
            print(f"== {part}", flush=True)
            PARTS[part](found, nodes, operator)


if __name__ == "__main__":
    sys.exit(main())

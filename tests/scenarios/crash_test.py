#!/usr/bin/env python3
"""Customers shop while soukd is killed again and again. Afterwards, from outside: nothing that was acknowledged
is lost or doubled, stock adds up, and orders agree with the payment provider.
usage: crash_test.py [--kills N] [--clients N] [--seed N]        prints its seed; give it to shop the same way again"""
import argparse
import collections
import random
import subprocess
import sys
import threading
import time
from decimal import Decimal

from souk_client import LOST, PATIENCE, Daemon, Shop, binary, eventually, money

TRY_AGAIN = (429, 503)


class Ledger:
    """What the customers were told. Thread: any, under `lock`."""

    def __init__(self):
        self.lock = threading.Lock()
        self.carts = collections.defaultdict(collections.Counter)  # cart -> SKU -> acknowledged quantity
        self.orders = {}  # order -> (cart, payment token)
        self.received = collections.Counter()
        self.answers = collections.Counter()
        self.wrong = []

    def complain(self, what):
        with self.lock:
            self.wrong.append(what)
            print(f"WRONG {what}", flush=True)


class Customer(threading.Thread):
    """Shops until told to stop; repeats a command with its key until it is answered."""

    def __init__(self, number, seed, daemon, skus, ledger, stopping):
        super().__init__(daemon=True)
        self.number, self.daemon_, self.skus, self.ledger, self.stopping = number, daemon, skus, ledger, stopping
        self.chance, self.client = random.Random(seed * 1000 + number), daemon.client()

    def sure(self, method, path, body, key):
        end = time.monotonic() + 90 * PATIENCE
        while time.monotonic() < end:
            try:
                if self.client.address != self.daemon_.address:
                    self.client.close()
                    self.client.address = self.daemon_.address
                answer = self.client.call(method, path, body, key=key)
                if answer.status not in TRY_AGAIN:
                    with self.ledger.lock:
                        self.ledger.answers[answer.status] += 1
                    return answer
            except LOST:
                pass
            time.sleep(0.02)
        self.ledger.complain(f"{method} {path} with key {key} was never answered")
        raise TimeoutError(key)

    def run(self):
        visit = 0
        try:
            while not self.stopping.is_set():
                visit += 1
                self.visit(f"{self.number}-{visit}")
        except TimeoutError:
            pass
        self.client.close()

    def visit(self, name):
        opened = self.sure("POST", "/v1/carts", {}, f"cart-{name}")
        if opened.status != 201:
            return self.ledger.complain(f"opening a cart: {opened!r}")
        cart = opened.json["cart_id"]
        for line in range(self.chance.randint(1, 4)):
            self.add(cart, f"add-{name}-{line}")
        if self.chance.random() < 0.15:
            sku, quantity = self.chance.choice(self.skus), self.chance.randint(1, 20)
            self.sure("POST", f"/v1/inventory/{sku}/receive", {"quantity": quantity}, f"receive-{name}")
            with self.ledger.lock:
                self.ledger.received[sku] += quantity
        if self.chance.random() < 0.8:
            self.check_out(cart, f"out-{name}")

    def add(self, cart, key):
        sku = self.skus[min(int(self.chance.expovariate(0.15)), len(self.skus) - 1)]
        quantity = self.chance.randint(1, 3)
        path, body = f"/v1/carts/{cart}/items", {"sku": sku, "quantity": quantity}
        first = self.sure("POST", path, body, key)
        if first.status != 200:
            return self.ledger.complain(f"adding to cart {cart}: {first!r}")
        self.ledger.carts[cart][sku] += quantity
        if self.chance.random() < 0.1:  # one who never saw the answer, and asks again
            again = self.sure("POST", path, body, key)
            if (again.status, again.raw) != (first.status, first.raw):
                self.ledger.complain(f"key {key} was answered {first!r} and then {again!r}")

    def check_out(self, cart, key):
        token = self.chance.choice(["ok"] * 6 + ["decline", "slow:200", "twice", "error:1", "lost:100"])
        wait = self.chance.choice(["", "?wait=final"])
        out = self.sure("POST", f"/v1/carts/{cart}/checkout{wait}",
                        {"payment": {"method": "simulated", "token": token}}, key)
        if out.status not in (200, 202):
            return self.ledger.complain(f"check-out of {cart}: {out!r}")
        self.ledger.orders[out.json["order_id"]] = (cart, token)


def quantities(document):
    counted = collections.Counter()
    for line in document["lines"]:
        counted[line["sku"]] += line["quantity"]
    return counted


def judge_order(shop, ledger, order_id, cart, token):
    """The order if it was confirmed."""
    order = shop.order(order_id, seconds=60)
    if order["status"] not in ("confirmed", "rejected"):
        return ledger.complain(f"order {order_id} is {order['status']}")
    if quantities(order) != ledger.carts[cart]:
        ledger.complain(f"order {order_id} has {quantities(order)}, its cart had {ledger.carts[cart]}")
    confirmed = order["status"] == "confirmed"
    if confirmed and token == "decline":
        ledger.complain(f"order {order_id} was confirmed on a declined payment")
    due = Decimal(order["total"]["amount"]) if confirmed else Decimal(0)

    def kept():
        record = shop.client.get(f"/v1/payments/{order_id}")
        if record.status == 404:  # rejected before anybody asked for money
            return Decimal(0)
        return Decimal(record.json["captured"]["amount"]) - Decimal(record.json["refunded"]["amount"])

    have = eventually(kept, lambda amount: amount == due, 30)
    if have != due:
        ledger.complain(f"order {order_id} ({order['status']}): due {due}, the provider kept {have}")
    return order if confirmed else None


def judge(shop, ledger, skus):
    sold, bought = collections.Counter(), collections.Counter()
    for order_id, (cart, token) in ledger.orders.items():
        order = judge_order(shop, ledger, order_id, cart, token)
        if order:
            sold += quantities(order)
            bought[cart] += 1
    for cart, times in bought.items():
        if times > 1:
            ledger.complain(f"cart {cart} was sold {times} times")
    for cart, wanted in ledger.carts.items():
        answer = shop.client.get(f"/v1/carts/{cart}")
        if answer.status != 200:
            ledger.complain(f"cart {cart}: {answer!r}")
            continue
        seen = answer.json
        if quantities(seen) != wanted:
            ledger.complain(f"cart {cart} holds {quantities(seen)}, acknowledged were {wanted}")
        if (seen["status"] == "ordered") != (cart in bought):
            ledger.complain(f"cart {cart} is {seen['status']}, confirmed orders: {bought[cart]}")
    for sku in skus:
        wanted = ledger.received[sku] - sold[sku]
        if shop.figures(sku) != (wanted, 0, wanted) or wanted < 0:
            ledger.complain(f"{sku}: received {ledger.received[sku]}, sold {sold[sku]}, shows {shop.figures(sku)}")


def stock_the_shop(shop, chance, ledger):
    skus = [f"sku-{i}" for i in range(40)]
    for number, sku in enumerate(skus):
        shop.expect(shop.client.put(f"/v1/products/{sku}", {
            "name": sku, "price": money(f"{number % 17 + 1}.{number % 10}5")}), 201)
        quantity = 5 if chance.random() < 0.3 else 400
        shop.expect(shop.client.post(f"/v1/inventory/{sku}/receive", {"quantity": quantity}, key=f"first-{sku}"), 200)
        ledger.received[sku] += quantity
    return skus


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=5)
    arguments.add_argument("--clients", type=int, default=10)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    given = arguments.parse_args()
    print(f"seed={given.seed} kills={given.kills} clients={given.clients}", flush=True)
    chance, ledger, stopping = random.Random(given.seed), Ledger(), threading.Event()
    with Daemon() as daemon:
        skus = stock_the_shop(Shop(daemon.client()), chance, ledger)
        customers = [Customer(i, given.seed, daemon, skus, ledger, stopping) for i in range(given.clients)]
        for customer in customers:
            customer.start()
        for kill in range(given.kills):
            time.sleep(chance.uniform(0.3, 2.0) * PATIENCE)
            daemon.kill()
            daemon.start()
            print(f"kill {kill + 1}: {daemon.ready_line}", flush=True)
        time.sleep(0.5)
        stopping.set()
        for customer in customers:
            customer.join(120 * PATIENCE)
        print(f"answers {dict(ledger.answers)}, {len(ledger.orders)} orders, {len(ledger.carts)} carts", flush=True)
        if len(ledger.orders) < given.kills:
            ledger.complain(f"only {len(ledger.orders)} orders: nothing was tested")
        judge(Shop(daemon.client()), ledger, skus)
        if daemon.stop() != 0:
            ledger.complain(f"SIGTERM ended soukd with {daemon.process.returncode}")
        verified = subprocess.run([binary("souk"), "verify", "--data-dir", daemon.data_dir], capture_output=True,
                                  text=True)
        if verified.returncode != 0:
            ledger.complain(f"souk verify: {verified.returncode} {verified.stdout[-1000:]} {verified.stderr[-500:]}")
    print(f"seed={given.seed}: {len(ledger.wrong)} wrong")
    return 1 if ledger.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

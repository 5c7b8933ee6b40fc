#!/usr/bin/env python3
"""Several clients share carts, stock and products while soukd is killed again and again; what each was told, with the
times, is a history that `history_check` must find linearizable per entity: there is one order of the commands, each
between its call and its answer, that explains every version and amount. Keys are repeated, also by others; no answer
and 503 leave open whether it happened. Then two broken shops, which must be found out: one that serves old copies,
one where a repeated key counts again.
usage: histories_test.py [--kills N] [--seed N]        prints its seed"""
import argparse
import os
import random
import subprocess
import sys
import threading
import time

from souk_client import LOST, PATIENCE, Client, Daemon, Shop, binary, money

CLIENTS = 6
ROUNDS_TO_FIND_A_DEFECT = 8
SOUND, STALE_READ, DOUBLED_KEY = "sound", "stale read", "doubled key"


class History:
    """Lines for history_check. Thread: any."""

    def __init__(self):
        self.lock, self.lines, self.operations, self.in_doubt = threading.Lock(), [], 0, 0

    def begin(self, entity, version, amounts):
        self.lines.append(f"begin\t{entity}\t{version}\t{text_of(amounts)}")

    def took(self, entity, client, called, deed, key, if_match, name, amount, told, version=0, amounts=None):
        fields = (entity, client, called, time.monotonic_ns(), deed, key or "-", "-" if if_match is None else if_match,
                  name or "-", amount, told, version, "-" if amounts is None else text_of(amounts))
        with self.lock:
            self.lines.append("op\t" + "\t".join(str(field) for field in fields))
            self.operations += 1
            self.in_doubt += told == "nothing"

    def judge(self):
        """(whether every entity is linearizable, what history_check says)"""
        done = subprocess.run([binary("history_check")], input="\n".join(self.lines) + "\n", capture_output=True,
                              text=True, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"history_check: {done.returncode} {done.stderr}")
        return done.returncode == 0, done.stdout


def text_of(amounts):
    return ",".join(f"{name}={amount}" for name, amount in sorted(amounts.items()))


class Cart:
    deed = "add"

    def __init__(self, shop, skus):
        self.skus, self.id = skus, shop.cart()
        self.path = f"/v1/carts/{self.id}"

    def change(self, chance):
        """(method, path, body, name, amount)"""
        sku, quantity = chance.choice(self.skus), chance.randint(1, 9)
        return "POST", f"{self.path}/items", {"sku": sku, "quantity": quantity}, sku, quantity

    @staticmethod
    def amounts(document):
        return {line["sku"]: line["quantity"] for line in document["lines"]}


class Stock:
    deed = "add"

    def __init__(self, shop):
        self.id = shop.product(stock=1)
        self.path = f"/v1/inventory/{self.id}"

    def change(self, chance):
        quantity = chance.randint(1, 9)
        if chance.random() < 0.3:
            return "POST", f"{self.path}/adjust", {"delta": quantity, "reason": "counted"}, "on_hand", quantity
        return "POST", f"{self.path}/receive", {"quantity": quantity}, "on_hand", quantity

    @staticmethod
    def amounts(document):
        return {"on_hand": document["on_hand"]}


class Product:
    deed = "set"

    def __init__(self, shop):
        self.id = shop.product(stock=0)
        self.path = f"/v1/products/{self.id}"

    def change(self, chance):
        price = chance.randint(1, 1_000_000)  # hardly ever the same: a wish that is true already raises no version
        return "PUT", self.path, {"name": f"Thing {self.id}", "price": money(price)}, "price", price

    @staticmethod
    def amounts(document):
        return {"price": round(float(document["price"]["amount"]))}


class Session(threading.Thread):
    """One client; does one thing after another until told to stop."""

    def __init__(self, number, seed, daemon, entities, history, stopping, defect):
        super().__init__(daemon=True)
        self.number, self.daemon_, self.entities, self.history = number, daemon, entities, history
        self.stopping, self.defect, self.name_ = stopping, defect, f"client{number}"
        self.chance, self.client = random.Random(f"{seed} {number}"), Client(daemon.address, timeout=5)
        self.count, self.known, self.sent, self.wrong = 0, {}, [], []
        self.copies, self.wire = {}, 0  # of the broken shops
        self.read_headers, self.pause_s = None, 0.008

    def run(self):
        try:
            while not self.stopping.is_set():
                self.act()
                # What a fast machine does in seconds the checker takes minutes for: it is made for hundreds of
                # operations an entity.
                time.sleep(self.pause_s)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(f"{self.name_}: {error!r}")
        self.client.close()

    def act(self):
        roll = self.chance.random()
        if roll < 0.35:
            return self.read(self.chance.choice(self.entities))
        if roll < 0.45 and self.sent:
            return self.attempt(*self.chance.choice(self.sent))
        entity = self.chance.choice(self.entities)
        self.count += 1
        version = self.known.get(entity.id) if self.chance.random() < 0.25 else None
        command = (entity, f"{self.name_}-{self.count}", version, *entity.change(self.chance))
        self.sent = self.sent[-5:] + [command]
        while not self.attempt(*command) and not self.stopping.is_set() and self.chance.random() < 0.8:
            time.sleep(0.02)

    def ask(self, *arguments, **options):
        if self.client.address != self.daemon_.address:
            self.client.close()
            self.client.address = self.daemon_.address
        try:
            answer = self.client.call(*arguments, **options)
            return None if answer.status in (429, 503) else answer
        except LOST:
            time.sleep(0.02)
            return None

    def read(self, entity):
        called = time.monotonic_ns()
        answer = self.ask("GET", entity.path, headers=self.read_headers)
        if self.defect == STALE_READ and answer is not None:
            kept = self.copies.setdefault(entity.id, answer)
            answer = kept if self.chance.random() < 0.1 else answer
        self.took(entity, called, "get", None, None, None, 0, answer)

    def attempt(self, entity, key, if_match, method, path, body, name, amount):
        """Whether it was answered."""
        headers = {"If-Match": f'"{if_match}"'} if if_match is not None else None
        on_the_wire = key
        if self.defect == DOUBLED_KEY:
            self.wire += 1
            on_the_wire = f"{key}-{self.wire}"
        called = time.monotonic_ns()
        answer = self.ask(method, path, body, key=on_the_wire, headers=headers)
        self.took(entity, called, entity.deed, key, if_match, name, amount, answer)
        return answer is not None

    def took(self, entity, called, deed, key, if_match, name, amount, answer):
        said = (entity.id, self.name_, called, deed, key, if_match, name, amount)
        if answer is None:
            return self.history.took(*said, "nothing")
        if answer.status == 412:
            return self.history.took(*said, "mismatch")
        if answer.status not in (200, 201):
            raise AssertionError(f"{deed} {entity.path}: {answer!r}")
        document = answer.json
        self.known[entity.id] = document["version"]
        self.history.took(*said, "done", document["version"], entity.amounts(document))


def play(seed, kills, defect):
    """(linearizable, what was said, history)"""
    chance, history, stopping = random.Random(f"{seed} {defect}"), History(), threading.Event()
    # Shards driven by the I/O thread where there are two cores, by one thread and by two of their own.
    with Daemon("--hosts", str(seed % 3), "--shards", "4", "--checkpoint-ms", "600000") as daemon:
        shop = Shop(daemon.client())
        skus = [shop.product() for _ in range(3)]
        entities = [Cart(shop, skus), Cart(shop, skus), Stock(shop), Stock(shop), Product(shop)]
        for entity in entities:
            document = shop.client.get(entity.path).json
            history.begin(entity.id, document["version"], entity.amounts(document))
        sessions = [Session(i, seed, daemon, entities, history, stopping, defect) for i in range(CLIENTS)]
        copies = {}
        for session in sessions:
            session.copies = copies
            session.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.2, 0.8) * PATIENCE)
            daemon.kill()
            daemon.start()
        time.sleep(0.3)
        stopping.set()
        for session in sessions:
            session.join(30 * PATIENCE)
        wrong = [what for session in sessions for what in session.wrong]
        good, said = history.judge()
        return good and not wrong, "\n".join([said, *wrong]), history


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=6)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    given = arguments.parse_args()
    print(f"seed={given.seed}", flush=True)
    good, said, history = play(given.seed, given.kills, SOUND)
    print(f"{history.operations} operations, {history.in_doubt} in doubt: {said}", flush=True)
    # A history that the checker gave up on proves nothing, either way; it is printed above.
    failed = not good and not all("undecided" in line or " operations on " in line or not line.strip()
                                  for line in said.splitlines())
    if history.operations < 200 or history.in_doubt == 0:
        print("WRONG too little happened: nothing was tested")
        failed = True
    for defect in (STALE_READ, DOUBLED_KEY):
        for attempt in range(ROUNDS_TO_FIND_A_DEFECT):
            good, said, history = play(given.seed + attempt, 1, defect)
            if not good:
                break
        found = not good and "no order explains it" in said
        print(f"{defect}: {'found' if found else 'WRONG, not found'} in round {attempt + 1}: {said}", flush=True)
        failed = failed or not found
    print(f"seed={given.seed}: {'wrong' if failed else 'all linearizable, each defect found'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

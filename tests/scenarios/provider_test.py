#!/usr/bin/env python3
"""Two soukd, each with data of its own, call one souk provider, and all three are killed again and again while customers
check out. Afterwards: nobody is charged twice, nothing is kept without an order, and every order agrees with the ledger.
usage: provider_test.py [--kills N] [--clients N] [--seed N]        --clients of each soukd; prints its seed"""
import argparse
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from crash_test import Customer, Ledger, judge, stock_the_shop
from souk_client import CLEAN_ENVIRONMENT, PATIENCE, Client, Daemon, NotReady, Shop, binary, eventually


class Provider:
    """souk provider on a port of 127.0.0.1 that it keeps when it is started again."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="souk-test-")
        self.data_dir = os.path.join(self.home, "ledger")
        self.process, self.address = None, "127.0.0.1:0"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def url(self):
        return f"http://{self.address}"

    def start(self):
        with open(os.path.join(self.home, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [binary("souk"), "provider", "--data-dir", self.data_dir, "--listen", self.address],
                stdout=subprocess.PIPE, stderr=log, env=CLEAN_ENVIRONMENT)
        ready = select.select([self.process.stdout], [], [], 30 * PATIENCE)[0]
        line = self.process.stdout.readline().decode() if ready else ""
        found = re.fullmatch(r"souk provider ready listen=(127\.0\.0\.1:\d+)\n", line)
        if not found:
            raise NotReady(f"souk provider printed {line!r}, exit {self.process.poll()}")
        self.address = found[1]
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self._ended()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self):
        status = self.process.wait(30 * PATIENCE)
        self.process.stdout.close()
        return status


def souk(*arguments):
    return subprocess.run([binary("souk"), *arguments], capture_output=True, text=True, timeout=60 * PATIENCE,
                          env=CLEAN_ENVIRONMENT)


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def refusals(provider):
    """What souk provider does not do, and says so."""
    second = souk("provider", "--data-dir", provider.data_dir, "--listen", "127.0.0.1:0")
    expect(second.returncode == 1 and "another process has it open" in second.stderr, f"a second one: {second}")
    open_to_all = souk("provider", "--data-dir", provider.data_dir + "-2", "--listen", "0.0.0.0:0")
    expect(open_to_all.returncode == 2 and "--allow-unauthenticated" in open_to_all.stderr, f"{open_to_all}")
    strange = souk("provider", "--data-dir", provider.home, "--listen", "127.0.0.1:0")
    expect(strange.returncode == 1 and "no provider's ledger" in strange.stderr, f"a strange folder: {strange}")
    for url in ("ftp://127.0.0.1:1", "http://127.0.0.1"):
        checked = subprocess.run([binary("soukd"), "--check-config", "--payment-provider", url], capture_output=True,
                                 text=True, env=CLEAN_ENVIRONMENT)
        expect(checked.returncode == 1 and "write http://HOST:PORT" in checked.stderr, f"{url}: {checked}")
    client = Client(provider.address)
    expect(client.get("/records/nobody").status == 400, "an order that is none")
    expect(client.call("POST", "/clients/a/calls", raw=b"{}", headers={"Content-Type": "text/plain"}).status == 415,
           "calls that are not JSON")
    client.close()


def tokens(daemon):
    """Each token does what it does without the wire; what is slow holds nobody up."""
    shop = Shop(daemon.client())
    sku = shop.product(stock=100)

    def buy(token, wait="?wait=final"):
        cart = shop.cart()
        shop.add(cart, sku)
        began = time.monotonic()
        answer = shop.check_out(cart, token, wait=wait)
        return answer.json["order_id"], began

    slow, slow_began = buy("slow:1500", wait="")
    for token, status in (("ok", "confirmed"), ("decline", "rejected"), ("twice", "confirmed"), ("lost:100", "confirmed"),
                          ("error:1", "confirmed")):
        order, began = buy(token)
        document = shop.order(order)
        expect(document["status"] == status, f"{token}: {document}")
        if token in ("ok", "decline"):
            expect(time.monotonic() - began < 1.0 * PATIENCE, f"{token} took {time.monotonic() - began:.2f} s")
    document = shop.order(slow)
    took = time.monotonic() - slow_began
    expect(document["status"] == "confirmed" and took >= 1.5, f"slow: {document['status']} after {took:.2f} s")


def readiness(provider, daemon):
    """A provider that is away is told of, and again when it is back."""
    client = daemon.client()

    def ready():
        return client.get("/readyz")

    expect(ready().status == 200, f"with a provider: {ready()!r}")
    provider.kill()
    away = eventually(ready, lambda answer: answer.status == 503, 20)
    expect(away.status == 503 and "payment provider" in away.json["detail"], f"without: {away!r}")
    provider.start()
    back = eventually(ready, lambda answer: answer.status == 200, 20)
    expect(back.status == 200, f"with it again: {back!r}")


def kill_again_and_again(chance, provider, daemons, kills):
    for number in range(kills):
        time.sleep(chance.uniform(0.3, 1.5) * PATIENCE)
        # Each is among the first three.
        victims = [[provider], [daemons[0]], [daemons[1]]][number] if number < 3 else chance.sample(
            [provider, *daemons], chance.randint(1, 3))
        for victim in victims:
            victim.kill()
        time.sleep(chance.uniform(0, 1.0))
        for victim in victims:
            victim.start()
        names = ["provider" if victim is provider else f"soukd {daemons.index(victim)}" for victim in victims]
        print(f"kill {number + 1}: {', '.join(names)}", flush=True)


def verify(daemons, provider, ledgers):
    """The ledger has what the two know of, and nothing else."""
    accounts, ours = set(), 0
    for daemon, ledger in zip(daemons, ledgers):
        report = souk("verify", "--json", "--data-dir", daemon.data_dir, "--provider-dir", provider.data_dir)
        if report.returncode != 0:
            ledger.complain(f"souk verify: {report.returncode} {report.stdout[-1000:]} {report.stderr[-500:]}")
            continue
        found = json.loads(report.stdout)
        accounts.add(found["accounts"])
        ours += found["accounts"] - found["other_accounts"]
        alone = souk("verify", "--data-dir", daemon.data_dir)
        if alone.returncode != 0 or "money: not compared" not in alone.stdout or "--provider-dir" not in alone.stdout:
            ledger.complain(f"souk verify without the ledger: {alone}")
        if os.path.exists(os.path.join(daemon.data_dir, "provider")):
            ledger.complain("there is a ledger in the data directory")
    if accounts != {ours} or not ours:
        ledgers[0].complain(f"the ledger has {accounts} accounts, the two know of {ours}")


def starts_without(daemon):
    """A directory whose payments are elsewhere is not served without a provider."""
    try:
        with Daemon(data_dir=daemon.data_dir):
            return "it started"
    except NotReady as refused:
        return None if "--payment-provider" in str(refused) else str(refused)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=8)
    arguments.add_argument("--clients", type=int, default=5)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    given = arguments.parse_args()
    print(f"seed={given.seed} kills={given.kills} clients={given.clients}", flush=True)
    chance, stopping = random.Random(given.seed), threading.Event()
    ledgers = [Ledger(), Ledger()]
    with Provider() as provider, Daemon("--payment-provider", provider.url) as first, \
            Daemon("--payment-provider", provider.url) as second:
        daemons = [first, second]
        refusals(provider)
        tokens(first)
        readiness(provider, second)
        shops = [stock_the_shop(Shop(daemon.client()), chance, ledger) for daemon, ledger in zip(daemons, ledgers)]
        customers = [Customer(i + 100 * at, given.seed, daemons[at], shops[at], ledgers[at], stopping)
                     for at in range(2) for i in range(given.clients)]
        for customer in customers:
            customer.start()
        kill_again_and_again(chance, provider, daemons, given.kills)
        time.sleep(0.5)
        stopping.set()
        for customer in customers:
            customer.join(120 * PATIENCE)
        for daemon, skus, ledger in zip(daemons, shops, ledgers):
            print(f"answers {dict(ledger.answers)}, {len(ledger.orders)} orders, {len(ledger.carts)} carts", flush=True)
            if len(ledger.orders) < given.kills:
                ledger.complain(f"only {len(ledger.orders)} orders: nothing was tested")
            judge(Shop(daemon.client()), ledger, skus)
            if daemon.stop() != 0:
                ledger.complain(f"SIGTERM ended soukd with {daemon.process.returncode}")
        if provider.stop() != 0:
            ledgers[0].complain(f"SIGTERM ended souk provider with {provider.process.returncode}")
        verify(daemons, provider, ledgers)
        if why := starts_without(first):
            ledgers[0].complain(f"soukd without --payment-provider: {why}")
    wrong = sum(len(ledger.wrong) for ledger in ledgers)
    print(f"seed={given.seed}: {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

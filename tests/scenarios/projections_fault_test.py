#!/usr/bin/env python3
"""Customers shop while soukd is killed again and again with rebuilds of its read models under way. Afterwards, from
outside: the read models are live and at the end of the log, and `souk verify` finds every promise kept, P5 too.
usage: projections_fault_test.py [--kills N] [--seed N]        prints its seed; give it to kill the same way again"""
import argparse
import random
import subprocess
import sys
import threading
import time

from crash_test import Customer, Ledger, stock_the_shop
from souk_client import LOST, PATIENCE, Daemon, Shop, binary, eventually

MODELS = ("search", "analytics")


def projections(client):
    return {one["name"]: one for one in client.get("/v1/projections").json["projections"]}


def at_the_end(models):
    return all(one["state"] == "live" and one["lag_events"] == 0 and "rebuild" not in one for one in models.values())


def rebuild(client, chance):
    """Starts rebuilds; how many are under way."""
    for name in MODELS:
        if chance.random() < 0.8:
            try:
                client.post(f"/v1/projections/{name}/rebuild", {})
            except LOST:
                return 0
    return sum("rebuild" in one for one in projections(client).values())


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=6)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    given = arguments.parse_args()
    print(f"seed={given.seed} kills={given.kills}", flush=True)
    chance, ledger, stopping = random.Random(given.seed), Ledger(), threading.Event()
    with Daemon() as daemon:
        skus = stock_the_shop(Shop(daemon.client()), chance, ledger)
        customers = [Customer(i, given.seed, daemon, skus, ledger, stopping) for i in range(6)]
        for customer in customers:
            customer.start()
        interrupted = 0
        for kill in range(given.kills):
            time.sleep(chance.uniform(0.3, 1.5) * PATIENCE)
            interrupted += rebuild(daemon.client(), chance)
            time.sleep(chance.uniform(0, 0.2))
            daemon.kill()
            daemon.start()
            print(f"kill {kill + 1}: {daemon.ready_line}", flush=True)
        print(f"{interrupted} rebuilds were under way shortly before a kill", flush=True)
        client = daemon.client()
        for name in MODELS:  # and one that may end
            client.post(f"/v1/projections/{name}/rebuild", {})
        time.sleep(0.5)
        stopping.set()
        for customer in customers:
            customer.join(120 * PATIENCE)
        found = eventually(lambda: projections(client), at_the_end, 60)
        if set(found) != set(MODELS) or not at_the_end(found):
            ledger.complain(f"the read models are not at the end of the log: {found}")
        for name, one in found.items():
            if one["stale"] or one["stuck"] or "differs" in one.get("last_rebuild", ""):
                ledger.complain(f"{name}: {one}")
        if daemon.stop() != 0:
            ledger.complain(f"SIGTERM ended soukd with {daemon.process.returncode}")
        verified = subprocess.run([binary("souk"), "verify", "--data-dir", daemon.data_dir], capture_output=True,
                                  text=True, check=False)
        print(verified.stdout, end="", flush=True)
        if verified.returncode != 0 or verified.stdout.count("read model ") != len(MODELS) or \
                "not compared" in verified.stdout:
            ledger.complain(f"souk verify: {verified.returncode} {verified.stdout[-1000:]} {verified.stderr[-500:]}")
    print(f"seed={given.seed}: {len(ledger.wrong)} wrong")
    return 1 if ledger.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

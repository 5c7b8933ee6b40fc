#!/usr/bin/env python3
"""Each store's disk fails, one kind of file and one call at a time, while customers shop and while soukd starts. After
each fault soukd is killed and started: everything that was acknowledged is there, orders and addresses too, commands are
answered again, and at the end `souk verify` finds every promise kept.
usage: store_faults_test.py [--only WORD] [--seed N]        WORD: cases whose name holds it; prints its seed"""
import argparse
import random
import subprocess
import sys
import threading
import time

from crash_test import Customer, Ledger, judge, stock_the_shop
from faults import Faults
from souk_client import PATIENCE, Daemon, NotReady, Shop, binary, eventually

CLIENTS = 4
# (name, order, whether the fault must have struck). What happens seldom (a rotation, a compaction) may not come by.
WHILE_RUNNING = [
    ("journal write fails", "write */journal/*.log EIO count=2", True),
    ("journal write is torn", "write */journal/*.log torn count=1", True),
    ("journal write is short", "write */journal/*.log short count=20", True),
    ("journal is full", "write,pwrite,open,allocate */journal/* ENOSPC count=12", True),
    ("journal sync fails", "fdatasync */journal/*.log EIO count=2", True),
    ("journal fails for a while", "write,pwrite,open,fsync,fdatasync,rename,unlink */journal/* EIO count=40", True),
    ("journal sync is slow", "fdatasync */journal/*.log delay:150 count=8", True),
    ("journal zeroes cannot be written", "pwrite */journal/*.log EIO count=5", False),
    ("journal cannot open a file", "open */journal/* EMFILE count=4", False),
    ("journal cannot rename", "rename */journal/* EIO count=2", False),
    ("journal cannot note its manifest", "open,write,fsync,fdatasync,rename */journal/souk-manifest* EIO count=4", False),
    ("states write fails", "write */states/*.log EIO count=2", True),
    ("states write is torn", "write */states/*.log torn count=1", True),
    ("states are read with errors", "pread,read */states/* EIO count=3", False),
    # What was taken and not yet synced is gone when they are opened anew.
    ("states lose their end", ("write */states/*.log lost count=40", "write */states/*.log EIO count=2"), True),
    ("states lose a table's note", "rename */states/souk-manifest* EIO count=2", False),
    ("states fail for a while", "write,pwrite,open,fsync,fdatasync,rename */states/* EIO count=60", True),
    ("keys write fails", "write */keys/*.log EIO count=2", True),
    ("keys write is torn", "write */keys/*.log torn count=1", True),
    ("keys sync fails", "fdatasync */keys/*.log EIO count=6", True),
    ("keys are full", "write,pwrite,open,allocate */keys/* ENOSPC count=12", True),
    ("keys sync is slow", "fdatasync */keys/*.log delay:150 count=8", True),
    ("provider write fails", "write */provider/*.log EIO count=2", True),
    ("provider write is torn", "write */provider/*.log torn count=1", True),
    ("provider sync fails", "fdatasync */provider/*.log EIO count=2", True),
    ("provider fails for a while", "write,pwrite,open,fsync,fdatasync,rename */provider/* EIO count=40", True),
    ("search write fails", "write,pwrite */projections/search/* EIO count=2", True),
    ("search cannot open a file", "open */projections/search/* EIO count=2", False),
    ("analytics write fails", "pwrite */projections/analytics/* EIO count=2", True),
    ("analytics sync fails", "fsync,fdatasync */projections/analytics/* EIO count=2", False),
    ("analytics are full", "write,pwrite */projections/analytics/* ENOSPC count=4", True),
    ("everything fails once", "write,pwrite,fsync,fdatasync */data/* EIO count=12", True),
]
# The start may be refused in words, never by a signal; without the fault it must go on from where it was.
WHILE_STARTING = [
    ("start: journal log cannot be read", "read */journal/*.log EIO count=1"),
    ("start: journal log is read in pieces", "read */journal/*.log short count=50"),
    ("start: journal manifest cannot be read", "read */journal/MANIFEST-* EIO count=1"),
    ("start: journal cannot be written", "write */journal/* EIO count=1"),
    ("start: journal cannot be synced", "fsync,fdatasync */journal/* EIO count=1"),
    ("start: journal cannot rename", "rename */journal/* EIO count=1"),
    ("start: manifests cannot be noted", "open,write,fsync,fdatasync,rename */souk-manifest* EIO count=4"),
    ("start: states cannot be read", "read,pread */states/* EIO count=1"),
    ("start: states are full", "write,pwrite,open */states/* ENOSPC count=3"),
    ("start: keys cannot be opened", "open */keys/* EACCES count=1"),
    ("start: keys cannot be synced", "fsync,fdatasync */keys/* EIO count=1"),
    ("start: provider cannot be read", "read,pread */provider/* EIO count=1"),
    ("start: projections cannot be opened", "open */projections/* EIO count=3"),
]


class Buyer(Customer):
    """As those who are there when soukd is killed; each order goes to an address, so that keys are made."""

    def check_out(self, cart, key):
        address = {"name": f"Buyer {key}", "city": "Leeds", "country": "GB"}
        body = {"payment": {"method": "simulated", "token": "ok"}, "shipping_address": address}
        out = self.sure("POST", f"/v1/carts/{cart}/checkout", body, key)
        if out.status not in (200, 202):
            return self.ledger.complain(f"check-out of {cart}: {out!r}")
        order_id = out.json["order_id"]
        self.ledger.orders[order_id] = (cart, "ok")
        self.ledger.addresses[order_id] = address
        self.ledger.asked_in[order_id] = self.ledger.case


def shop_through(faults, wanted, seconds):
    """Customers are shopping meanwhile. How often each fault struck within that time."""
    eventually(faults.hits, all, seconds)
    if wanted or any(faults.hits()):
        time.sleep(0.3)
    return faults.hits()


def restart(daemon, ledger, name):
    daemon.kill()
    try:
        daemon.start()
    except NotReady as refused:
        ledger.complain(f"{name}: the start without a fault: {refused}")
        raise


def start_with_fault(daemon, faults, ledger, name, order):
    daemon.kill()
    faults.order(order)
    try:
        daemon.start()
        outcome = "started"
        time.sleep(0.3)
    except NotReady as refused:
        outcome = f"exit {daemon.process.returncode}"
        if daemon.process.returncode != 1:
            ledger.complain(f"{name}: {refused}")
    print(f"{name}: struck {faults.hits()[0]}, {outcome}", flush=True)
    faults.clear()
    if daemon.process.poll() is None:
        daemon.kill()
    daemon.start()


def judge_addresses(shop, ledger):
    for order_id, address in ledger.addresses.items():
        order = shop.client.get(f"/v1/orders/{order_id}")
        seen = order.json.get("shipping_address") if order.status == 200 else None
        if seen is None or any(seen.get(member) != value for member, value in address.items()):
            ledger.complain(f"order {order_id} (answered during {ledger.asked_in[order_id]!r}) goes to {seen}, "
                            f"asked for was {address}: {order.status}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--only", default="")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    given = arguments.parse_args()
    print(f"seed={given.seed}", flush=True)
    ledger, stopping = Ledger(), threading.Event()
    ledger.addresses, ledger.asked_in, ledger.case = {}, {}, "the beginning"
    options = ("--shards", "4", "--checkpoint-ms", "200", "--checkpoint-events", "200", "--payment-retry-ms", "200")
    with Faults() as faults, Daemon(*options, environment=faults.environment) as daemon:
        skus = stock_the_shop(Shop(daemon.client()), random.Random(given.seed), ledger)
        customers = [Buyer(i, given.seed, daemon, skus, ledger, stopping) for i in range(CLIENTS)]
        for customer in customers:
            customer.start()
        for name, order, wanted in WHILE_RUNNING:
            if given.only not in name:
                continue
            ledger.case = name
            faults.order(*([order] if isinstance(order, str) else order))
            struck = shop_through(faults, wanted, 5 if wanted else 0.7)
            faults.clear()
            if "lose" in name:
                time.sleep(2)  # until checkpoints have passed over what is lost, if they do
            print(f"{name}: struck {struck}", flush=True)
            if wanted and not all(struck):
                ledger.complain(f"{name}: the fault never struck")
            if daemon.process.poll() is not None:
                ledger.complain(f"{name}: ended soukd with {daemon.process.returncode}: {daemon.log()[-500:]}")
                daemon.start()
                continue
            restart(daemon, ledger, name)
        for name, order in WHILE_STARTING:
            if given.only in name:
                ledger.case = name
                start_with_fault(daemon, faults, ledger, name, order)
        time.sleep(0.3)
        stopping.set()
        for customer in customers:
            customer.join(60 * PATIENCE)
        print(f"answers {dict(ledger.answers)}, {len(ledger.orders)} orders, {len(ledger.carts)} carts", flush=True)
        if not ledger.orders:
            ledger.complain("no orders: nothing was tested")
        shop = Shop(daemon.client())
        judge(shop, ledger, skus)
        judge_addresses(shop, ledger)
        if daemon.stop() != 0:
            ledger.complain(f"SIGTERM ended soukd with {daemon.process.returncode}")
        verified = subprocess.run([binary("souk"), "verify", "--data-dir", daemon.data_dir], capture_output=True,
                                  text=True, check=False)
        if verified.returncode != 0:
            ledger.complain(f"souk verify: {verified.returncode} {verified.stdout[-1000:]} {verified.stderr[-500:]}")
    print(f"seed={given.seed}: {len(ledger.wrong)} wrong")
    return 1 if ledger.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

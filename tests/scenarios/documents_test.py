#!/usr/bin/env python3
"""Documents from memory are the host's, byte for byte, at every moment of a random history; the host's are what the log
alone says; and nothing of an erased person is left in any."""
import gzip
import os
import random
import re
import shutil
import threading
import time
import unittest

from souk_client import PATIENCE, Daemon, Shop, money

SEED = int(os.environ.get("SOUK_SEED", random.randrange(2**31)))
CUSTOMERS = 4
STEPS = 250
PRODUCTS = 12
FROM_THE_HOST = {"Souk-Min-Position": "0:0"}  # a request with a position is never answered from memory
COUNTRIES = ["GB", "FR", "DE"]


def read(client, path, headers=None):
    said = client.get(path, headers=headers)
    return said.status, said.headers.get("etag"), said.raw


class History:
    """Customers of one shop. Each owns its carts, orders and user; products are everybody's."""

    def __init__(self, daemon):
        self.daemon = daemon
        shop = Shop(daemon.client())
        self.skus = [shop.product(stock=1000, price=f"{number + 1}.50") for number in range(PRODUCTS)]
        self.paths = {f"/v1/products/{sku}" for sku in self.skus} | {f"/v1/inventory/{sku}" for sku in self.skus}
        self.failures, self.reads = [], 0

    def run(self):
        threads = [threading.Thread(target=self.customer, args=(number,)) for number in range(CUSTOMERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise AssertionError(f"seed {SEED}: {self.failures[:3]}")

    def same(self, client, path):
        """Only the caller changes what is at this path: both answers are of the same moment."""
        cached, host, again = read(client, path), read(client, path, FROM_THE_HOST), read(client, path)
        self.reads += 3
        if not cached == host == again:
            self.failures.append((path, cached, host, again))

    def customer(self, number):
        try:
            self.live(number, random.Random(SEED + number))
        except Exception as failure:  # told by run(), on the test's own thread
            self.failures.append((number, repr(failure)))

    def live(self, number, chance):
        client = self.daemon.client()
        shop = Shop(client)
        user = shop.expect(client.post("/v1/users", {"email": f"{shop.fresh('u')}@example.org"}, key=shop.fresh()),
                           201).json["user_id"]
        mine, carts, orders = shop.product(stock=5), [], []  # a product that nobody else changes
        self.paths |= {f"/v1/products/{mine}", f"/v1/users/{user}", f"/v1/users/{user}/orders"}
        for step in range(STEPS):
            if self.failures:
                return
            what = chance.randrange(10)
            if what == 0 or not carts:
                carts.append(shop.cart(**chance.choice([{}, {"user_id": user}])))
                self.paths.add(f"/v1/carts/{carts[-1]}")
            cart = chance.choice(carts)
            path = f"/v1/carts/{cart}"
            if what in (1, 2, 3):
                shop.add(cart, chance.choice(self.skus), chance.randrange(1, 4))
            elif what == 4:
                client.put(f"{path}/items/{chance.choice(self.skus)}", {"quantity": chance.randrange(3)},
                           key=shop.fresh())
            elif what == 5:
                path = f"/v1/products/{mine}"
                client.put(path, {"name": f"Name {step}", "description": "d" * chance.randrange(3000),
                                  "price": money(f"{step}.25")}, key=shop.fresh())
                assert client.get(path).json["name"] == f"Name {step}", "own write is not seen"
            elif what == 6:
                path = f"/v1/inventory/{mine}"
                client.post(f"{path}/receive", {"quantity": 1}, key=shop.fresh())
                self.same(client, f"/v1/products/{mine}")
            elif what == 7:
                said = client.post(f"{path}/checkout?wait=final", {
                    "payment": {"method": "simulated", "token": chance.choice(["ok", "ok", "decline"])},
                    **chance.choice([{}, {"shipping_address": {"street": "1 High Street"}}])}, key=shop.fresh())
                if said.status == 200:
                    orders.append(said.json["order_id"])
                    self.paths.add(f"/v1/orders/{orders[-1]}")
            elif what == 8 and orders:
                path = f"/v1/orders/{chance.choice(orders)}"
                client.post(f"{path}/{chance.choice(['cancel', 'ship', 'deliver', 'return'])}", {}, key=shop.fresh())
            elif what == 9:
                path = f"/v1/users/{user}"
                client.call("PATCH", path, {"country": chance.choice(COUNTRIES)}, key=shop.fresh())
            self.settled(shop, orders)
            self.same(client, path)
            self.same(client, f"/v1/users/{user}/orders")
            read(client, f"/v1/products/{chance.choice(self.skus)}")  # keeps them in memory

    @staticmethod
    def settled(shop, orders):
        """What an order still owes (sales, refunds) is written after its answer."""
        for order in orders[-1:]:
            shop.order(order)
            for _ in range(100):
                before = read(shop.client, f"/v1/orders/{order}", FROM_THE_HOST)
                time.sleep(0.01)
                if before == read(shop.client, f"/v1/orders/{order}", FROM_THE_HOST):
                    break

    def documents(self, client):
        return {path: read(client, path, FROM_THE_HOST) for path in sorted(self.paths)}


def counter(client, name):
    return float(re.search(rf"^{name} (\S+)$", client.get("/metrics").raw.decode(), re.M)[1])


class Views(unittest.TestCase):
    def test_a_random_history(self):
        with Daemon("--view-cache-mb", "1") as daemon:
            history = History(daemon)
            history.run()
            client = daemon.client()
            documents = history.documents(client)
            for path, document in documents.items():
                self.assertEqual(read(client, path), document)
                self.assertEqual(read(client, path), document)
                zipped = client.get(path, headers={"Accept-Encoding": "gzip"})
                plain = gzip.decompress(zipped.raw) if "content-encoding" in zipped.headers else zipped.raw
                self.assertEqual(plain, document[2])
                head = client.call("HEAD", path)
                self.assertEqual((head.status, head.headers["content-length"], head.raw),
                                 (document[0], str(len(document[2])), b""))
            hits = counter(client, "souk_view_hits_total")
            print(f"seed {SEED}: {len(documents)} documents, {history.reads} compared reads, {hits:.0f} from memory")
            self.assertGreater(hits, history.reads / 4)
            self.assertLessEqual(counter(client, "souk_view_cache_bytes"), 1 << 20)
            self.assertEqual(daemon.stop(), 0)
            daemon.start()
            self.assertEqual(history.documents(daemon.client()), documents)
            daemon.kill()
            # Without the states there is only the log.
            shutil.rmtree(os.path.join(daemon.data_dir, "states"))
            daemon.start()
            self.assertEqual(history.documents(daemon.client()), documents)

    def test_nobody_reads_what_was_true_before_an_acknowledged_change(self):
        with Daemon() as daemon:
            shop = Shop(daemon.client())
            sku, done, failures = shop.product(stock=0), threading.Event(), []
            path, acknowledged = f"/v1/products/{sku}", [0]

            def watch():
                client = daemon.client()
                while not done.is_set():
                    known = acknowledged[0]
                    seen = client.get(path).json["available"]
                    if seen < known:
                        failures.append((known, seen))

            watchers = [threading.Thread(target=watch) for _ in range(4)]
            for watcher in watchers:
                watcher.start()
            end = time.monotonic() + 4
            while time.monotonic() < end:
                said = shop.client.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=shop.fresh())
                acknowledged[0] = said.json["on_hand"]
            done.set()
            for watcher in watchers:
                watcher.join()
            self.assertEqual(failures, [])
            self.assertGreater(acknowledged[0], 100 / PATIENCE)

    def test_an_erased_person_is_in_no_document(self):
        with Daemon() as daemon:
            client = daemon.client()
            shop = Shop(client)
            secret = shop.fresh("ada")
            user = shop.expect(client.post("/v1/users", {"email": f"{secret}@example.org", "name": secret},
                                           key=shop.fresh()), 201).json["user_id"]
            cart = shop.cart(user_id=user)
            shop.add(cart, shop.product())
            order = client.post(f"/v1/carts/{cart}/checkout?wait=final", {
                "payment": {"method": "simulated"}, "shipping_address": {"street": secret}},
                key=shop.fresh()).json["order_id"]
            paths = [f"/v1/users/{user}", f"/v1/users/{user}/orders", f"/v1/orders/{order}", f"/v1/carts/{cart}"]
            before = [client.get(path).raw.decode() for path in paths for _ in range(2)]
            self.assertEqual(sum(secret in one for one in before), 4)  # the user and the order's address, twice
            shop.expect(client.call("DELETE", f"/v1/users/{user}", key=shop.fresh()), 200, 204)
            for path in paths:
                for headers in ({}, FROM_THE_HOST, {"Accept-Encoding": "gzip"}):
                    self.assertNotIn(secret, client.get(path, headers=headers).raw.decode())


if __name__ == "__main__":
    unittest.main()

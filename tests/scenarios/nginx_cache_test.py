#!/usr/bin/env python3
"""The nginx that we ship a configuration for, in front of soukd: products from its cache and never older than a
second, and nothing private in it."""
import os
import threading
import time
import unittest

from nginx import PROGRAM, Nginx, souk_cache
from skips import skip_scenario
from souk_client import PATIENCE, Client, Daemon, Shop, money

if not PROGRAM:
    skip_scenario("nginx", "there is no nginx")

LOAD_SECONDS = 8
READERS = 6
# What a test sees on top of the second: from the acknowledgement to the next look at the clock.
GRACE_S = 0.05 * PATIENCE

daemon = Daemon()
nginx = None


def setUpModule():
    global nginx
    daemon.start()
    nginx = Nginx(souk_cache(daemon.address))
    nginx.__enter__()


def tearDownModule():
    nginx.__exit__()
    status = daemon.stop()
    daemon.__exit__()
    if status != 0:
        raise AssertionError(f"soukd ended with {status}")


def wait_for_a_young_second():
    """Two requests from here are within one second of the wall clock, also of one that ticks some milliseconds late."""
    while not 0.05 < time.time() % 1 < 0.3:
        time.sleep(0.02)


def cached_bytes():
    for folder, _, names in os.walk(os.path.join(nginx.home, "cache")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                yield file.read()


class NginxCache(unittest.TestCase):
    def setUp(self):
        self.direct = daemon.client()
        self.shop = Shop(self.direct)
        self.front = Client(nginx.address)
        self.addCleanup(self.front.close)

    def test_a_product_comes_from_the_cache_with_the_same_bytes(self):
        sku = self.shop.product()
        path = f"/v1/products/{sku}"
        wait_for_a_young_second()
        first, second = self.front.get(path), self.front.get(path)
        self.assertEqual((first.headers["x-cache-status"], second.headers["x-cache-status"]), ("MISS", "HIT"))
        self.assertEqual([first.raw, second.raw], [self.direct.get(path).raw] * 2)
        self.assertIn("public", second.headers["cache-control"])
        self.assertNotIn("x-accel-expires", second.headers)  # it was meant for nginx
        head = self.front.call("HEAD", path)
        self.assertEqual((head.status, head.raw, head.headers["content-length"]), (200, b"", str(len(first.raw))))

    def test_a_compressed_product_is_not_sent_to_who_cannot_read_it(self):
        sku = self.shop.fresh("sku")
        self.shop.expect(self.direct.put(f"/v1/products/{sku}", {
            "name": "Long", "description": "many words " * 300, "price": money("1.00")}), 201)
        path = f"/v1/products/{sku}"
        for accepted, coding in (("gzip", "gzip"), (None, None), ("zstd", "zstd"), ("gzip", "gzip")):
            said = self.front.get(path, headers={"Accept-Encoding": accepted} if accepted else {
                "Accept-Encoding": "identity"})
            self.assertEqual(said.headers.get("content-encoding"), coding)

    def test_a_change_shows_within_a_second_under_load(self):
        sku = self.shop.product(stock=0)
        path = f"/v1/products/{sku}"
        acknowledged, done, seen, failures = [(time.monotonic(), 0)], threading.Event(), [], []

        def read():
            client = Client(nginx.address)
            mine = []
            try:
                while not done.is_set():
                    begun = time.monotonic()
                    said = client.get(path)
                    mine.append((begun, said.json["available"], said.headers["x-cache-status"]))
            except Exception as failure:  # told below, on the test's own thread
                failures.append(failure)
            seen.extend(mine)
            client.close()

        readers = [threading.Thread(target=read) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        end = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < end:
            said = self.direct.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=self.shop.fresh())
            acknowledged.append((time.monotonic(), said.json["on_hand"]))
            time.sleep(0.21)  # in step with no second
        done.set()
        for reader in readers:
            reader.join()
        self.assertEqual(failures, [])
        hits = sum(status == "HIT" for _, _, status in seen)
        self.assertGreater(hits, len(seen) / 2)
        oldest = 0.0
        for begun, available, _ in seen:
            newer = [at for at, on_hand in acknowledged if on_hand > available]
            if newer:
                oldest = max(oldest, begun - min(newer))
        print(f"{len(seen)} reads, {hits} hits, {len(acknowledged)} changes, oldest {oldest * 1000:.0f} ms")
        self.assertLess(oldest, 1 + GRACE_S)

    def test_a_change_of_something_long_unread_shows_at_once(self):
        sku = self.shop.product(stock=1)
        path = f"/v1/products/{sku}"
        self.front.get(path)
        time.sleep(1.1)
        self.shop.expect(self.direct.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=self.shop.fresh()), 200)
        time.sleep(1.0)
        self.assertEqual(self.front.get(path).json["available"], 2)

    def test_who_has_written_reads_it_by_position(self):
        sku = self.shop.product(stock=1)
        path = f"/v1/products/{sku}"
        for expected in range(2, 6):
            self.front.get(path)
            said = self.front.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=self.shop.fresh())
            mine = self.front.get(path, headers={"Souk-Min-Position": said.headers["souk-position"]})
            self.assertEqual(mine.json["available"], expected)

    def test_nobody_is_told_that_a_changed_stock_is_the_old_one(self):
        sku = self.shop.product(stock=1)
        path = f"/v1/products/{sku}"
        first = self.front.get(path)
        self.direct.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=self.shop.fresh())
        time.sleep(1.1)
        said = self.front.get(path, headers={"If-None-Match": first.headers["etag"]})
        self.assertEqual((said.status, said.json["available"]), (200, 2))
        again = self.front.get(path, headers={"If-None-Match": said.headers["etag"]})
        self.assertEqual(again.status, 304)

    def test_carts_orders_and_users_are_never_kept(self):
        sku, secret = self.shop.product(), f"{self.shop.fresh('secret')}@example.org"
        user = self.shop.expect(self.front.post("/v1/users", {"email": secret}, key=self.shop.fresh()), 201).json["user_id"]
        cart = self.shop.expect(self.front.post("/v1/carts", {"user_id": user}, key=self.shop.fresh()), 201).json["cart_id"]
        for quantity in range(1, 4):
            self.front.get(f"/v1/carts/{cart}")
            self.front.post(f"/v1/carts/{cart}/items", {"sku": sku, "quantity": 1}, key=self.shop.fresh())
            self.assertEqual(self.front.get(f"/v1/carts/{cart}").json["lines"][0]["quantity"], quantity)
        order = self.front.post(f"/v1/carts/{cart}/checkout?wait=final", {
            "payment": {"method": "simulated"}, "shipping_address": {"street": secret}},
            key=self.shop.fresh()).json["order_id"]
        # Also by a path that begins like a product's.
        for path in (f"/v1/carts/{cart}", f"/v1/orders/{order}", f"/v1/users/{user}", f"/v1/users/{user}/orders",
                     f"/v1/inventory/{sku}", f"/v1/products/../carts/{cart}", f"/v1/products/%2e%2e/users/{user}"):
            for _ in range(3):
                said = self.front.get(path)
                self.assertNotIn(said.headers.get("x-cache-status"), ("HIT", "STALE", "REVALIDATED"), path)
        self.front.get(f"/v1/products/{sku}")
        everything = list(cached_bytes())
        self.assertTrue(any(sku.encode() in one for one in everything))  # the look is not at an empty folder
        for private in (secret, cart, order, user):
            self.assertFalse(any(private.encode() in one for one in everything), private)

    def test_what_is_not_there_is_not_remembered(self):
        sku = self.shop.fresh("sku")
        for _ in range(2):
            self.assertEqual(self.front.get(f"/v1/products/{sku}").status, 404)
        self.shop.product(sku=sku)
        self.assertEqual(self.front.get(f"/v1/products/{sku}").status, 200)


class WithoutSouk(unittest.TestCase):
    def test_products_are_served_while_souk_restarts(self):
        with Daemon() as own, Nginx(souk_cache(own.address)) as front:
            sku = Shop(own.client()).product()
            client = Client(front.address)
            before = client.get(f"/v1/products/{sku}")
            own.stop()
            time.sleep(1.1)
            after = client.get(f"/v1/products/{sku}")
            client.close()
            self.assertEqual((after.status, after.headers["x-cache-status"], after.raw), (200, "STALE", before.raw))


if __name__ == "__main__":
    unittest.main()

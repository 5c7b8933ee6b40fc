#!/usr/bin/env python3
"""Idempotency keys and personal keys, over the real daemon: a key counts for 24 hours whatever came after it, a
personal key is made for what is recorded only, and erasing a person with many orders is felt by nobody."""
import json
import os
import sys
import threading
import time
import unittest

from faults import Faults
from souk_client import PATIENCE, Daemon, Shop, sku_path

ORDERS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 2_000
PAYMENT = {"method": "simulated", "token": "ok"}
ADDRESS = {"street": "1 Long Acre", "country": "GB"}


def folder_bytes(path):
    return sum(os.path.getsize(os.path.join(path, name)) for name in os.listdir(path) if name.endswith((".log", ".sst")))


class Base(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(*self.options()).start()
        self.addCleanup(self.daemon.__exit__)
        self.client = self.daemon.client()
        self.shop = Shop(self.client)

    @staticmethod
    def options():
        return ["--memory-mb", "64"]

    def restart(self):
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()
        self.shop = Shop(self.client)

    def batch(self, commands, client=None):
        lines = "".join(json.dumps(command) + "\n" for command in commands).encode()
        answer = (client or self.client).post("/v1/commands", raw=lines,
                                              headers={"Content-Type": "application/x-ndjson"})
        self.assertEqual(answer.status, 200)
        return [json.loads(line) for line in answer.raw.splitlines()]

    def user(self, email="ada@example.org"):
        return self.shop.expect(self.client.post("/v1/users", {"email": email, "name": "Ada"}, key=self.shop.fresh()),
                                201).json["user_id"]

    def repeats(self, asked):
        for call, first in asked:
            again = call()
            self.assertEqual((again.status, again.raw), (first.status, first.raw))
            self.assertEqual(again.headers.get("idempotent-replay"), "true")
            self.assertEqual(again.headers.get("etag"), first.headers.get("etag"))

    def guests_order(self):
        sku = self.shop.product()
        bought = self.client.post("/v1/orders?wait=final", {"lines": [{"sku": sku, "quantity": 1}], "payment": PAYMENT,
                                                            "shipping_address": ADDRESS}, key=self.shop.fresh())
        path = f"/v1/orders/{self.shop.expect(bought, 200).json['order_id']}"
        self.assertEqual(self.client.get(path).json["shipping_address"], ADDRESS)
        return path


class Keys(Base):
    def test_deliveries_of_one_sku(self):
        sku, asked = self.shop.product(stock=0), []
        for n in range(1, 201):
            def call(n=n):
                return self.client.post(f"/v1/inventory/{sku_path(sku)}/receive", {"quantity": n}, key=f"delivery-{n}")
            asked.append((call, self.shop.expect(call(), 200)))
        self.repeats(asked)
        self.restart()
        self.repeats(asked)
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.client = self.daemon.client()
        self.repeats(asked)
        other = self.client.post(f"/v1/inventory/{sku_path(sku)}/receive", {"quantity": 7}, key="delivery-1")
        self.assertEqual((other.status, other.json["code"]), (422, "idempotency_conflict"))
        self.assertEqual(self.client.get(f"/v1/inventory/{sku_path(sku)}").json["on_hand"], 200 * 201 // 2)

    def test_a_long_cart(self):
        skus = [self.shop.product(stock=0) for _ in range(3)]
        def opened():
            return self.client.post("/v1/carts", {}, key="the cart")
        asked = [(opened, self.shop.expect(opened(), 201))]
        cart = asked[0][1].json["cart_id"]
        for n in range(150):
            def call(n=n):
                if n % 10 == 9:
                    return self.client.put(f"/v1/carts/{cart}/items/{sku_path(skus[0])}", {"quantity": n % 4}, key=f"a{n}")
                return self.client.post(f"/v1/carts/{cart}/items", {"sku": skus[n % 3], "quantity": 1}, key=f"a{n}")
            asked.append((call, self.shop.expect(call(), 200)))
            self.shop.add(cart, skus[1], key=None)
        self.repeats(asked)
        self.restart()
        self.repeats(asked)

    def test_nothing_refused_leaves_a_key(self):
        keys = os.path.join(self.daemon.data_dir, "keys")
        user = self.user()
        empty = self.shop.cart(user_id=user)
        before = folder_bytes(keys)
        absent = user[:-6] + "000000" if not user.endswith("000000") else user[:-6] + "111111"
        for n in range(1_000):
            last = self.client.call("PATCH", f"/v1/users/{absent}", {"name": f"Name {n}"})
            self.assertEqual(last.status, 404)
        for n in range(500):
            body = {"payment": PAYMENT, "shipping_address": ADDRESS}
            self.assertEqual(self.client.post(f"/v1/carts/{empty}/checkout", body, key=f"empty-{n}").status, 409)
            order = {"lines": [{"sku": "there is none", "quantity": 1}], **body}
            self.assertEqual(self.client.post("/v1/orders", order).status, 409)
            patch = self.client.call("PATCH", f"/v1/users/{user}", {"name": "X"}, headers={"If-Match": '"99"'})
            self.assertEqual(patch.status, 412)
        self.assertEqual(folder_bytes(keys), before)

    def test_nothing_new_of_an_erased_person(self):
        sku, user = self.shop.product(), self.user()
        cart = self.shop.cart(user_id=user)
        self.shop.expect(self.shop.add(cart, sku), 200)
        self.shop.expect(self.client.call("DELETE", f"/v1/users/{user}"), 204)
        body = {"payment": PAYMENT, "shipping_address": ADDRESS}
        refused = self.client.post(f"/v1/carts/{cart}/checkout", body, key="late")
        self.assertEqual((refused.status, refused.json["code"]), (409, "unknown_user"))
        order = {"user_id": user, "lines": [{"sku": sku, "quantity": 1}], **body}
        self.assertEqual(self.client.post("/v1/orders", order).json["code"], "unknown_user")
        self.assertEqual(self.client.call("PATCH", f"/v1/users/{user}", {"name": "Again"}).status, 404)
        again = self.user()
        self.assertNotEqual(again, user)
        self.assertEqual(self.client.get(f"/v1/users/{again}").json["name"], "Ada")

    def test_erasing_a_person_with_many_orders(self):
        sku, user = self.shop.product(stock=1_000_000), self.user()
        self.shop.expect(self.client.post(f"/v1/inventory/{sku_path(sku)}/receive", {"quantity": 1_000_000}), 200)
        carts = [self.shop.cart(user_id=user) for _ in range(20)]
        for cart in carts:  # whose orders have keys of their own
            self.shop.expect(self.shop.add(cart, sku), 200)
            self.shop.expect(self.client.post(f"/v1/carts/{cart}/checkout",
                                              {"payment": PAYMENT, "shipping_address": ADDRESS}), 202)
        done = len(carts)
        while done < ORDERS:
            count = min(1_000, ORDERS - done)
            answers = self.batch([{"command": "place_order", "user_id": user, "payment": PAYMENT,
                                   "shipping_address": ADDRESS, "lines": [{"sku": sku, "quantity": 1}]}] * count)
            self.assertEqual({answer["status"] for answer in answers}, {202})
            done += count
        order = self.client.get(f"/v1/users/{user}/orders?limit=1").json["orders"][0]["order_id"]
        self.assertEqual(self.client.get(f"/v1/orders/{order}").json["shipping_address"], ADDRESS)
        statuses, worst, ended = {}, [0.0], threading.Event()

        def others(number):
            client, n = self.daemon.client(), 0
            shop = Shop(client)
            while not ended.is_set():
                n += 1
                began = time.monotonic()
                if n % 2:
                    answer = client.post("/v1/users", {"email": f"{number}-{n}@example.org"}, key=shop.fresh())
                else:
                    answer = client.post("/v1/carts", {}, key=shop.fresh())
                worst[0] = max(worst[0], time.monotonic() - began)
                statuses[answer.status] = statuses.get(answer.status, 0) + 1

        threads = [threading.Thread(target=others, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        began = time.monotonic()
        erased = self.client.call("DELETE", f"/v1/users/{user}")
        took = time.monotonic() - began
        time.sleep(1)
        ended.set()
        for thread in threads:
            thread.join()
        print(f"orders {ORDERS}: erased in {took:.3f} s, the others' worst {worst[0]:.3f} s, {statuses}",
              file=sys.stderr)
        self.assertEqual(erased.status, 204)
        self.assertEqual(set(statuses), {201})
        self.assertNotIn("shipping_address", json.dumps(
            [o for o in [self.client.get(f"/v1/orders/{order}").json] if o.get("shipping_address")]))

    def test_an_order_that_several_erase_at_once_is_erased_once(self):
        path, clients = self.guests_order(), [self.daemon.client() for _ in range(8)]
        begin, answers = threading.Barrier(len(clients)), []

        def erase(number, client):
            begin.wait()
            # Some with one key, some with keys of their own.
            answers.append(client.post(f"{path}/erase", {}, key=f"erase-{max(number, 3)}"))

        threads = [threading.Thread(target=erase, args=pair) for pair in enumerate(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([answer.status for answer in answers], [200] * len(clients), answers)
        seen = self.client.get(path)
        self.assertNotIn(b"Long Acre", seen.raw)
        self.assertEqual([step["event"] for step in seen.json["history"]].count("erased"), 1, seen)


class KeysThatCannotGo(Base):
    """The disk of the keys fails, and works again."""

    def setUp(self):
        self.faults = Faults()
        self.addCleanup(self.faults.__exit__)
        self.daemon = Daemon(environment=self.faults.environment).start()
        self.addCleanup(self.daemon.__exit__)
        self.client = self.daemon.client(timeout=30 * PATIENCE)
        self.shop = Shop(self.client)

    def test_an_erasure_is_refused_while_the_key_is_there_and_can_be_repeated(self):
        path = self.guests_order()
        self.faults.order("write,fdatasync */keys/*.log EIO")
        for _ in range(2):
            refused = self.client.post(f"{path}/erase", {}, key="gone")
            self.assertEqual((refused.status, refused.json["code"]), (503, "unavailable"), refused)
        self.assertGreater(self.faults.hits()[0], 0)
        self.faults.clear()
        for _ in range(2):
            done = self.client.post(f"{path}/erase", {}, key="gone")
            self.assertEqual(done.status, 200, done)
        self.restart()
        self.assertNotIn(b"Long Acre", self.client.get(path).raw)


if __name__ == "__main__":
    unittest.main()

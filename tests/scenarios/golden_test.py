#!/usr/bin/env python3
"""Directories that earlier builds wrote (tests/golden/data-N, with what they must show in data-N.json) open with this
one: audited as they are, shown as they were, gone on with, killed, and audited again."""
import glob
import json
import os
import shutil
import subprocess
import unittest

from souk_client import TREE, Daemon, Shop, binary, eventually

GOLDEN = os.path.join(TREE, "tests", "golden")
# It may be years old by now.
OPTIONS = ("--hold-ms", "86400000", "--payment-deadline-ms", "3600000", "--clock-jump-days-max", "0")


def holds(shown, now):
    """Whether `now` shows all that was shown: a later build may show more members."""
    if isinstance(shown, dict):
        return isinstance(now, dict) and all(name in now and holds(value, now[name]) for name, value in shown.items())
    if isinstance(shown, list):
        return isinstance(now, list) and len(shown) == len(now) and all(map(holds, shown, now))
    return shown == now


def verify(data_dir):
    done = subprocess.run([binary("souk"), "--json", "verify", "--data-dir", data_dir], capture_output=True, text=True,
                          check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


def events(client):
    return client.get("/v1/sql?q=SELECT+*+FROM+events+ORDER+BY+shard,seq&limit=1000").json


class Golden(unittest.TestCase):
    def each(self):
        texts = sorted(glob.glob(os.path.join(GOLDEN, "data-*.json")))
        self.assertTrue(texts)
        for text in texts:
            with open(text, encoding="utf-8") as file, self.subTest(os.path.basename(text)):
                daemon = Daemon(*OPTIONS)
                shutil.copytree(text[:-len(".json")], daemon.data_dir)
                try:
                    self.one(daemon, json.load(file))
                finally:
                    daemon.__exit__()

    def test_an_old_directory_opens_shows_what_it_showed_and_goes_on(self):
        self.each()

    def one(self, daemon, told):
        status, report = verify(daemon.data_dir)
        self.assertEqual((status, report["violations_found"]), (0, 0), report)
        self.assertEqual(report["events"], sum(told["events"].values()))
        daemon.start()
        self.shows(daemon.client(), told)
        made = self.goes_on(daemon.client(), told["pending"])
        self.assertEqual(daemon.stop(), 0)
        status, report = verify(daemon.data_dir)
        self.assertEqual((status, report["violations_found"]), (0, 0), report)
        daemon.start()
        daemon.kill()
        daemon.start()
        self.shows(daemon.client(), told)
        for path, document in made.items():
            self.assertEqual(daemon.client().get(path).json, document)
        self.assertEqual(daemon.stop(), 0)

    def shows(self, client, told):
        for path, then in told["documents"].items():
            now = client.get(path)
            self.assertEqual((now.status, now.headers.get("etag")), (then["status"], then["etag"]), path)
            self.assertTrue(holds(then["body"], now.json), f"{path}\nthen {then['body']}\nnow  {now.json}")
        log = told["log"]
        shard, seq = log["columns"].index("shard"), log["columns"].index("seq")
        ends = {}
        for row in log["rows"]:
            ends[row[shard]] = row[seq]
        now = events(client)
        self.assertEqual(now["columns"][:len(log["columns"])], log["columns"])
        kept = [row[:len(log["columns"])] for row in now["rows"] if row[seq] <= ends.get(row[shard], 0)]
        self.assertEqual(kept, log["rows"])

    def goes_on(self, client, pending):
        shop = Shop(client)
        order = shop.order(os.path.basename(pending), seconds=60)
        self.assertIn(order["status"], ("confirmed", "rejected"))
        stock = shop.stock("HELD")
        self.assertEqual(stock["on_hand"], 93 if order["status"] == "confirmed" else 100)
        sku, cart = shop.product(stock=20), shop.cart()
        shop.expect(shop.add(cart, sku, 3), 200)
        bought = shop.expect(shop.check_out(cart), 200).json
        self.assertEqual(bought["status"], "confirmed")
        user = shop.expect(client.post("/v1/users", {"email": f"{shop.fresh()}@example.com", "name": "New"},
                                       key=shop.fresh()), 201).json["user_id"]
        self.assertEqual(shop.figures(sku), (17, 0, 17))
        paths = (f"/v1/carts/{cart}", f"/v1/orders/{bought['order_id']}", f"/v1/users/{user}", f"/v1/inventory/{sku}")
        return {path: eventually(lambda: client.get(path).json, lambda document: document) for path in paths}


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Makes a small data directory of an earlier build, and beside it DIRECTORY.json, what it must show to every later
build: tests/golden/data-1 of commit 2978fd6 (manifest format 1), data-3 of 4f051c1 (format 3). Never run it again with
a later build: the point of a directory is who wrote it. A later format gets a directory of its own.

usage: SOUK_BIN_DIR=<the programs of COMMIT> make_data.py DIRECTORY COMMIT
What is in it: every kind of event that the API can cause, a person erased, an order pending with its hold open, and
the end of a process that was killed. Read models are left out: they are folds, and a start builds them."""
import collections
import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios"))
from souk_client import Daemon, Shop, eventually, money  # noqa: E402

EVENTS = """command_refused command_noted user_registered user_profile_changed email_change_requested email_assigned
email_refused former_email_freed user_erased personal_key_destroyed user_ordered email_taken email_freed key_bound
product_defined product_taken_off_sale stock_received stock_adjusted stock_reserved stock_claimed stock_sold
reservation_released reservation_expired stock_returned cart_opened item_added item_quantity_set item_removed
check_out_started cart_reopened cart_ordered order_placed order_confirmed order_rejected order_settled order_cancelled
order_shipped order_delivered order_returned return_accepted return_restocked payment_authorised payment_declined
payment_captured payment_voided refund_requested payment_refunded""".split()
ADDRESS = {"line": "12 High Street", "city": "Leeds"}


class Maker:
    def __init__(self, client):
        self.client, self.shop, self.paths = client, Shop(client), []
        self.numbers = 0

    def key(self):
        self.numbers += 1
        return f"golden-{self.numbers}"

    def do(self, method, path, body=None, key=None, status=(200, 201, 202, 204)):
        answer = self.client.call(method, path, body if body is not None or method == "DELETE" else {},
                                  key=key or self.key())
        status = status if isinstance(status, tuple) else (status,)
        if answer.status not in status:
            raise AssertionError(f"{method} {path} {body}: {answer!r}")
        return answer.json if answer.raw else {}

    def order(self, token="ok", cart=None, **more):
        payment = {"payment": {"method": "simulated", "token": token}}
        if cart:
            got = self.do("POST", f"/v1/carts/{cart}/checkout?wait=final", payment)
        else:
            got = self.do("POST", "/v1/orders?wait=final", {"lines": [{"sku": "MUG", "quantity": 2}], **payment, **more})
        for known in (f"/v1/orders/{got['order_id']}", f"/v1/payments/{got['order_id']}"):
            self.paths.append(known)
        return got["order_id"]

    def catalogue(self):
        for sku, price in (("MUG", "4.50"), ("TEA 100", "2.25"), ("OLD", "1.00"), ("HELD", "9.99")):
            self.do("PUT", f"/v1/products/{sku.replace(' ', '%20')}",
                    {"name": f"The {sku}", "brand": "Acme", "category": ["home", "kitchen"], "price": money(price),
                     "description": "of the first format", "attributes": {"colour": "blue"}})
            self.paths += [f"/v1/products/{sku.replace(' ', '%20')}", f"/v1/inventory/{sku.replace(' ', '%20')}"]
            self.do("POST", f"/v1/inventory/{sku.replace(' ', '%20')}/receive", {"quantity": 100})
        self.do("POST", "/v1/inventory/MUG/receive", {"quantity": 5, "reference": "PO-7"})
        self.do("POST", "/v1/inventory/MUG/adjust", {"delta": -3, "reason": "broken"})
        self.do("POST", "/v1/inventory/MUG/adjust", {"delta": -1000, "reason": "too many"}, status=409)
        self.do("DELETE", "/v1/products/OLD")

    def users(self):
        self.ada = self.do("POST", "/v1/users", {"email": "ada@example.com", "name": "Ada", "country": "GB"})["user_id"]
        self.bob = self.do("POST", "/v1/users", {"email": "bob@example.com", "name": "Bob"})["user_id"]
        self.gone = self.do("POST", "/v1/users", {"email": "gone@example.com", "name": "Gone"})["user_id"]
        self.do("POST", "/v1/users", {"email": "ada@example.com"}, status=409)
        self.do("PATCH", f"/v1/users/{self.ada}", {"name": "Ada L.", "country": "FR"})
        self.do("PATCH", f"/v1/users/{self.bob}", {"email": "robert@example.com"})
        self.do("PATCH", f"/v1/users/{self.bob}", {"email": "ada@example.com"}, status=409)
        self.paths += [f"/v1/users/{user}" for user in (self.ada, self.bob, self.gone)]
        self.paths += [f"/v1/users/{user}/orders" for user in (self.ada, self.bob, self.gone)]

    def carts(self):
        cart = self.do("POST", "/v1/carts", {"user_id": self.ada})["cart_id"]
        self.do("POST", f"/v1/carts/{cart}/items", {"sku": "MUG", "quantity": 3})
        self.do("POST", f"/v1/carts/{cart}/items", {"sku": "TEA 100", "quantity": 1})
        self.do("PUT", f"/v1/carts/{cart}/items/MUG", {"quantity": 2})
        self.do("DELETE", f"/v1/carts/{cart}/items/TEA%20100")
        self.do("DELETE", f"/v1/carts/{cart}/items/TEA%20100", status=(200, 404))
        self.order("ok", cart=cart)
        refused = self.do("POST", "/v1/carts", {})["cart_id"]
        self.do("POST", f"/v1/carts/{refused}/items", {"sku": "MUG", "quantity": 1})
        self.order("decline", cart=refused)
        opened = self.do("POST", "/v1/carts", {"currency": "EUR"})["cart_id"]
        self.paths += [f"/v1/carts/{one}" for one in (cart, refused, opened)]

    def orders(self):
        self.order("ok", user_id=self.bob, shipping_address=ADDRESS)
        self.order("decline")
        cancelled = self.order("ok")
        self.do("POST", f"/v1/orders/{cancelled}/cancel")
        for token in ("twice", "error:1", "lost:50", "slow:30"):
            self.order(token)
        sent = self.order("ok", user_id=self.ada, shipping_address=ADDRESS)
        self.do("POST", f"/v1/orders/{sent}/ship")
        self.do("POST", f"/v1/orders/{sent}/ship", status=(200, 409))
        self.do("POST", f"/v1/orders/{sent}/deliver")
        self.do("POST", f"/v1/orders/{sent}/return", {"lines": [{"sku": "MUG", "quantity": 1}]})
        self.do("POST", f"/v1/orders/{sent}/refund", {"amount": money("1.50")})
        whole = self.order("ok")
        self.do("POST", f"/v1/orders/{whole}/ship")
        self.do("POST", f"/v1/orders/{whole}/deliver")
        self.do("POST", f"/v1/orders/{whole}/return")
        taken = self.do("POST", "/v1/returns", {"lines": [{"sku": "MUG", "quantity": 1, "unit_price": money("4.50")}]})
        self.paths.append(f"/v1/orders/{taken['order_id']}")
        left = self.order("ok", user_id=self.gone, shipping_address=ADDRESS)
        self.order("ok", shipping_address=ADDRESS)
        self.do("DELETE", f"/v1/users/{self.gone}")
        eventually(lambda: self.client.get(f"/v1/orders/{left}").json, lambda o: o.get("shipping_address") is None)


def late(daemon, maker):
    """A hold that runs out while the payment is on its way, and one order that is pending at the end."""
    got = maker.do("POST", "/v1/orders", {"lines": [{"sku": "TEA 100", "quantity": 4}],
                                          "payment": {"method": "simulated", "token": "slow:2500"}})
    path = f"/v1/orders/{got['order_id']}"
    eventually(lambda: maker.client.get(path).json, lambda order: order["status"] == "rejected", 20)
    paid = f"/v1/payments/{got['order_id']}"
    eventually(lambda: maker.client.get(paid).json, lambda record: record["voided"]["amount"] != "0.00", 20)
    maker.paths += [path, paid]
    time.sleep(1)


def cut_zeros(home):
    """The journal's newest log is written over zeros that were made a mebibyte ahead: a page of them says the same."""
    for name in os.listdir(os.path.join(home, "journal")):
        if name.endswith(".log"):
            with open(os.path.join(home, "journal", name), "r+b") as log:
                log.truncate((len(log.read().rstrip(b"\0")) // 4096 + 2) * 4096)


def main():
    home = sys.argv[1]
    daemon = Daemon("--shards", "4", "--hold-ms", "700", "--payment-deadline-ms", "3600000", data_dir=home)
    with daemon:
        maker = Maker(daemon.client())
        maker.catalogue(), maker.users(), maker.carts(), maker.orders(), late(daemon, maker)
        assert daemon.stop() == 0
        daemon.options[3], daemon.options[5] = "86400000", "3600000"
        daemon.start()
        maker.client.close()
        maker.client.address = daemon.address
        time.sleep(2)
        paths = list(dict.fromkeys(maker.paths))
        stock = "/v1/inventory/HELD", "/v1/products/HELD"
        pending = maker.do("POST", "/v1/orders", {"lines": [{"sku": "HELD", "quantity": 7}],
                                                  "payment": {"method": "simulated", "token": "slow:20000"}})
        pending_path = f"/v1/orders/{pending['order_id']}"
        eventually(lambda: maker.client.get("/v1/inventory/HELD").json, lambda figures: figures["reserved"] == 7)
        time.sleep(1)
        assert maker.client.get(pending_path).json["status"] == "pending"
        shown = {}
        for path in paths:
            answer = maker.client.get(path)
            assert answer.status in (200, 404), (path, answer)
            if path not in stock:
                shown[path] = {"status": answer.status, "etag": answer.headers.get("etag"), "body": answer.json}
        kinds = collections.Counter()
        rows = maker.client.get("/v1/sql?q=SELECT+type,count(*)+FROM+events+GROUP+BY+type+ORDER+BY+type").json["rows"]
        kinds.update({kind: count for kind, count in rows})
        print(f"events {dict(kinds)}; missing {sorted(set(EVENTS) - set(kinds))}; more {sorted(set(kinds) - set(EVENTS))}")
        log = maker.client.get("/v1/sql?q=SELECT+*+FROM+events+ORDER+BY+shard,seq&limit=1000").json
        daemon.kill()
        cut_zeros(home)
        shutil.rmtree(os.path.join(home, "projections"), ignore_errors=True)
        os.path.exists(os.path.join(home, "lock")) and os.unlink(os.path.join(home, "lock"))
    with open(home.rstrip("/") + ".json", "w", encoding="utf-8") as out:
        json.dump({"commit": sys.argv[2], "shards": 4, "pending": pending_path, "events": dict(sorted(kinds.items())),
                   "log": log, "documents": shown}, out, indent=1, sort_keys=True, ensure_ascii=False)
        out.write("\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What clients write into bodies and headers, and what becomes of it: numbers, nulls, what GET gave sent back, texts,
emails, countries, compressed bodies, forms of answers."""
import gzip
import json
import unittest
import zlib

from souk_client import Daemon, Shop, money, sku_path

MIB = 1024 * 1024

daemon = Daemon()


def setUpModule():
    daemon.start()


def tearDownModule():
    status = daemon.stop()
    log = daemon.log()
    daemon.__exit__()
    if status != 0 or "[error]" in log:
        raise AssertionError(f"soukd ended with {status}; its log: {log[-2000:]}")


class Bodies(unittest.TestCase):
    def setUp(self):
        self.client = daemon.client()
        self.shop = Shop(self.client)
        self.addCleanup(self.client.close)

    def refused(self, answer, status, path=None):
        self.assertEqual(answer.status, status, answer)
        if path:
            self.assertEqual(answer.json["path"], path, answer)
        return answer.json

    def raw(self, method, path, text, kind="application/json", **headers):
        data = text.encode() if isinstance(text, str) else text
        return self.client.call(method, path, raw=data, headers={
            "Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}})


class Json(Bodies):
    def test_numbers_that_are_integers_are_integers(self):
        path = f"/v1/inventory/{self.shop.product(stock=0)}/receive"
        for text, on_hand in (("2.0", 2), ("1e1", 12), ("300e-2", 15)):
            answer = self.raw("POST", path, f'{{"quantity":{text}}}')
            self.assertEqual((answer.status, answer.json["on_hand"]), (200, on_hand), answer)
        for text in ("2.5", "1e400", "2.0000000000000000001", "1e7", "-1.0"):
            self.refused(self.raw("POST", path, f'{{"quantity":{text}}}'), 422, "quantity")

    def test_null_is_absent(self):
        sku = self.shop.fresh("null")
        made = self.client.put(f"/v1/products/{sku}", {"name": "Tea", "price": money("1"), "brand": None, "active": None,
                                                       "attributes": {"leaf": None, "size": "M"}})
        self.assertEqual((made.status, made.json["attributes"], "brand" in made.json), (201, {"size": "M"}, False), made)
        said = self.refused(self.client.put(f"/v1/products/{sku}", {"name": None, "price": money("1")}), 422, "name")
        self.assertEqual(said["detail"], "is missing")
        self.refused(self.client.post("/v1/orders", {"lines": [None], "payment": {"method": "simulated"}}), 422, "lines[0]")

    def test_what_get_gave_can_be_sent_back(self):
        sku = self.shop.product(stock=3)
        path = f"/v1/products/{sku}"
        seen = self.client.get(path).json
        self.assertEqual(self.client.put(path, seen).status, 200)
        self.assertEqual(self.client.get(path).json, seen, "the same definition changes nothing")
        self.refused(self.client.put(path, {**seen, "sku": "another"}), 422, "sku")
        email = f"{self.shop.fresh('mail')}@example.org"
        user = self.client.post("/v1/users", {"email": email, "name": "Zoe"}).json["user_id"]
        path = f"/v1/users/{user}"
        seen = self.client.get(path).json
        changed = self.client.call("PATCH", path, {**seen, "name": "Zoë"})
        self.assertEqual((changed.status, changed.json["name"]), (200, "Zoë"), changed)
        self.refused(self.client.call("PATCH", path, {**seen, "user_id": "u" + "0" * 26}), 422, "user_id")
        product = self.client.get(f"/v1/products/{sku}").json
        line = json.dumps({"command": "put_product", **product})
        answer = self.raw("POST", "/v1/commands", line, "application/x-ndjson")
        self.assertEqual(json.loads(answer.raw)["status"], 200, answer)


class Texts(Bodies):
    def test_line_breaks_are_line_feeds(self):
        path = f"/v1/products/{self.shop.fresh('text')}"
        made = self.client.put(path, {"name": "Tea", "price": money("1"), "description": "a\r\nb\rc\n"})
        self.assertEqual(made.json["description"], "a\nb\nc\n", made)

    def test_names_can_be_seen(self):
        path = f"/v1/products/{self.shop.fresh('name')}"
        for name in (" ", "\u00a0", "\u200b\u3000", "\u2800"):
            self.refused(self.client.put(path, {"name": name, "price": money("1")}), 422, "name")

    def test_no_new_sku_has_a_blank_at_an_end(self):
        mark = self.shop.fresh("blank")
        for sku in (f" {mark}", f"{mark} ", f"{mark}\u00a0", f"\u200b{mark}"):
            path = f"/v1/products/{sku_path(sku)}"
            self.refused(self.client.put(path, {"name": "Tea", "price": money("1")}), 422, "sku")
            self.assertEqual(self.client.get(path).status, 404)
        line = json.dumps({"command": "put_product", "sku": f"{mark} ", "name": "Tea", "price": money("1")})
        answer = self.raw("POST", "/v1/commands", line, "application/x-ndjson")
        self.assertEqual(json.loads(answer.raw)["body"]["path"], "sku", answer)

    def test_an_email_is_one_however_it_is_spelled(self):
        mark = self.shop.fresh("mail")
        for first, same in ((f"{mark}@Example.org", f"{mark.upper()}@example.ORG."),
                            (f"zoë{mark}@example.org", f"ZOE\u0308{mark}@example.org"),
                            (f"{mark}@bücher.example", f"{mark}@XN--BCHER-KVA.example")):
            user = self.client.post("/v1/users", {"email": first})
            self.assertEqual(user.status, 201, user)
            self.assertEqual(self.client.get(f"/v1/users/{user.json['user_id']}").json["email"], first, "as it was typed")
            self.assertEqual(self.refused(self.client.post("/v1/users", {"email": same}), 409)["code"], "email_taken")

    def test_countries_are_codes_or_the_merchants_names(self):
        for given, kept in (("gb", "GB"), ("DEU", "DE"), ("EIRE", "EIRE"), ("United Kingdom", "United Kingdom")):
            user = self.client.post("/v1/users", {"email": f"{self.shop.fresh('c')}@example.org", "country": given})
            self.assertEqual(self.client.get(f"/v1/users/{user.json['user_id']}").json["country"], kept)
        said = self.refused(self.client.post("/v1/users", {"email": "a@b", "country": "UK"}), 422, "country")
        self.assertIn("GB", said["detail"])
        order = {"lines": [{"sku": self.shop.product(), "quantity": 1}], "payment": {"method": "simulated"}}
        self.refused(self.client.post("/v1/orders", {**order, "shipping_address": {"country": "XX"}}), 422,
                     "shipping_address.country")
        made = self.client.post("/v1/orders", {**order, "shipping_address": {"country": "USA", "zip": 1}})
        self.assertIn(made.status, (200, 202), made)
        self.assertEqual(self.shop.order(made.json["order_id"])["shipping_address"], {"country": "USA", "zip": 1})


class Forms(Bodies):
    def test_compressed_bodies_are_read(self):
        path = f"/v1/inventory/{self.shop.product(stock=0)}/receive"
        body = gzip.compress(b'{"quantity":5}')
        self.assertEqual(self.raw("POST", path, body, Content_Encoding="gzip").json["on_hand"], 5)
        self.assertEqual(self.raw("POST", path, '{"quantity":1}', Content_Encoding="identity").json["on_hand"], 6)
        lines = gzip.compress(b'{"command":"open_cart"}\n' * 3000)
        answer = self.raw("POST", "/v1/commands", lines, "application/x-ndjson", Content_Encoding="x-gzip")
        self.assertEqual(answer.raw.count(b'"status":201'), 3000)
        for coding in ("br", "deflate", "gzip, gzip"):
            answer = self.raw("POST", path, body, Content_Encoding=coding)
            self.assertEqual((answer.status, answer.headers.get("accept-encoding")), (415, "gzip, zstd"), answer)
        self.refused(self.raw("POST", path, body[:-3], Content_Encoding="gzip"), 400)
        self.refused(self.raw("POST", path, b"plain", Content_Encoding="zstd"), 400)

    def test_a_bomb_is_too_large(self):
        path = f"/v1/inventory/{self.shop.product(stock=0)}/receive"
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(packer.compress(b" " * MIB) for _ in range(200)) + packer.flush()
        self.refused(self.raw("POST", path, bomb, Content_Encoding="gzip"), 413)
        self.refused(self.raw("POST", "/v1/commands", bomb, "application/x-ndjson", Content_Encoding="gzip"), 413)
        most = gzip.compress(b'{"quantity":5' + b" " * (MIB - 14) + b"}")
        self.assertEqual(self.raw("POST", path, most, Content_Encoding="gzip").status, 200)

    def test_a_batch_says_what_it_is_and_has_a_line(self):
        line = b'{"command":"open_cart"}\n'
        self.refused(self.client.call("POST", "/v1/commands", raw=line, headers={"Content-Type": "application/json"}), 415)
        self.assertTrue(self.refused(self.raw("POST", "/v1/commands", b"", "application/x-ndjson"), 422)["detail"])

    def test_an_empty_condition_is_none(self):
        for name in ("If-Match", "If-None-Match"):
            self.refused(self.client.call("POST", "/v1/carts", {}, headers={name: ""}), 422, name)

    def test_rows_come_as_they_are_wanted(self):
        for accept, kind in (("text/csv", "text/csv"), ("text/csv;q=0", "application/json"), ("*/*", "application/json"),
                             ("text/*", "text/csv"), ("text/csv;q=0.1, application/json", "application/json"),
                             ("image/png", "application/json")):
            answer = self.client.get("/v1/sql?q=SELECT+1", headers={"Accept": accept})
            self.assertTrue(answer.headers["content-type"].startswith(kind), (accept, answer.headers))


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Bad input gets a clear error and costs nobody else anything: bodies, paths, methods, frames, batches, sizes."""
import json
import random
import socket
import unittest

from souk_client import Daemon, Shop, money, sku_path

daemon = Daemon()
MEBIBYTE = 1 << 20


def setUpModule():
    daemon.start()


def tearDownModule():
    status = daemon.stop()
    daemon.__exit__()
    if status != 0:
        raise AssertionError(f"soukd ended with {status}")


def exchange(sent):
    """What comes back for raw bytes: up to the end of the head, or nothing where the server just closes."""
    host, port = daemon.address.rsplit(":", 1)
    got = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        try:
            connection.sendall(sent)
            while b"\r\n\r\n" not in got:
                more = connection.recv(65536)
                if not more:
                    break
                got += more
        except OSError:
            pass
    return got


class Spoken(unittest.TestCase):
    def setUp(self):
        self.client = daemon.client()
        self.shop = Shop(self.client)
        self.addCleanup(self.client.close)

    def problem(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)
        self.assertTrue(answer.headers["content-type"].startswith("application/problem+json"), answer.headers)
        return answer.json


class Rubbish(Spoken):
    def test_a_body_that_is_not_json_is_400(self):
        cart = self.shop.cart()
        path = f"/v1/carts/{cart}/items"
        before = self.client.get(f"/v1/carts/{cart}").raw
        deep = b'{"sku":"a","quantity":' + b"[" * 33 + b"]" * 33 + b"}"
        for body in (b"", b"{", b"{}x", b"{} {}", b"nul", b"'{}'", b'{"sku":"a","sku":"b","quantity":1}',
                     b'{"sku":"\xff","quantity":1}', b'{"sku":"\xc0\x80","quantity":1}',
                     b'{"sku":"\\ud800","quantity":1}',
                     b'{"sku":"a\nb","quantity":1}', b'{"sku":"a","quantity":01}', b'{"sku":"a","quantity":1,}',
                     b"[" * 5000 + b"]" * 5000, deep):
            with self.subTest(body=body[:60]):
                self.problem(self.client.post(path, raw=body, key=self.shop.fresh()), 400, "invalid_json")
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").raw, before)

    def test_json_of_the_wrong_shape_is_422_and_names_the_member(self):
        cart = self.shop.cart()
        path = f"/v1/carts/{cart}/items"
        before = self.client.get(f"/v1/carts/{cart}").raw
        price = b'{"sku":"a","quantity":1,"unit_price":%s}'
        for body, member in (
                (b"[]", None), (b"null", None), (b"7", None), (b'{"quantity":1}', "sku"), (b'{"sku":"a"}', "quantity"),
                (b'{"sku":"a","quantity":0}', "quantity"), (b'{"sku":"a","quantity":-1}', "quantity"),
                (b'{"sku":"a","quantity":1.5}', "quantity"), (b'{"sku":"a","quantity":"1"}', "quantity"),
                (b'{"sku":"a","quantity":1000001}', "quantity"), (b'{"sku":"a","quantity":true}', "quantity"),
                (b'{"sku":"a","quantity":99999999999999999999}', "quantity"),
                (b'{"sku":"a","quantity":null}', "quantity"),
                (b'{"sku":"","quantity":1}', "sku"), (b'{"sku":"' + b"y" * 65 + b'","quantity":1}', "sku"),
                (b'{"sku":7,"quantity":1}', "sku"), (b'{"sku":"a\\u0000","quantity":1}', "sku"),
                (b'{"sku":"a/b","quantity":1}', "sku"), (b'{"sku":"a","quantity":1,"surprise":1}', "surprise"),
                (price % b'{"amount":"1.0000001","currency":"GBP"}', "unit_price.amount"),
                (price % b'{"amount":"-1","currency":"GBP"}', "unit_price.amount"),
                (price % b'{"amount":"1e3","currency":"GBP"}', "unit_price.amount"),
                (price % b'{"amount":1,"currency":"GBP"}', "unit_price.amount"),
                (price % b'{"amount":"1","currency":"gbp"}', "unit_price.currency"),
                (price % b'{"amount":"1"}', "unit_price.currency"),
                (price % b'"1"', "unit_price")):
            with self.subTest(body=body[:80]):
                said = self.problem(self.client.post(path, raw=body, key=self.shop.fresh()), 422, "invalid_request")
                if member:
                    self.assertEqual(said["path"], member)
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").raw, before)

    def test_a_path_into_a_list_names_the_place(self):
        body = {"lines": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 0}], "payment": {"method": "simulated"}}
        said = self.problem(self.client.post("/v1/orders", body, key=self.shop.fresh()), 422, "invalid_request")
        self.assertEqual(said["path"], "lines[1].quantity")

    def test_prices_end_where_the_contract_says(self):
        path = f"/v1/products/{self.shop.fresh('p')}"
        most = self.client.put(path, {"name": "x", "price": money("9999999999.999999")})
        self.assertEqual((most.status, most.json["price"]["amount"]), (201, "9999999999.999999"), most)
        self.problem(self.client.put(path, {"name": "x", "price": money("10000000000")}), 422, "invalid_request")
        self.assertEqual(self.client.put(path, {"name": "x", "price": money("0")}).json["price"]["amount"], "0.00")

    def test_text_is_bounded(self):
        path = f"/v1/products/{self.shop.fresh('p')}"
        longest = {"name": "n" * 512, "description": "d" * 16 * 1024, "price": money("1")}
        self.assertEqual(self.client.put(path, longest).status, 201)
        for member in ("name", "description"):
            longer = {**longest, member: longest[member] + "x"}
            said = self.problem(self.client.put(path, longer), 422, "invalid_request")
            self.assertEqual(said["path"], member)

    def test_keys_are_1_to_255_printable_ascii(self):
        body = {"sku": self.shop.product(), "quantity": 1}
        path = f"/v1/carts/{self.shop.cart()}/items"
        self.assertEqual(self.client.post(path, body, key="x" * 255).status, 200)
        self.problem(self.client.post(path, body, key="x" * 256), 422, "invalid_request")
        self.problem(self.client.post(path, body, key="caf\xe9"), 422, "invalid_request")

    def test_bodies_are_taken_to_1_mebibyte(self):
        path = f"/v1/carts/{self.shop.cart()}/items"
        head, tail = b'{"sku":"', b'","quantity":1}'
        full = head + b"z" * (MEBIBYTE - len(head) - len(tail)) + tail
        self.problem(self.client.post(path, raw=full), 422, "invalid_request")
        try:
            self.problem(self.client.post(path, raw=full + b" "), 413, "too_large")
        except (ConnectionError, BrokenPipeError):
            pass  # it may close while we still send
        self.assertEqual(self.client.get("/healthz").status, 200)

    def test_methods_paths_and_media_types_are_told_apart(self):
        path = f"/v1/carts/{self.shop.cart()}/items"
        self.problem(self.client.post(path, raw=b"<a/>", headers={"Content-Type": "text/xml"}), 415,
                     "unsupported_media_type")
        self.problem(self.client.get("/v1/nothing"), 404, "not_found")
        for unknown in ("/v1/carts/none", "/v1/orders/" + "0" * 32, "/v1/products/" + self.shop.fresh("no"),
                        "/v1/payments/" + "0" * 32, "/v1/users/" + "f" * 32):
            self.problem(self.client.get(unknown), 404, "not_found")
        wrong = self.client.call("PATCH", path, {})
        self.assertEqual((wrong.status, wrong.headers["allow"]), (405, "POST"), wrong.headers)
        head = self.client.call("HEAD", "/healthz")
        self.assertEqual((head.status, head.raw), (200, b""))

    def test_broken_frames_are_refused(self):
        post = b"POST /v1/carts HTTP/1.1\r\nHost: x\r\n"
        for name, sent in (
                ("no Host", b"GET /healthz HTTP/1.1\r\n\r\n"),
                ("both lengths", post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                ("two lengths", post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
                ("a negative length", post + b"Content-Length: -2\r\n\r\n{}"),
                ("a folded header", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
                ("a blank before the colon", b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n"),
                ("no version", b"GET /healthz\r\n\r\n"),
                ("17 KiB of headers", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 17 * 1024 + b"\r\n\r\n"),
                ("endless headers", b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n"),
                ("noise", bytes(range(256)) * 8 + b"\r\n\r\n")):
            with self.subTest(name):
                got = exchange(sent)
                self.assertTrue(got == b"" or got.split(b" ")[1] in (b"400", b"431", b"505"), got[:200])
        self.assertEqual(self.client.get("/healthz").status, 200)

    def test_random_bytes_never_hurt_anyone(self):
        seed = random.SystemRandom().randrange(1 << 32)
        print(f"seed={seed}")
        chance, body = random.Random(seed), b'{"sku":"a","quantity":1,"unit_price":{"amount":"1.00","currency":"GBP"}}'
        path = f"/v1/carts/{self.shop.cart()}/items"
        for _ in range(400):
            bent = bytearray(body)
            for _ in range(chance.randint(1, 4)):
                bent[chance.randrange(len(bent))] = chance.randrange(256)
            said = self.client.post(path, raw=bytes(bent))
            self.assertIn(said.status, (200, 400, 409, 422), (seed, bytes(bent), said))
        for _ in range(100):
            request = bytearray(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
                path.encode(), len(body), body))
            for _ in range(chance.randint(1, 4)):
                request[chance.randrange(60)] = chance.randrange(256)
            host, port = daemon.address.rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(bytes(request))  # and away, without reading
        self.assertEqual(self.client.get("/healthz").status, 200)


class Batches(Spoken):
    def batch(self, lines):
        said = self.client.post("/v1/commands", raw=b"\n".join(lines) + b"\n",
                                headers={"Content-Type": "application/x-ndjson"})
        self.assertEqual(said.status, 200, said)
        return [json.loads(line) for line in said.raw.splitlines() if line]

    def line(self, command, **members):
        return json.dumps({"command": command, **members}).encode()

    def test_one_bad_command_does_not_spoil_the_rest(self):
        sku, cart = self.shop.product(), self.shop.cart()
        first = self.line("add_item", cart_id=cart, sku=sku, quantity=1, idempotency_key=self.shop.fresh())
        zero = self.line("add_item", cart_id=cart, sku=sku, quantity=0)
        nowhere = self.line("check_out", cart_id="none", payment={"method": "simulated"})
        last = self.line("add_item", cart_id=cart, sku=sku, quantity=2, idempotency_key=self.shop.fresh())
        answers = self.batch([first, b"{nonsense", zero, self.line("no_such_command"), nowhere, last, first])
        self.assertEqual([a["status"] for a in answers], [200, 400, 422, 422, 404, 200, 200])
        self.assertEqual(answers[1]["body"]["code"], "invalid_json")
        self.assertEqual(answers[0]["body"], answers[6]["body"], "a repeat in the same batch gets the first answer")
        self.assertTrue(answers[0]["position"])
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").json["lines"][0]["quantity"], 3)

    def test_a_long_batch_is_answered_in_order(self):
        cart = self.shop.cart()
        skus = [self.shop.product(stock=0) for _ in range(20)]
        lines = [self.line("add_item", cart_id=cart, sku=skus[i % 20], quantity=1) for i in range(3000)]
        answers = self.batch(lines)
        self.assertEqual({a["status"] for a in answers}, {200})
        totals = [sum(line["quantity"] for line in a["body"]["lines"]) for a in answers]
        self.assertEqual(totals, list(range(1, 3001)))


class Operators(Spoken):
    def test_what_an_operator_looks_at_is_there(self):
        self.assertEqual(self.client.get("/healthz").status, 200)
        self.assertEqual(self.client.get("/readyz").status, 200)
        self.shop.cart()
        metrics = self.client.get("/metrics").raw.decode()
        self.assertRegex(metrics, r'(?m)^souk_commands_total\{[^}]*op="open_cart"[^}]*\} [1-9]')
        described = self.client.get("/openapi.json").json
        for path in ("/v1/carts/{cart_id}/items", "/v1/carts/{cart_id}/checkout", "/v1/orders/{order_id}",
                     "/v1/products/{sku}", "/v1/inventory/{sku}/receive", "/v1/commands"):
            self.assertIn(path, described["paths"])


class Paths(Spoken):
    def test_percent_signs_in_paths_are_decoded_once_and_strictly(self):
        self.problem(self.client.get(f"/v1/products/{sku_path('%')}"), 404, "not_found")
        for broken in ("%", "%4", "%zz", "%ff", "%00", "%2F"):
            with self.subTest(broken):
                self.assertIn(self.client.get(f"/v1/products/a{broken}").status, (400, 404, 422))
                self.assertEqual(self.client.get("/healthz").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Money as shops write it: digits of each currency, what can be paid, returns and refunds, guests that are erased."""
import unittest
from decimal import Decimal

from souk_client import Daemon, Shop, eventually

daemon = Daemon()


def setUpModule():
    daemon.start()


def tearDownModule():
    status = daemon.stop()
    daemon.__exit__()
    if status != 0:
        raise AssertionError(f"soukd ended with {status}")


def of(amount, currency):
    return {"amount": amount, "currency": currency}


class Money(unittest.TestCase):
    def setUp(self):
        self.client = daemon.client()
        self.shop = Shop(self.client)
        self.addCleanup(self.client.close)

    def refused(self, answer, status, code, words=""):
        self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)
        self.assertIn(words, answer.json["detail"])

    def put(self, sku, amount, currency):
        return self.client.put(f"/v1/products/{sku}", {"name": sku, "price": of(amount, currency)},
                               key=self.shop.fresh())

    def product(self, amount, currency, stock=50):
        sku = self.shop.fresh("m")
        self.shop.expect(self.put(sku, amount, currency), 201)
        self.shop.expect(self.client.post(f"/v1/inventory/{sku}/receive", {"quantity": stock},
                                          key=self.shop.fresh()), 200)
        return sku

    def buy(self, sku, quantity, **more):
        wanted = {"lines": [{"sku": sku, "quantity": quantity}], "payment": {"method": "simulated"}} | more
        bought = self.client.post("/v1/orders?wait=final", wanted, key=self.shop.fresh())
        self.assertEqual((bought.status, bought.json["status"]), (200, "confirmed"), bought)
        return f"/v1/orders/{bought.json['order_id']}"

    def step(self, path, step, body=None):
        return self.client.post(f"{path}/{step}", body or {}, key=self.shop.fresh())

    def record(self, path):
        return self.client.get(f"/v1/payments/{path.rsplit('/', 1)[1]}").json

    def refunded(self, path, wanted):
        seen = eventually(lambda: self.record(path)["refunded"]["amount"], lambda amount: amount == wanted)
        self.assertEqual(seen, wanted)

    def test_amounts_have_the_digits_of_their_currency(self):
        for amount, currency, shown in (("1000", "JPY", "1000"), ("1.234", "KWD", "1.234"), ("1.2", "KWD", "1.200"),
                                        ("12.5", "GBP", "12.50"), ("12.345", "GBP", "12.345"), ("3", "CLF", "3.0000"),
                                        ("5", "IQD", "5.000"), ("7", "COP", "7.00")):
            said = self.put(self.shop.fresh("d"), amount, currency)
            self.assertEqual((said.status, said.json["price"]), (201, of(shown, currency)), said)

    def test_codes_that_cannot_be_paid_are_refused_with_the_nearest(self):
        for code, nearest in (("GPB", "GBP"), ("ZZZ", "ZAR"), ("XXX", "X"), ("BGN", "EUR"), ("HRK", "EUR"),
                              ("ZWL", "ZWG")):
            said = self.put(self.shop.fresh("c"), "1", code)
            self.refused(said, 422, "invalid_request", nearest)
            self.assertEqual(said.json["path"], "price.currency")
        self.refused(self.client.post("/v1/carts", {"currency": "GPB"}, key=self.shop.fresh()), 422, "invalid_request")

    def test_what_is_charged_can_be_paid_and_comes_back_whole(self):
        sku = self.product("10.50", "JPY")
        path = self.buy(sku, 3)
        order = self.client.get(path).json
        self.assertEqual(order["total"], of("32", "JPY"))
        self.assertEqual([(a["kind"], a["amount"]) for a in order["adjustments"]], [("rounding", of("0.5", "JPY"))])
        self.assertEqual(self.record(path)["captured"], of("32", "JPY"))
        self.step(path, "ship")
        for refunds in ("10", "21", "32"):
            one = self.step(path, "return", {"lines": [{"sku": sku, "quantity": 1}]})
            self.assertEqual(one.status, 200, one)
            self.refunded(path, refunds)
        history = self.buy(sku, 3, occurred_at="2020-01-01T00:00:00Z")
        order = self.client.get(history).json
        self.assertEqual((order["total"], order["adjustments"]), (of("31.5", "JPY"), []))
        self.refused(self.step(path, "refund", {"amount": of("0.5", "JPY")}), 422, "invalid_request", "decimals")

    def test_returns_and_refunds_keep_to_what_was_paid(self):
        sku = self.product("4", "GBP")
        path = self.buy(sku, 3)
        self.step(path, "ship")

        def back(price, **more):
            return self.step(path, "return", {"lines": [{"sku": sku, "quantity": 1, "unit_price": of(price, "GBP")}]} | more)

        self.refused(back("4.01"), 409, "above_price_paid")
        self.refused(back("4", occurred_at="2020-01-01T00:00:00Z"), 409, "before_sale")
        self.shop.expect(self.step(path, "refund", {"amount": of("9", "GBP")}), 200)
        self.assertEqual(back("4").status, 200, "the goods come back, and what is left is paid")
        self.refunded(path, "12.00")
        self.assertEqual(self.step(path, "return").json["status"], "returned")
        self.refunded(path, "12.00")

    def test_a_fully_refunded_order_is_not_shipped(self):
        path = self.buy(self.product("4", "GBP"), 1)
        self.shop.expect(self.step(path, "refund"), 200)
        self.refused(self.step(path, "ship"), 409, "paid_back")
        self.assertEqual(self.step(path, "cancel").json["status"], "cancelled")

    def test_reports_look_at_one_currency_and_name_the_others(self):
        path = self.buy(self.product("2.5", "CHF"), 1)
        self.buy(self.product("1.005", "BHD"), 1)
        self.step(path, "ship")
        self.step(path, "return")

        def sales(**query):
            asked = "&".join(f"{name}={value}" for name, value in query.items())
            return self.client.get(f"/v1/analytics/sales?{asked}").json

        francs = eventually(lambda: sales(currency="CHF"),
                            lambda now: now["total"]["refunded"]["amount"] == "2.50")["total"]
        self.assertEqual([francs[name]["amount"] for name in ("revenue", "returned", "refunded", "rounding")],
                         ["2.50", "2.50", "2.50", "0.00"])
        others = eventually(lambda: sales(), lambda now: len(now.get("other_currencies", [])) > 1)
        self.assertIn({"currency": "BHD", "orders": 1}, others["other_currencies"])
        self.assertNotIn("other_currencies", sales(currency="BHD"))
        self.refused(self.client.get("/v1/analytics/sales?currency=GPB"), 422, "invalid_request", "GBP")

    def test_prices_of_several_currencies_are_not_compared(self):
        mark = "mixed" + "".join("abcdefghij"[ord(c) % 10] for c in self.shop.fresh("x"))  # one word
        for amount, currency in (("900", "JPY"), ("5", "GBP"), ("7", "GBP")):
            sku = self.shop.fresh("s")
            self.shop.expect(self.client.put(f"/v1/products/{sku}", {"name": f"Thing {mark}", "price": of(amount, currency)},
                                             key=self.shop.fresh()), 201)

        def found(query):
            return self.client.get(f"/v1/search?q={mark}&facets=price{query}").json

        eventually(lambda: found(""), lambda now: now["total"] == 3)
        self.assertEqual([hit["price"] for hit in found("&sort=price")["hits"]], [of("5.00", "GBP"), of("7.00", "GBP")])
        self.assertEqual(found("&price_max=1000")["total"], 2)
        self.assertEqual(found("&price_max=1000&currency=JPY")["total"], 1)
        self.assertEqual(sum(band["count"] for band in found("")["facets"]["price"]), 2)

    def test_an_emptied_cart_takes_another_currency(self):
        yen, pounds, cart = self.product("100", "JPY"), self.product("1", "GBP"), self.shop.cart()
        self.shop.expect(self.shop.add(cart, yen), 200)
        self.refused(self.shop.add(cart, pounds), 409, "currency_mismatch")
        self.client.call("DELETE", f"/v1/carts/{cart}/items/{yen}", key=self.shop.fresh())
        self.assertEqual(self.shop.add(cart, pounds).json["total"], of("1.00", "GBP"))

    def test_a_guests_address_is_erased_by_order(self):
        address = {"name": "Ann Onymous", "street": "1 Quiet Way", "country": "GB"}
        path = self.buy(self.product("4", "GBP"), 1, shipping_address=address)
        self.assertEqual(self.client.get(path).json["shipping_address"], address)
        for _ in range(2):
            gone = self.step(path, "erase")
            self.assertEqual(gone.status, 200, gone)
            self.assertNotIn(b"Quiet Way", gone.raw)
        daemon.kill()
        daemon.start()
        self.client = daemon.client()
        self.addCleanup(self.client.close)
        seen = self.client.get(path)
        self.assertNotIn(b"Quiet Way", seen.raw)
        self.assertEqual(Decimal(seen.json["total"]["amount"]), 4)
        email = f"{self.shop.fresh('owner')}@example.org"
        user = self.client.post("/v1/users", {"email": email}, key=self.shop.fresh()).json["user_id"]
        owned = self.buy(self.product("4", "GBP"), 1, user_id=user, shipping_address=address)
        self.refused(self.client.post(f"{owned}/erase", {}, key=self.shop.fresh()), 409, "of_a_user")
        self.client.call("DELETE", f"/v1/users/{user}", key=self.shop.fresh())
        self.assertEqual((self.client.get(f"/v1/users/{user}").status, self.client.get(f"/v1/users/{user}/orders").status),
                         (404, 404))

    def test_the_country_of_a_sale_is_that_of_its_time(self):
        email = f"{self.shop.fresh('mover')}@example.org"
        user = self.client.post("/v1/users", {"email": email, "country": "SE"}, key=self.shop.fresh()).json["user_id"]
        self.buy(self.product("3", "SEK"), 1, user_id=user)
        self.client.call("PATCH", f"/v1/users/{user}", {"country": "NO"}, key=self.shop.fresh())
        self.buy(self.product("5", "SEK"), 1, user_id=user)

        def by_country():
            rows = self.client.get("/v1/analytics/sales?group_by=country&currency=SEK").json["rows"]
            return {row["country"]: row["revenue"]["amount"] for row in rows}

        self.assertEqual(eventually(by_country, lambda now: len(now) == 2), {"SE": "3.00", "NO": "5.00"})


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""The outer contract, spoken to the real daemon: the whole life of an order, refusals, keys, versions."""
import threading
import time
import unittest
from decimal import Decimal

from souk_client import Daemon, Shop, eventually, money, sku_path

daemon = Daemon()


def setUpModule():
    daemon.start()


def tearDownModule():
    status = daemon.stop()
    log = daemon.log()
    daemon.__exit__()
    if status != 0 or "[error]" in log:
        raise AssertionError(f"soukd ended with {status}; its log: {log[-2000:]}")


class Contract(unittest.TestCase):
    def setUp(self):
        self.client = daemon.client()
        self.shop = Shop(self.client)
        self.addCleanup(self.client.close)

    def problem(self, answer, status, code):
        self.assertEqual(answer.status, status, answer)
        self.assertTrue(answer.headers["content-type"].startswith("application/problem+json"), answer.headers)
        said = answer.json
        self.assertEqual((said["status"], said["code"]), (status, code), answer)
        for member in ("type", "title", "detail"):
            self.assertTrue(said[member], answer)
        return said

    def amount(self, value, wanted):
        self.assertEqual(Decimal(value["amount"]), Decimal(wanted), value)


class Orders(Contract):
    def test_an_order_lives_from_cart_to_return(self):
        shop = self.shop
        sku = shop.product(stock=5, price="12.345")
        cart = shop.cart()
        added = shop.add(cart, sku, 2)
        self.assertEqual(added.status, 200, added)
        self.amount(added.json["total"], "24.69")
        self.assertRegex(added.headers["etag"], r'^"\d+"$')
        self.assertTrue(added.headers["souk-position"])
        again = shop.add(cart, sku, 1).json
        self.assertEqual([line["quantity"] for line in again["lines"]], [3])
        path = f"/v1/carts/{cart}/items/{sku}"
        self.assertEqual(self.client.put(path, {"quantity": 4}, key=shop.fresh()).json["lines"][0]["quantity"], 4)

        key = shop.fresh("checkout")
        bought = shop.check_out(cart, key=key)
        self.assertEqual((bought.status, bought.json["status"]), (200, "confirmed"), bought)
        repeat = shop.check_out(cart, key=key)
        self.assertEqual((repeat.status, repeat.raw), (bought.status, bought.raw))
        self.assertEqual(repeat.headers.get("idempotent-replay"), "true")

        order_id = bought.json["order_id"]
        order = shop.order(order_id)
        self.assertEqual((order["order_id"], order["cart_id"]), (order_id, cart))
        self.assertEqual([(line["sku"], line["quantity"]) for line in order["lines"]], [(sku, 4)])
        self.amount(order["total"], "49.38")
        self.assertEqual(order["payment"]["status"], "captured", order)
        self.assertTrue(all(step["at"].endswith("Z") and step["event"] for step in order["history"]), order)
        self.assertEqual(shop.figures(sku), (1, 0, 1))
        self.problem(shop.add(cart, sku), 409, "cart_closed")
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").json["status"], "ordered")

        paid = self.client.get(f"/v1/payments/{order_id}",
                               headers={"Souk-Min-Position": bought.headers["souk-position"]}).json
        for member, amount in (("captured", "49.38"), ("refunded", "0"), ("voided", "0")):
            self.amount(paid[member], amount)
        for step, status in (("ship", "shipped"), ("deliver", "delivered"), ("return", "returned")):
            done = self.client.post(f"/v1/orders/{order_id}/{step}", {}, key=shop.fresh())
            self.assertEqual((done.status, done.json["status"]), (200, status), done)
            twice = self.client.post(f"/v1/orders/{order_id}/{step}", {}, key=shop.fresh())
            self.assertIn(status, self.problem(twice, 409, "illegal_state")["detail"])
        refunded = eventually(lambda: self.client.get(f"/v1/payments/{order_id}").json["refunded"],
                              lambda amount: Decimal(amount["amount"]) > 0)
        self.amount(refunded, "49.38")
        self.assertEqual(shop.figures(sku), (1, 0, 1), "nobody said that the goods can be sold again")

    def test_returned_lines_that_are_named_go_back_on_sale(self):
        shop = self.shop
        sku = shop.product(stock=5, price="2")
        cart = shop.cart()
        shop.add(cart, sku, 3)
        path = f"/v1/orders/{shop.check_out(cart).json['order_id']}"
        for step in ("ship", "deliver"):
            shop.expect(self.client.post(f"{path}/{step}", {}, key=shop.fresh()), 200)
        some = {"lines": [{"sku": sku, "quantity": 2}]}
        shop.expect(self.client.post(f"{path}/return", some, key=shop.fresh()), 200)
        back = eventually(lambda: shop.figures(sku), lambda figures: figures == (4, 0, 4))
        self.assertEqual(back, (4, 0, 4))
        self.problem(self.client.post(f"{path}/return", some, key=shop.fresh()), 409, "return_too_large")
        record = f"/v1/payments/{path.rsplit('/', 1)[1]}"
        paid = eventually(lambda: self.client.get(record).json, lambda p: Decimal(p["refunded"]["amount"]) == 4)
        self.amount(paid["refunded"], "4")

    def test_a_cancelled_order_gives_back_stock_and_money(self):
        shop = self.shop
        sku = shop.product(stock=3, price="7")
        bought = self.client.post("/v1/orders?wait=final", {
            "lines": [{"sku": sku, "quantity": 2}], "payment": {"method": "simulated"}}, key=shop.fresh())
        self.assertEqual(bought.json["status"], "confirmed", bought)
        order_id = bought.json["order_id"]
        done = self.client.post(f"/v1/orders/{order_id}/cancel", {}, key=shop.fresh())
        self.assertEqual((done.status, done.json["status"]), (200, "cancelled"), done)
        paid = eventually(lambda: self.client.get(f"/v1/payments/{order_id}").json,
                          lambda p: Decimal(p["captured"]["amount"]) == Decimal(p["refunded"]["amount"]))
        self.assertEqual(Decimal(paid["captured"]["amount"]), Decimal(paid["refunded"]["amount"]), paid)
        back = eventually(lambda: shop.figures(sku), lambda figures: figures == (3, 0, 3))
        self.assertEqual(back, (3, 0, 3))

    def test_a_refund_is_bounded_by_what_was_captured(self):
        shop = self.shop
        sku = shop.product(price="10")
        cart = shop.cart()
        shop.add(cart, sku)
        path = f"/v1/orders/{shop.check_out(cart).json['order_id']}"
        self.assertEqual(self.client.post(f"{path}/refund", {"amount": money("4")}, key=shop.fresh()).status, 200)
        self.problem(self.client.post(f"{path}/refund", {"amount": money("6.01")}, key=shop.fresh()), 409,
                     "refund_too_large")
        self.assertEqual(self.client.post(f"{path}/refund", {"amount": money("6")}, key=shop.fresh()).status, 200)
        record = f"/v1/payments/{path.rsplit('/', 1)[1]}"
        paid = eventually(lambda: self.client.get(record).json, lambda p: Decimal(p["refunded"]["amount"]) == 10)
        self.amount(paid["refunded"], "10")

    def test_a_rejected_order_holds_nothing_and_leaves_its_cart_open(self):
        shop = self.shop
        sku = shop.product(stock=1)
        cart = shop.cart()
        shop.add(cart, sku, 2)
        bought = shop.check_out(cart)
        self.assertEqual((bought.json["status"], bought.json["reason"]), ("rejected", "out_of_stock"), bought)
        self.assertEqual(shop.figures(sku), (1, 0, 1))
        seen = self.client.get(f"/v1/carts/{cart}").json
        self.assertEqual((seen["status"], seen["lines"][0]["quantity"]), ("open", 2))
        self.client.put(f"/v1/carts/{cart}/items/{sku}", {"quantity": 1}, key=shop.fresh())
        self.assertEqual(shop.check_out(cart).json["status"], "confirmed", "and it can be tried again")

    def test_the_provider_and_the_order_agree_whatever_the_provider_does(self):
        for token, status in (("decline", "rejected"), ("slow:250", "confirmed"), ("lost:100", None),
                              ("twice", "confirmed"), ("error:2", "confirmed")):
            with self.subTest(token=token):
                shop = self.shop
                sku = shop.product(stock=3, price="1.10")
                cart = shop.cart()
                shop.add(cart, sku)
                order = shop.order(shop.check_out(cart, token).json["order_id"], seconds=60)
                self.assertIn(order["status"], [status] if status else ["confirmed", "rejected"], order)
                sold = 1 if order["status"] == "confirmed" else 0

                def kept(order_id=order["order_id"]):
                    record = self.client.get(f"/v1/payments/{order_id}").json
                    return Decimal(record["captured"]["amount"]) - Decimal(record["refunded"]["amount"])

                self.assertEqual(eventually(kept, lambda k: k == Decimal("1.10") * sold), Decimal("1.10") * sold)
                self.assertEqual(shop.figures(sku), (3 - sold, 0, 3 - sold))

    def test_a_price_that_changed_rejects_and_shows_in_the_cart(self):
        shop = self.shop
        sku = shop.product(price="5")
        cart = shop.cart()
        shop.add(cart, sku)
        self.client.put(f"/v1/products/{sku}", {"name": "dearer", "price": money("6")})
        bought = shop.check_out(cart).json
        self.assertEqual((bought["status"], bought["reason"]), ("rejected", "price_changed"))
        self.amount(self.client.get(f"/v1/carts/{cart}").json["total"], "6")
        self.assertEqual(shop.check_out(cart).json["status"], "confirmed")

    def test_a_merchants_price_is_a_line_of_its_own_and_stays(self):
        shop = self.shop
        sku = shop.product(price="5")
        cart = shop.cart()
        shop.add(cart, sku, 1)
        both = shop.add(cart, sku, 2, unit_price=money("3.5")).json
        self.assertEqual(len(both["lines"]), 2, both)
        self.amount(both["total"], "12")
        self.assertEqual(shop.check_out(cart).json["status"], "confirmed")

    def test_the_last_piece_is_sold_once(self):
        shop = self.shop
        sku, won = shop.product(stock=1), []
        carts = [shop.cart() for _ in range(12)]
        for cart in carts:
            shop.add(cart, sku)

        def buy(cart):
            client = daemon.client()
            said = client.post(f"/v1/carts/{cart}/checkout?wait=final", {"payment": {"method": "simulated"}},
                               key=f"last-{cart}")
            won.append(said.json["status"])
            client.close()

        buyers = [threading.Thread(target=buy, args=(cart,)) for cart in carts]
        for buyer in buyers:
            buyer.start()
        for buyer in buyers:
            buyer.join()
        self.assertEqual(sorted(won), ["confirmed"] + ["rejected"] * 11)
        self.assertEqual(shop.figures(sku), (0, 0, 0))


class Refusals(Contract):
    def test_an_empty_cart_cannot_check_out(self):
        self.problem(self.shop.check_out(self.shop.cart()), 409, "cart_empty")

    def test_products_that_are_unknown_or_off_sale_are_not_added(self):
        shop = self.shop
        self.problem(shop.add(shop.cart(), shop.fresh("nosuch")), 409, "unknown_product")
        sku = shop.product()
        gone = self.client.call("DELETE", f"/v1/products/{sku}", key=shop.fresh())
        self.assertEqual(gone.status, 200, gone)
        self.problem(shop.add(shop.cart(), sku), 409, "inactive_product")
        self.assertIs(self.client.get(f"/v1/products/{sku}").json["active"], False)

    def test_stock_cannot_be_adjusted_below_nothing(self):
        shop = self.shop
        sku = shop.product(stock=2)
        path = f"/v1/inventory/{sku}/adjust"
        self.problem(self.client.post(path, {"delta": -3, "reason": "broken"}, key=shop.fresh()), 409, "out_of_stock")
        self.assertEqual(self.client.post(path, {"delta": -2, "reason": "broken"}, key=shop.fresh()).status, 200)
        self.assertEqual(shop.figures(sku), (0, 0, 0))

    def test_a_refusal_is_an_answer_and_is_replayed(self):
        shop = self.shop
        cart, key = shop.cart(), shop.fresh()
        first = shop.check_out(cart, key=key)
        self.problem(first, 409, "cart_empty")
        shop.add(cart, shop.product())
        again = shop.check_out(cart, key=key)
        self.assertEqual((again.status, again.raw), (409, first.raw))
        self.assertEqual(again.headers.get("idempotent-replay"), "true")


class KeysAndVersions(Contract):
    def test_a_repeat_gets_the_first_answer_byte_for_byte(self):
        shop = self.shop
        sku, cart, key = shop.product(), shop.cart(), shop.fresh()
        first = shop.add(cart, sku, key=key)
        shop.add(cart, sku, 5)
        again = shop.add(cart, sku, key=key)
        self.assertEqual((again.status, again.raw), (first.status, first.raw))
        self.assertEqual(again.headers.get("idempotent-replay"), "true")
        self.assertNotIn("idempotent-replay", first.headers)
        self.problem(shop.add(cart, sku, 2, key=key), 422, "idempotency_conflict")
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").json["lines"][0]["quantity"], 6)

    def test_a_key_makes_one_cart_and_one_user(self):
        key = self.shop.fresh()
        carts = [self.client.post("/v1/carts", {}, key=key) for _ in range(2)]
        self.assertEqual(carts[0].json["cart_id"], carts[1].json["cart_id"])
        body = {"email": f"{key}@example.org"}
        users = [self.client.post("/v1/users", body, key=key) for _ in range(2)]
        self.assertEqual([user.status for user in users], [201, 201])
        self.assertEqual(users[0].json["user_id"], users[1].json["user_id"])

    def test_many_at_once_with_one_key_take_effect_once(self):
        shop = self.shop
        sku, cart, key, seen = shop.product(), shop.cart(), shop.fresh(), []

        def add():
            client = daemon.client()
            seen.append(Shop(client).add(cart, sku, 3, key=key).raw)
            client.close()

        threads = [threading.Thread(target=add) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(seen), len(set(seen))), (16, 1))
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").json["lines"][0]["quantity"], 3)

    def test_if_match_guards_a_change(self):
        shop = self.shop
        sku, cart = shop.product(), shop.cart()
        etag = shop.add(cart, sku).headers["etag"]
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").headers["etag"], etag)
        self.assertEqual(shop.add(cart, sku, headers={"If-Match": etag}).status, 200)
        self.problem(shop.add(cart, sku, headers={"If-Match": etag}), 412, "version_mismatch")
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").json["lines"][0]["quantity"], 2)

    def test_a_product_is_not_modified_until_it_or_its_stock_is(self):
        shop = self.shop
        sku = shop.product(stock=5)
        path = f"/v1/products/{sku}"

        def again(tag):
            return self.client.get(path, headers={"If-None-Match": tag})

        before = self.client.get(path)
        self.assertEqual((again(before.headers["etag"]).status, again(before.headers["etag"]).raw), (304, b""))
        self.client.post(f"/v1/inventory/{sku}/receive", {"quantity": 1}, key=shop.fresh())
        after = again(before.headers["etag"])
        self.assertEqual((after.status, after.json["available"]), (200, 6))
        self.assertEqual(again(after.headers["etag"]).status, 304)
        product = {"name": "Changed", "price": {"amount": "1.00", "currency": "GBP"}}
        for status in (200, 412):  # sales and arrivals do not stand in the way, changes do
            said = self.client.put(path, product | {"name": f"Changed {status}"}, key=shop.fresh(),
                                   headers={"If-Match": before.headers["etag"]})
            self.assertEqual(said.status, status)
        self.assertEqual(again(after.headers["etag"]).status, 200)

    def test_a_client_reads_its_own_write_by_its_position(self):
        shop = self.shop
        sku, cart = shop.product(), shop.cart()
        position = shop.add(cart, sku).headers["souk-position"]
        seen = self.client.get(f"/v1/carts/{cart}", headers={"Souk-Min-Position": position})
        self.assertEqual((seen.status, len(seen.json["lines"])), (200, 1), seen)
        shard, _, sequence = position.partition(":")
        later = {"Souk-Min-Position": f"{shard}:{int(sequence) + 1}"}
        waited = []

        def wait():
            client = daemon.client()
            waited.append(client.get(f"/v1/carts/{cart}", headers=later))

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.2)
        self.assertEqual(waited, [], "it waits for what is not there yet")
        shop.add(cart, sku)
        waiting.join()
        self.assertEqual((waited[0].status, waited[0].json["lines"][0]["quantity"]), (200, 2), waited)
        far = {"Souk-Min-Position": f"{shard}:{int(sequence) + 1_000_000}"}
        self.problem(self.client.get(f"/v1/carts/{cart}", headers=far), 504, "position_not_reached")
        bought = shop.check_out(cart)
        shard, _, sequence = bought.headers["souk-position"].partition(",")[0].partition(":")
        record = f"/v1/payments/{bought.json['order_id']}"
        far = {"Souk-Min-Position": f"{shard}:{int(sequence) + 1_000_000}"}
        self.problem(self.client.get(record, headers=far), 504, "position_not_reached")
        self.problem(self.client.get(record, headers={"Souk-Min-Position": "soon"}), 422, "invalid_request")

    def test_minimal_answers_have_no_body(self):
        shop = self.shop
        said = shop.add(shop.cart(), shop.product(), headers={"Prefer": "return=minimal"})
        self.assertEqual((said.status, said.raw), (204, b""))
        self.assertTrue(said.headers["etag"] and said.headers["souk-position"])


class People(Contract):
    def test_a_user_reads_back_as_written_and_owns_an_email_alone(self):
        shop = self.shop
        email = f"{shop.fresh('zoe')}@example.org"
        made = self.client.post("/v1/users", {"email": email, "name": "Zoë 🐙", "country": "GB"}, key=shop.fresh())
        path = f"/v1/users/{shop.expect(made, 201).json['user_id']}"
        seen = self.client.get(path).json
        self.assertEqual((seen["email"], seen["name"], seen["country"]), (email, "Zoë 🐙", "GB"))
        self.problem(self.client.post("/v1/users", {"email": email}, key=shop.fresh()), 409, "email_taken")
        changed = self.client.call("PATCH", path, {"name": "Zoe"}, key=shop.fresh())
        self.assertEqual((changed.status, changed.json["name"]), (200, "Zoe"), changed)

    def test_a_users_orders_are_listed(self):
        shop = self.shop
        made = self.client.post("/v1/users", {"email": f"{shop.fresh('u')}@example.org"}, key=shop.fresh())
        user = made.json["user_id"]
        cart = shop.cart(user_id=user)
        shop.add(cart, shop.product())
        order_id = shop.check_out(cart).json["order_id"]
        listed = eventually(lambda: self.client.get(f"/v1/users/{user}/orders").json["orders"], bool)
        self.assertEqual([order["order_id"] for order in listed], [order_id])

    def test_an_erased_person_cannot_be_read_and_amounts_stay(self):
        shop = self.shop
        email = f"{shop.fresh('gone')}@example.org"
        user = self.client.post("/v1/users", {"email": email, "name": "Gone Soon"}, key=shop.fresh()).json["user_id"]
        cart = shop.cart(user_id=user)
        shop.add(cart, shop.product(price="3"))
        order_id = shop.check_out(cart).json["order_id"]
        self.assertEqual(self.client.call("DELETE", f"/v1/users/{user}", key=shop.fresh()).status, 204)
        seen = eventually(lambda: self.client.get(f"/v1/users/{user}"), lambda a: b"Gone Soon" not in a.raw)
        self.assertNotIn(b"Gone Soon", seen.raw)
        self.assertNotIn(email.encode(), seen.raw)
        self.amount(self.client.get(f"/v1/orders/{order_id}").json["total"], "3")
        again = eventually(lambda: self.client.post("/v1/users", {"email": email}, key=shop.fresh()),
                           lambda a: a.status == 201)
        self.assertEqual(again.status, 201, "and the address is free again")


class Skus(Contract):
    def test_odd_but_legal_skus_are_kept_byte_by_byte(self):
        mark = self.shop.fresh("")[:12]
        for sku in (f"BANK CHARGES{mark}", f"ä£{mark}", f"85123a{mark}", f"85123A{mark}", f"%41{mark}",
                    f"a+b?#&{mark}", "x" * (64 - len(mark)) + mark):
            with self.subTest(sku=sku):
                self.shop.product(stock=1, sku=sku)
                seen = self.client.get(f"/v1/products/{sku_path(sku)}")
                self.assertEqual((seen.status, seen.json["sku"], seen.json["available"]), (200, sku, 1), seen)


if __name__ == "__main__":
    unittest.main(verbosity=2)

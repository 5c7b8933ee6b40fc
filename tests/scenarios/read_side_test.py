#!/usr/bin/env python3
"""The read models against a real daemon: what is found and what is summed up agrees with what was done, at once where
it is asked for; SQL reads and does nothing else; rebuilds, pauses and kills change no figure."""
import collections
import csv
import glob
import io
import json
import os
import subprocess
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from urllib.parse import urlencode

from souk_client import CLEAN_ENVIRONMENT, LOST, PATIENCE, Daemon, Shop, binary, eventually

MODELS = ("analytics", "search")


def souk(daemon, *words, stdin=None, seconds=60):
    return subprocess.run([binary("souk"), "--url", f"http://{daemon.address}", *words], capture_output=True, text=True,
                          timeout=seconds * PATIENCE, env=CLEAN_ENVIRONMENT, check=False, input=stdin)


def ask(client, path, at=None, headers=None, **parameters):
    sent = dict(headers or {})
    if at:
        sent["Souk-Min-Position"] = at
    return client.get(path + ("?" + urlencode(parameters) if parameters else ""), headers=sent)


def sql(client, statement, **parameters):
    return ask(client, "/v1/sql", q=statement, **parameters)


def cell(client, statement, at=None):
    answer = ask(client, "/v1/sql", at=at, q=statement)
    assert answer.status == 200, answer
    return answer.json["rows"][0][0]


def states(client):
    return {model["name"]: model for model in client.get("/v1/projections").json["projections"]}


def all_live(client):
    return eventually(lambda: states(client), lambda now: all(
        now[name]["state"] == "live" and now[name]["lag_events"] == 0 and "rebuild" not in now[name]
        for name in MODELS), 60)


def mend(client, name, verb, **parameters):
    return client.post(f"/v1/projections/{name}/{verb}" + ("?" + urlencode(parameters) if parameters else ""))


def figures(client):
    """What both models answer, but for where they stand."""
    said = {}
    for path in ("/v1/analytics/sales", "/v1/analytics/sales?group_by=product&limit=1000", "/v1/analytics/customers",
                 "/v1/analytics/funnel", "/v1/analytics/cohorts", "/v1/analytics/lost-sales",
                 "/v1/analytics/stock?sort=sku&limit=1000", "/v1/analytics/basket-pairs",
                 "/v1/analytics/abandoned?idle_since=2100-01-01", "/v1/search?limit=100&sort=name&facets=brand,category,price"):
        answer = client.get(path)
        assert answer.status == 200, (path, answer)
        said[path] = answer.json
        del said[path]["position"]
        said[path].pop("cursor", None)
    return said


class Load:
    """Customers who buy for as long as the block lasts."""

    def __init__(self, daemon, customers=3):
        self.daemon, self.ending, self.bought = daemon, threading.Event(), 0
        self._threads = [threading.Thread(target=self._customer) for _ in range(customers)]

    def _customer(self):
        shop = Shop(self.daemon.client())
        try:
            sku = shop.product(stock=1_000_000)
            while not self.ending.is_set():
                cart = shop.cart()
                shop.add(cart, sku)
                if shop.check_out(cart).status == 200:
                    self.bought += 1
        except (*LOST, AssertionError):  # it was killed
            return

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self._threads:
            thread.join()


class GeneratedShop(unittest.TestCase):
    """A generated shop, and everything that can be asked of it."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--shards", "8").start()
        cls.addClassCleanup(cls.daemon.__exit__)
        made = souk(cls.daemon, "generate", "--products", "60", "--users", "30", "--orders", "120", "--seed", "5")
        assert made.returncode == 0, made
        cls.client = cls.daemon.client()
        all_live(cls.client)
        ids = [row[0] for row in sql(cls.client, "SELECT DISTINCT entity FROM events WHERE type='order_placed'",
                                     limit=10_000).json["rows"]]
        cls.orders = [cls.client.get(f"/v1/orders/{i}").json for i in ids]

    def sold(self):
        """Of the documents of orders: confirmed once, whatever became of them later."""
        return [o for o in self.orders if any(step["event"] == "confirmed" for step in o["history"])]

    def test_search_finds_what_the_catalogue_has(self):
        products = [self.client.get(f"/v1/products/{row[0]}").json
                    for row in sql(self.client, "SELECT sku FROM products").json["rows"]]
        self.assertEqual(len(products), 60)
        brand = collections.Counter(p["brand"] for p in products).most_common(1)[0]
        found = ask(self.client, "/v1/search", brand=brand[0], facets="brand,price,in_stock", limit=100).json
        self.assertEqual((found["total"], len(found["hits"])), (brand[1], brand[1]))
        self.assertEqual(found["facets"]["brand"], [{"value": brand[0], "count": brand[1]}])
        self.assertEqual(sum(band["count"] for band in found["facets"]["price"]), brand[1])
        cheap = sorted(p["sku"] for p in products if Decimal("10") <= Decimal(p["price"]["amount"]) <= Decimal("25"))
        found = ask(self.client, "/v1/search", price_min="10", price_max="25", limit=100, sort="price").json
        self.assertEqual(sorted(hit["sku"] for hit in found["hits"]), cheap)
        prices = [Decimal(hit["price"]["amount"]) for hit in found["hits"]]
        self.assertEqual(prices, sorted(prices))
        some = products[7]
        best = ask(self.client, "/v1/search", q=some["name"]).json["hits"][0]
        self.assertEqual(best["name"], some["name"])
        word = some["name"].split()[0]
        texts = [s["text"].lower() for s in ask(self.client, "/v1/suggest", q=word[:4].lower()).json["suggestions"]]
        self.assertTrue(any(word.lower() in text for text in texts), (word, texts))
        pages, cursor = [], {}
        while True:
            page = ask(self.client, "/v1/search", sort="name", limit=25, **cursor).json
            pages += [hit["sku"] for hit in page["hits"]]
            if "cursor" not in page:
                break
            cursor = {"cursor": page["cursor"]}
        self.assertEqual(sorted(pages), sorted(p["sku"] for p in products))

    def test_sales_are_the_orders(self):
        sold, total = self.sold(), ask(self.client, "/v1/analytics/sales").json["total"]
        self.assertGreaterEqual(len(sold), 100)
        self.assertEqual(total["orders"], len(sold))
        self.assertEqual(total["lines"], sum(len(o["lines"]) for o in sold))
        self.assertEqual(total["quantity"], sum(line["quantity"] for o in sold for line in o["lines"]))
        self.assertEqual(Decimal(total["revenue"]["amount"]), sum(Decimal(o["total"]["amount"]) for o in sold))
        by_sku = collections.Counter()
        for order in sold:
            for line in order["lines"]:
                by_sku[line["sku"]] += line["quantity"]
        rows = ask(self.client, "/v1/analytics/sales", group_by="product", limit=1000).json["rows"]
        self.assertEqual({row["product"]: row["quantity"] for row in rows if row["quantity"]}, dict(by_sku))
        buyers = collections.Counter(o["user_id"] for o in sold if "user_id" in o)
        customers = ask(self.client, "/v1/analytics/customers", limit=1000).json
        self.assertEqual({row["customer"]: row["orders"] for row in customers["rows"]},
                         {user: count for user, count in buyers.items() if count > 1})
        self.assertEqual(customers["summary"]["buyers"], len(buyers))
        funnel = ask(self.client, "/v1/analytics/funnel").json["rows"]
        self.assertEqual([row["step"] for row in funnel], ["opened", "filled", "checked_out", "paid"])
        self.assertEqual(funnel[3]["carts"], sum(1 for o in sold if "cart_id" in o))
        rejected = collections.Counter(o["reason"] for o in self.orders if o["status"] == "rejected")
        lost = ask(self.client, "/v1/analytics/lost-sales").json["rows"]
        self.assertEqual({row["reason"]: row["orders"] for row in lost}, dict(rejected))
        for row in ask(self.client, "/v1/analytics/stock", limit=1000).json["rows"][:10]:
            figures_now = self.client.get(f"/v1/inventory/{row['sku']}").json
            self.assertEqual((row["on_hand"], row["available"]), (figures_now["on_hand"], figures_now["available"]))
        self.assertEqual(cell(self.client, "SELECT sum(revenue_micros) FROM sales_by_month"),
                         int(Decimal(total["revenue"]["amount"]) * 1_000_000))

    def test_sql_answers_in_json_and_csv_and_tells_its_tables(self):
        tables = self.client.get("/v1/sql/tables").json["tables"]
        for table in tables:
            answer = sql(self.client, f"SELECT * FROM {table['name']}", limit=1).json
            self.assertEqual(answer["columns"], [column["name"] for column in table["columns"]], table["name"])
        text = ask(self.client, "/v1/sql", headers={"Accept": "text/csv"}, q="SELECT sku, name FROM products", limit=7)
        self.assertEqual((text.headers["content-type"], text.headers.get("souk-truncated")),
                         ("text/csv; charset=utf-8", "true"))
        rows = list(csv.reader(io.StringIO(text.raw.decode())))
        self.assertEqual((rows[0], len(rows)), (["sku", "name"], 8))

    def test_harmful_sql_is_refused_or_cut_off_and_harms_nobody(self):
        before = figures(self.client)
        refused = (
            "PRAGMA user_version", "PRAGMA writable_schema=1", "ATTACH '/tmp/other.sqlite' AS other", "DETACH main",
            "INSERT INTO orders(id) VALUES('x')", "DELETE FROM order_row", "UPDATE order_row SET value=0",
            "DROP TABLE order_row", "CREATE TABLE t(x)", "CREATE TEMP TABLE t(x)", "VACUUM INTO '/tmp/souk-copy'",
            "BEGIN", "SAVEPOINT s", "SELECT load_extension('/tmp/evil.so')", "SELECT randomblob(1000000000)",
            "SELECT zeroblob(2000000000)", "SELECT readfile('/etc/passwd')", "SELECT writefile('/tmp/x','y')",
            "SELECT * FROM sqlite_master", "SELECT * FROM meta", "SELECT * FROM order_row", "SELECT 1; DROP TABLE order_row",
            "SELECT replace(printf('%900000d', 1), ' ', printf('%900000d', 1))",
            "SELECT printf('%2000000000d', 1)", "SELECT printf('%.*c', 2000000000, 'x')",
            "SELECT ?", "nonsense", "", "-- nothing", "SELECT " + "(" * 2_000 + "1" + ")" * 2_000)
        for statement in refused:
            with self.subTest(statement[:60]):
                answer = sql(self.client, statement)
                self.assertEqual(answer.status, 422, answer)
                self.assertEqual(answer.headers["content-type"], "application/problem+json")
                self.assertTrue(answer.json["detail"])
        self.assertFalse(os.path.exists("/tmp/souk-copy"))
        endless = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n",
                   "SELECT count(*) FROM events a, events b, events c, events d",
                   "SELECT count(*) FROM order_lines a, order_lines b, order_lines c, order_lines d, order_lines e",
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT group_concat(i) FROM n",
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n ORDER BY -i")
        with ThreadPoolExecutor(12) as pool:
            began = time.monotonic()
            asked = [pool.submit(lambda q: sql(self.daemon.client(timeout=60), q), q) for q in (*endless, *endless, *endless)]
            time.sleep(0.5)
            worst = 0.0
            for _ in range(20):
                at = time.monotonic()
                self.assertEqual(ask(self.client, "/v1/search", q="set").status, 200)
                self.assertEqual(ask(self.client, "/v1/analytics/sales").status, 200)
                worst = max(worst, time.monotonic() - at)
            answers = [one.result() for one in asked]
        self.assertLess(worst, 2 * PATIENCE, "and nobody else waits for them")
        self.assertLess(time.monotonic() - began, 60 * PATIENCE)
        codes = collections.Counter((a.status, a.json["code"]) for a in answers)
        self.assertLessEqual(set(codes), {(422, "query_too_long"), (422, "query_too_large"), (429, "too_many_requests")})
        self.assertGreater(codes[(429, "too_many_requests")], 0, codes)
        self.assertGreater(codes[(422, "query_too_long")], 0, codes)
        self.assertEqual(figures(self.client), before)

    def test_the_command_line_shows_it_all(self):
        def shown(*words, **options):
            ran = souk(self.daemon, *words, **options)
            self.assertEqual(ran.returncode, 0, ran)
            return ran.stdout

        total = ask(self.client, "/v1/analytics/sales").json["total"]
        self.assertRegex(shown("sales"), rf"(?m)^total +{total['orders']} .* {total['revenue']['amount']} ")
        self.assertEqual(json.loads(shown("sales", "--json"))["total"], total)
        product = shown("sales", "--group-by", "product", "--sort=-revenue", "--limit", "3")
        self.assertRegex(product, r"^PRODUCT +ORDERS +LINES +QUANTITY +REVENUE GBP +RETURNED GBP\n")
        for report, column in (("customers", "CUSTOMER"), ("funnel", "STEP"), ("cohorts", "COHORT"), ("pairs", "A "),
                               ("stock", "SKU"), ("lost-sales", "REASON")):
            self.assertTrue(shown("report", report).startswith(column), report)
        self.assertIn("CART", shown("report", "abandoned", "--idle-since", "2100-01-01"))
        self.assertEqual(shown("report", "abandoned", "--idle-since", "2000-01-01").splitlines()[0], "Nothing.")
        self.assertIn("60 found", shown("search", "--limit", "1"))
        some = ask(self.client, "/v1/search", q="set").json["hits"][0]
        self.assertIn(some["sku"], shown("search", *some["name"].split(), "--in-stock", "--facets", "brand,price"))
        self.assertIn("words", shown("suggest", some["name"].split()[0].lower()[:4]))
        self.assertRegex(shown("sql", "SELECT 'tea' AS word, 12 AS number, NULL AS nought"),
                         r"^word  number  nought\ntea       12  -\n$")
        self.assertEqual(shown("sql", "-", "--csv", stdin="SELECT 'a,b' AS x, 1.5 AS y"), 'x,y\n"a,b",1.5\n')
        self.assertEqual(json.loads(shown("sql", "SELECT 1", "--json"))["rows"], [[1]])
        self.assertIn("quantity", shown("sql", "--tables"))
        cut = souk(self.daemon, "sql", "SELECT id FROM orders", "--limit", "2")
        self.assertEqual((cut.returncode, len(cut.stdout.splitlines())), (0, 3))
        self.assertIn("more rows", cut.stderr)
        wrong = souk(self.daemon, "sql", "SELECT * FROM nowhere")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("no such table: nowhere", wrong.stderr)
        for words, code in ((("sql",), 2), (("sql", "SELECT 1", "--limit", "0"), 1), (("report",), 2),
                            (("report", "nothing"), 2), (("sales", "--group-by", "colour"), 2),
                            (("sales", "--from", "yesterday"), 1), (("search", "--price-min", "cheap"), 1),
                            (("projections", "pause", "nothing"), 1)):
            self.assertEqual(souk(self.daemon, *words).returncode, code, words)
        for verb in (("sql",), ("search",), ("suggest",), ("sales",), ("report", "funnel"), ("projections", "rebuild")):
            self.assertIn("Examples:", shown(*verb, "--help"))
        for shell in ("bash", "zsh", "fish"):
            script = shown("completions", shell)
            for word in ("lost-sales", "facets", "projections rebuild", "tables"):
                self.assertIn(word, script, shell)


class OwnWrites(unittest.TestCase):
    def test_a_question_with_the_position_of_a_write_sees_it(self):
        with Daemon("--shards", "16") as daemon:
            shop = Shop(daemon.client())
            orders = revenue = 0
            for number in range(30):
                price = Decimal(number + 1)
                sku = shop.product(stock=5, price=price)
                named = shop.expect(shop.client.put(f"/v1/products/{sku}", {
                    "name": f"Unique{number}", "price": {"amount": str(price), "currency": "GBP"}}), 200)
                found = ask(shop.client, "/v1/search", at=named.headers["souk-position"], q=f"unique{number}")
                self.assertEqual([hit["sku"] for hit in found.json["hits"]], [sku])
                self.assertEqual(cell(shop.client, f"SELECT name FROM products WHERE sku='{sku}'",
                                      at=named.headers["souk-position"]), f"Unique{number}")
                cart = shop.cart()
                shop.expect(shop.add(cart, sku, 2), 200)
                bought = shop.expect(shop.check_out(cart), 200)
                self.assertEqual(bought.json["status"], "confirmed")
                orders, revenue = orders + 1, revenue + 2 * price
                stock_shard = shop.client.get(f"/v1/inventory/{sku}").headers["souk-position"].split(":")[0]
                self.assertIn(stock_shard, [one.split(":")[0] for one in bought.headers["souk-position"].split(",")])
                left = ask(shop.client, "/v1/search", at=bought.headers["souk-position"], q=f"unique{number}")
                self.assertEqual(left.json["hits"][0]["available"], 3, "the stock's shard is in the position too")
                self.assertEqual(cell(shop.client, f"SELECT available FROM stock WHERE sku='{sku}'",
                                      at=bought.headers["souk-position"]), 3)
                both = named.headers["souk-position"] + "," + bought.headers["souk-position"]
                sales = ask(shop.client, "/v1/analytics/sales", at=both)
                self.assertEqual((sales.json["total"]["orders"], Decimal(sales.json["total"]["revenue"]["amount"])),
                                 (orders, revenue))
                reached = dict(one.split(":") for one in sales.json["position"].split(","))
                for one in bought.headers["souk-position"].split(","):
                    shard, seq = one.split(":")
                    self.assertGreaterEqual(int(reached[shard]), int(seq))
                stock = ask(shop.client, "/v1/analytics/stock", at=both, sort="sku").json["rows"]
                self.assertEqual(len(stock), orders)
            late = ask(shop.client, "/v1/analytics/funnel", at="3:1000000")
            self.assertEqual((late.status, late.json["code"]), (504, "position_not_reached"))
            self.assertEqual(ask(shop.client, "/v1/analytics/funnel", at="16:1").status, 422)


def spoil(file):
    """All but the first page, under whoever has it open."""
    with open(file, "r+b") as opened:
        size = os.fstat(opened.fileno()).st_size
        opened.seek(8192)
        opened.write(b"\xa5" * max(0, size - 8192))


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"


def workers(daemon):
    """The processes of SQL that this daemon has."""
    found = []
    for path in glob.glob(f"/proc/{daemon.process.pid}/task/*/children"):
        try:
            with open(path, encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
        except FileNotFoundError:
            pass
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class SqlProcesses(unittest.TestCase):
    """What strangers run ends with its own process, or with the daemon's, and nothing else does."""

    def test_one_that_is_killed_costs_its_own_query_alone(self):
        with Daemon("--shards", "4") as daemon:
            client = daemon.client()
            self.assertEqual(cell(client, "SELECT 1"), 1)
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(sql, daemon.client(timeout=60), ENDLESS)
                before = eventually(lambda: workers(daemon), bool)
                time.sleep(0.3)
                for pid in before:
                    os.kill(pid, 9)
                lost = asked.result()
            self.assertEqual((lost.status, lost.json["code"]), (422, "query_failed"))
            self.assertEqual(eventually(lambda: sql(client, "SELECT 1").status, lambda status: status == 200, 30), 200)
            shop = Shop(client)
            shop.product()
            self.assertEqual(daemon.stop(), 0)

    def test_a_query_that_runs_holds_up_no_end(self):
        with Daemon("--shards", "4") as daemon:
            cell(daemon.client(), "SELECT 1")
            with ThreadPoolExecutor(4) as pool:
                asked = [pool.submit(sql, daemon.client(timeout=60), ENDLESS) for _ in range(4)]
                time.sleep(0.5)
                those = workers(daemon)
                self.assertEqual(daemon.stop(), 0)
                for answer in (one.result() for one in asked):
                    self.assertEqual((answer.status, answer.json["code"]), (503, "unavailable"), "before its five seconds")
            self.assertEqual([pid for pid in those if alive(pid)], [])

    def test_no_process_outlives_a_daemon_that_is_killed(self):
        with Daemon("--shards", "4") as daemon:
            cell(daemon.client(), "SELECT 1")
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(sql, daemon.client(timeout=60), ENDLESS)
                time.sleep(0.3)
                those = workers(daemon)
                self.assertGreater(len(those), 0)
                daemon.kill()
                self.assertIsNotNone(asked.exception())
            self.assertEqual(eventually(lambda: [pid for pid in those if alive(pid)], lambda left: not left), [])

    def test_the_log_is_read_to_the_position_of_a_write(self):
        with Daemon("--shards", "4") as daemon:
            client = daemon.client()
            shop = Shop(client)
            for number in range(20):
                sku = shop.product(stock=0)
                there = shop.expect(client.put(f"/v1/products/{sku}", {
                    "name": f"N{number}", "price": {"amount": "1", "currency": "GBP"}}), 200)
                self.assertEqual(cell(client, f"SELECT count(*) FROM events WHERE entity='{sku}' AND data ->> '$.name'="
                                              f"'N{number}'", at=there.headers["souk-position"]), 1)
                self.assertEqual(cell(client, "SELECT count(*) FROM (SELECT shard, seq FROM events GROUP BY 1, 2 "
                                              "HAVING count(*) > 1)"), 0)


class Operators(unittest.TestCase):
    def totals(self, client):
        return ask(client, "/v1/analytics/sales").json["total"]["orders"]

    def figures_of_a_shop(self, daemon, products):
        made = souk(daemon, "generate", "--products", str(products), "--users", "50", "--orders", "800", "--seed", "9")
        self.assertEqual(made.returncode, 0, made)
        all_live(daemon.client())
        return figures(daemon.client())

    def test_pause_resume_rebuild_and_cancel_under_load(self):
        with Daemon("--shards", "8") as daemon:
            client = daemon.client()
            with Load(daemon) as load:
                eventually(lambda: load.bought, lambda bought: bought > 20)
                self.assertEqual(mend(client, "analytics", "pause").status, 200)
                self.assertEqual(states(client)["analytics"]["state"], "paused")
                held, bought = self.totals(client), load.bought
                eventually(lambda: load.bought, lambda now: now > bought + 20)
                self.assertEqual(self.totals(client), held, "it stands still, and answers")
                self.assertGreater(states(client)["analytics"]["lag_events"], 20)
                self.assertEqual(states(client)["search"]["state"], "live", "and the other one does not")
                self.assertEqual(mend(client, "analytics", "resume").status, 200)
                self.assertGreater(eventually(lambda: self.totals(client), lambda now: now > bought), bought)
                for name in MODELS:
                    self.assertEqual(mend(client, name, "cancel").status, 409, "there is nothing to cancel")
                    self.assertEqual(mend(client, name, "rebuild").status, 200)
                    ended = eventually(lambda: states(client)[name], lambda now: "rebuild" not in now, 60)
                    self.assertEqual(ended["last_rebuild"], "equal to the copy before", name)
                self.assertEqual(mend(client, "nothing", "rebuild").status, 404)
                self.assertEqual(mend(client, "search", "explode").status, 404)
                self.assertEqual(mend(client, "search", "skip", entity="nonsense").status, 422)
                self.assertEqual(mend(client, "search", "retry", entity="sku nothing").status, 409)
                cancelled = None
                for _ in range(20):  # a small one may be over before
                    mend(client, "analytics", "rebuild")
                    cancelled = mend(client, "analytics", "cancel")
                    if cancelled.status == 200:
                        break
                self.assertEqual(cancelled.status, 200, cancelled)
                self.assertEqual(states(client)["analytics"]["last_rebuild"], "cancelled")
            all_live(client)
            self.assertEqual(self.totals(client), load.bought)

    def test_the_command_line_mends_and_waits(self):
        with Daemon("--shards", "4") as daemon:
            shop = Shop(daemon.client())
            shop.product()
            for verb, state in (("pause", "paused"), ("resume", "live")):
                self.assertEqual(souk(daemon, "projections", verb, "search").returncode, 0)
                eventually(lambda: states(shop.client)["search"]["state"], lambda now: now == state)
                self.assertRegex(souk(daemon, "projections").stdout, rf"(?m)^search +{state} ")
            waited = souk(daemon, "projections", "rebuild", "search", "--wait")
            self.assertEqual((waited.returncode, waited.stdout, waited.stderr), (0, "equal to the copy before\n", ""))
            asked = souk(daemon, "projections", "rebuild", "analytics")
            self.assertEqual((asked.returncode, asked.stderr), (0, ""), "in a pipe it does not wait, and is quiet")
            eventually(lambda: states(shop.client)["analytics"], lambda now: "rebuild" not in now)
            self.assertEqual(souk(daemon, "projections", "cancel", "search").returncode, 1)
            self.assertEqual(len(json.loads(souk(daemon, "projections", "--json").stdout)["projections"]), 2)

    def test_damage_that_only_questions_meet_is_mended(self):
        with Daemon("--shards", "8") as daemon:
            before = self.figures_of_a_shop(daemon, products=400)
            self.assertEqual(daemon.stop(), 0)
            daemon.start()
            client = daemon.client()
            all_live(client)
            for file in glob.glob(os.path.join(daemon.data_dir, "projections", "*", "*", "analytics.*")) + \
                    glob.glob(os.path.join(daemon.data_dir, "projections", "*", "*", "products", "*.sst")):
                spoil(file)
            self.assertEqual(sql(client, "SELECT count(*) FROM order_lines").status, 503)
            self.assertEqual(ask(client, "/v1/search", q="red").status, 503)
            for name in MODELS:  # and nobody writes anything
                mended = eventually(lambda: states(client)[name], lambda now: "last_rebuild" in now, 60)
                self.assertRegex(mended["last_rebuild"], "not compared", name)
            all_live(client)
            self.assertEqual(figures(client), before)

    def test_a_kill_in_the_middle_of_a_rebuild_changes_no_figure(self):
        with Daemon("--shards", "8") as daemon:
            before = self.figures_of_a_shop(daemon, products=100)
            seen = 0
            for wait in (0.0, 0.03, 0.1):
                client = daemon.client()
                for name in MODELS:
                    self.assertEqual(mend(client, name, "rebuild").status, 200)
                time.sleep(wait)
                seen += any("rebuild" in model for model in states(client).values())
                daemon.kill()
                daemon.start()
                client = daemon.client()
                for name, model in all_live(client).items():
                    self.assertEqual((model["state"], model["lag_events"], model["stale"]), ("live", 0, []), name)
                self.assertEqual(figures(client), before)
            self.assertGreater(seen, 0, "none was under way when it was killed")
            for name in MODELS:
                mend(client, name, "rebuild")
                ended = eventually(lambda: states(client)[name], lambda now: "rebuild" not in now, 60)
                self.assertEqual(ended["last_rebuild"], "equal to the copy before")
            self.assertEqual(figures(client), before)


class Synonyms(unittest.TestCase):
    def test_a_file_of_synonyms_is_used_and_a_bad_one_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "synonyms.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write("# ours\nkettle, quasimodo\n")
            with Daemon("--search-synonyms", path) as daemon:
                shop = Shop(daemon.client())
                made = shop.expect(shop.client.put("/v1/products/K", {
                    "name": "Red kettle", "price": {"amount": "1", "currency": "GBP"}}), 201)
                found = ask(shop.client, "/v1/search", at=made.headers["souk-position"], q="quasimodo").json
                self.assertEqual([hit["sku"] for hit in found["hits"]], ["K"])
            for content, words in ((None, "cannot read"), ("sofa, , couch\n", "line 1")):
                bad = os.path.join(folder, "bad.txt")
                if content:
                    with open(bad, "w", encoding="utf-8") as file:
                        file.write(content)
                checked = subprocess.run([binary("soukd"), "--check-config", "--search-synonyms", bad],
                                         capture_output=True, text=True, timeout=20 * PATIENCE, env=CLEAN_ENVIRONMENT,
                                         cwd=folder, check=False)
                self.assertEqual(checked.returncode, 1)
                self.assertIn("search_synonyms", checked.stderr)
                self.assertIn(words, checked.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

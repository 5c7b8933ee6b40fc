"""The command line against a real daemon: imports go in once and exactly, also when importer and daemon
are killed halfway; generated shops and loads keep the promises; verbs exit as they say."""
import collections
import csv
import io
import json
import os
import random
import re
import subprocess
import sys
import time
import unittest
from decimal import Decimal

import retail_expected
from souk_client import CLEAN_ENVIRONMENT, Daemon, PATIENCE, binary, eventually, sku_path

HEADER = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
SEED = int(os.environ.get("SOUK_SEED", "20110831"))


def souk(daemon, *words, seconds=120):
    return subprocess.run([binary("souk"), "--url", f"http://{daemon.address}", *words], capture_output=True,
                          text=True, timeout=seconds * PATIENCE, env=CLEAN_ENVIRONMENT, check=False)


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def made_up_lines(invoices, seed):
    """Invoices, cancellations, adjustments and odd lines; one long invoice, so that keys are forgotten."""
    dice, lines, bought = random.Random(seed), [], collections.defaultdict(list)
    skus = [f"{85000 + i}{dice.choice(['', 'A', 'a', 'B'])}" for i in range(60)] + ["BANK CHARGES", "ä£ & \"x\""]
    for number in range(invoices):
        at = f"2011-{1 + number * 11 // invoices:02}-{1 + number % 27:02} {8 + number % 10:02}:{number % 60:02}:00"
        customer = dice.choice(["", "", *[str(17000 + i) for i in range(12)]])
        country = "United Kingdom" if not customer or int(customer) % 3 else "EIRE"
        for _ in range(150 if number == 5 else dice.randint(1, 12)):
            sku, quantity, price = dice.choice(skus), dice.randint(1, 40), dice.choice(["0.42", "1.25", "0.001", "12.5"])
            lines.append([str(540000 + number), sku, f" {sku} THING ", quantity, at, price, customer, country])
            bought[customer].append((sku, quantity, price))
        if dice.random() < 0.3 and bought[customer]:
            sku, quantity, price = dice.choice(bought[customer])
            back = f"2011-12-{1 + number % 9:02} 10:00:00"
            lines.append([f"C{560000 + number}", sku, "", -dice.randint(1, quantity), back, price, customer, country])
        if dice.random() < 0.3:
            lines.append([str(570000 + number), dice.choice(skus), dice.choice(["damages", "", "check"]),
                          dice.choice([-9, -2, 3, 17]), at, "0", "", "United Kingdom"])
    lines.append(["A563186", "B", "Adjust bad debt", 1, "2011-08-12 14:51:00", "-11062.06", "", "United Kingdom"])
    return lines


def as_csv(rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows)
    return out.getvalue()


class Expected:
    """What an import must lead to, from the lines alone."""

    def __init__(self, lines):
        self.lines, self.orders = len(lines), collections.defaultdict(list)
        self.returned = self.adjusted = self.rejected = 0
        sold, adjustments, back = collections.Counter(), collections.defaultdict(list), collections.Counter()
        self.revenue = Decimal(0)
        for invoice, sku, _, quantity, _, price, _, _ in lines:
            if Decimal(price) < 0:
                self.rejected += 1
            elif invoice.startswith("C"):
                self.returned += 1
                back[sku] -= quantity
            elif quantity > 0 and Decimal(price) > 0:
                self.orders[invoice].append((sku, quantity, price))
                self.revenue += quantity * Decimal(price)
                sold[sku] += quantity
            else:
                self.adjusted += 1
                adjustments[sku].append(quantity)
        self.order_lines = sum(map(len, self.orders.values()))
        self.on_hand = {}
        for sku in {line[1] for line in lines}:
            balance = worst = 0
            for delta in adjustments[sku]:
                balance += delta
                worst = min(worst, balance)
            opening = -min(worst, balance - sold[sku])
            self.on_hand[sku] = opening + balance - sold[sku] + back[sku]


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon())
        self.client = self.daemon.client()

    def file(self, name, text):
        path = os.path.join(self.daemon.home, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def import_json(self, path):
        ran = souk(self.daemon, "import", "online-retail", path, "--json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return last_json(ran.stdout), ran.stderr

    def check_imported(self, got, expected):
        self.assertEqual((got["lines"], got["orders"], got["order_lines"], got["returned_lines"],
                          got["stock_adjustments"], got["rejected"], Decimal(got["revenue"])),
                         (expected.lines, len(expected.orders), expected.order_lines, expected.returned,
                          expected.adjusted, expected.rejected, expected.revenue))

    def check_stock(self, expected):
        client = self.daemon.client()
        for sku, pieces in expected.on_hand.items():
            if sku == "B":  # only on a rejected line: never sent
                self.assertEqual(client.get("/v1/products/B").status, 404)
                continue
            stock = eventually(lambda: client.get(f"/v1/inventory/{sku_path(sku)}").json,
                               lambda now: (now["on_hand"], now["reserved"]) == (pieces, 0))
            self.assertEqual((stock["on_hand"], stock["reserved"]), (pieces, 0), f"{sku}, seed {SEED}")

    def check_reports(self, path):
        """The reports of what was imported, against the peer."""
        want = retail_expected.expected(retail_expected.read(path))
        sales = want["sales"]

        def report(group, sort="", limit=100):
            answer = self.client.get(f"/v1/analytics/sales?group_by={group}&sort={sort}&limit={limit}")
            self.assertEqual(answer.status, 200, answer)
            return answer.json

        def figures(rows, key):
            # What only came back has a row of its own; the peer lists what was sold.
            return [(key and row[key], row["quantity"], Decimal(row["revenue"]["amount"])) for row in rows if row["lines"]]

        def wanted(rows, key):
            return [(key and row[key], row["quantity"], Decimal(row["revenue"])) for row in rows]

        returned = -Decimal(want["cancelled"]["value"])  # these come last
        months = eventually(lambda: report("month"), lambda now: now["total"]["lines"] == sales["lines"] and
                            Decimal(now["total"]["returned"]["amount"]) == returned)
        total = months["total"]
        self.assertEqual((total["orders"], total["lines"], total["quantity"], Decimal(total["revenue"]["amount"]),
                          Decimal(total["returned"]["amount"])),
                         (sales["invoices"], sales["lines"], sales["quantity"], Decimal(sales["revenue"]),
                          returned))
        self.assertEqual(figures(months["rows"], "month"), wanted(sales["by_month"], "month"))
        for sort, part in (("-revenue", "top10_stock_codes_by_revenue"), ("-quantity", "top10_stock_codes_by_quantity")):
            self.assertEqual(figures(report("product", sort, 10)["rows"], "product"), wanted(sales[part], "StockCode"))
        self.assertEqual(figures(report("country", "-revenue")["rows"], "country"),
                         wanted(sales["all_countries_by_revenue"], "Country"))
        customers = [row for row in report("customer", "-revenue")["rows"] if row["customer"]]
        self.assertEqual(figures(customers, None)[:10], wanted(sales["top10_customers_by_revenue"], None))
        pairs = self.client.get("/v1/analytics/basket-pairs?limit=10").json["rows"]
        self.assertEqual([(pair["a"], pair["b"], pair["orders"]) for pair in pairs],
                         [(pair["a"], pair["b"], pair["invoices"]) for pair in sales["top10_pairs_bought_together"]])

    def test_an_import_is_exact_and_a_repeat_changes_nothing(self):
        lines = made_up_lines(120, SEED)
        expected, path = Expected(lines), self.file("retail.csv", as_csv(lines))
        got, errors = self.import_json(path)
        self.check_imported(got, expected)
        self.assertEqual(got["already_there"], 0)
        self.assertIn(f"line {len(lines) + 1} rejected: a negative price", errors)
        self.check_stock(expected)
        self.check_reports(path)
        again, _ = self.import_json(path)
        self.check_imported(again, expected)
        self.assertEqual(again["already_there"], expected.lines)
        self.check_stock(expected)
        self.check_reports(path)

    def wait_for_progress(self, importer, events):
        """Until the importer has made so many events, or has nothing left to do."""
        client = self.daemon.client()

        def committed():
            metrics = client.get("/metrics").raw.decode()
            return int(re.search(r"^souk_committed_events_total (\d+)", metrics, re.M)[1])

        start = committed()
        while importer.poll() is None and committed() < start + events:
            time.sleep(0.002)

    def test_an_import_that_was_killed_again_and_again_goes_in_once(self):
        lines, interrupted = made_up_lines(1500, SEED + 1), 0
        expected, path = Expected(lines), self.file("retail.csv", as_csv(lines))
        dice = random.Random(SEED)
        for round_number in range(6):
            importer = subprocess.Popen([binary("souk"), "--url", f"http://{self.daemon.address}", "import",
                                         "online-retail", path], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=CLEAN_ENVIRONMENT)
            self.wait_for_progress(importer, dice.randrange(50, 2_000))
            if round_number % 2:
                self.daemon.kill()
                self.daemon.start()
            interrupted += importer.poll() is None
            importer.kill()
            importer.wait()
        self.assertGreater(interrupted, 0)
        got, _ = self.import_json(path)
        self.check_imported(got, expected)
        self.check_stock(expected)
        again, _ = self.import_json(path)
        self.assertEqual(again["already_there"], expected.lines)
        self.check_stock(expected)
        self.assertEqual(self.daemon.stop(), 0)
        verified = subprocess.run([binary("souk"), "verify", "--data-dir", self.daemon.data_dir],
                                  capture_output=True, text=True, env=CLEAN_ENVIRONMENT, check=False)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def test_a_catalogue_goes_in_and_bad_lines_are_named(self):
        path = self.file("products.csv", "sku,name,category,price,stock\n"
                                         "M-1,Mug,Home > Kitchen,7.50,12\nM-2,,,1,\nM-3,Bowl,,3,0\n")
        ran = souk(self.daemon, "import", "products", path, "--json")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("line 3 rejected: name", ran.stderr)
        self.assertEqual({name: last_json(ran.stdout)[name] for name in ("lines", "created", "stocked", "rejected")},
                         {"lines": 3, "created": 2, "stocked": 1, "rejected": 1})
        souk(self.daemon, "import", "products", path)
        product = self.client.get("/v1/products/M-1").json
        self.assertEqual((product["category"], product["available"]), (["Home", "Kitchen"], 12))

    def test_a_generated_shop_is_the_same_twice(self):
        words = ("generate", "--products", "40", "--users", "10", "--orders", "60", "--seed", "3", "--json")
        first = last_json(souk(self.daemon, *words).stdout)
        self.assertEqual((first["products"], first["users"], first["orders"]), (40, 10, 60))
        again = last_json(souk(self.daemon, *words).stdout)
        self.assertEqual((again["carts"], again["already_there"]), (0, first["carts"]))

    def test_loads_keep_the_promises(self):
        for words in (("http", "--carts", "50"), ("batch", "--carts", "50", "--batch", "50"),
                      ("batch", "--carts", "50", "--batch", "50", "--format", "capnp"),
                      ("drop", "--stock", "40", "--connections", "16"),
                      ("orders", "--skus", "50", "--connections", "8"), ("http", "--mix", "read", "--rate", "200")):
            with self.subTest(words):
                ran = souk(self.daemon, "bench", *words, "--seconds", "0.5", "--json")
                self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
                report = last_json(ran.stdout)
                self.assertGreater(report["commands"], 0)
                self.assertTrue(report["promises"] and all(one["held"] for one in report["promises"]), report)
        report = last_json(souk(self.daemon, "bench", "drop", "--stock", "40", "--seconds", "1", "--json").stdout)
        self.assertEqual(report["orders_confirmed"], 40)
        self.assertGreater(report["orders_rejected"], 0)

    def test_verbs_shop_and_exit_as_they_say(self):
        def ok(*words):
            ran = souk(self.daemon, *words, "--json")
            self.assertEqual(ran.returncode, 0, f"{words}: {ran.stdout} {ran.stderr}")
            return json.loads(ran.stdout)

        ok("product", "put", "BANK CHARGES", "Charges", "2.50", "--brand", "Acme")
        images = ["https://shop.example/1.jpg", "https://shop.example/2.jpg"]
        shirt = ok("product", "put", "TEE-S", "Shirt", "15", "--group", "tee", "--option", "size=S", "--option", "fit=wide",
                   "--barcode", "4006381333931", "--image", images[0], "--image", images[1])
        self.assertEqual([shirt[name] for name in ("group", "options", "barcode", "images")],
                         ["tee", {"size": "S", "fit": "wide"}, "4006381333931", images])
        self.assertRegex(souk(self.daemon, "product", "get", "TEE-S").stdout,
                         r"barcode +4006381333931\ngroup +tee\nfit +wide\nsize +S\nimage +https://shop.example/1.jpg\n")
        self.assertEqual(souk(self.daemon, "product", "put", "X", "x", "1", "--option", "S").returncode, 2)
        self.assertEqual(ok("stock", "receive", "BANK CHARGES", "5", "--key", "k1")["on_hand"], 5)
        self.assertEqual(ok("stock", "receive", "BANK CHARGES", "5", "--key", "k1")["on_hand"], 5)
        self.assertEqual(ok("stock", "adjust", "BANK CHARGES", "-1", "--reason", "lost")["on_hand"], 4)
        user = ok("user", "register", "zoe@example.org", "--name", "Zoë", "--country", "GB")["user_id"]
        cart = ok("cart", "open", "--user", user)["cart_id"]
        ok("cart", "add", cart, "BANK CHARGES", "3")
        self.assertEqual(ok("cart", "set", cart, "BANK CHARGES", "2")["total"]["amount"], "5.00")
        order = ok("cart", "checkout", cart)["order_id"]
        self.assertIn(order, souk(self.daemon, "user", "orders", user).stdout)
        ok("order", "ship", order)
        ok("order", "deliver", order)
        ok("order", "return", order, "--line", "BANK CHARGES=1")
        self.assertEqual(ok("order", "refund", order, "--amount", "0.50")["order_id"], order)
        ok("return", "accept", "--line", "BANK CHARGES=1@2.00", "--reference", "r")
        self.assertEqual(ok("payment", "get", order)["captured"]["amount"], "5.00")
        table = souk(self.daemon, "order", "get", order).stdout
        self.assertIn("BANK CHARGES  Charges         2         1   2.50   5.00", table)
        for words, code in ((("order", "cancel", order), 1), (("cart", "checkout", cart), 1),
                            (("order", "buy", "--line", "BANK CHARGES=1", "--token", "decline"), 1),
                            (("product", "get", "nothing"), 1), (("stock", "receive", "x", "0"), 2), (("nonsense",), 2)):
            self.assertEqual(souk(self.daemon, *words).returncode, code, words)
        self.assertEqual(souk(self.daemon, "user", "erase", user).returncode, 0)
        self.assertEqual(souk(self.daemon, "user", "get", user).returncode, 1)
        self.assertEqual(souk(self.daemon, "health").returncode, 0)
        self.assertIn("souk_", souk(self.daemon, "metrics").stdout)
        self.daemon.stop()
        gone = souk(self.daemon, "health")
        self.assertEqual(gone.returncode, 3)
        self.assertIn(f"cannot reach http://{self.daemon.address}", gone.stderr)

    def test_completions_are_good_shell(self):
        for shell in ("bash", "zsh", "fish"):
            ran = souk(self.daemon, "completions", shell)
            self.assertEqual(ran.returncode, 0)
            self.assertIn("online-retail", ran.stdout)
        script = souk(self.daemon, "completions", "bash").stdout
        asked = subprocess.run(["bash", "-c", script + '\nCOMP_WORDS=(souk --url x product p); COMP_CWORD=4; _souk; '
                                'echo "${COMPREPLY[@]}"; COMP_WORDS=(souk bench http --m); COMP_CWORD=3; _souk; '
                                'echo "${COMPREPLY[@]}"'], capture_output=True, text=True, check=True)
        self.assertEqual(asked.stdout.split("\n")[:2], ["put", "--mix"])


if __name__ == "__main__":
    print(f"seed {SEED}", file=sys.stderr)
    unittest.main(verbosity=2)

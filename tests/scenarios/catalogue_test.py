"""Files of other shops through the real command line into a real daemon, and catalogues out again: each row of a file
is told of once, a repeat changes nothing, and what was exported comes in as the same products."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from souk_client import CLEAN_ENVIRONMENT, Daemon, PATIENCE, binary, eventually

SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Product Category,Tags,Published,Option1 Name,Option1 Value,Variant SKU,\
Variant Inventory Qty,Variant Price,Variant Barcode,Image Src,Status
tee,Tee,"<p>Soft &amp; warm</p>\r
<ul><li>red</li></ul>",Acme,Apparel > Tops,"new, red",TRUE,Size,S,TEE-S,5,15.00,4006381333931,https://cdn.example/1.jpg,active
tee,,,,,,,,M,,3,16.00,,https://cdn.example/2.jpg,
tee,,,,,,,,,,,,,https://cdn.example/3.jpg,
mug,Mug,,,,,FALSE,Title,Default Title,MUG,0,7.5,,,draft
,Lost,,,,,,,,,,1,,,
"""
WOO = """\
ID;Type;SKU;Name;Published;Description;In stock?;Stock;Sale price;Regular price;Categories;Images;Parent;\
Attribute 1 name;Attribute 1 value(s)
1;variable;CAP;Cap;1;<b>Warm</b>;1;;;;Hats, Hats > Caps;https://x.example/1.jpg;;Colour;Blau, Grün
2;variation;CAP-B;;1;;1;4;12,50 €;15,00 €;;;CAP;Colour;Blau
3;variation;;;1;;1;2;;1.234,00 €;;;id:1;Colour;Grün
4;grouped;SET;Set;1;;1;;;;;;;;
5;simple;BAD;Bad;1;;1;;;1,2,3;;;;;
"""
FEED = """\
<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>F-1</g:id><title>Boot</title><g:price>1250.00 USD</g:price><g:sale_price>999.00 USD</g:sale_price>
<g:item_group_id>BOOT</g:item_group_id><g:color>Black</g:color><g:gtin>96385074</g:gtin></item>
<item><g:id>F-2</g:id><title>Lace</title><g:price>1 DEM</g:price></item>
</channel></rss>
"""


class Catalogues(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="souk-catalogue-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.daemon = Daemon()
        self.daemon.__enter__()
        self.addCleanup(self.daemon.__exit__, None, None, None)
        self.client = self.daemon.client()

    def souk(self, *words):
        return subprocess.run([binary("souk"), "--url", f"http://{self.daemon.address}", *words], capture_output=True,
                              text=True, timeout=120 * PATIENCE, env=CLEAN_ENVIRONMENT, check=False)

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def imported(self, path, *options, code):
        ran = self.souk("import", "products", path, "--json", *options)
        self.assertEqual(ran.returncode, code, ran.stdout + ran.stderr)
        got = json.loads(ran.stdout)
        self.assertEqual(got["lines"], sum(got[part] for part in (
            "created", "updated", "unchanged", "merged", "skipped", "rejected")), got)
        return got, ran.stderr

    def product(self, sku):
        return self.client.get(f"/v1/products/{sku}").json

    def parts(self, got):
        return {name: got[name] for name in ("created", "updated", "unchanged", "merged", "skipped", "rejected", "stocked")
                if got[name]}

    def test_a_shopify_export_goes_in_and_a_repeat_changes_nothing(self):
        path = self.file("shopify.csv", SHOPIFY)
        dry = self.souk("import", "products", path, "--dry-run", "--json")
        self.assertEqual(dry.returncode, 1, dry.stderr)
        planned = json.loads(dry.stdout)
        self.assertEqual((planned["format"], planned["lines"], planned["products"], planned["merged"],
                          [row["line"] for row in planned["rejected_rows"]]), ("shopify", 5, 3, 1, [7]))
        self.assertEqual(self.client.get("/v1/products/TEE-S").status, 404, "a dry run sent something")

        got, said = self.imported(path, code=1)
        self.assertEqual(self.parts(got), {"created": 3, "merged": 1, "rejected": 1, "stocked": 2})
        self.assertEqual(said.strip().splitlines()[-1], "souk: 1 of 5 rows were rejected")
        self.assertIn("souk: line 7 rejected: handle: it is empty", said)
        self.assertIn("prices that name no currency are taken as GBP", said)
        small = self.product("TEE-S")
        self.assertEqual(
            {name: small[name] for name in small if name != "version"},
            {"sku": "TEE-S", "name": "Tee", "description": "Soft & warm\n\n- red", "brand": "Acme",
             "category": ["Apparel", "Tops"], "price": {"amount": "15.00", "currency": "GBP"},
             "attributes": {"Tags": "new, red"}, "barcode": "4006381333931", "group": "tee", "options": {"Size": "S"},
             "images": [f"https://cdn.example/{i}.jpg" for i in (1, 2, 3)], "active": True, "available": 5})
        self.assertEqual(self.product("tee-M")["options"], {"Size": "M"})
        self.assertIs(self.product("MUG")["active"], False)

        again, _ = self.imported(path, code=1)
        self.assertEqual(self.parts(again), {"unchanged": 3, "merged": 1, "rejected": 1})
        dearer, _ = self.imported(self.file("dearer.csv", SHOPIFY.replace("16.00", "17.00")), code=1)
        self.assertEqual(self.parts(dearer), {"updated": 1, "unchanged": 2, "merged": 1, "rejected": 1})
        self.assertEqual((self.product("TEE-S")["version"], self.product("tee-M")["version"],
                          self.product("tee-M")["available"]), (1, 2, 3))

    def test_a_woocommerce_export_in_another_encoding_and_notation_goes_in(self):
        got, said = self.imported(self.file("woo.csv", WOO.encode("windows-1252")), code=1)
        self.assertEqual((got["format"], self.parts(got)),
                         ("woocommerce", {"created": 2, "skipped": 2, "rejected": 1, "stocked": 2}))
        self.assertIn("souk: line 5 skipped: grouped", said)
        blue, green = self.product("CAP-B"), self.product("CAP-Gr%C3%BCn")
        self.assertEqual((blue["price"], blue["options"], blue["group"], blue["category"], blue["description"]),
                         ({"amount": "12.50", "currency": "EUR"}, {"Colour": "Blau"}, "CAP", ["Hats", "Caps"], "Warm"))
        self.assertEqual((green["price"]["amount"], green["available"]), ("1234.00", 2))

    def test_a_merchant_feed_goes_in(self):
        got, said = self.imported(self.file("feed.xml", FEED.encode("utf-8-sig")), code=1)
        self.assertEqual((got["format"], self.parts(got)), ("merchant", {"created": 1, "rejected": 1}))
        self.assertIn("line 5 rejected: currency: DEM is withdrawn", said)
        boot = self.product("F-1")
        self.assertEqual((boot["price"]["amount"], boot["group"], boot["options"], boot["barcode"]),
                         ("999.00", "BOOT", {"Color": "Black"}, "96385074"))

    def test_any_csv_goes_in_by_its_own_names(self):
        rows = "Article\tTitle\tRegular price\nA-1\t27\" screen\t1 234,50 €\nA-1\tTwice\t1\n"
        got, said = self.imported(self.file("list.csv", b"\xff\xfe" + rows.encode("utf-16-le")), "--map",
                                  'sku=Article,name=Title,price="Regular price"', code=1)
        self.assertEqual(self.parts(got), {"created": 1, "rejected": 1})
        self.assertIn("line 3 rejected: sku: A-1 stands in line 2 already", said)
        self.assertEqual((self.product("A-1")["name"], self.product("A-1")["price"]),
                         ('27" screen', {"amount": "1234.50", "currency": "EUR"}))
        for wrong, code in ((["--delimiter", "x"], 2), (["--currency", "DEM"], 2), (["--encoding", "klingon"], 2), (["--format", "merchant"], 1)):
            ran = self.souk("import", "products", self.file("some.csv", "sku,name,price\nA,a,1\n"), *wrong)
            self.assertEqual(ran.returncode, code, ran.stderr)
        book = self.souk("import", "products", self.file("book.xlsx", b"PK\x03\x04" + bytes(100)))
        self.assertEqual(book.returncode, 1)
        self.assertIn("save each of its sheets as CSV", book.stderr)

    def test_invoices_go_in_however_they_are_written(self):
        """The same three lines as Online Retail II, as spreadsheets of two countries have them, and renamed."""
        wanted = {"lines": 3, "orders": 2, "order_lines": 2, "returned_lines": 1, "rejected": 0, "revenue": "54.2604"}
        files = {
            "two.csv": ("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
                        "{0}1,C-{0},Café,6,2010-12-01 08:26:00,2.55,17850.0,GB\n"
                        "{0}2,C-{0},Café,12,2010-12-13 09:00:00,3.2467,,GB\n"
                        "C{0}3,C-{0},Café,-1,2010-12-14 09:00:00,2.55,17850.0,GB\n", []),
            "us.csv": ("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
                       "{0}1,C-{0},Café,6,12/1/2010 8:26,2.55,17850,GB\r\n{0}2,C-{0},Café,12,12/13/2010 9:00,3.2467,,GB\r\n"
                       "C{0}3,C-{0},Café,-1,12/14/2010 9:00,2.55,17850,GB\r\n", []),
            "de.csv": ("Beleg;StockCode;Description;Quantity;InvoiceDate;Netto;CustomerID;Country\n"
                       "{0}1;C-{0};Café;6;01.12.2010 08:26;2,55;17850;GB\n{0}2;C-{0};Café;12;05.12.2010 09:00;3,2467;;GB\n"
                       "C{0}3;C-{0};Café;-1;06.12.2010 09:00;2,55;17850;GB\n",
                       ["--map", "InvoiceNo=Beleg,UnitPrice=Netto", "--date-format", "01.12.2010 08:26"]),
        }
        for number, (name, (text, options)) in enumerate(files.items()):
            path = self.file(name, text.format(number).encode("utf-8" if number == 0 else "latin-1"))
            ran = self.souk("import", "online-retail", path, "--json", *options)
            self.assertEqual((ran.returncode, ran.stderr), (0, ""), name)
            got = json.loads(ran.stdout)
            self.assertEqual({key: got[key] for key in wanted}, wanted, name)
            self.assertEqual(self.product(f"C-{number}")["name"], "Café")
        days = {"2010-12-01": 3, "2010-12-05": 1, "2010-12-13": 2}
        self.assertEqual(eventually(lambda: {row["day"]: row["orders"] for row in self.client.get(
            "/v1/analytics/sales?group_by=day").json["rows"] if row["orders"]}, lambda seen: seen == days), days)
        alien = self.souk("import", "online-retail", self.file("alien.csv", (
            "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
            "A1,C-0,Café,6,2010-12-01 08:26:00,2.55,9,UK\nA2,C-0,Café,6,2010-12-01 08:26:00,2.55,9,UU\n")), "--json")
        self.assertEqual((alien.returncode, alien.stderr), (
            0, "souk: line 3 rejected: Country \"UU\" is not a country code of ISO 3166-1; the nearest is UA\n"))
        self.assertEqual((json.loads(alien.stdout)["orders"], json.loads(alien.stdout)["rejected"]), (1, 1))
        undated = self.souk("import", "online-retail", self.file("odd.csv", "x"), "--date-format", "whenever")
        self.assertEqual(undated.returncode, 2)
        book = self.souk("import", "online-retail", self.file("book.xlsx", b"PK\x03\x04" + bytes(100)))
        self.assertEqual(book.returncode, 1)
        self.assertIn("save each of its sheets as CSV", book.stderr)

    def test_search_shows_a_group_once_with_its_variants_and_prices(self):
        self.imported(self.file("shopify.csv", SHOPIFY), code=1)
        self.imported(self.file("more.csv", "sku,name,price,group,stock\nTEE-L,Long tee,14,tee,0\nPEN,Pen,2,,1\n"), code=0)
        facets = "facets=brand,price,in_stock"
        total = lambda wanted: eventually(lambda: self.client.get(f"/v1/search?{facets}").json, lambda got: got["total"] == wanted)
        found = total(2)
        self.assertEqual(found["total"], 2, found)
        self.assertEqual(found["facets"], {
            "brand": [{"value": "Acme", "count": 1}], "in_stock": [{"value": "true", "count": 2}, {"value": "false", "count": 1}],
            "price": [{"value": "0-5", "count": 1}, {"value": "10-25", "count": 1}]})
        tee = self.client.get("/v1/search?q=tee").json["hits"][0]
        self.assertEqual((tee["group"], tee["variants"], tee["price_min"]["amount"], tee["price_max"]["amount"]),
                         ("tee", 3, "14.00", "16.00"))
        hit = lambda words: [(one["sku"], one.get("variants")) for one in self.client.get(f"/v1/search?{words}").json["hits"]]
        self.assertEqual(hit("q=tee&sort=price"), [("TEE-L", 3)])
        self.assertEqual(hit("q=tee&sort=-price"), [("tee-M", 3)])
        self.assertEqual(hit("q=tee&in_stock=true&sort=price"), [("TEE-S", 2)])
        self.assertEqual(hit("sort=price&collapse=false"), [("PEN", None), ("TEE-L", None), ("TEE-S", None), ("tee-M", None)])
        self.assertEqual(hit("group=tee&sort=price"), [("TEE-L", None), ("TEE-S", None), ("tee-M", None)])
        self.assertEqual(hit("group=tee&collapse=true&sort=price"), [("TEE-L", 3)])
        shown = self.souk("search", "tee", "--sort", "price").stdout
        self.assertRegex(shown, r"TEE-L +Long tee +14\.00 to 16\.00 GBP +0 +tee +3\n")
        self.assertIn("3 found", self.souk("search", "tee", "--variants").stdout)
        self.assertIn("3 found", self.souk("search", "--group", "tee").stdout)
        self.assertEqual(self.client.call("DELETE", "/v1/products/tee-M", key="off-sale").status, 200)
        eventually(lambda: hit("q=tee&sort=price"), lambda hits: hits == [("TEE-L", 2)])
        self.client.post("/v1/projections/search/rebuild")
        anew = lambda: [one for one in self.client.get("/v1/projections").json["projections"] if one["name"] == "search"][0]
        eventually(anew, lambda one: "last_rebuild" in one and "rebuild" not in one)
        self.assertEqual(anew()["last_rebuild"], "equal to the copy before")
        self.assertEqual(hit("q=tee&sort=price"), [("TEE-L", 2)])

    def test_what_is_exported_comes_in_as_the_same_products(self):
        self.imported(self.file("shopify.csv", SHOPIFY), code=1)
        self.imported(self.file("woo.csv", WOO), code=1)
        eventually(lambda: self.client.get("/v1/search?limit=1").json["total"], lambda total: total == 2)
        skus = ["TEE-S", "tee-M", "MUG", "CAP-B", "CAP-Gr%C3%BCn"]
        before = {sku: self.product(sku) for sku in skus}
        whole, feed = os.path.join(self.folder, "all.csv"), os.path.join(self.folder, "feed.tsv")
        self.assertEqual(self.souk("export", "products", "-o", whole).returncode, 0)
        said = self.souk("export", "products", "--format", "merchant", "-o", feed).stderr
        self.assertIn("1 are not on sale and not in the feed", said)
        same, _ = self.imported(whole, code=0)
        self.assertEqual(self.parts(same), {"unchanged": 5})
        self.assertEqual(self.parts(self.imported(feed, code=0)[0]), {"unchanged": 4})
        with Daemon() as other:
            self.daemon, mine = other, self.daemon
            self.client = other.client()
            try:
                self.assertEqual(self.parts(self.imported(whole, code=0)[0]), {"created": 5, "stocked": 4})
                after = {sku: self.product(sku) for sku in skus}
            finally:
                self.daemon, self.client = mine, mine.client()
        for document in (*before.values(), *after.values()):
            document.pop("version")
        self.assertEqual(after, before)


if __name__ == "__main__":
    unittest.main()

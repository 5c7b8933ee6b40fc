#!/usr/bin/env python3
"""What a file in the shape of UCI Online Retail must come to, reckoned with the standard library alone: a peer for the import
and the reports. usage: retail_expected.py FILE.csv[.zst] [--lines FROM-TO] [--cut OUT.csv] > expected.json
--lines takes a part (data lines, from 1, widened to whole runs of an invoice) and --cut writes that part as a file.

Sales are lines whose invoice does not begin with C, of a positive quantity and price. Money in pounds with three decimals."""
import argparse
import collections
import csv
import io
import itertools
import json
import subprocess
import sys
from decimal import Decimal


def read(path):
    if path.endswith(".zst"):
        text = subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout.decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def part(rows, first, last):
    first, last = first - 1, min(last, len(rows))
    while first > 0 and rows[first - 1]["InvoiceNo"] == rows[first]["InvoiceNo"]:
        first -= 1
    while last < len(rows) and rows[last]["InvoiceNo"] == rows[last - 1]["InvoiceNo"]:
        last += 1
    return rows[first:last]


def pounds(amount):
    return f"{amount:.3f}"


class Group:
    def __init__(self):
        self.quantity, self.revenue, self.lines, self.invoices = 0, Decimal(0), 0, set()

    def add(self, row):
        self.quantity += row["quantity"]
        self.revenue += row["value"]
        self.lines += 1
        self.invoices.add(row["InvoiceNo"])


def grouped(rows, key):
    groups = collections.defaultdict(Group)
    for row in rows:
        groups[key(row)].add(row)
    return groups


def listed(groups, name, by=None, limit=None):
    order = sorted(groups.items(), key=lambda item: ((-getattr(item[1], by)) if by else 0, item[0].encode()))
    return [{name: key, "quantity": of.quantity, "revenue": pounds(of.revenue), "lines": of.lines, "invoices": len(of.invoices)}
            for key, of in order[:limit]]


def pairs(rows, limit=10):
    """Codes bought on one invoice, over all invoices."""
    codes = collections.defaultdict(set)
    for row in rows:
        codes[row["InvoiceNo"]].add(row["StockCode"])
    counts = collections.Counter()
    for basket in codes.values():
        counts.update(itertools.combinations(sorted(basket, key=str.encode), 2))
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0][0].encode(), item[0][1].encode()))[:limit]
    return [{"a": a, "b": b, "invoices": count} for (a, b), count in best]


def expected(rows):
    for row in rows:
        row["quantity"], row["price"] = int(row["Quantity"]), Decimal(row["UnitPrice"])
        row["value"] = row["quantity"] * row["price"]
    cancelled = [row for row in rows if row["InvoiceNo"].startswith("C")]
    sold = [row for row in rows if not row["InvoiceNo"].startswith("C") and row["quantity"] > 0 and row["price"] > 0]
    products = grouped(sold, lambda row: row["StockCode"])
    countries = grouped(sold, lambda row: row["Country"])
    customers = grouped([row for row in sold if row["CustomerID"]], lambda row: row["CustomerID"])
    return {
        "rows": len(rows),
        "lines_cancelled_C": len(cancelled),
        "lines_negative_price": sum(row["price"] < 0 for row in rows),
        "sales": {
            "lines": len(sold),
            "invoices": len({row["InvoiceNo"] for row in sold}),
            "customers": len(customers),
            "stock_codes": len(products),
            "quantity": sum(row["quantity"] for row in sold),
            "revenue": pounds(sum((row["value"] for row in sold), Decimal(0))),
            "top10_stock_codes_by_revenue": listed(products, "StockCode", "revenue", 10),
            "top10_stock_codes_by_quantity": listed(products, "StockCode", "quantity", 10),
            "all_countries_by_revenue": listed(countries, "Country", "revenue"),
            "top10_customers_by_revenue": listed(customers, "CustomerID", "revenue", 10),
            "by_month": listed(grouped(sold, lambda row: row["InvoiceDate"][:7]), "month"),
            "top10_pairs_bought_together": pairs(sold),
        },
        "cancelled": {"quantity": sum(row["quantity"] for row in cancelled),
                      "value": pounds(sum((row["value"] for row in cancelled), Decimal(0)))},
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("file")
    arguments.add_argument("--lines", default="")
    arguments.add_argument("--cut", default="")
    given = arguments.parse_args()
    rows = read(given.file)
    if given.lines:
        rows = part(rows, *map(int, given.lines.split("-")))
    if given.cut:
        with open(given.cut, "w", newline="", encoding="utf-8") as file:
            out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            out.writeheader()
            out.writerows(rows)
    json.dump(expected(rows), sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The figures of GET /v1/analytics/sales, by Spark out of the log: by month, day, product, country and customer, exact.

usage: sales_job.py --kafka HOST:PORT,... [--cluster NAME] [--currency GBP] --output FOLDER
Writes FOLDER/GROUP.json, a row a line, sorted by its key. Run it by a Python that has pyspark (4 or later), pyarrow and
souk_log with its packages; Java 17."""
import argparse
import json
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from souk_source import SoukSource

GROUPS = ("month", "day", "product", "country", "customer")
FIGURES = ("orders", "lines", "quantity", "revenue", "returned", "refunded", "rounding")
TYPES = ("order_placed", "order_confirmed", "order_returned", "payment_refunded", "return_accepted", "user_registered",
         "user_profile_changed")
# Exact: 38 digits, six of them decimals. A double would not be.
AMOUNT = "DECIMAL(38,6)"
LINE = "STRUCT<sku: STRING, quantity: BIGINT, unit_price: STRING, line: INT>"
DATA = (f"currency STRING, user_id STRING, country STRING, occurred_at STRING, value STRING, amount STRING, "
        f"lines ARRAY<{LINE}>, adjustments ARRAY<STRUCT<kind: STRING, amount: STRING>>")


def parsed(events):
    """Each event with its members and its business time."""
    data = events.withColumn("d", f.from_json("data", DATA))
    return data.withColumn("when", f.coalesce(f.to_timestamp("d.occurred_at"), f.col("at")))


def orders_of(events):
    """Placed orders, and returns without an order, which are their own."""
    placed = events.where(f.col("type").isin("order_placed", "return_accepted"))
    return placed.select(
        f.col("entity").alias("order"), "when", f.col("d.currency").alias("currency"), f.col("d.user_id").alias("customer"),
        f.col("d.country").alias("own_country"), f.col("d.lines").alias("order_lines"),
        (f.col("type") == "order_placed").alias("placed"),
        f.expr(f"aggregate(filter(coalesce(d.adjustments, array()), a -> a.kind = 'rounding'), CAST(0 AS {AMOUNT}), "
               f"(sum, a) -> CAST(sum + CAST(a.amount AS {AMOUNT}) AS {AMOUNT}))").alias("rounding"))


def countries_of(events):
    """Of users, as the log knows them last: a user's events are of one shard, so in its order."""
    named = events.where("type = 'user_registered' OR (type = 'user_profile_changed' AND d.country IS NOT NULL)")
    return named.groupBy(f.col("entity").alias("customer")).agg(f.max_by("d.country", "seq").alias("user_country"))


def money(expression):
    return f.expr(f"CAST({expression} AS {AMOUNT})")


def with_figures(rows, **given):
    """`rows` with all figures, 0 where they are not given."""
    for name in FIGURES:
        kind = "BIGINT" if name in ("orders", "lines", "quantity") else AMOUNT
        rows = rows.withColumn(name, given[name].cast(kind) if name in given else f.lit(0).cast(kind))
    return rows.select("when", "customer", "country", *(["product"] if "product" in rows.columns else []), *FIGURES)


def books(events, currency):
    """What each order, return and refund adds: once as a whole, and once by product."""
    orders = orders_of(events).join(countries_of(events), "customer", "left")
    orders = orders.where(f.col("currency") == currency).withColumn(
        "country", f.when(f.coalesce("own_country", f.lit("")) != "", f.col("own_country")).when(
            f.coalesce("user_country", f.lit("")) != "", f.col("user_country"))).cache()
    confirmed = events.where("type = 'order_confirmed'").select(f.col("entity").alias("order")).distinct()
    sold = orders.where("placed").join(confirmed, "order")
    lines = sold.select("order", "when", "customer", "country", "rounding", f.explode("order_lines").alias("l")).withColumn(
        "worth", money("l.quantity * CAST(l.unit_price AS DECIMAL(24,6))"))
    of_order = orders.select("order", "customer", "country", "order_lines")
    back = events.where("type = 'order_returned'").select(
        f.col("entity").alias("order"), "when", f.col("d.value").alias("value"), f.col("d.lines").alias("back"))
    returns = back.join(of_order, "order")
    loose = orders.where("NOT placed").join(
        events.where("type = 'return_accepted'").select(f.col("entity").alias("order"), f.col("d.value").alias("value")), "order")
    refunds = events.where("type = 'payment_refunded'").select(
        f.col("entity").alias("order"), "when", f.col("d.amount").alias("amount")).join(of_order, "order")

    per_order = lines.groupBy("order", "when", "customer", "country", "rounding").agg(
        f.count("*").alias("n"), f.sum("l.quantity").alias("q"), f.sum("worth").alias("w"))
    whole = with_figures(per_order, orders=f.lit(1), lines=f.col("n"), quantity=f.col("q"), revenue=f.col("w"),
                         rounding=f.col("rounding"))
    for rows, name, column in ((returns, "returned", "value"), (loose, "returned", "value"), (refunds, "refunded", "amount")):
        whole = whole.unionByName(with_figures(rows, **{name: money(column)}))

    per_product = lines.groupBy("order", "when", "customer", "country", f.col("l.sku").alias("product")).agg(
        f.count("*").alias("n"), f.sum("l.quantity").alias("q"), f.sum("worth").alias("w"))
    products = with_figures(per_product, orders=f.lit(1), lines=f.col("n"), quantity=f.col("q"), revenue=f.col("w"))
    came_back = returns.select("when", "customer", "country", "order_lines", f.explode("back").alias("b")).withColumn(
        "product", f.expr("order_lines[b.line].sku"))
    loose_lines = loose.select("when", "customer", "country", f.explode("order_lines").alias("b")).withColumn(
        "product", f.col("b.sku"))
    for rows in (came_back, loose_lines):
        products = products.unionByName(with_figures(rows, returned=money("b.quantity * CAST(b.unit_price AS DECIMAL(24,6))")))
    return whole, products


def by(group, whole, products):
    rows = products if group == "product" else whole
    key = {"month": f.date_format("when", "yyyy-MM"), "day": f.date_format("when", "yyyy-MM-dd")}.get(group)
    rows = rows.withColumn(group, key) if key is not None else rows
    return rows.groupBy(group).agg(*(f.sum(name).alias(name) for name in FIGURES)).where(
        " OR ".join(f"{name} <> 0" for name in FIGURES)).orderBy(group)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    arguments.add_argument("--kafka", required=True)
    arguments.add_argument("--cluster", default="souk")
    arguments.add_argument("--currency", default="GBP")
    arguments.add_argument("--output", required=True)
    given = arguments.parse_args()
    # Months begin at midnight in UTC, wherever the cluster of Spark stands.
    spark = SparkSession.builder.appName("souk sales").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.dataSource.register(SoukSource)
    events = parsed(spark.read.format("souk").option("kafka", given.kafka).option("cluster", given.cluster)
                    .option("types", ",".join(TYPES)).load()).cache()
    whole, products = books(events, given.currency)
    os.makedirs(given.output, exist_ok=True)
    for group in GROUPS:
        with open(os.path.join(given.output, group + ".json"), "w", encoding="utf-8") as file:
            for row in by(group, whole, products).collect():
                file.write(json.dumps({name: value if value is None or name in (group, "orders", "lines", "quantity")
                                       else format(value, "f") for name, value in row.asDict().items()}) + "\n")
    spark.stop()


if __name__ == "__main__":
    main()

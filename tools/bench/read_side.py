"""What the read side costs and how fast it answers: rows for `tools/dev bench --only reads|index|rebuild`."""
import csv
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import tempfile
import time

from harness import WRK_DONE, WRK_READ, run_wrk
from souk_client import Client, Daemon, Shop, binary

MODELS = ("analytics", "search")
# 1,000 SKUs are kept for those who write stock; 500 writes a second, as a busy warehouse.
STOCKED, STOCK_WRITES = 1000, 500
QUERIES = 150
SYLLABLES = "ba co di fel gor hun ja ki lam mo nes pi qua ro sta tur".split()


def quantiles_ms(seconds):
    """p50, p99, p99.9 of measured seconds."""
    ordered = sorted(seconds)
    return [1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99, 0.999)]


def souk(daemon, *words, **options):
    return subprocess.run([binary("souk"), "--url", f"http://{daemon.address}", *words], check=True,
                          stdout=subprocess.PIPE, text=True, **options).stdout


def positions(text):
    """{shard: sequence number} of a Souk-Position."""
    return {int(shard): int(seq) for shard, seq in (pair.split(":") for pair in text.split(",") if pair)}


def covers(shown, wanted):
    return all(shown.get(shard, 0) >= seq for shard, seq in wanted.items())


def caught_up(client):
    while any(model["lag_events"] or model["state"] != "live" for model in client.get("/v1/projections").json["projections"]):
        time.sleep(0.05)


# ---- from a write to what everybody sees ----

def visible(table, seconds, rate=5000):
    """Two clients beside the load: one looks only (what a stranger sees), one asks for its own position."""
    with Daemon() as daemon:
        shop = Shop(daemon.client())
        sku, cart = shop.product(stock=1000), shop.cart()
        load = subprocess.Popen([binary("souk"), "--url", f"http://{daemon.address}", "--json", "bench", "http",
                                 "--rate", str(rate), "--seconds", str(seconds + 4)], stdout=subprocess.PIPE, text=True)
        time.sleep(3)  # it makes its carts first
        looked, asked = [], []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            written = shop.add(cart, sku, key=shop.fresh()).headers["souk-position"]
            began, wanted = time.monotonic(), positions(written)
            while not all(covers(positions(model["position"]), wanted)
                          for model in shop.client.get("/v1/projections").json["projections"]):
                time.sleep(0.001)
            looked.append(time.monotonic() - began)
            written = shop.add(cart, sku, key=shop.fresh()).headers["souk-position"]
            began = time.monotonic()
            for path in ("/v1/search?q=thing&limit=1", "/v1/analytics/abandoned?limit=1"):
                shop.expect(shop.client.get(path, headers={"Souk-Min-Position": written}), 200)
            asked.append(time.monotonic() - began)
        said = json.loads(load.communicate()[0])
    note = f"beside {said['per_second']:,.0f} commands/s, p99 {said['p99_ms']:.1f} ms"
    table.add("write to visible in every read model", len(looked) / seconds, *quantiles_ms(looked), 0, note)
    table.add("write to the answers of search and analytics with Souk-Min-Position", len(asked) / seconds,
              *quantiles_ms(asked), 0, note)


def cost(table, rounds, seconds):
    """Durable add-to-cart with the read models on and paused, in turns on one daemon."""
    rates = {"on": [], "paused": []}
    latencies = {"on": [], "paused": []}
    with Daemon() as daemon:
        client = daemon.client()
        for turn in range(rounds):
            for state in ("on", "paused") if turn % 2 == 0 else ("paused", "on"):
                for model in MODELS:
                    client.post(f"/v1/projections/{model}/{'pause' if state == 'paused' else 'resume'}")
                if state == "on":
                    caught_up(client)
                said = json.loads(souk(daemon, "--json", "bench", "http", "--seconds", str(seconds), "--seed", str(turn)))
                rates[state].append(said["per_second"])
                latencies[state].append([said["p50_ms"], said["p99_ms"], said["p999_ms"]])
    pairs = [on / paused for on, paused in zip(rates["on"], rates["paused"])]
    for state, measured in rates.items():
        middle = [statistics.median(of) for of in zip(*latencies[state])]
        table.add(f"add-to-cart, read models {state}", statistics.median(measured), *middle, 0,
                  f"{statistics.median(pairs):.2f} of paused (pairs {min(pairs):.2f} to {max(pairs):.2f})"
                  if state == "on" else "")


# ---- search ----

class Language:
    """Words as a shop has them: few are in many names, many in few."""

    def __init__(self, seed, words=20_000):
        self.random, self.words = random.Random(seed), []
        for number in range(words):
            word, rest = "", number + 16 ** 3
            while rest:
                word, rest = word + SYLLABLES[rest % 16], rest // 16
            self.words.append(word)

    def text(self, count):
        return " ".join(self.words[int(len(self.words) ** self.random.random()) - 1] for _ in range(count))


def write_catalogue(path, products):
    language = Language(1)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["sku", "name", "description", "brand", "category", "price", "stock"])
        for number in range(products):
            pick = language.random.randrange
            out.writerow([f"S{number}", language.text(8), language.text(40), f"Brand {pick(500)}",
                          f"Root {pick(8)} > Leaf {pick(25)}", f"{pick(100, 50000) / 100:.2f}", 1000 if number % 3 else 0])


def two_words():
    """Two words, two facets, and a filter."""
    language = Language(2)
    filters = ["in_stock=true", "price_min=10&price_max=100", "category=Root%201"]
    return [f"/v1/search?q={language.text(1)}+{language.text(1)}&facets=brand,category&{filters[i % 3]}"
            for i in range(QUERIES)]


def write_stock(address, seconds, done):
    """At its own pace, in a process of its own: ends with the count that was written."""
    client, written = Client(address), 0
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        if written > now * STOCK_WRITES:
            time.sleep(0.0005)
            continue
        client.post(f"/v1/inventory/S{written % STOCKED}/receive", {"quantity": 1}, key=f"w-{address}-{written}")
        written += 1
    done.put(written)


def search(table, seconds, products):
    with tempfile.TemporaryDirectory(prefix="souk-bench-") as home, Daemon() as daemon:
        catalogue = os.path.join(home, "catalogue.csv")
        write_catalogue(catalogue, products)
        began = time.monotonic()
        souk(daemon, "import", "products", catalogue)
        client = daemon.client()
        caught_up(client)
        built = f"{products:,} products, imported and found after {time.monotonic() - began:.0f} s"
        lua = WRK_READ.format(paths=",".join(f'"{path}"' for path in two_words())) + WRK_DONE
        run_wrk(home, daemon.address, lua, 1, connections=1)  # warm
        table.add("search, two words, two facets, a filter, one client",
                  *run_wrk(home, daemon.address, lua, seconds, connections=1), built)
        done = multiprocessing.Queue()
        writer = multiprocessing.Process(target=write_stock, args=(daemon.address, seconds + 1, done))
        writer.start()
        time.sleep(0.5)
        measured = run_wrk(home, daemon.address, lua, seconds, connections=1)
        written = done.get()
        writer.join()
        table.add("the same under stock writes", *measured, f"{written / (seconds + 1):,.0f} stock writes/s beside it")


# ---- how fast search is built ----

def index(table, rounds, products):
    """Search built anew from the log beside the live copy, which is idle: each product is read, its text is taken apart,
    written to the index and compared. Products have 48 words, as those of `search` above."""
    with tempfile.TemporaryDirectory(prefix="souk-bench-") as home, Daemon() as daemon:
        catalogue = os.path.join(home, "catalogue.csv")
        write_catalogue(catalogue, products)
        began = time.monotonic()
        souk(daemon, "import", "products", catalogue)
        client = daemon.client(timeout=600)
        caught_up(client)
        found, took = time.monotonic() - began, []
        for _ in range(rounds):
            began = time.monotonic()
            Shop.expect(client.post("/v1/projections/search/rebuild"), 200)
            while "rebuild" in (model := next(m for m in client.get("/v1/projections").json["projections"]
                                              if m["name"] == "search")):
                time.sleep(0.02)
            took.append(time.monotonic() - began)
            if model["last_rebuild"] != "equal to the copy before":
                raise RuntimeError(model)
        middle = statistics.median(took)
        table.add("search built anew, products", products / middle, 0, 0, 0, 0,
                  f"{products:,} in {middle:.1f} s ({min(took):.1f} to {max(took):.1f}); imported and found after {found:.0f} s")


# ---- figures of a year, and building everything anew ----

def rebuild(table, orders):
    with Daemon() as daemon:
        souk(daemon, "generate", "--products", "10000", "--users", str(max(1, orders // 10)), "--orders", str(orders))
        client = daemon.client(timeout=600)
        caught_up(client)
        events = sum(positions(client.get("/v1/projections").json["projections"][0]["position"]).values())
        began = time.monotonic()
        for model in MODELS:  # all at once
            client.post(f"/v1/projections/{model}/rebuild")
        while any("rebuild" in model for model in client.get("/v1/projections").json["projections"]):
            time.sleep(0.1)
        took = time.monotonic() - began
        ends = {model["name"]: model["last_rebuild"] for model in client.get("/v1/projections").json["projections"]}
        table.add(f"rebuild of every read model, {events:,} events", events / took, 0, 0, 0, 0, f"{took:.1f} s; {ends}")
        sales(table, daemon)


def sales(table, daemon):
    """Sales by month right after a start, then again."""
    daemon.stop()
    daemon.start()
    client = daemon.client()
    caught_up(client)

    def once():
        began = time.monotonic()
        Shop.expect(client.get("/v1/analytics/sales?group_by=month"), 200)
        return time.monotonic() - began

    cold, again = once(), [once() for _ in range(200)]
    table.add("sales by month, again", 1 / statistics.mean(again), *quantiles_ms(again), 0, f"the first {1000 * cold:.1f} ms")

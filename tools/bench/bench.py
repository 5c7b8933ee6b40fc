#!/usr/bin/env python3
"""The benchmarks of `tools/dev bench`: prints one table. Every row is measured on this machine, now.
usage: bench.py [--quick] [--only nginx|stages|views|reads|index|rebuild|kafka|cluster|souk|inside] [--orders N]

Rows: durable add-to-cart over HTTP against a bare `return 200` of nginx and products against nginx sending the same bytes
from its memory, in turns, under the same load generator (wrk); where the processor's time goes (stages.py); the read side (read_side.py); the mixes of `souk bench`; the
engine alone. The load generator shares the cores with the server, so of nginx only the ratio of many pairs means something."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "scenarios"))
import cluster  # noqa: E402
import kafka_log  # noqa: E402
import read_side  # noqa: E402
import stages  # noqa: E402
from harness import CONNECTIONS, WRK_DONE, WRK_READ, Table, run_wrk  # noqa: E402
from nginx import Nginx  # noqa: E402
from souk_client import Client, Daemon, Shop, binary, money  # noqa: E402

CARTS = 2000
PRODUCTS = 100

NGINX = """server { listen 127.0.0.1:{port};
  location / { default_type application/json; return 200 '{}'; } }
"""

# New keys in every run: a repeated key would be answered from memory.
WRK = """math.randomseed({seed})
local carts = {{{carts}}}
local n = 0
request = function()
  n = n + 1
  return wrk.format('POST', '/v1/carts/' .. carts[math.random(#carts)] .. '/items',
    {{['Content-Type'] = 'application/json', ['Idempotency-Key'] = '{run}-' .. n, ['Prefer'] = 'return=minimal'}},
    '{{"sku":"p' .. math.random(0, {products} - 1) .. '","quantity":1}}')
end
"""


def wrk(home, address, carts, seconds, connections=CONNECTIONS):
    return run_wrk(home, address, WRK.format(seed=uuid.uuid4().int % 2**31, carts=",".join(f'"{c}"' for c in carts),
                                             run=uuid.uuid4().hex[:8], products=PRODUCTS) + WRK_DONE, seconds, connections)


def against_nginx(table, rounds, seconds):
    with tempfile.TemporaryDirectory(prefix="souk-bench-") as home, Daemon() as daemon:
        shop = Shop(daemon.client())
        for number in range(PRODUCTS):
            shop.client.put(f"/v1/products/p{number}", {"name": f"p{number}", "price": money("1.25")})
        carts = [shop.cart() for _ in range(CARTS)]
        with Nginx(NGINX) as nginx:
            runs = {"nginx, return 200": [], "souk, durable add-to-cart": []}
            wrk(home, daemon.address, carts, 1)  # warm
            for _ in range(rounds):
                runs["nginx, return 200"].append(wrk(home, nginx.address, carts, seconds))
                runs["souk, durable add-to-cart"].append(wrk(home, daemon.address, carts, seconds))
    show_pairs(table, runs)


def show_pairs(table, runs):
    """Of two: nginx, then us."""
    pairs = [ours[0] / theirs[0] for theirs, ours in zip(*runs.values())]
    for what, measured in runs.items():
        middle = [statistics.median(run[i] for run in measured) for i in range(4)]
        ours = what.startswith("souk")
        note = f"{statistics.median(pairs):.2f} of nginx (pairs {min(pairs):.2f} to {max(pairs):.2f})" if ours else ""
        table.add(what, *middle, sum(run[4] for run in measured), note)


def views_against_nginx(table, rounds, seconds):
    """The same products, byte for byte, from the memory of both."""
    with tempfile.TemporaryDirectory(prefix="souk-bench-") as home, Daemon() as daemon:
        shop = Shop(daemon.client())
        paths, locations = [], []
        for number in range(PRODUCTS):
            sku = shop.product(stock=10 + number)
            paths.append(f"/v1/products/{sku}")
            body = shop.client.get(paths[-1]).raw.decode()
            locations.append(f"location = {paths[-1]} {{ default_type application/json; return 200 '{body}'; }}")
        with Nginx("server { listen 127.0.0.1:{port};\n" + "\n".join(locations) + " }") as nginx:
            for path in paths:
                theirs = Client(nginx.address)
                if theirs.get(path).raw != shop.client.get(path).raw:
                    sys.exit(f"nginx does not send the same bytes for {path}")
                theirs.close()
            for count in (1, PRODUCTS):
                lua = WRK_READ.format(paths=",".join(f'"{path}"' for path in paths[:count])) + WRK_DONE
                what = "a product" if count == 1 else f"{count} products"
                runs = {f"nginx, {what} from memory": [], f"souk, {what}": []}
                run_wrk(home, daemon.address, lua, 1)  # warm
                for turn in range(rounds):
                    servers = list(zip(runs, (nginx.address, daemon.address)))
                    for name, address in servers if turn % 2 == 0 else reversed(servers):
                        runs[name].append(run_wrk(home, address, lua, seconds))
                show_pairs(table, runs)


MIXES = [["http"], ["batch", "--format", "ndjson"], ["batch", "--format", "capnp"],
         ["batch", "--format", "capnp", "--mix", "drop", "--skus", "1", "--batch", "1000"],
         ["batch", "--format", "capnp", "--mix", "place-order", "--skus", "10000"],
         ["drop"], ["orders"], ["http", "--mix", "read"]]
ANSWERED = ("200", "201", "202", "204")


def ask_mix(mix, seconds):
    with Daemon() as daemon:
        done = subprocess.run([binary("souk"), "--url", f"http://{daemon.address}", "--json", "bench", *mix,
                               "--seconds", str(seconds)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"souk bench {' '.join(mix)}: {done.returncode} {done.stdout}{done.stderr}")
    said = json.loads(done.stdout)
    said["errors"] = sum(count for status, count in said["by_status"].items() if status not in ANSWERED)
    return said


def one_mix(table, mix, seconds, name):
    said = ask_mix(mix, seconds)
    table.add(name, said["per_second"], said["p50_ms"], said["p99_ms"], said["p999_ms"], said["errors"],
              f"{len(said['promises'])} promises held")
    return said["per_second"]


def half_load(table, full, rounds, seconds):
    """Latency where there is room: half of what it can do, in an open loop. A pause of the machine is longer than the
    99th percentile of a second, so it is the median of several runs."""
    runs = [ask_mix(["http", "--rate", str(int(full / 2))], seconds) for _ in range(rounds)]
    middle = {key: statistics.median(run[key] for run in runs) for key in ("per_second", "p50_ms", "p99_ms", "p999_ms")}
    p99s = [run["p99_ms"] for run in runs]
    table.add("souk bench http at half that rate, medians", *middle.values(), sum(run["errors"] for run in runs),
              f"p99 {min(p99s):.1f} to {max(p99s):.1f}")


def souk_bench(table, rounds, seconds):
    for mix in MIXES:
        rate = one_mix(table, mix, seconds, "souk bench " + " ".join(mix))
        if mix == ["http"]:
            half_load(table, rate, rounds, seconds)


def inside(quick):
    """The engine without HTTP; prints its own lines."""
    verbs = [["engine"]] if quick else [["engine"], ["memory"], ["restart"]]
    for verb in verbs:
        print(f"\nsouk bench {' '.join(verb)}", flush=True)
        subprocess.run([binary("souk"), "bench", *verb, *(["--count", "20000"] if quick else [])], check=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true", help="a second each, to see that everything runs")
    arguments.add_argument("--only", default="", choices=["", "nginx", "stages", "views", "reads", "index", "rebuild", "kafka", "cluster", "souk", "inside"])
    arguments.add_argument("--orders", type=int, default=0, help="how many are rebuilt; 450,000 are 11 million events")
    given = arguments.parse_args()
    rounds, seconds = (1, 1) if given.quick else (5, 5)
    tempfile.tempdir = "/var/tmp"  # a real disk: /tmp may be memory
    table = Table()
    if given.only in ("", "nginx"):
        against_nginx(table, rounds, seconds)
    if given.only in ("", "stages"):
        stages.measure(wrk, CARTS, PRODUCTS, rounds, seconds)
    if given.only in ("", "views"):
        views_against_nginx(table, rounds, seconds)
    if given.only in ("", "reads"):
        read_side.cost(table, rounds, seconds)
        read_side.visible(table, 2 if given.quick else 30)
        read_side.search(table, seconds, 2_000 if given.quick else 100_000)
    if given.only in ("", "index"):
        read_side.index(table, rounds, 2_000 if given.quick else 100_000)
    if given.only in ("", "rebuild"):
        read_side.rebuild(table, given.orders or (500 if given.quick else 100_000))
    if given.only in ("", "kafka"):
        kafka_log.measure(table, wrk, CARTS, PRODUCTS, rounds, seconds)
    if given.only in ("", "cluster"):
        cluster.measure(table, rounds)
    if given.only in ("", "souk"):
        souk_bench(table, rounds, seconds)
    if table.rows:
        table.show()
    if given.only in ("", "inside"):
        inside(given.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())

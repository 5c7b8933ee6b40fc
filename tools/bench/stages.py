"""Where the processor's time goes: microseconds of each of the daemon's threads for one durable add-to-cart over HTTP."""
import glob
import statistics
import tempfile

from souk_client import Daemon, Shop, money

# What a thread is called by itself -> what it does.
NAMES = {"soukd": "I/O: parse, answer", "host": "host: decide, encode", "journal": "journal: write, sync",
         "store": "states: write, load", "rocksdb:high": "RocksDB: flush", "rocksdb:low": "RocksDB: merge",
         "read:analytics": "read model: analytics", "read:search": "read model: search"}


def thread_ns(pid):
    """{name: nanoseconds on a processor}; those that end meanwhile are left out."""
    used = {}
    for task in glob.glob(f"/proc/{pid}/task/*"):
        try:
            with open(f"{task}/comm", encoding="utf-8") as comm, open(f"{task}/schedstat", encoding="utf-8") as stat:
                name = NAMES.get(comm.read().strip(), "all others")
                used[name] = used.get(name, 0) + int(stat.read().split()[0])
        except OSError:
            pass
    return used


def measure(load, carts_count, products, rounds, seconds):
    """`load(home, address, carts, seconds)` runs the load and returns its rate first. Prints a table."""
    with tempfile.TemporaryDirectory(prefix="souk-bench-") as home, Daemon() as daemon:
        shop = Shop(daemon.client())
        for number in range(products):
            shop.client.put(f"/v1/products/p{number}", {"name": f"p{number}", "price": money("1.25")})
        carts = [shop.cart() for _ in range(carts_count)]
        load(home, daemon.address, carts, 1)  # warm
        rates, by_name = [], {}
        for _ in range(rounds):
            before = thread_ns(daemon.process.pid)
            rate = load(home, daemon.address, carts, seconds)[0]
            after = thread_ns(daemon.process.pid)
            rates.append(rate)
            for name, used in after.items():
                by_name.setdefault(name, []).append((used - before.get(name, 0)) / 1000 / (rate * seconds))
    print(f"\nmicroseconds of processor time a command, median of {rounds} rounds at {statistics.median(rates):,.0f}/s")
    print("| thread | us |\n|---|---:|")
    medians = {name: statistics.median(values) for name, values in by_name.items()}
    for name in sorted(medians, key=medians.get, reverse=True):
        if medians[name] >= 0.05:
            print(f"| {name} | {medians[name]:.1f} |")
    print(f"| together | {sum(medians.values()):.1f} |", flush=True)

#!/usr/bin/env python3
"""Each file of a data directory, damaged in each way, ends as the table below says; what was acknowledged is never lost
without words. usage: damage_test.py [--seed N] [--seconds N] [--only PART-OF-A-NAME] [--all]; each day has a seed of its own

The ways: `bit` (one changed bit), `cut`, `emptied`, `deleted`, `older` (the copy of an earlier moment), `foreign` (that of
another directory), `folder` (a folder in its place). Files come in the order of a seed, which is printed, until the time
is over; whole folders always."""
import argparse
import collections
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from souk_client import PATIENCE, Daemon, NotReady, Shop, binary, eventually

# How a start may end.
REFUSED = "refused"  # soukd does not start; it names the folder and what to do
SOUND = "sound"  # mended or harmless: all that was acknowledged is shown, keys are replayed, the audit finds nothing
TOLD = "told"  # it starts; the audit names the damage, and what is shown wrongly is shown as null or refused
WAYS = ("bit", "cut", "emptied", "deleted", "older", "foreign", "folder")
# The first row that fits: a pattern of the path, of the way, and how it may end.
TABLE = (
    (r"souk-data$", r"", {REFUSED}),
    (r"^lock$", r"folder", {REFUSED}),
    (r"^lock$", r"", {SOUND}),
    (r"/(LOG.*|IDENTITY|OPTIONS-\d+|LOCK)$", r"", {SOUND, REFUSED}),
    (r"/souk-manifest$", r"", {SOUND}),  # it only ever says what another file must be
    (r"^journal/\d+\.sst$", r"bit", {REFUSED, TOLD, SOUND}),
    (r"^journal/\d+\.log$", r"bit|cut", {REFUSED, SOUND}),  # SOUND: in the room behind the last record
    # SOUND: cut within what was added since it was noted, which says nothing of tables.
    (r"^(journal|keys|provider)/MANIFEST-", r"cut", {REFUSED, SOUND}),
    (r"^journal(/|$)", r"", {REFUSED}),
    (r"^(keys|provider)/\d+\.sst$", r"bit", {REFUSED, TOLD, SOUND}),
    (r"^(keys|provider)(/|$)", r"", {REFUSED}),
    (r"^states$", r"deleted|folder", {SOUND}),
    (r"^states$", r"older", {SOUND}),
    (r"^states$", r"foreign", {REFUSED}),
    (r"^states/\d+\.sst$", r"bit", {SOUND, TOLD}),  # TOLD: nobody asked for what it held
    (r"^states/", r"", {SOUND}),
    # TOLD: a copy that was killed soon after its last event has no seal yet, and the audit compares it with the log.
    (r"^projections/", r"bit|older|deleted", {SOUND, TOLD}),
    (r"^projections(/|$)", r"", {SOUND}),
)


def ends_allowed(path, way):
    return next(ends for where, how, ends in TABLE if re.search(where, path) and re.search(how, way))


class Told:
    """What was acknowledged: documents, and commands with their keys and answers."""

    def __init__(self):
        self.documents, self.commands, self.sales = {}, [], None

    def command(self, client, method, path, body, key):
        answer = client.call(method, path, body, key=key)
        assert answer.status in (200, 201, 202), answer
        self.commands.append((method, path, body, key, answer.status, answer.raw))
        return answer.json

    def read(self, client, *paths):
        for path in paths:
            answer = client.get(path)
            assert answer.status == 200, (path, answer)
            self.documents[path] = answer.json


def shop_for_a_while(client, told, words):
    """Some of everything, under names that begin with `words`."""
    shop, paths = Shop(client), []
    for number in range(6):
        sku, name = f"{words}-sku-{number}", f"{words}-{number}"
        shop.product(stock=50, sku=sku, price=f"{number + 1}.25")
        user = told.command(client, "POST", "/v1/users", {"email": f"{name}@example.com", "name": name},
                            f"user-{name}")["user_id"]
        cart = told.command(client, "POST", "/v1/carts", {"user_id": user}, f"cart-{name}")["cart_id"]
        told.command(client, "POST", f"/v1/carts/{cart}/items", {"sku": sku, "quantity": 2}, f"item-{name}")
        order = told.command(client, "POST", "/v1/orders?wait=final",
                             {"user_id": user, "lines": [{"sku": sku, "quantity": 3}],
                              "shipping_address": {"line": f"{number} High Street"},
                              "payment": {"method": "simulated", "token": "ok"}}, f"order-{name}")["order_id"]
        paths += [f"/v1/products/{sku}", f"/v1/users/{user}", f"/v1/carts/{cart}", f"/v1/orders/{order}",
                  f"/v1/payments/{order}"]
        eventually(lambda: client.get(f"/v1/inventory/{sku}").json, lambda stock: stock["reserved"] == 0)
    told.read(client, *paths)


def read_side(client):
    sales = client.get("/v1/analytics/sales?group_by=product").json
    found = client.get("/v1/search?limit=100").json
    return sales.get("rows"), sales.get("total"), sorted(hit["sku"] for hit in found.get("hits", []))


def settled(client):
    models = client.get("/v1/projections").json.get("projections", [])
    return models and all(model["state"] == "live" and model["lag_events"] == 0 for model in models)


class Directories:
    """`now`, killed with all of it acknowledged and seen by the read models; `older`, of before; `other`, foreign."""

    def __init__(self, home):
        self.now, self.older, self.other = (os.path.join(home, name) for name in ("now", "older", "other"))
        self.told = Told()
        self.make(self.other, Told(), "other")
        self.make(self.now, self.told, "first")
        shutil.copytree(self.now, self.older)
        self.make(self.now, self.told, "then")
        self.make(self.now, self.told, "last", end=Daemon.kill)

    def make(self, path, told, words, end=Daemon.stop):
        daemon = Daemon("--shards", "4", data_dir=path)
        try:
            daemon.start()
            client = daemon.client()
            shop_for_a_while(client, told, words)
            eventually(lambda: settled(client), lambda live: live, 30)
            time.sleep(0.3)
            told.read_side = read_side(client)
            end(daemon)
        finally:
            daemon.__exit__()


def all_cases(now, chance, every):
    """(path, way), whole folders first."""
    for folder in ("journal", "keys", "provider", "states", "projections"):
        for way in ("deleted", "older", "foreign"):
            yield folder, way
    files = sorted(os.path.relpath(os.path.join(under, name), now)
                   for under, _, names in os.walk(now) for name in names)
    cases = [(path, way) for path in files for way in WAYS if way != "foreign"]
    dull = re.compile(r"/(LOG.*|IDENTITY|OPTIONS-\d+|LOCK)$")
    cases = [case for case in cases if every or not dull.search(case[0]) or case[1] in ("deleted", "folder")]
    chance.shuffle(cases)
    yield from cases


def damage(directories, home, path, way, chance):
    """False where this way changes nothing there."""
    target = os.path.join(home, path)
    if way in ("older", "foreign"):
        source = os.path.join(directories.older if way == "older" else directories.other, path)
        if not os.path.exists(source):
            return False
        if os.path.isdir(target):
            shutil.rmtree(target)
            shutil.copytree(source, target)
            return True
        with open(source, "rb") as file, open(target, "rb") as now:
            if file.read() == now.read():
                return False
        shutil.copyfile(source, target)
        return True
    if os.path.isdir(target):
        shutil.rmtree(target)
        return True
    if way in ("deleted", "folder"):
        os.unlink(target)
        if way == "folder":
            os.mkdir(target)
        return True
    with open(target, "r+b") as file:
        content = bytearray(file.read())
        used = len(content.rstrip(b"\0"))  # a journal's log is written over zeros
        if not used:
            return False
        if way == "bit":
            at = chance.randrange(used)
            file.seek(at)
            file.write(bytes([content[at] ^ 1 << chance.randrange(8)]))
        else:
            file.truncate(chance.randrange(1, used) if way == "cut" and used > 1 else 0)
    return True


def compare(client, told):
    """What differs from what was acknowledged. A member that is null was said to be lost."""
    different = []
    for path, then in told.documents.items():
        now = client.get(path)
        if now.status != 200 or now.json != then:
            different.append(f"{path}: {now!r} was {then}")
    for method, path, body, key, status, raw in told.commands[-8:] + told.commands[:4]:
        again = client.call(method, path, body, key=key)
        if (again.status, again.raw) != (status, raw):
            different.append(f"key {key}: {again!r} was {status} {raw!r}")
    seen = eventually(lambda: settled(client) and read_side(client), lambda now: now == told.read_side, 20)
    if seen != told.read_side:
        different.append(f"the read models show {seen}, was {told.read_side}")
    return different


def verify(home):
    done = subprocess.run([binary("souk"), "verify", "--data-dir", home], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def outcome(directories, home, path):
    """(end, words): how a start on `home` ends."""
    daemon = Daemon(data_dir=home)
    try:
        try:
            daemon.start(timeout=30)
        except NotReady as ended:
            words = daemon.log()
            last = [line for line in words.splitlines() if line.startswith("soukd: ")]
            if daemon.process.returncode != 1 or not last:
                return "crashed", f"{ended}"
            return (REFUSED if path.split("/")[0] in last[-1] else "unclear"), last[-1]
        different = compare(daemon.client(), directories.told)
        if daemon.stop() != 0:
            return "crashed", f"SIGTERM: {daemon.process.returncode} {daemon.log()[-1000:]}"
        status, words = verify(home)
        if status not in (0, 1):
            return "crashed", f"souk verify: {status} {words}"
        if different:
            lost = status == 0 or not re.search(r" level=(warning|error) ", daemon.log())
            return ("LOST" if lost else TOLD), f"{different[:3]} verify {status} {words[-500:]}"
        return (SOUND, "") if status == 0 else (TOLD, words)
    except Exception as broken:  # pylint: disable=broad-except
        return "crashed", f"{type(broken).__name__}: {broken} {daemon.log()[-1000:]}"
    finally:
        daemon.__exit__()


class Run:
    def __init__(self, directories, seed, seconds, only, every):
        self.directories, self.seed, self.only = directories, seed, only
        self.until = time.monotonic() + seconds * PATIENCE
        self.cases = all_cases(directories.now, random.Random(seed), every)
        self.lock, self.ends, self.wrong = threading.Lock(), collections.Counter(), []

    def next(self):
        with self.lock:
            while True:
                case = next(self.cases, None)
                if case is None or (time.monotonic() > self.until and "/" in case[0]):
                    return None
                if self.only in f"{case[0]} {case[1]}":
                    return case

    def work(self):
        while (case := self.next()) is not None:
            self.one(*case)

    def one(self, path, way):
        home = tempfile.mkdtemp(prefix="souk-damage-")
        try:
            hurt = os.path.join(home, "data")
            shutil.copytree(self.directories.now, hurt)
            if not damage(self.directories, hurt, path, way, random.Random(f"{self.seed} {path} {way}")):
                return
            end, words = outcome(self.directories, hurt, path)
        finally:
            shutil.rmtree(home, ignore_errors=True)
        with self.lock:
            self.ends[end] += 1
            if end not in ends_allowed(path, way):
                self.wrong.append((path, way, end))
                print(f"WRONG {path} {way}: {end}, may be {sorted(ends_allowed(path, way))}: {words}", flush=True)
            elif self.only:
                print(f"{path} {way}: {end} {words[:400]}", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", type=int, default=int(time.time()) // 86400)
    arguments.add_argument("--seconds", type=float, default=90)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--all", action="store_true", help="also files that RocksDB hardly reads, and no limit of time")
    given = arguments.parse_args()
    print(f"seed={given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="souk-damage-") as home:
        directories = Directories(home)
        untouched = os.path.join(home, "untouched")
        shutil.copytree(directories.now, untouched)
        end, words = outcome(directories, untouched, "")
        if end != SOUND:
            print(f"WRONG without damage: {end} {words}")
            return 1
        run = Run(directories, given.seed, 1e6 if given.all else given.seconds, given.only, given.all)
        workers = [threading.Thread(target=run.work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    print(f"seed={given.seed}: {dict(run.ends)}, {len(run.wrong)} wrong")
    return 1 if run.wrong or not run.ends else 0


if __name__ == "__main__":
    sys.exit(main())

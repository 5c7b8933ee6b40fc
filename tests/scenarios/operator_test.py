#!/usr/bin/env python3
"""What an operator does, and what happens to a data directory: restarts, copies, damage, wrong options."""
import contextlib
import ctypes
import glob
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from skips import skip_test
from souk_client import CLEAN_ENVIRONMENT, LOST, PATIENCE, Daemon, NotReady, Shop, binary, eventually


def soukd(*options, timeout=20):
    return subprocess.run([binary("soukd"), *options], capture_output=True, text=True, timeout=timeout * PATIENCE,
                          cwd=tempfile.gettempdir(), env=CLEAN_ENVIRONMENT)


def fill(daemon, carts=30):
    """Some of everything; what each address answered."""
    shop = Shop(daemon.client())
    sku = shop.product(stock=50, price="3.20")
    paths = [f"/v1/products/{sku}", f"/v1/inventory/{sku}"]
    for number in range(carts):
        cart = shop.cart()
        shop.add(cart, sku, number % 3 + 1)
        paths.append(f"/v1/carts/{cart}")
        if number % 5 == 0:
            order_id = shop.check_out(cart).json["order_id"]
            paths += [f"/v1/orders/{order_id}", f"/v1/payments/{order_id}"]
    shop.stock(sku)
    return read(daemon, paths)


def read(daemon, paths):
    client = daemon.client()
    seen = {path: client.get(path) for path in paths}
    client.close()
    return {path: (said.status, said.raw, said.headers.get("etag")) for path, said in seen.items()}


class Restarts(unittest.TestCase):
    def test_everything_is_the_same_after_a_stop_and_after_a_kill(self):
        with Daemon() as daemon:
            before = fill(daemon)
            self.assertEqual({status for status, _, _ in before.values()}, {200})
            self.assertEqual(daemon.stop(), 0)
            daemon.start()
            self.assertEqual(read(daemon, before), before)
            daemon.kill()
            daemon.start()
            self.assertEqual(read(daemon, before), before)

    def test_sigterm_under_load_drains_and_keeps_what_was_acknowledged(self):
        with Daemon() as daemon:
            shop = Shop(daemon.client())
            sku, acknowledged = shop.product(stock=0), {}

            def customer():
                mine = Shop(daemon.client())
                try:
                    while True:
                        cart = mine.cart()
                        acknowledged[cart] = 0
                        for _ in range(5):
                            if mine.add(cart, sku).status != 200:
                                return
                            acknowledged[cart] += 1
                except (*LOST, AssertionError):
                    return

            customers = [threading.Thread(target=customer) for _ in range(8)]
            for thread in customers:
                thread.start()
            time.sleep(1)
            self.assertEqual(daemon.stop(), 0)
            for thread in customers:
                thread.join()
            self.assertGreater(len(acknowledged), 8)
            daemon.start()
            client = daemon.client()
            for cart, quantity in acknowledged.items():
                lines = client.get(f"/v1/carts/{cart}").json["lines"]
                have = lines[0]["quantity"] if lines else 0
                self.assertIn(have - quantity, (0, 1), f"cart {cart}: acknowledged {quantity}, holds {have}")

    def test_a_key_is_remembered_over_a_kill(self):
        with Daemon() as daemon:
            shop = Shop(daemon.client())
            sku, cart = shop.product(stock=0), shop.cart()
            first = shop.add(cart, sku, key="once")
            daemon.kill()
            daemon.start()
            again = Shop(daemon.client()).add(cart, sku, key="once")
            self.assertEqual((again.status, again.raw), (first.status, first.raw))
            self.assertEqual(again.headers.get("idempotent-replay"), "true")


class Verify(unittest.TestCase):
    """P5 from outside: `souk verify` compares each read model with the fold of the log."""

    def setUp(self):
        self.daemon = Daemon().start()
        self.addCleanup(self.daemon.__exit__)
        fill(self.daemon)
        client = self.daemon.client()
        shop = Shop(client)
        sku = shop.product(stock=20)
        for back in ({}, {"lines": [{"sku": sku, "quantity": 2}]}):  # kept off sale, and in stock again
            cart = shop.cart()
            shop.add(cart, sku, 3)
            path = f"/v1/orders/{shop.check_out(cart).json['order_id']}"
            for step, body in (("ship", {}), ("deliver", {}), ("return", back)):
                shop.expect(client.post(f"{path}/{step}", body, key=shop.fresh()), 200)
        self.assertEqual(eventually(lambda: shop.figures(sku), lambda now: now == (16, 0, 16)), (16, 0, 16))
        eventually(lambda: client.get("/v1/projections").json["projections"],
                   lambda found: found and all(one["state"] == "live" and one["lag_events"] == 0 for one in found))
        self.assertEqual(self.daemon.stop(), 0)
        self.scratch = tempfile.mkdtemp(prefix="souk-test-")
        self.addCleanup(shutil.rmtree, self.scratch)

    def command(self):
        return {"args": [binary("souk"), "verify", "--data-dir", self.daemon.data_dir], "text": True,
                "env": {**CLEAN_ENVIRONMENT, "TMPDIR": self.scratch}}

    def verify(self):
        ran = subprocess.run(**self.command(), capture_output=True, check=False)
        self.assertEqual(os.listdir(self.scratch), [])
        return ran

    def test_a_row_that_somebody_changed_is_found(self):
        clean = self.verify()
        self.assertEqual(clean.returncode, 0, clean.stdout + clean.stderr)
        self.assertRegex(clean.stdout, r"(?m)^read model search: \d+ events$")
        self.assertRegex(clean.stdout, r"(?m)^read model analytics: \d+ events$")
        generation, = glob.glob(os.path.join(self.daemon.data_dir, "projections", "analytics", "0*[0-9]"))
        with contextlib.closing(sqlite3.connect(os.path.join(generation, "analytics.sqlite"))) as database, database:
            database.execute("UPDATE order_row SET value = value + 1 WHERE no = 1")
        found = self.verify()
        self.assertEqual(found.returncode, 1)
        self.assertRegex(found.stdout, r"(?m)^P5 violated by projection analytics at \d+ events: ")
        self.assertNotIn("projection search", found.stdout)

    def test_ctrl_c_leaves_nothing_behind(self):
        running = subprocess.Popen(**self.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        while running.poll() is None and not glob.glob(os.path.join(self.scratch, "*", "stored")):
            pass
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=30 * PATIENCE)
        self.assertEqual((running.returncode, os.listdir(self.scratch)), (-signal.SIGINT, []), said)


SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}.get(os.uname().machine)


def slice_ns(thread):
    """How long the scheduler lets a thread run at a time; 0 on a kernel before 6.12, which has no such thing."""
    attributes = ctypes.create_string_buffer(48)
    if ctypes.CDLL(None).syscall(SCHED_GETATTR, int(thread), attributes, 48, 0) != 0:
        raise ProcessLookupError(f"sched_getattr {thread}")
    return struct.unpack_from("=Q", attributes, 24)[0]


def slices(pid):
    """[name, slice] of each thread."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
                found.append((file.read().strip(), slice_ns(thread)))
    return found


class Threads(unittest.TestCase):
    def test_those_that_serve_commands_have_short_slices_and_the_rest_has_not(self):
        if not SCHED_GETATTR:
            skip_test("thread-slices", "sched_getattr has another number on this machine")
        if slice_ns(0) == 0:
            skip_test("thread-slices", "this kernel has no slices of single threads")
        with Daemon("--hosts", "8") as daemon:
            def hosts():
                return [length for name, length in slices(daemon.process.pid) if name == "host"]
            self.assertEqual(eventually(hosts, lambda all_of_them: len(all_of_them) == 8), [100_000] * 8)
            found = slices(daemon.process.pid)
            self.assertIn(("journal", 100_000), found)
            self.assertIn(("soukd", 100_000), found, "the I/O thread")
            self.assertFalse([name for name, length in found if length == 100_000 and name.startswith("read:")])


class DataDirectories(unittest.TestCase):
    def test_a_second_daemon_is_told_who_holds_the_directory(self):
        with Daemon() as daemon:
            second = soukd("--data-dir", daemon.data_dir, "--http", "127.0.0.1:0")
            self.assertEqual(second.returncode, 1, second)
            self.assertIn(str(daemon.process.pid), second.stderr)
            self.assertNotIn("souk ready", second.stdout)
            self.assertEqual(daemon.client().get("/healthz").status, 200, "and the first one is not disturbed")

    def test_a_copy_of_a_stopped_directory_serves_the_same(self):
        with Daemon() as daemon:
            before = fill(daemon)
            daemon.stop()
            copy = os.path.join(daemon.home, "copy")
            shutil.copytree(daemon.data_dir, copy)
            daemon.start()
            with Daemon(data_dir=copy) as other:
                self.assertEqual(read(other, before), before)
                fill(other, carts=5)
                self.assertEqual(read(daemon, before), before, "what happens to the copy stays there")

    def test_another_number_of_shards_is_refused(self):
        with Daemon("--shards", "8") as daemon:
            self.assertIn("shards=8", daemon.ready_line)
            daemon.stop()
            other = soukd("--data-dir", daemon.data_dir, "--http", "127.0.0.1:0", "--shards", "16")
            self.assertEqual(other.returncode, 1, other)
            self.assertRegex(other.stderr, r"(?s)8.*16|16.*8")
            daemon.start()

    def test_a_flipped_byte_in_the_journal_is_never_served(self):
        refused = 0
        for where in (0.3, 0.6, 0.9):
            with self.subTest(where), Daemon() as daemon:
                before = fill(daemon, carts=60)
                daemon.kill()
                victim = largest_file(os.path.join(daemon.data_dir, "journal"))
                offset = int(written_bytes(victim) * where)
                flip(victim, offset)
                try:
                    daemon.start()
                except NotReady:
                    refused += 1
                    self.assertEqual(daemon.process.returncode, 1, daemon.log()[-500:])
                    self.assertRegex(daemon.log(), r"(?i)corrupt")
                else:  # the byte may be one that nobody reads; then everything must be as it was
                    self.assertEqual(read(daemon, before), before)
        self.assertGreater(refused, 0, "no flip hit anything")

    def test_a_damaged_journal_serves_again_once_it_is_repaired(self):
        with Daemon() as daemon:
            before = fill(daemon, carts=60)
            daemon.kill()
            victim = largest_file(os.path.join(daemon.data_dir, "journal"))
            backup = os.path.join(daemon.home, "backup")
            shutil.copytree(daemon.data_dir, backup)
            for offset in range(written_bytes(victim) // 3, written_bytes(victim) * 2 // 3, 97):
                flip(victim, offset)
            with self.assertRaises(NotReady):
                daemon.start()
            shutil.rmtree(daemon.data_dir)
            shutil.copytree(backup, daemon.data_dir)
            daemon.start()
            self.assertEqual(read(daemon, before), before)


def largest_file(folder):
    paths = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith((".log", ".sst"))]
    return max(paths, key=os.path.getsize)


def written_bytes(path):
    """Without the zeros behind the end of a log: room that was made ahead."""
    with open(path, "rb") as file:
        return len(file.read().rstrip(b"\0"))


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


class Options(unittest.TestCase):
    def setUp(self):
        self.scratch = Daemon()  # never started: a directory that is cleaned up
        self.addCleanup(self.scratch.__exit__)
        self.data = os.path.join(self.scratch.home, "data")

    def config(self, text):
        path = os.path.join(self.scratch.home, "souk.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_without_authentication_only_loopback_is_served(self):
        refused = soukd("--data-dir", self.data, "--http", "0.0.0.0:0")
        self.assertEqual(refused.returncode, 1, refused)
        self.assertIn("--allow-unauthenticated", refused.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.data, "journal")), "and nothing was made")
        with Daemon("--http", "0.0.0.0:0", "--allow-unauthenticated") as daemon:
            self.assertEqual(daemon.client().get("/healthz").status, 200)

    def test_a_good_configuration_is_checked_and_shown(self):
        path = self.config(f'data_dir = "{self.data}"\nhttp = "127.0.0.1:0"\nshards = 4\n')
        checked = soukd("--config", path, "--check-config")
        self.assertEqual(checked.returncode, 0, checked)
        self.assertFalse(os.path.exists(self.data), "checking makes nothing")
        shown = soukd("--config", path, "--shards", "8", "--print-config")
        self.assertEqual(shown.returncode, 0, shown)
        self.assertRegex(shown.stdout, r"shards\s*=\s*8")
        again = soukd("--config", self.config(shown.stdout), "--check-config")
        self.assertEqual(again.returncode, 0, "what it prints is a configuration")

    def test_a_bad_configuration_is_refused_with_the_place(self):
        for text, word in (('shard = 4\n', "shard"), ('shards = "four"\n', "shards"), ("shards = 0\n", "shards"),
                           ("shards = 4097\n", "shards"), ("shards = \n", "line 1"), ('http = "nonsense"\n', "http")):
            with self.subTest(text):
                checked = soukd("--config", self.config(text), "--check-config")
                self.assertNotEqual(checked.returncode, 0, checked)
                self.assertIn(word, checked.stderr)
        missing = soukd("--config", os.path.join(self.scratch.home, "none.toml"), "--check-config")
        self.assertNotEqual(missing.returncode, 0)
        self.assertIn("none.toml", missing.stderr)

    def test_an_unknown_option_is_a_usage_error(self):
        self.assertNotEqual(soukd("--no-such-option").returncode, 0)

    def test_an_address_in_use_is_named(self):
        with Daemon() as daemon:
            other = soukd("--data-dir", self.data, "--http", daemon.address)
            self.assertEqual(other.returncode, 1, other)
            self.assertIn(daemon.address, other.stderr)

    def test_a_directory_that_cannot_be_made_is_named(self):
        blocked = self.config("") + "/data"  # below a file
        refused = soukd("--data-dir", blocked, "--http", "127.0.0.1:0")
        self.assertEqual(refused.returncode, 1, refused)
        self.assertIn(blocked, refused.stderr)

    def test_ctrl_c_ends_it_like_sigterm(self):
        with Daemon() as daemon:
            daemon.process.send_signal(signal.SIGINT)
            self.assertEqual(daemon.process.wait(30 * PATIENCE), 0)
            daemon.process.stdout.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""While a disk fails: what is committed goes on being read, a fault of a cache costs no creation, a fault is a line
and a pause in the log whoever sets its rate, connections leave the journal its descriptors, and SIGTERM ends cleanly
whatever failed before it, and whenever it comes."""
import concurrent.futures
import os
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

import souk_client
from faults import Faults
from souk_client import PATIENCE, Daemon, Shop, binary, eventually, money

WRITES = "write,pwrite,fdatasync,fsync,rename,allocate,truncate"
STATE = ["--checkpoint-ms", "200", "--checkpoint-events", "16"]  # states are written soon
LINES_MAX = 60  # of the log, for a fault of seconds; each of some fifteen texts once a pause


def register(shop):
    name = shop.fresh("p")
    return shop.client.post("/v1/users", {"email": f"{name}@example.org", "name": "P"}, key=name)


class WhileADiskFails(unittest.TestCase):
    def lines_since(self, daemon, before):
        return daemon.log()[len(before):].splitlines()

    def one_line_each(self, lines):
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+ level=\w+ logger=\w+ ", "a line of its own")

    def test_reads_go_on_while_the_journal_takes_no_writes(self):
        with Faults() as faults, Daemon(environment=faults.environment) as daemon:
            shop = Shop(daemon.client())
            skus = [shop.product(stock=5) for _ in range(20)]
            carts = [shop.cart() for _ in range(60)]
            for cart in carts:
                shop.expect(shop.add(cart, skus[0]), 200)
            documents = [f"/v1/carts/{c}" for c in carts] + [f"/v1/products/{s}" for s in skus] + \
                        [f"/v1/inventory/{s}" for s in skus]
            before = daemon.log()
            faults.order(f"open,{WRITES} */journal/* EIO")
            def refused(cart):  # once the shard has waited for its log
                return Shop(daemon.client()).add(cart, skus[1]).status

            with concurrent.futures.ThreadPoolExecutor(30) as pool:
                self.assertEqual(set(pool.map(refused, carts)), {503})  # each shard meets a command that fails
                time.sleep(1)
                self.assertEqual(set(pool.map(refused, carts)), {503})
            failed = [d for d in documents if shop.client.get(d).status != 200]
            self.assertEqual(failed, [], "committed documents that cannot be read")
            self.assertEqual(shop.client.get("/readyz").status, 503)
            self.assertEqual(shop.client.get("/healthz").status, 200)
            lines = self.lines_since(daemon, before)
            self.assertLess(len(lines), LINES_MAX, lines[-5:])
            self.one_line_each(lines)
            faults.clear()
            again = eventually(lambda: shop.add(carts[0], skus[2]), lambda said: said.status == 200, 30)
            self.assertEqual(again.status, 200)
            self.assertEqual(eventually(lambda: shop.client.get("/readyz").status, lambda s: s == 200, 30), 200)
            self.assertEqual([d for d in documents if shop.client.get(d).status != 200], [])
            self.assertEqual(daemon.stop(60), 0)

    def test_a_cache_that_cannot_be_written_costs_no_creation_and_no_flood(self):
        with Faults() as faults, Daemon(*STATE, environment=faults.environment) as daemon:
            shop = Shop(daemon.client())
            sku = shop.product(stock=1000)
            old = shop.cart()
            before = daemon.log()
            faults.order(f"{WRITES} */states/* EIO")
            end = time.monotonic() + 6
            while time.monotonic() < end:
                cart = shop.cart()  # 201, or it fails here
                shop.expect(shop.add(cart, sku), 200)
                shop.expect(register(shop), 201)
                order = {"lines": [{"sku": sku, "quantity": 1}], "payment": {"method": "simulated", "token": "ok"}}
                shop.expect(shop.client.post("/v1/orders", order, key=shop.fresh()), 201, 202)
                shop.expect(shop.client.get(f"/v1/carts/{old}"), 200)
            self.assertGreater(sum(faults.hits()), 0, "the fault was not met")
            self.assertEqual(shop.client.get("/readyz").status, 200)
            began = time.monotonic()
            self.assertEqual(daemon.stop(60), 0)
            self.assertLess(time.monotonic() - began, 20 * PATIENCE)
            lines = self.lines_since(daemon, before)
            self.assertLess(len(lines), LINES_MAX, lines[-5:])
            self.one_line_each(lines)
            faults.clear()
            daemon.start()
            Shop(daemon.client()).expect(daemon.client().get(f"/v1/carts/{old}"), 200)

    def test_search_and_reports_go_on_answering_while_their_disk_takes_no_writes(self):
        for fault in ("ENOSPC", "EIO"):
            with self.subTest(fault=fault), Faults() as faults, Daemon(environment=faults.environment) as daemon:
                shop = Shop(daemon.client())
                old = shop.product(stock=10)
                self.assertEqual(shop.check_out(self.filled(shop, old)).json["status"], "confirmed")
                found = lambda: [hit["sku"] for hit in shop.client.get("/v1/search?limit=100").json["hits"]]
                asked = lambda: (shop.client.get("/v1/search?limit=100"), shop.client.get("/v1/analytics/sales"),
                                 shop.client.get("/v1/sql?q=SELECT+count(*)+FROM+products"))
                eventually(found, lambda skus: old in skus)
                eventually(lambda: asked()[2].json, lambda said: said["rows"] == [[1]])
                faults.order(f"{WRITES} */projections/* {fault}")
                end, new = time.monotonic() + 4, []
                while time.monotonic() < end:
                    new.append(shop.product(stock=1))
                    for answer in asked():
                        self.assertEqual(answer.status, 200, answer)
                    self.assertIn(old, found())
                self.assertGreater(sum(faults.hits()), 0, "the fault was not met")
                faults.clear()
                self.assertIn(new[-1], eventually(found, lambda skus: new[-1] in skus, 30))
                self.assertEqual(daemon.stop(60), 0)

    @staticmethod
    def filled(shop, sku):
        cart = shop.cart()
        shop.expect(shop.add(cart, sku), 200)
        return cart

    def test_readiness_says_what_a_customer_would_find_and_comes_back_by_itself(self):
        for folder, words in (("keys", "nobody can register"), ("provider", "nobody can pay")):
            with self.subTest(folder=folder), Faults() as faults, Daemon(environment=faults.environment) as daemon:
                shop = Shop(daemon.client())
                sku, cart = shop.product(stock=10), shop.cart()
                shop.expect(shop.add(cart, sku), 200)
                self.assertEqual(shop.client.get("/readyz").json, {"status": "ready"})
                faults.order(f"open,{WRITES} */{folder}/* EIO")
                if folder == "keys":
                    self.assertEqual(register(shop).status, 503)
                else:
                    shop.check_out(cart, wait="")
                said = eventually(lambda: shop.client.get("/readyz"), lambda answer: answer.status == 503)
                self.assertEqual(said.status, 503)
                self.assertIn(words, said.json["detail"])
                self.assertIn(f'souk_store_trouble{{store="{folder}"}} 1', shop.client.get("/metrics").raw.decode())
                other = shop.cart()  # what does not need it goes on
                shop.expect(shop.add(other, sku), 200)
                time.sleep(2)
                self.assertEqual(shop.client.get("/readyz").status, 503)
                faults.clear()
                self.assertEqual(eventually(lambda: shop.client.get("/readyz").status, lambda s: s == 200, 30), 200)
                self.assertIn(f'souk_store_trouble{{store="{folder}"}} 0', shop.client.get("/metrics").raw.decode())
                if folder == "keys":
                    shop.expect(register(shop), 201)
                self.assertEqual(daemon.stop(60), 0)

    def test_idle_connections_leave_the_journal_its_descriptors(self):
        with tempfile.TemporaryDirectory() as programs:
            for name in ("soukd", "souk"):
                path = os.path.join(programs, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(f'#!/bin/sh\nulimit -n 256\nexec {binary(name)} "$@"\n')
                os.chmod(path, stat.S_IRWXU)
            usual, souk_client.BIN_DIR = souk_client.BIN_DIR, programs
            try:
                with Daemon(*STATE) as daemon:
                    self.assertRegex(daemon.log(), r"fewer connections than configured.* files_max=256")
                    shop = Shop(daemon.client())
                    shop.cart()  # connected before all others
                    host, port = daemon.address.rsplit(":", 1)
                    idle = []
                    for _ in range(400):
                        idle.append(socket.create_connection((host, int(port))))
                    text = "d" * 16000
                    for number in range(2400):  # 38 MB: the journal begins a new file after 32 MiB
                        sku = f"large-{number}"
                        shop.expect(shop.client.put(f"/v1/products/{sku}", {
                            "name": sku, "description": text, "price": money("1")}, key=sku), 201)
                    self.assertNotRegex(daemon.log(), r"(?i)too many open files")
                    for one in idle:
                        one.close()
                    self.assertEqual(daemon.stop(60), 0)
            finally:
                souk_client.BIN_DIR = usual

    def test_sigterm_after_one_failed_write_ends_cleanly(self):
        for folder in ("keys", "provider", "states", "journal"):
            for call in ("write", "fdatasync"):
                with self.subTest(folder=folder, call=call), Faults() as faults, \
                        Daemon(*STATE, environment=faults.environment) as daemon:
                    shop = Shop(daemon.client())
                    sku = shop.product(stock=10)
                    faults.order(f"{call} */{folder}/*.log EIO count=1")
                    register(shop)
                    cart = shop.client.post("/v1/carts", {}, key=shop.fresh())
                    if cart.status == 201:
                        shop.add(cart.json["cart_id"], sku)
                        shop.check_out(cart.json["cart_id"], wait="")
                    time.sleep(0.05)
                    self.assertEqual(daemon.stop(60), 0, daemon.log()[-1500:])

    def test_sigterm_in_every_phase_of_the_start_ends_cleanly(self):
        with Daemon() as daemon:
            shop = Shop(daemon.client())
            for _ in range(50):
                shop.cart()
            daemon.kill()
            for delay_ms in (20, 40, 60, 80, 120, 160, 240, 320, 500):
                with self.subTest(delay_ms=delay_ms):
                    started = subprocess.Popen(
                        [binary("soukd"), "--data-dir", daemon.data_dir, "--http", "127.0.0.1:0"],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=daemon.environment)
                    time.sleep(delay_ms / 1000 * PATIENCE)
                    started.send_signal(signal.SIGTERM)
                    _, said = started.communicate(timeout=60 * PATIENCE)
                    # Before main() the kernel ends it: nothing is open then.
                    self.assertIn(started.returncode, (0, -signal.SIGTERM), said)
                    if started.returncode < 0:
                        self.assertEqual(said, "")
            daemon.start()
            self.assertEqual(daemon.stop(60), 0)


class Words(unittest.TestCase):
    """What a start that is refused says."""

    def refused(self, spoil):
        with Daemon() as daemon:
            Shop(daemon.client()).cart()
            self.assertEqual(daemon.stop(60), 0)
            spoil(daemon.data_dir)
            tried = subprocess.run([binary("soukd"), "--data-dir", daemon.data_dir, "--http", "127.0.0.1:0"],
                                   capture_output=True, text=True, timeout=60 * PATIENCE, env=daemon.environment)
            self.assertEqual(tried.returncode, 1, tried)
            self.assertNotRegex(tried.stderr, r"tried again by itself|in use by another|terminate")
            return tried.stderr

    def test_a_folder_in_the_place_of_a_log(self):
        def spoil(data):
            os.mkdir(os.path.join(data, "journal", "999999.log"))
        self.assertIn("999999.log", self.refused(spoil))

    def test_a_current_that_names_no_file_is_damage(self):
        def spoil(data, folder):
            with open(os.path.join(data, folder, "CURRENT"), "w", encoding="utf-8") as file:
                file.write("MANIFEST-987654\n")
        for folder in ("journal", "keys", "provider"):
            with self.subTest(folder=folder):
                self.assertRegex(self.refused(lambda data, folder=folder: spoil(data, folder)), folder)
        with self.subTest("states/ is a cache: it is folded anew from the journal"), Daemon() as daemon:
            cart = Shop(daemon.client()).cart()
            self.assertEqual(daemon.stop(60), 0)
            spoil(daemon.data_dir, "states")
            daemon.start()
            self.assertEqual(daemon.client().get(f"/v1/carts/{cart}").status, 200)
            self.assertRegex(daemon.log(), "states")

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_folder_of_another_owner(self):
        for name in ("states", "keys", "provider", "journal", "souk-data"):
            with self.subTest(name=name):
                def spoil(data):
                    os.chmod(os.path.join(data, name), 0)
                self.assertRegex(self.refused(spoil), r"(?i)permission denied")


if __name__ == "__main__":
    unittest.main(verbosity=2)

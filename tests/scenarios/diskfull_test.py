#!/usr/bin/env python3
"""The disk fills up: a clear error, reads go on, nothing acknowledged is lost, and writes resume when there is
room again, without a restart. Needs root for its small tmpfs; skipped where it cannot mount."""
import collections
import errno
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from skips import skip_scenario
from souk_client import PATIENCE, Daemon, Shop, binary, eventually, money

TMPFS_MIB = 256
# A disk that stays full, with clients that go on: so many lines in all, not one a try.
LOUD_SECONDS, CLIENTS, LINES_MAX = 12, 4, 300
mount_point = None


def mount():
    """A small disk; ends this program where it may not mount."""
    path = tempfile.mkdtemp(prefix="souk-disk-")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MIB}m", "souk-test", path], capture_output=True,
                          text=True) if os.geteuid() == 0 else None
    if made is None or made.returncode != 0:
        os.rmdir(path)
        skip_scenario("mount", f"cannot mount ({made.stderr.strip() if made else 'not root'})")
    return path


def unmount(path):
    subprocess.run(["umount", path], check=True)
    os.rmdir(path)


class Ballast:
    """A file that takes the room there is, but for `spare` bytes."""

    def __init__(self):
        self.path = os.path.join(mount_point, "ballast")

    def grow(self, spare):
        block = b"\0" * 65536
        with open(self.path, "ab", buffering=0) as file:
            try:
                while room() > spare:
                    file.write(block[:min(len(block), room() - spare)])
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def drop(self):
        os.unlink(self.path)


def room():
    disk = os.statvfs(mount_point)
    return disk.f_bavail * disk.f_frsize


class DiskFull(unittest.TestCase):
    def write_until_refused(self, shop, kept):
        """Defines large products until one is not acknowledged; the answer to that one."""
        ballast = Ballast()
        for number in range(20000):
            if number % 50 == 0:
                ballast.grow(0)  # whatever a compaction gave back
            sku = shop.fresh("sku")
            large = {"name": sku, "description": "d" * 16000, "price": money("1")}
            said = shop.client.put(f"/v1/products/{sku}", large, key=sku)
            if said.status != 201:
                return said
            kept.append(sku)
        self.fail("20,000 large products fitted on a full disk")

    def all_there(self, daemon, kept):
        client = daemon.client()
        missing = [sku for sku in kept if client.get(f"/v1/products/{sku}").status != 200]
        self.assertEqual(missing, [])

    def test_a_full_disk_is_survived(self):
        with Daemon(data_dir=os.path.join(mount_point, "data")) as daemon:
            shop, kept = Shop(daemon.client()), []
            kept.append(shop.product(stock=5))
            cart = shop.cart()
            shop.expect(shop.add(cart, kept[0]), 200)

            refused = self.write_until_refused(shop, kept)
            self.assertEqual((refused.status, refused.json["code"]), (503, "unavailable"), refused)
            self.assertTrue(int(refused.headers["retry-after"]) > 0)
            self.assertRegex(daemon.log(), r"(?i)no space|disk full|full")
            self.assertIsNone(daemon.process.poll(), "and it lives")

            def unready():  # whatever gives room back, a trial write may fit again
                self.write_until_refused(shop, kept)
                return shop.client.get("/readyz").status
            self.assertEqual(eventually(unready, lambda status: status == 503, 30), 503)

            self.all_there(daemon, kept)
            self.assertEqual(shop.client.get(f"/v1/carts/{cart}").json["lines"][0]["quantity"], 1)
            self.assertEqual(shop.client.get("/healthz").status, 200)

            Ballast().drop()
            again = eventually(lambda: shop.client.put("/v1/products/after", {"name": "after", "price": money("1")},
                                                       key="after"), lambda said: said.status in (200, 201), 60)
            self.assertIn(again.status, (200, 201), again)
            kept.append("after")
            self.assertEqual(shop.check_out(cart).json["status"], "confirmed")
            ready = eventually(lambda: shop.client.get("/readyz"), lambda said: said.status == 200)
            self.assertEqual(ready.status, 200)
            self.all_there(daemon, kept)

            daemon.kill()
            daemon.start()
            self.all_there(daemon, kept)
            self.assertEqual(daemon.stop(60), 0)

    def test_a_fault_that_lasts_is_said_once_and_counted(self):
        with Daemon(data_dir=os.path.join(mount_point, "loud")) as daemon:
            shop = Shop(daemon.client())
            self.write_until_refused(shop, [])
            ballast, end = Ballast(), time.monotonic() + LOUD_SECONDS

            def write():
                mine = Shop(daemon.client())
                while time.monotonic() < end:
                    sku = mine.fresh("loud")
                    mine.client.put(f"/v1/products/{sku}", {"name": sku, "description": "d" * 16000, "price": money("1")})

            threads = [threading.Thread(target=write) for _ in range(CLIENTS)]
            for thread in threads:
                thread.start()
            while time.monotonic() < end:
                ballast.grow(0)
                time.sleep(0.2)
            for thread in threads:
                thread.join()
            lines = collections.Counter(line.split("] ", 2)[-1].split("=")[0] for line in daemon.log().splitlines())
            self.assertLess(lines.total(), LINES_MAX, lines.most_common(8))
            ballast.drop()
            self.assertEqual(daemon.stop(60), 0)

    def test_a_daemon_that_starts_on_a_full_disk_says_so(self):
        with Daemon(data_dir=os.path.join(mount_point, "fresh")) as scratch:
            kept = [Shop(scratch.client()).product()]
            scratch.stop()
            ballast = Ballast()
            ballast.grow(0)
            started = subprocess.Popen([binary("soukd"), "--data-dir", scratch.data_dir, "--http", "127.0.0.1:0"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:  # it may end with an error, or serve reads; it may not hang or lose anything
                _, said = started.communicate(timeout=10 * PATIENCE)
                self.assertEqual(started.returncode, 1, said)
                self.assertRegex(said, r"(?i)no space|full")
            except subprocess.TimeoutExpired:
                started.terminate()
                started.communicate(timeout=30 * PATIENCE)
            ballast.drop()
            scratch.start()
            self.all_there(scratch, kept)


if __name__ == "__main__":
    mount_point = mount()
    try:
        result = unittest.main(verbosity=2, exit=False).result
    finally:
        unmount(mount_point)
    sys.exit(0 if result.wasSuccessful() else 1)

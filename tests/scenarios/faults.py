"""Faults of the disk for a running soukd: tests/support/fault_shim.c, which tells what an order looks like.

    with Faults() as faults, Daemon(environment=faults.environment) as daemon:
        faults.order("write,fdatasync */journal/*.log EIO count=3")   # replaces the orders of before
        ...
        faults.hits()    # [2]: how often each order struck
        faults.clear()

Orders may be given before the start of soukd, at any time while it runs, and by several tests in turn."""
import os
import shutil
import struct
import subprocess
import tempfile

from souk_client import TREE

HITS_AT, ORDERS_AT, CONTROL_BYTES, ORDERS_MAX = 64, 1024, 8192, 32


class Faults:
    """Owns the built shim and its control file; `with` removes both. Thread: one."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="souk-faults-")
        self.shim, self.control = os.path.join(self.home, "fault_shim.so"), os.path.join(self.home, "control")
        source = os.path.join(TREE, "tests", "support", "fault_shim.c")
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror",
                        "-o", self.shim, source], check=True)
        with open(self.control, "wb") as file:
            file.write(b"0" + bytes(CONTROL_BYTES - 1))
        self._generation, self._count = 0, 0
        # The address sanitizer wants to be loaded first; it works as well behind the shim.
        self.environment = {"LD_PRELOAD": self.shim, "SOUK_FAULT_CONTROL": self.control,
                            "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home, ignore_errors=True)

    def order(self, *orders):
        text = "".join(f"{one}\n" for one in orders).encode()
        if len(orders) > ORDERS_MAX or len(text) > CONTROL_BYTES - ORDERS_AT:
            raise ValueError("too many orders")
        self._generation, self._count = self._generation + 1, len(orders)
        with open(self.control, "r+b", buffering=0) as file:
            os.pwrite(file.fileno(), bytes(CONTROL_BYTES - HITS_AT), HITS_AT)
            os.pwrite(file.fileno(), text, ORDERS_AT)
            os.pwrite(file.fileno(), str(self._generation).encode().ljust(16, b"\0"), 0)  # last: they count from here

    def clear(self):
        self.order()

    def hits(self):
        with open(self.control, "rb") as file:
            file.seek(HITS_AT)
            return list(struct.unpack(f"={self._count}Q", file.read(8 * self._count)))

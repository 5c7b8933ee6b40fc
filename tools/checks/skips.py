#!/usr/bin/env python3
"""Which tests were left out, and whether this machine could have run them.

usage: skips.py NOTES [JUNIT...]
NOTES: what the tests noted (SOUK_SKIPS), a line each: need, test, why. JUNIT: ctest's reports: a test that did not run
and noted nothing is one that could have. Exit 1 where a test could have run, 0 otherwise; prints each skip."""
import collections
import ctypes
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KAFKA_UNAVAILABLE = 3  # of tools/kafka/kafka.py


def can_mount():
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as place:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "souk-check", place], capture_output=True,
                              check=False)
        if made.returncode == 0:
            subprocess.run(["umount", place], check=True)
        return made.returncode == 0


def has_network_of_its_own():
    ports = "/proc/sys/net/ipv4/ip_local_port_range"
    made = subprocess.run(["unshare", "--net", "sh", "-c", f"cat {ports} > {ports}"], capture_output=True, check=False)
    return made.returncode == 0


def has_nginx():
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin") is not None


def has_thread_slices():
    """Linux 6.12 and later keep a slice of each thread."""
    numbers = {"x86_64": 315, "aarch64": 275}
    if platform.machine() not in numbers:
        return False
    attributes = ctypes.create_string_buffer(48)
    done = ctypes.CDLL(None).syscall(numbers[platform.machine()], 0, attributes, 48, 0)
    return done == 0 and int.from_bytes(attributes[24:32], sys.byteorder) != 0


def has_landlock():
    return ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1


def has_esci():
    return os.path.isdir(os.path.join(TREE, "..", "shared", "data", "esci-search"))


def in_cache(*path):
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.access(os.path.join(cache, "souk", *path), os.X_OK)


def has_schemathesis():
    return in_cache("schemathesis", "bin", "schemathesis")


def has_souk_log():
    return in_cache("souk_log", "bin", "python")


def has_kafka():
    """Tries to make it so: what cannot be had is a "no" with a code of its own; any other failure is this tree's."""
    setup = subprocess.run([sys.executable, "-B", os.path.join(TREE, "tools", "kafka", "kafka.py"), "setup"],
                           stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return setup.returncode != KAFKA_UNAVAILABLE


# What a test may lack, and whether this machine has it.
NEEDS = {"mount": can_mount, "nginx": has_nginx, "thread-slices": has_thread_slices, "esci": has_esci,
         "landlock": has_landlock, "schemathesis": has_schemathesis, "kafka": has_kafka,
         "souk-log": has_souk_log,
         "own-network": has_network_of_its_own}


def read_notes(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [tuple(line.rstrip("\n").split("\t", 2)) for line in file if line.count("\t") >= 2]


def not_run(path):
    """Names of ctest's tests that did not run."""
    return [case.get("name") for case in xml.parse(path).getroot().iter("testcase")
            if case.get("status") in ("notrun", "disabled") or case.find("skipped") is not None]


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    notes = read_notes(sys.argv[1])
    silent = [name for path in sys.argv[2:] for name in not_run(path)
              if name not in {test for _, test, _ in notes}]
    wrong = 0
    for (need, test, why), times in sorted(collections.Counter(notes).items()):
        could = NEEDS[need]() if need in NEEDS else True
        wrong += could
        times_text = f" ({times} times)" if times > 1 else ""
        verdict = "but this machine can" if need in NEEDS and could else f"nothing named {need!r} is known" if could else ""
        print(f"skipped  {test}{times_text}: {why}" + (f": WRONG, {verdict}" if verdict else ""))
    for name in silent:
        print(f"skipped  {name}: WRONG, it did not run and said nothing")
    print(f"{len(set(notes)) + len(silent)} tests were left out, {wrong + len(silent)} of them could have run here")
    return 1 if wrong or silent else 0


if __name__ == "__main__":
    sys.exit(main())

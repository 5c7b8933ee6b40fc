#!/usr/bin/env python3
"""Checks who includes whom: folders are layers, vendor headers stay behind their adapters, rules are pure.
usage: includes.py [--root DIR]      prints each include that breaks the table; exit 1 if any"""
import argparse
import fnmatch
import os
import re
import sys

from tree_files import files, root_of_the_tree

# What a folder may include besides itself. The stored formats (schema) are open to all who share them.
LAYERS = {
    "schema": set(),
    "events": {"schema"},
    "domain": {"events"},
    "actors": {"domain", "events", "schema"},
    "projections": {"domain", "events", "schema"},
    "cluster": {"actors", "domain", "events", "schema"},
    "gateway": {"cluster", "actors", "projections", "domain", "events", "schema"},
    "node": {"gateway", "cluster", "actors", "projections", "domain", "events", "schema"},
    "tools": {"node", "gateway", "cluster", "actors", "projections", "domain", "events", "schema"},
    "tests": {"node", "gateway", "cluster", "actors", "projections", "domain", "events", "schema", "tools"},
}

# How the path of a vendor's header begins -> the files that may include it: the .cc of its adapters. The
# longest beginning decides. Tests may include what they test with.
ROCKSDB = ["events/journal/rocksdb_*.cc", "events/journal/zero_ahead.cc", "actors/adapters/rocksdb_*.cc",
           "actors/adapters/sodium_*.cc", "actors/adapters/sodium_keys_batch.h",
           "actors/adapters/payment_simulator/*.cc",
           "projections/search/*.cc", "gateway/cache/documents.cc",
           "events/journal/rocksdb_open.h", "events/rocksdb_objects.h"]
CAF = ["actors/host/messages.h", "actors/host/*.cc", "cluster/*.cc"]
VENDORS = {
    "rocksdb/": ROCKSDB,
    "caf/": CAF,
    "boost/": ["gateway/http/*.cc", "tools/souk/client/http_*.cc", "cluster/links/asio_*.cc", "cluster/links/asio_*.h",
               "actors/adapters/remote_provider.cc"],
    "boost/flyweight": ["events/item.h"],  # a value type's storage, not a service
    "boost/crc": ["events/crc32c.cc"],
    "simdjson.h": ["gateway/api/commands/*.cc", "gateway/api/batch/*.cc", "tools/souk/client/json.cc",
                   "actors/adapters/provider_wire.cc"],
    "sodium.h": ["actors/adapters/*.cc", "actors/adapters/sodium_keys_batch.h"],
    "prometheus/": ["gateway/api/edge/metrics.cc"],
    "xxhash.h": ["events/*.cc", "events/journal/*.cc", "actors/adapters/*.cc",
                 "actors/adapters/payment_simulator/*.cc"],
    "jemalloc/": ["tools/soukd/*.cc"],
    "zstd.h": ["tools/souk/*/*.cc", "gateway/api/edge/compression.cc", "gateway/http/content_coding.cc"],
    "pugixml.hpp": ["tools/souk/import/merchant_xml.cc"],
    "zlib.h": ["gateway/api/edge/compression.cc", "gateway/http/content_coding.cc"],
    "unicode/": ["gateway/api/commands/unicode.cc"],
    "toml++/": ["tools/soukd/*.cc"],
    "toml.hpp": ["tools/soukd/*.cc"],
    "CLI/": ["tools/soukd/*.cc", "tools/souk/cli/*.cc"],
    "librdkafka/": ["events/shared_log/kafka_*.cc", "events/shared_log/kafka_handle.h", "events/integration/kafka_*.cc"],
    "xapian.h": ["projections/search/*.cc"],
    "roaring/": ["projections/search/*.cc", "projections/analytics/*.cc"],
    "sqlite3.h": ["projections/analytics/*.cc", "projections/sql/*.cc", "tools/souk/audit/*.cc"],
    "openssl/": ["gateway/http/*.cc", "cluster/links/asio_*.cc", "cluster/links/certificates.cc"],
}

# The rules of an aggregate: pure, so nothing that can see a clock, chance, a thread, a file or a log.
RULES = ["domain/*", "domain/*/*"]
IMPURE = {"chrono", "random", "thread", "mutex", "atomic", "condition_variable", "future", "unordered_map",
          "unordered_set", "iostream", "fstream", "filesystem", "cstdio", "ctime"}
# (file, header) that look impure and are not, with the reason.
PURE_AFTER_ALL = {
    # Only asked whether it has one.
    ("domain/inventory/booked_returns.h", "unordered_set"),
}
IMPURE_FOLDERS = {"caf", "spdlog", "rocksdb", "boost", "sodium.h", "capnp", "kj"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def matches(path, globs):
    """As in a shell: '*' stops at '/'."""
    return any(fnmatch.fnmatchcase(path, g) and path.count("/") == g.count("/") for g in globs)


def problems_of(root, path, text):
    folder = path.split("/")[0]
    for quote, header in INCLUDE.findall(text):
        first = header.split("/")[0]
        if quote == '"':
            generated = header.endswith(".capnp.h") and os.path.exists(os.path.join(root, header[:-2]))
            sibling = folder == "tests" and os.path.exists(os.path.join(root, os.path.dirname(path), header))
            if not generated and not sibling and not os.path.exists(os.path.join(root, header)):
                yield f'"{header}" is not a path from the root of the tree'
            if first in LAYERS and first != folder and first not in LAYERS[folder]:
                yield f'"{header}": {folder} may not include {first}'
        elif first in LAYERS and not header.endswith(".capnp.h") and "/" in header:
            yield f"<{header}>: our own headers are included in quotes"
        vendor = max((v for v in VENDORS if header.startswith(v)), key=len, default=None)
        if vendor and folder != "tests" and not matches(path, VENDORS[vendor]):
            yield f"{header}: {vendor} belongs in {', '.join(VENDORS[vendor])}"
        if (path, header) not in PURE_AFTER_ALL and matches(path, RULES) and (header in IMPURE or first in IMPURE_FOLDERS):
            yield f"{header}: rules are pure"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", default=root_of_the_tree())
    root = arguments.parse_args().root
    checked = broken = 0
    for path in files(root):
        if path.split("/")[0] not in LAYERS or not path.endswith((".h", ".cc")):
            continue
        checked += 1
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for problem in problems_of(root, path, file.read()):
                broken += 1
                print(f"{path}: {problem}")
    print(f"{checked} files, {broken} broken includes")
    return 1 if broken or not checked else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs sales_job.py against a cluster of its own, a broker and a node with a shop in it, and compares its figures with those of
the node's analytics, row by row. Not part of tools/dev test: Spark is a large download.

usage: check.py [--retail FILE.csv[.zst]] [--python PYTHON]
--python: one that has what sales_job.py needs, e.g. of
          python3 -m venv V && V/bin/pip install pyspark pyarrow -r clients/python/requirements.txt
--retail: imports this file, in the shape of UCI Online Retail, instead of a generated shop"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, "tests", "scenarios"))
import replay_test as scenario  # noqa: E402
from kafka_cluster import KafkaCluster, need_kafka  # noqa: E402
from kafka_log_test import FEW_SHARDS, Findings, init, souk  # noqa: E402
from souk_client import Daemon  # noqa: E402
from souk_log_venv import ENVIRONMENT  # noqa: E402

SPARK = os.path.join(TREE, "tools", "spark")


def job(python, reach, output):
    began = time.monotonic()
    environment = {**ENVIRONMENT, "PYTHONPATH": ENVIRONMENT["PYTHONPATH"] + os.pathsep + SPARK, "PYSPARK_PYTHON": python,
                   "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run([python, os.path.join(SPARK, "sales_job.py"), *reach, "--output", output], env=environment,
                          capture_output=True, text=True, timeout=900, check=False)
    print(f"the job took {time.monotonic() - began:.1f} s", flush=True)
    if done.returncode != 0:
        print(done.stderr[-4000:])
    return done.returncode


def figures_of(output, group):
    rows = {}
    with open(os.path.join(output, group + ".json"), encoding="utf-8") as file:
        for row in map(json.loads, file):
            key = row.pop(group)
            rows[key] = {name: Decimal(value) if isinstance(value, str) else value for name, value in row.items()
                         if group != "product" or name not in ("refunded", "rounding")}
    return rows


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--retail")
    arguments.add_argument("--python", default=sys.executable)
    given = arguments.parse_args()
    need_kafka()
    found = Findings()
    with KafkaCluster(brokers=1) as kafka, tempfile.TemporaryDirectory() as output:
        secret = os.path.join(kafka.home, "souk-secret")
        done = init(kafka, "shop", secret, "--kafka-single", "--yes", shards=FEW_SHARDS)
        found.check(done.returncode == 0, f"init {done.stderr.strip()}")
        reach = ["--kafka", kafka.bootstrap, "--cluster", "shop"]
        with Daemon(*reach, "--kafka-single", "--secret-file", secret) as daemon:
            if given.retail:
                done = souk("--url", f"http://{daemon.address}", "import", "online-retail", given.retail, "--json")
                found.check(done.returncode == 0, f"import {done.stderr.strip()[-200:]}")
            else:
                scenario.fill(daemon)
            scenario.wait_for_read_models(daemon.client())
            found.check(job(given.python, reach, output) == 0, "the job ends with 0")
            for group in scenario.GROUPS:
                wanted, got = scenario.api_sales(daemon.client(), group), figures_of(output, group)
                wrong = scenario.differing(wanted, got)
                found.check(bool(wanted) and not wrong, f"sales by {group}: {len(wanted)} rows, {len(wrong)} differ" + (
                    f" {[(key, wanted.get(key), got.get(key)) for key in list(wrong)[:2]]}" if wrong else ""))
    print(f"{found.wrong} wrong")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

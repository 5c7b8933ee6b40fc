#!/usr/bin/env python3
"""soukd with its log in real Kafka brokers: what it refuses to stand on, and that nothing acknowledged is lost or doubled
while it, its brokers, and the way between them fail.
usage: kafka_log_test.py [--kills N] [--clients N] [--seed N] [--version V] [PART...]    parts: settings, faults, topics"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import threading
import time

from crash_test import Customer, Ledger, judge, stock_the_shop
from kafka_cluster import VERSION, KafkaCluster, need_kafka
from souk_client import LOST, PATIENCE, Daemon, NotReady, Shop, binary, eventually

SHARDS = 16
FEW_SHARDS = 4


class Findings:
    def __init__(self):
        self.wrong = 0

    def check(self, good, what):
        print(("ok     " if good else "WRONG  ") + what, flush=True)
        self.wrong += 0 if good else 1

    def refuses(self, daemon, words, what):
        """The daemon does not start, and says these words."""
        try:
            with daemon:
                self.check(False, f"{what}: it started")
        except NotReady as refusal:
            text = str(refusal)
            missing = [word for word in words if word not in text]
            self.check(not missing, f"{what}: {missing or words[0]}" + (f" not in {text[-600:]}" if missing else ""))


def souk(*arguments):
    return subprocess.run([binary("souk"), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=60 * PATIENCE, check=False)


def init(kafka, cluster, secret, *more, shards=SHARDS):
    return souk("cluster", "init", "--kafka", kafka.bootstrap, "--cluster", cluster, "--shards", str(shards),
                "--secret-file", secret, *more)


def settings_part(found, given):
    """One broker is enough to be refused by."""
    with KafkaCluster(brokers=1, version=given.version, tls=True) as kafka:
        secret = os.path.join(kafka.home, "souk-secret")
        asked = init(kafka, "shop", secret, "--kafka-single")
        found.check(asked.returncode == 1 and "--yes" in asked.stderr and "make the topic shop.events" in asked.stdout,
                    f"init shows its plan, and asks: {asked.stderr.strip()}")
        dry = init(kafka, "shop", secret, "--kafka-single", "--dry-run")
        found.check(dry.returncode == 0 and not kafka.describe("shop.events") and not os.path.exists(secret),
                    "init --dry-run does nothing")
        three = init(kafka, "shop", secret, "--yes")
        found.check(three.returncode == 1 and "eplication" in three.stderr,
                    f"init with three replicas on one broker is refused: {three.stderr.strip()[:160]}")
        found.refuses(Daemon("--kafka", kafka.bootstrap, "--cluster", "shop", "--kafka-single"),
                      ["there is no topic shop.events", "souk cluster init"], "no topic")
        done = init(kafka, "shop", secret, "--kafka-single", "--yes", shards=FEW_SHARDS)
        found.check(done.returncode == 0 and len(kafka.describe("shop.events")) == FEW_SHARDS and
                    "soukd --kafka" in done.stdout, f"init makes it {done.stderr.strip()}")
        again = init(kafka, "shop", secret, "--kafka-single", "--yes", shards=FEW_SHARDS)
        found.check(again.returncode == 0 and "Nothing is left to do" in again.stdout, "init is safe to repeat")
        another = os.path.join(kafka.home, "another-secret")
        missing = init(kafka, "shop", another, "--kafka-single", "--yes", shards=FEW_SHARDS)
        found.check(missing.returncode == 1 and "cannot be read" in missing.stderr and not os.path.exists(another),
                    f"init makes no second secret: {missing.stderr.strip()}")
        with open(another, "w", encoding="ascii") as file:
            file.write("ab" * 48 + "\n")
        wrong = init(kafka, "shop", another, "--kafka-single", "--yes", shards=FEW_SHARDS)
        found.check(wrong.returncode == 1 and "is not the secret that cluster shop was made with" in wrong.stderr,
                    f"init with another secret is refused: {wrong.stderr.strip()}")
        found.refuses(Daemon("--kafka", kafka.bootstrap, "--kafka-single", "--cluster", "shop", "--secret-file", another),
                      ["the secret given is not the one of cluster shop"], "another secret")
        found.refuses(Daemon("--kafka", kafka.bootstrap, "--kafka-single", "--cluster", "shop"),
                      ["--secret-file"], "no secret")
        options = ["--cluster", "shop", "--secret-file", secret]
        found.refuses(Daemon("--kafka", kafka.bootstrap, *options),
                      ["has 1 replica", "min.insync.replicas is 1", "--add-config min.insync.replicas=2",
                       "set on the topic"], "one replica")
        for name, value, back in (("cleanup.policy", "compact", "delete"), ("retention.ms", "60000", "-1")):
            alter = ["org.apache.kafka.tools.ConfigCommand", "--alter", "--entity-type", "topics", "--entity-name",
                     "shop.events", "--add-config"]
            kafka.tool(*alter, f"{name}={value}")
            found.refuses(Daemon("--kafka", kafka.bootstrap, "--kafka-single", *options),
                          [f"{name} is {value}", f"--add-config {name}={back}"], f"{name}={value}")
            kafka.tool(*alter, f"{name}={back}")
        tls = os.path.join(kafka.home, "client.properties")
        with open(tls, "w", encoding="utf-8") as file:
            file.write(f"# as for Kafka's own tools\nsecurity.protocol=SSL\nssl.ca.location={kafka.ca_file}\n")
        found.refuses(Daemon("--kafka", kafka.tls_bootstrap, "--kafka-config", os.path.join(kafka.home, "no"),
                             *options), ["cannot be read"], "no file of settings")
        with Daemon("--kafka", kafka.tls_bootstrap, "--kafka-config", tls, "--kafka-single", *options) as daemon:
            shop = Shop(daemon.client())
            sku = shop.product(stock=3)
            found.check(shop.figures(sku) == (3, 0, 3), "it serves over TLS")
            found.check(daemon.stop() == 0, "and ends when asked")
            found.refuses(Daemon(data_dir=daemon.data_dir), ["cluster shop", "--kafka"], "without its brokers")
            found.refuses(Daemon("--kafka", kafka.bootstrap, "--kafka-single", "--cluster", "other",
                                 "--secret-file", secret, data_dir=daemon.data_dir), ["shop", "other"],
                          "another cluster's directory") if not init(
                              kafka, "other", secret, "--kafka-single", "--yes", shards=FEW_SHARDS).returncode else \
                found.check(False, "a second cluster on the same brokers")
            with KafkaCluster(brokers=1, version=given.version) as elsewhere:
                init(elsewhere, "shop", secret, "--kafka-single", "--yes", shards=FEW_SHARDS)
                found.refuses(Daemon("--kafka", elsewhere.bootstrap, "--kafka-single", *options,
                                     data_dir=daemon.data_dir), ["these brokers are of"], "other brokers")
        with Daemon() as own:
            own.stop()
            found.refuses(Daemon("--kafka", kafka.bootstrap, "--kafka-single", *options, data_dir=own.data_dir),
                          ["a log of its own"], "a directory with a log of its own")


def lose_the_copy(data_dir):
    for folder in ("journal", "states"):
        shutil.rmtree(os.path.join(data_dir, folder))


def faults_part(found, given):
    """Customers shop through all of it; then the ledgers are compared."""
    print(f"seed={given.seed} kills={given.kills} clients={given.clients}", flush=True)
    chance, ledger, stopping = random.Random(given.seed), Ledger(), threading.Event()
    with KafkaCluster(brokers=3, version=given.version, clients=["a"]) as kafka:
        secret = os.path.join(kafka.home, "souk-secret")
        done = init(kafka, "shop", secret, "--yes")
        found.check(done.returncode == 0, f"init with three replicas {done.stderr.strip()}")
        with Daemon("--kafka", kafka.bootstrap_of("a"), "--cluster", "shop", "--secret-file", secret) as daemon:
            skus = stock_the_shop(Shop(daemon.client()), chance, ledger)
            customers = [Customer(i, given.seed, daemon, skus, ledger, stopping) for i in range(given.clients)]
            for customer in customers:
                customer.start()

            def kill_soukd():
                daemon.kill()
                daemon.start()

            def kill_broker():
                broker = kafka.leader("shop.events", chance.randrange(SHARDS))
                kafka.kill(broker)
                time.sleep(chance.uniform(0, 6))
                kafka.restart(broker)
                kafka.wait_in_sync("shop.events")

            def pause_broker():
                broker = kafka.leader("shop.events", chance.randrange(SHARDS))
                kafka.pause(broker)
                time.sleep(chance.uniform(1, 5))
                kafka.resume(broker)
                kafka.wait_ready()
                kafka.wait_in_sync("shop.events")

            def cut():
                kafka.proxies["a"].cut()
                time.sleep(chance.uniform(0.2, 4))
                kafka.proxies["a"].passes()

            def answers_lost():
                kafka.proxies["a"].black_hole("to_client")
                time.sleep(chance.uniform(0.5, 5))
                kafka.proxies["a"].cut()
                kafka.proxies["a"].passes()

            def lose_the_disk():
                daemon.kill()
                lose_the_copy(daemon.data_dir)
                daemon.start()

            faults = [kill_soukd, kill_broker, cut, answers_lost, pause_broker, lose_the_disk]
            for number in range(given.kills):
                time.sleep(chance.uniform(0.3, 1.5) * PATIENCE)
                fault = faults[number % len(faults)]
                began = time.monotonic()
                fault()
                before = sum(ledger.answers.values())
                eventually(lambda: sum(ledger.answers.values()), lambda now: now > before + 20, 40)
                print(f"{fault.__name__}: served again {time.monotonic() - began:.1f} s after it began, "
                      f"{sum(ledger.answers.values())} answers", flush=True)
            stopping.set()
            for customer in customers:
                customer.join(120 * PATIENCE)
            print(f"answers {dict(ledger.answers)}, {len(ledger.orders)} orders, {len(ledger.carts)} carts", flush=True)
            found.check(len(ledger.orders) >= given.kills, "orders were placed")
            judge(Shop(daemon.client()), ledger, skus)
            found.check(daemon.stop() == 0, "SIGTERM ends it")
            verified = souk("verify", "--data-dir", daemon.data_dir)
            found.check(verified.returncode == 0, f"souk verify {verified.stdout[-600:] if verified.returncode else ''}")
            lose_the_copy(daemon.data_dir)
            daemon.start()
            judge(Shop(daemon.client()), ledger, skus)
            found.check(not ledger.wrong, f"{len(ledger.wrong)} wrong of what was acknowledged")


def topics_part(found, given):
    """The topic is deleted and made again under a running node: what it knows is not in the log any more."""
    with KafkaCluster(brokers=1, version=given.version) as kafka:
        secret = os.path.join(kafka.home, "souk-secret")
        done = init(kafka, "shop", secret, "--kafka-single", "--yes", shards=FEW_SHARDS)
        found.check(done.returncode == 0, f"init {done.stderr.strip()}")
        with Daemon("--kafka", kafka.bootstrap, "--cluster", "shop", "--kafka-single", "--secret-file",
                    secret) as daemon:
            shop = Shop(daemon.client())
            skus = [shop.product(stock=5) for _ in range(12)]
            kafka.delete_topic("shop.events")
            half = init(kafka, "shop", secret, "--kafka-single", "--yes", shards=FEW_SHARDS)
            found.check(half.returncode == 1 and "not made together" in half.stderr,
                        f"init does not take one topic for the other's {half.stderr.strip()[-200:]}")
            for topic in ("shop.events", "shop.control"):
                kafka.delete_topic(topic)
            done = init(kafka, "shop", secret, "--kafka-single", "--yes", shards=FEW_SHARDS)
            found.check(done.returncode == 0, f"and again, after it was deleted {done.stderr.strip()}")
            statuses = set()
            for sku in skus:
                for attempt in range(3):
                    try:
                        answer = shop.client.post(f"/v1/inventory/{sku}/receive", {"quantity": 1},
                                                  key=f"again-{sku}-{attempt}")
                        statuses.add(answer.status)
                    except LOST:
                        pass
            found.check(200 not in statuses, f"nothing is acknowledged any more: {statuses}")
            ready = eventually(lambda: shop.client.get("/readyz"), lambda answer: answer.status == 503, 20)
            found.check(ready.status == 503 and b"made again" in ready.raw, f"and it says why: {ready!r}")
            daemon.kill()
            found.refuses(Daemon("--kafka", kafka.bootstrap, "--cluster", "shop", "--kafka-single", "--secret-file",
                                 secret, data_dir=daemon.data_dir), ["made again"], "a start is refused")


PARTS = {"settings": settings_part, "faults": faults_part, "topics": topics_part}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kills", type=int, default=6)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    arguments.add_argument("--version", default=VERSION)
    arguments.add_argument("parts", nargs="*", choices=[[], *PARTS])
    given = arguments.parse_args()
    need_kafka(given.version)
    found = Findings()
    for part in given.parts or PARTS:
        PARTS[part](found, given)
    print(f"{found.wrong} wrong")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

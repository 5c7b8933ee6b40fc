#!/usr/bin/env python3
"""The fixture of the cluster's scenarios does what it says: real brokers (kafka_cluster.py), the proxies between them and
one client (cut_proxy.py), TLS and SCRAM, and the developer's tool (tools/dev kafka)."""
import contextlib
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from cut_proxy import BOTH, TO_CLIENT, TO_SERVER
from kafka_cluster import KafkaCluster, need_kafka, wire
from souk_client import PATIENCE, TREE, eventually

SILENCE_S = 1.0  # as long as this without an answer is none
BOGUS_COPIES = 4  # of three brokers
# Another test, which dies with a broker of its own.
ORPHAN = """
import sys, time
sys.path.insert(0, sys.argv[1])
from kafka_cluster import KafkaCluster
with KafkaCluster(brokers=1) as kafka:
    print(kafka.pid(1), kafka.home, flush=True)
    time.sleep(600)
"""

kafka = None


def setUpModule():
    global kafka
    kafka = KafkaCluster(brokers=3, clients=["a", "b"], tls=True, scram={"souk": "s3cret"})
    unittest.addModuleCleanup(kafka.close)
    kafka.__enter__()


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Brokers(unittest.TestCase):
    def test_a_topic_is_on_three_brokers_until_it_is_deleted(self):
        kafka.create_topic("three", partitions=6, settings={"retention.ms": 77_000_000})
        for broker in (1, 2, 3):
            with kafka.connection(broker) as connection:
                topic = connection.metadata(["three"]).topics["three"]
            self.assertEqual(sorted(topic), list(range(6)))
            for partition in topic.values():
                self.assertEqual((sorted(partition.replicas), sorted(partition.isr)), ([1, 2, 3], [1, 2, 3]))
            self.assertEqual({partition.leader for partition in topic.values()}, {1, 2, 3})
        with self.assertRaises(wire.Refused) as refused:
            kafka.create_topic("three")
        self.assertEqual(refused.exception.code, wire.TOPIC_EXISTS)
        said = kafka.tool("org.apache.kafka.tools.TopicCommand", "--describe", "--topic", "three")
        self.assertIn("retention.ms=77000000", said)
        self.assertIn("min.insync.replicas=2", said)  # of brokers.py
        self.assertIn("ReplicationFactor: 3", said)
        kafka.delete_topic("three")
        self.assertEqual(kafka.describe("three"), {})

    def test_more_copies_than_brokers_are_refused(self):
        with self.assertRaises(wire.Refused) as refused:
            kafka.create_topic("four", replication_factor=BOGUS_COPIES)
        self.assertEqual(refused.exception.code, wire.BAD_REPLICATION_FACTOR)

    def test_asking_for_a_topic_does_not_create_it(self):
        with kafka.connection(1) as connection:
            self.assertEqual(connection.metadata(["nobody"], may_create=True).errors, {"nobody": wire.UNKNOWN_TOPIC})
        self.assertEqual(eventually(lambda: kafka.describe("nobody"), bool, SILENCE_S), {})

    def test_another_broker_leads_when_one_is_killed_and_it_comes_back(self):
        kafka.create_topic("killed")
        victim = kafka.leader("killed")
        pid = kafka.pid(victim)
        kafka.kill(victim)
        self.assertFalse(runs(pid))
        with self.assertRaises(OSError):
            kafka.connection(victim)
        kafka.wait_ready()
        self.assertEqual(kafka.running(), [broker for broker in (1, 2, 3) if broker != victim])
        alone = kafka.describe("killed")[0]
        self.assertNotIn(alone.leader, (victim, -1))
        self.assertNotIn(victim, alone.isr)
        kafka.restart(victim)
        self.assertNotEqual(kafka.pid(victim), pid)
        kafka.wait_in_sync("killed")
        whole = kafka.describe("killed")[0]
        self.assertEqual((sorted(whole.isr), whole.offline), ([1, 2, 3], ()))
        self.assertGreater(whole.leader_epoch, 0)

    def test_a_paused_broker_is_silent_and_answers_when_it_is_resumed(self):
        kafka.pause(3)
        try:
            self.assertEqual(wire.brokers_seen(kafka.address(3), SILENCE_S), [])
            self.assertEqual(kafka.running(), [1, 2])
            self.assertTrue(runs(kafka.pid(3)))
        finally:
            kafka.resume(3)
        kafka.wait_ready()
        self.assertEqual(wire.brokers_seen(kafka.address(3)), [1, 2, 3])

    def test_one_of_them_is_the_controller(self):
        self.assertIn(kafka.active_controller(), (1, 2, 3))

    def test_a_broker_dies_with_its_test(self):
        other = subprocess.Popen([sys.executable, "-B", "-c", ORPHAN, os.path.join(TREE, "tests", "scenarios")],
                                 stdout=subprocess.PIPE, text=True)
        try:
            broker, home = other.stdout.readline().split()
            self.assertTrue(runs(broker))
        finally:
            other.kill()
            other.wait()
            other.stdout.close()
        self.assertFalse(eventually(lambda: runs(broker), lambda still: not still))
        shutil.rmtree(home)


class Proxies(unittest.TestCase):
    def setUp(self):
        kafka.wait_ready()
        self.addCleanup(kafka.proxies["a"].passes)

    def connect(self, client, broker=1):
        connection = wire.Connection(f"127.0.0.1:{kafka.proxies[client].ports[broker]}", timeout=10 * PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def silent(self, connection, api=wire.API_VERSIONS, body=b""):
        """Asks, and has no answer; it may come later."""
        connection.timeout(SILENCE_S)
        connection.send(api, body)
        with self.assertRaises(TimeoutError):
            connection.receive()
        connection.timeout(10 * PATIENCE)

    def test_a_client_is_told_of_its_own_proxies_only(self):
        for client in ("a", "b"):
            told = self.connect(client).metadata([]).brokers
            self.assertEqual(told, {broker: ("127.0.0.1", port) for broker, port in kafka.proxies[client].ports.items()})
            self.assertEqual(kafka.bootstrap_of(client), ",".join(f"{host}:{port}" for host, port in told.values()))

    def test_one_client_is_cut_and_the_other_is_not(self):
        mine, others = self.connect("a"), self.connect("b")
        mine.api_versions(), others.api_versions()
        kafka.proxies["a"].cut()
        with self.assertRaises(OSError):
            mine.api_versions()
        with self.assertRaises(OSError):
            self.connect("a", 2).api_versions()
        others.api_versions()
        self.connect("b", 2).api_versions()
        kafka.proxies["a"].passes()
        self.connect("a").api_versions()

    def test_one_client_is_cut_from_one_broker(self):
        kafka.proxies["a"].cut(only=[2])
        with self.assertRaises(OSError):
            self.connect("a", 2).api_versions()
        self.connect("a", 1).api_versions()

    def test_a_reset_strikes_once(self):
        connection = self.connect("a")
        connection.api_versions()
        self.assertEqual(eventually(kafka.proxies["a"].connections, lambda open: open == 1), 1)
        kafka.proxies["a"].reset()
        with self.assertRaises(OSError):
            connection.api_versions()
        self.connect("a").api_versions()

    def created(self, name, hole):
        """Asks for a topic through `hole`: whether it is there then, and, once all passes, whether the answer came."""
        connection = self.connect("a")
        connection.api_versions()
        before = {way: kafka.proxies["a"].carried(way) for way in BOTH}
        kafka.proxies["a"].black_hole(hole)
        body = wire.create_topics_body(name, 1, 1)
        self.silent(connection, wire.CREATE_TOPICS, body)
        self.assertEqual([way for way in BOTH if kafka.proxies["a"].carried(way) > before[way]],
                         [TO_SERVER] if hole == (TO_CLIENT,) else [])
        there = bool(kafka.describe(name))
        kafka.proxies["a"].passes()
        connection.receive()
        self.assertTrue(eventually(lambda: kafka.describe(name), bool))
        return there

    def test_a_request_is_heard_though_its_answer_is_held_back(self):
        self.assertTrue(self.created("heard", (TO_CLIENT,)))

    def test_a_request_that_is_held_back_is_heard_later(self):
        self.assertFalse(self.created("held", (TO_SERVER,)))

    def test_in_a_black_hole_nothing_goes_either_way(self):
        self.assertFalse(self.created("hole", BOTH))

    def test_a_delay_counts_for_each_way(self):
        connection = self.connect("a")
        connection.api_versions()
        for ways, least in (((TO_CLIENT,), 0.3), (BOTH, 0.6)):
            kafka.proxies["a"].delay(0.3, ways)
            began = time.monotonic()
            connection.api_versions()
            took = time.monotonic() - began
            self.assertGreaterEqual(took, least)
            self.assertLess(took, least + 2 * PATIENCE)


class Doors(unittest.TestCase):
    def setUp(self):
        kafka.wait_ready()
        self.trusting = ssl.create_default_context(cafile=kafka.ca_file)

    def test_tls_is_spoken_with_a_certificate_of_the_test_authority(self):
        for broker in (1, 2, 3):
            with wire.Connection(kafka.address(broker, "tls"), tls=self.trusting) as connection:
                self.assertEqual(sorted(connection.metadata([]).brokers.values()),
                                 sorted(("127.0.0.1", int(address.rsplit(":", 1)[1]))
                                        for address in kafka.tls_bootstrap.split(",")))
        with self.assertRaises(ssl.SSLCertVerificationError):
            wire.Connection(kafka.address(1, "tls"), tls=ssl.create_default_context())
        with self.assertRaises(OSError), wire.Connection(kafka.address(1, "tls")) as plain:
            plain.api_versions()

    def test_scram_lets_in_who_knows_the_password(self):
        address = kafka.scram_bootstrap.split(",")[1]
        with wire.Connection(address, tls=self.trusting) as connection:
            connection.authenticate("souk", "s3cret")
            self.assertEqual(sorted(connection.metadata([]).brokers), [1, 2, 3])
        for user, password in (("souk", "secret"), ("nobody", "s3cret")):
            with wire.Connection(address, tls=self.trusting) as connection, self.assertRaises(wire.Refused) as refused:
                connection.authenticate(user, password)
            self.assertEqual(refused.exception.code, wire.SASL_FAILED)
        with wire.Connection(address, tls=self.trusting) as connection, self.assertRaises(OSError):
            connection.metadata([])


def free_row(count):
    """The first of `count` free ports in a row. None of them is one that the system gives to a client's connection: such
    a connection would take it before a broker does."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        below = int(file.read().split()[0])
    while True:
        first = random.randrange(10_000, below - count)
        with contextlib.ExitStack() as probes:
            try:
                for port in range(first, first + count):
                    probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return first


class DevelopersTool(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp(prefix="souk-kafka-")
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.addCleanup(self.call, "stop")

    def call(self, command, *options):
        return subprocess.run([sys.executable, "-B", os.path.join(TREE, "tools", "kafka", "kafka.py"), command, "--dir",
                               self.place, *options], capture_output=True, text=True, timeout=60 * PATIENCE)

    def test_data_survive_a_stop(self):
        self.assertEqual(self.call("status").returncode, 1)
        port = free_row(4)
        started = self.call("start", "--port", str(port), "--separate-controller")
        self.assertEqual((started.returncode, started.stdout), (0, f"bootstrap=127.0.0.1:{port}\n"), started.stderr)
        with wire.Connection(f"127.0.0.1:{port}") as connection:
            connection.create_topic("stays", 1, 1)
        self.assertEqual(self.call("status").returncode, 0)
        refused = self.call("start", "--brokers", "2")
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("brokers = 1", refused.stderr)
        with open(os.path.join(self.place, "broker-1", "pid"), encoding="utf-8") as file:
            pid = int(file.read())
        self.assertIn("2 node(s) ended", self.call("stop").stderr)
        self.assertFalse(runs(pid))
        self.assertEqual(self.call("status").returncode, 1)
        again = self.call("start")
        self.assertEqual((again.returncode, again.stdout), (0, f"bootstrap=127.0.0.1:{port}\n"), again.stderr)
        with wire.Connection(f"127.0.0.1:{port}") as connection:
            self.assertEqual(list(connection.metadata().topics), ["stays"])


if __name__ == "__main__":
    need_kafka()
    unittest.main(verbosity=2)

"""A Kafka cluster of real brokers for a scenario: on free ports of 127.0.0.1, in a scratch directory. Standard library only.

    need_kafka()                                     # ends a scenario that cannot run here
    with KafkaCluster(brokers=3, clients=["a", "b"]) as kafka:
        kafka.create_topic("t", partitions=8)
        Daemon("--kafka", kafka.bootstrap_of("a"))   # through a's own proxies
        kafka.proxies["a"].black_hole(TO_CLIENT)     # what a proxy can do: cut_proxy.py
        kafka.kill(kafka.leader("t", 0))
        kafka.restart(1)

Listeners: PLAINTEXT (`bootstrap`); one for each of `clients`, which is told to come through its proxies only; with `tls`,
TLS (`tls_bootstrap`, `ca_file`); with `scram` (user -> password), SASL_SSL with SCRAM-SHA-256 (`scram_bootstrap`).
Settings: tools/kafka/brokers.py (a dead broker is noticed after 2 s), then `settings` of the caller.
Brokers are 1..N, each its own controller; with separate_controller, 100 is the only controller.
Lifecycle: `with` starts it and waits until it is ready; at the end, or when the test dies, no process is left. Thread: one."""
import concurrent.futures
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from cut_proxy import CutProxy
from skips import skip_scenario
from souk_client import PATIENCE, TREE

sys.path.insert(0, os.path.join(TREE, "tools", "kafka"))
import brokers as setup  # noqa: E402  (tools/kafka)
import wire  # noqa: E402

VERSION = setup.VERSION
READY_SECONDS_MAX, END_SECONDS_MAX = 60, 30
LOST = (OSError, wire.Refused, struct.error)

OPENSSL_CONF = """[req]
distinguished_name = name
prompt = no
[name]
CN = {cn}
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[broker]
basicConstraints = critical,CA:FALSE
subjectAltName = IP:127.0.0.1,DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def why_no_kafka(version=VERSION):
    """What is missing to start brokers here; None when nothing is."""
    try:
        setup.need_programs()
        setup.jars(version)
    except setup.Unavailable as problem:
        return str(problem)
    return None


def need_kafka(version=VERSION):
    why = why_no_kafka(version)
    if why:
        skip_scenario("kafka", why)


class KafkaCluster:
    def __init__(self, brokers=3, *, version=VERSION, clients=(), tls=False, scram=None, separate_controller=False,
                 settings=None):
        if not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in clients):
            raise ValueError("a client's name is letters, digits and _")
        self.version, self.count, self.settings, self.scram = version, brokers, settings, scram
        self.home = tempfile.mkdtemp(prefix="souk-kafka-")
        self.clients, self.tls = list(clients), bool(tls or scram)
        self.ca_file = os.path.join(self.home, "tls", "ca.pem")
        self._separate_controller = separate_controller
        self._ports, self._reserved = {}, []
        self.proxies = {name: CutProxy({broker: self._port(broker, name) for broker in self._brokers()})
                        for name in self.clients}
        self.nodes = {node.id: node for node in setup.plan(self.home, brokers, self._port, separate_controller,
                                                           self._listeners)}
        self._processes, self._paused = {}, set()
        # A process dies with the THREAD that started it: this one lives as long as the cluster.
        self._starter = concurrent.futures.ThreadPoolExecutor(1)

    def __enter__(self):
        try:
            self._prepare()
            for node in self.nodes:
                self.start(node)
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        self._starter.shutdown()
        for proxy in self.proxies.values():
            proxy.close()
        for reserved in self._reserved:
            reserved.close()
        shutil.rmtree(self.home, ignore_errors=True)

    # ---- addresses ----

    @property
    def bootstrap(self):
        return self._bootstrap("plain")

    @property
    def tls_bootstrap(self):
        return self._bootstrap("tls")

    @property
    def scram_bootstrap(self):
        return self._bootstrap("scram")

    def bootstrap_of(self, client):
        return ",".join(f"127.0.0.1:{port}" for port in self.proxies[client].ports.values())

    def address(self, broker, kind="plain"):
        """One broker's own port; `kind`: plain, tls, scram or a client's name (behind its proxy)."""
        return f"127.0.0.1:{self._ports[broker, kind]}"

    def _bootstrap(self, kind):
        return ",".join(self.address(broker, kind) for broker in self._brokers())

    def _brokers(self):
        return range(1, self.count + 1)

    def _port(self, node, kind):
        """A free one, which is kept free of others while the broker is down: bound, not listening, and shared with a
        socket that sets SO_REUSEADDR, as Java's do."""
        if (node, kind) not in self._ports:
            reserved = socket.socket()
            reserved.bind(("127.0.0.1", 0))
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._reserved.append(reserved)
            self._ports[node, kind] = reserved.getsockname()[1]
        return self._ports[node, kind]

    def _listeners(self, broker):
        for name in self.clients:
            yield setup.Listener(name.upper(), self._port(broker, name), self.proxies[name].ports[broker])
        keys = os.path.join(self.home, "tls", "broker.pem")
        tls = {"ssl.keystore.type": "PEM", "ssl.keystore.location": keys,
               "ssl.truststore.type": "PEM", "ssl.truststore.location": self.ca_file}
        if self.tls:
            port = self._port(broker, "tls")
            yield setup.Listener("TLS", port, port, "SSL", tls)
        if self.scram:
            port = self._port(broker, "scram")
            yield setup.Listener("SCRAM", port, port, "SASL_SSL", {
                **tls, "sasl.enabled.mechanisms": "SCRAM-SHA-256", "scram-sha-256.sasl.jaas.config":
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"})

    # ---- processes ----

    def _prepare(self):
        if self.tls:
            self._make_certificates()
        nodes = list(self.nodes.values())
        for node in nodes:
            setup.write_files(node, nodes, self.settings)
        setup.format_disks(self.version, setup.new_cluster_id(), nodes, self.scram)

    def _make_certificates(self):
        folder = os.path.dirname(self.ca_file)
        os.makedirs(folder)

        def make(name, cn, *options):
            conf = os.path.join(folder, f"{name}.cnf")
            with open(conf, "w", encoding="utf-8") as file:
                file.write(OPENSSL_CONF.format(cn=cn))
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-days", "2", "-config", conf, "-extensions", name, "-keyout", f"{name}.key",
                            "-out", f"{name}.pem", *options], cwd=folder, check=True, capture_output=True)

        make("ca", "Souk's test authority")
        make("broker", "localhost", "-CA", "ca.pem", "-CAkey", "ca.key")
        with open(os.path.join(folder, "broker.key"), encoding="utf-8") as key, \
                open(os.path.join(folder, "broker.pem"), "a", encoding="utf-8") as both:
            both.write(key.read())

    def pid(self, node):
        return self._processes[node].pid

    def running(self):
        """Brokers that run and are not paused."""
        return [node for node, process in sorted(self._processes.items())
                if self.nodes[node].listeners and process.poll() is None and node not in self._paused]

    def start(self, node):
        """Returns at once; see wait_ready()."""
        if node in self._processes and self._processes[node].poll() is None:
            raise RuntimeError(f"node {node} runs")
        # setpriv becomes the broker, by exec: the process is the broker's.
        command = ["setpriv", "--pdeathsig", "KILL", *setup.node_command(self.version, self.nodes[node])]
        with open(self.nodes[node].log_file, "ab") as log:
            self._processes[node] = self._starter.submit(
                subprocess.Popen, command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=self.nodes[node].home).result()

    def kill(self, node):
        """SIGKILL; returns when it is dead."""
        self._processes[node].kill()
        self._processes[node].wait()
        self._paused.discard(node)

    def term(self, node):
        """SIGTERM: it hands its leaderships over and ends. The exit status."""
        self._processes[node].terminate()
        self.resume(node)
        return self._processes[node].wait(END_SECONDS_MAX * PATIENCE)

    def pause(self, node):
        self._processes[node].send_signal(signal.SIGSTOP)
        self._paused.add(node)

    def resume(self, node):
        self._processes[node].send_signal(signal.SIGCONT)
        self._paused.discard(node)

    def restart(self, node):
        """Whether it runs or not; returns when all that run see each other."""
        if self._processes[node].poll() is None:
            self.term(node)
        self.start(node)
        self.wait_ready()

    def log(self, node):
        with open(self.nodes[node].log_file, encoding="utf-8", errors="replace") as file:
            return file.read()

    # ---- what the brokers know ----

    def connection(self, broker=None, **options):
        """To this broker, or to one that answers."""
        if broker:
            return wire.Connection(self.address(broker), **options)
        for one in self.running():
            try:
                return wire.Connection(self.address(one), **options)
            except OSError:
                continue
        raise ConnectionError("no broker answers")

    def wait_ready(self, seconds=READY_SECONDS_MAX):
        """Until each of running() sees exactly these; a broker that was killed is seen until its session runs out."""
        def sights():
            for node, process in self._processes.items():
                if process.poll() not in (None, -signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM):
                    raise RuntimeError(f"node {node} ended, exit {process.returncode}: {self.nodes[node].log_tail()}")
            return {broker: wire.brokers_seen(self.address(broker)) for broker in self.running()}
        self._until(sights, lambda seen: all(ids == self.running() for ids in seen.values()), seconds, "brokers see")

    def create_topic(self, name, partitions=1, replication_factor=None, settings=None):
        """Returns when each running broker knows a leader for each partition. Raises wire.Refused."""
        copies = replication_factor or min(3, self.count)
        self._change(lambda connection: connection.create_topic(name, partitions, copies, settings), wire.TOPIC_EXISTS)
        self._until(lambda: self._views(name),
                    lambda views: all(len(view) == partitions and all(one.leader >= 0 for one in view.values())
                                      for view in views), READY_SECONDS_MAX, f"{name} is")

    def delete_topic(self, name):
        self._change(lambda connection: connection.delete_topic(name), wire.UNKNOWN_TOPIC)
        self._until(lambda: self._views(name), lambda views: not any(views), READY_SECONDS_MAX, f"{name} is")

    def describe(self, topic):
        """Partition number -> wire.Partition, as one running broker sees it; empty: there is no such topic."""
        with self.connection() as connection:
            return connection.metadata([topic]).topics.get(topic, {})

    def leader(self, topic, partition=0):
        return self.describe(topic)[partition].leader

    def wait_in_sync(self, topic, seconds=READY_SECONDS_MAX):
        """Until every replica is in sync, as each running broker sees it."""
        self._until(lambda: self._views(topic),
                    lambda views: all(view and all(set(one.isr) == set(one.replicas) for one in view.values())
                                      for view in views), seconds, f"{topic} is")

    def active_controller(self):
        """The node that leads the quorum; -1 while there is none."""
        with self.connection() as connection:
            return connection.active_controller()

    def tool(self, main_class, *arguments, timeout=60):
        """One of Kafka's own programs with --bootstrap-server, as org.apache.kafka.tools.TopicCommand --describe: its
        output. Takes a second or two."""
        done = subprocess.run(
            setup.tool_command(self.version, main_class, "--bootstrap-server", self.bootstrap, *arguments),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout * PATIENCE, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{main_class}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def _views(self, topic):
        views = []
        for broker in self.running():
            with self.connection(broker) as connection:
                views.append(connection.metadata([topic]).topics.get(topic, {}))
        return views

    def _change(self, change, done_code):
        """Asks again while the controller is away; what an unanswered try has done counts as done."""
        end, unsure = time.monotonic() + READY_SECONDS_MAX * PATIENCE, False
        while True:
            try:
                with self.connection(timeout=15) as connection:
                    return change(connection)
            except wire.Refused as refused:
                if unsure and refused.code == done_code:
                    return None
                if refused.code not in wire.PASSING or time.monotonic() > end:
                    raise
            except OSError:
                if time.monotonic() > end:
                    raise
            unsure = True
            time.sleep(0.2)

    @staticmethod
    def _until(read, holds, seconds, what):
        end, value = time.monotonic() + seconds * PATIENCE, None
        while True:
            try:
                value = read()
                if holds(value):
                    return value
            except LOST as problem:
                value = problem
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds} s {what} {value!r}")
            time.sleep(0.1)

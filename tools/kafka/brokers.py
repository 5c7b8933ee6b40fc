"""Apache Kafka's brokers on loopback: their jars, their settings, the commands that format and start them. Shared by
`tools/dev kafka` (kafka.py) and by the scenarios (tests/scenarios/kafka_cluster.py). Standard library only."""
import base64
import dataclasses
import fcntl
import functools
import glob
import os
import re
import shutil
import subprocess
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = os.environ.get("SOUK_KAFKA_VERSION") or "4.4.0"
JAVA_MIN = 17
MAVEN_SECONDS_MAX = 600
# Fast to start and small, for tests; a benchmark of Kafka itself would leave out TieredStopAtLevel.
JVM = ["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=64m",
       "-Xss512k"]
LOG4J = """rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{HH:mm:ss.SSS} %p %c{1} %m%n
"""


class Unavailable(Exception):
    """Something from outside is not there: Java, Maven, or Maven's repository."""


# ---- Java and the jars ----

def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "souk", "kafka")


@functools.lru_cache(maxsize=None)
def java():
    """The program, and its version; Unavailable where there is none or an old one."""
    home = os.environ.get("JAVA_HOME")
    program = (home and shutil.which(os.path.join(home, "bin", "java"))) or shutil.which("java")
    if not program:
        raise Unavailable("there is no Java: tools/dev kafka setup installs it")
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "((\d+)[^"]*)"', said)
    if not found or int(found[2]) < JAVA_MIN:
        raise Unavailable(f"{program} is not Java {JAVA_MIN} or later: {said.strip()[:200]}")
    return program, found[1]


def need_programs():
    """Those of Debian that a start or a scenario calls, but for Maven. Unavailable names the first that is not there."""
    java()
    for program in ("openssl", "setpriv"):
        if not shutil.which(program):
            raise Unavailable(f"there is no {program}: tools/dev kafka setup installs it")


def jars(version=VERSION):
    """Their folder; Unavailable where nobody has fetched them."""
    place = os.path.join(cache(), version)
    if not glob.glob(os.path.join(place, "kafka-clients-*.jar")):
        raise Unavailable(f"there is no Kafka {version} in {place}: tools/dev kafka setup --version {version} fetches it")
    return place


def fetcher(version=VERSION):
    """The program that would fetch the jars, or the jars where they are."""
    try:
        return jars(version)
    except Unavailable:
        if not shutil.which("mvn"):
            raise Unavailable("there is no Maven: tools/dev kafka setup installs it") from None
        return "mvn"


# What Maven says when it is the network, and not this tree, that is at fault.
UNREACHABLE = re.compile(r"Unknown host|[Nn]ame or service not known|[Nn]etwork is unreachable|timed out|"
                         r"[Cc]onnection refused|Connection reset|No route to host|temporary failure in name|"
                         r"[Ss]tatus(?: code)?:? (?:403|407|5\d\d)|PKIX path", re.S)


def fetch_jars(version=VERSION):
    """Their folder, filled once. Unavailable: no Maven here, or its repository cannot be reached. RuntimeError: Maven
    reached it and failed, as for a version that was never released. Several may call at a time."""
    if not re.fullmatch(r"\d+(\.\d+)+", version):
        raise RuntimeError(f"no version of Kafka: {version}")
    os.makedirs(cache(), exist_ok=True)
    with open(os.path.join(cache(), "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if fetcher(version) != "mvn":
            return jars(version)
        place, fresh = os.path.join(cache(), version), os.path.join(cache(), f"{version}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            done = subprocess.run(
                ["mvn", "-B", "-q", "-f", os.path.join(HERE, "pom.xml"), f"-Dkafka.version={version}",
                 "-DincludeScope=runtime", f"-DoutputDirectory={fresh}", "dependency:copy-dependencies"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                timeout=MAVEN_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"Maven did not fetch Kafka {version} within {MAVEN_SECONDS_MAX} s") from None
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).strip()
            first = next((line for line in said.splitlines() if "ERROR" in line), said)[:600]
            if UNREACHABLE.search(said):
                raise Unavailable(f"Maven's repository cannot be reached: {first}")
            raise RuntimeError(f"Maven could not fetch Kafka {version}: {first}")
        shutil.rmtree(place, ignore_errors=True)
        os.rename(fresh, place)
        return place


# ---- one node: its settings, files and commands ----

@dataclasses.dataclass(frozen=True)
class Listener:
    """One more door of a broker. `advertised_port`: what clients of this door are told; a proxy's, perhaps."""
    name: str
    port: int
    advertised_port: int
    security: str = "PLAINTEXT"
    settings: dict = dataclasses.field(default_factory=dict)  # without "listener.name.NAME."


@dataclasses.dataclass(frozen=True)
class Node:
    """A process of the cluster: a broker, its controller or both."""
    id: int
    home: str
    listeners: tuple = ()  # none: a controller only; the first is the brokers' own
    controller_port: int = 0  # 0: a broker only

    @property
    def roles(self):
        return ",".join(role for role, has in (("broker", self.listeners), ("controller", self.controller_port)) if has)

    @property
    def address(self):
        return f"127.0.0.1:{self.listeners[0].port}"

    @property
    def properties_file(self):
        return os.path.join(self.home, "server.properties")

    @property
    def log_file(self):
        return os.path.join(self.home, "kafka.log")

    def log_tail(self, lines=15):
        if not os.path.exists(self.log_file):
            return ""
        with open(self.log_file, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])


def new_cluster_id():
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):  # it would be taken for an option
            return text


def plan(home, brokers, port_of, separate_controller=False, listeners_of=lambda broker: ()):
    """The nodes of a cluster: brokers 1..`brokers`, each a controller too unless one, 100, is apart.
    `port_of(node, kind)`: the port for "plain" or "controller"."""
    nodes = [Node(broker, os.path.join(home, f"broker-{broker}"),
                  (Listener("PLAINTEXT", port_of(broker, "plain"), port_of(broker, "plain")), *listeners_of(broker)),
                  0 if separate_controller else port_of(broker, "controller"))
             for broker in range(1, brokers + 1)]
    if separate_controller:
        nodes.append(Node(100, os.path.join(home, "controller"), (), port_of(100, "controller")))
    return nodes


def settings(node, nodes, more=None):
    """server.properties. The time-outs and min.insync.replicas count in the controllers' files, so they stand in all."""
    brokers = sum(1 for one in nodes if one.listeners)
    copies = min(3, brokers)
    doors = list(node.listeners)
    controllers = [one for one in nodes if one.controller_port]
    listeners = [f"{door.name}://127.0.0.1:{door.port}" for door in doors]
    if node.controller_port:
        listeners.append(f"CONTROLLER://127.0.0.1:{node.controller_port}")
    names = {"CONTROLLER": "PLAINTEXT", **{door.name: door.security for door in doors}}
    result = {
        "process.roles": node.roles,
        "node.id": node.id,
        "controller.quorum.voters": ",".join(f"{one.id}@127.0.0.1:{one.controller_port}" for one in controllers),
        "listeners": ",".join(listeners),
        "listener.security.protocol.map": ",".join(f"{name}:{security}" for name, security in names.items()),
        "controller.listener.names": "CONTROLLER",
        "log.dirs": os.path.join(node.home, "data"),
        "num.network.threads": 2,
        "num.io.threads": 4,
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": min(2, copies),
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": min(2, copies),
        "transaction.state.log.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": min(2, copies),
        "share.coordinator.state.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "log.cleaner.dedupe.buffer.size": 2097152,
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
        "replica.lag.time.max.ms": 2000,
    }
    if node.listeners:
        result["advertised.listeners"] = ",".join(f"{door.name}://127.0.0.1:{door.advertised_port}" for door in doors)
        result["inter.broker.listener.name"] = doors[0].name
        for door in doors:
            result.update({f"listener.name.{door.name.lower()}.{key}": value for key, value in door.settings.items()})
    result.update(more or {})
    return "".join(f"{key}={value}\n" for key, value in result.items())


def write_files(node, nodes, more=None):
    os.makedirs(node.home, exist_ok=True)
    for path, text in ((node.properties_file, settings(node, nodes, more)),
                       (os.path.join(node.home, "log4j2.properties"), LOG4J)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def archive_file(version):
    """Kafka's classes as this Java has loaded them once (class_archive.py): starts take half the time."""
    return os.path.join(jars(version), f"classes-{java()[1]}.jsa")


def java_command(version, *options):
    # A Java that cannot use the archive goes on without, and says so on stdout unless it is told not to.
    archive = archive_file(version)
    shared = [f"-XX:SharedArchiveFile={archive}", "-Xlog:disable", "-Xlog:all=error:stderr"]
    return [java()[0], *(shared if os.path.exists(archive) else []), *options, "-cp", os.path.join(jars(version), "*")]


def tool_command(version, main_class, *arguments):
    """One of Kafka's own programs, as org.apache.kafka.tools.TopicCommand."""
    return [*java_command(version, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"), main_class, *arguments]


def format_disks(version, cluster_id, nodes, scram=None):
    """Those of `nodes` that are not formatted yet, at the same time. `scram`: user -> password, for SCRAM-SHA-256."""
    users = [word for user, password in (scram or {}).items()
             for word in ("--add-scram", f"SCRAM-SHA-256=[name={user},password={password}]")]
    running = [(node, subprocess.Popen(
        tool_command(version, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", node.properties_file, *users),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=node.home))
        for node in nodes if not os.path.exists(os.path.join(node.home, "data", "meta.properties"))]
    wrong = []
    for node, process in running:
        said = process.communicate()[0]
        if process.returncode != 0:
            wrong.append(f"node {node.id} could not be formatted: {said.strip()[-1500:]}")
    if wrong:
        raise RuntimeError("\n".join(wrong))


def node_command(version, node, *options):
    """Runs `node`; to be started in node.home."""
    log4j = os.path.join(node.home, "log4j2.properties")
    return [*java_command(version, *JVM, f"-Dlog4j2.configurationFile={log4j}", *options), "kafka.Kafka",
            node.properties_file]

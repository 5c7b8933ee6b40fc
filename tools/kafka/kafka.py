#!/usr/bin/env python3
"""Kafka's brokers on loopback, for a developer: `tools/dev kafka` calls this. Standard library only.

A cluster is a folder: cluster.json, what it is; broker-N/, each with its settings, its log, its data and, while it
runs, its process id. It survives stop and start, and a kill."""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import brokers
import wire
from class_archive import make_archive

TREE = os.path.dirname(os.path.dirname(brokers.HERE))
START_SECONDS_MAX, STOP_SECONDS_MAX = 90, 30
BROKERS_MAX = 9
# Exit codes; the first is also Python's own for anything unexpected.
FAILED, UNAVAILABLE = 1, 3


class Wrong(Exception):
    """The question cannot be met; said in one line."""


class Cluster:
    def __init__(self, home):
        self.home, self.file = home, os.path.join(home, "cluster.json")
        self.what = None
        if os.path.exists(self.file):
            with open(self.file, encoding="utf-8") as file:
                self.what = json.load(file)

    def nodes(self):
        what = self.what

        def port_of(node, kind):
            slot = what["brokers"] if node == 100 else node - 1
            return what["port"] + 2 * slot + (kind == "controller")

        return brokers.plan(self.home, what["brokers"], port_of, what["separate_controller"])

    def settle(self, asked):
        """What it is from now on: as it was, or as `asked`. Writes every file."""
        was = self.what
        if was:
            for name in ("brokers", "separate_controller"):
                if asked[name] not in (None, was[name]):
                    raise Wrong(f"{self.home} holds a cluster with {name.replace('_', ' ')} = {was[name]}; "
                                "take another --dir, or remove it")
        fresh = {"brokers": 1, "separate_controller": False, "port": 19092, "version": brokers.VERSION,
                 "cluster_id": brokers.new_cluster_id()}
        self.what = {**fresh, **(was or {}), **{key: value for key, value in asked.items() if value is not None}}
        os.makedirs(self.home, exist_ok=True)
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(self.what, file, indent=2)
            file.write("\n")

    def bootstrap(self):
        return ",".join(node.address for node in self.nodes() if node.listeners)


def prepare(version):
    """The jars and what else makes a start fast, once. The folder of the jars."""
    place = brokers.fetch_jars(version)
    make_archive(version)
    return place


def pid_file(node):
    return os.path.join(node.home, "pid")


def pid_of(node):
    """Its process, or None. A number that is somebody else's by now is not taken for it."""
    try:
        with open(pid_file(node), encoding="utf-8") as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if node.properties_file.encode() in words else None


def start_node(version, node):
    with open(node.log_file, "ab") as log:
        process = subprocess.Popen(brokers.node_command(version, node), stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, cwd=node.home, start_new_session=True)
    with open(pid_file(node), "w", encoding="utf-8") as file:
        file.write(f"{process.pid}\n")
    return process


def ready(nodes):
    """Whether each broker sees them all."""
    ids = [node.id for node in nodes if node.listeners]
    return all(wire.brokers_seen(node.address) == ids for node in nodes if node.listeners)


def start(options):
    cluster = Cluster(options.dir)
    asked = {name: getattr(options, name) for name in ("brokers", "separate_controller", "port", "version")}
    if cluster.what and any(pid_of(node) for node in cluster.nodes()):
        for name, value in asked.items():
            if value not in (None, cluster.what[name]):
                raise Wrong(f"it runs already, with {name.replace('_', ' ')} = {cluster.what[name]}: stop it first")
    brokers.java()
    prepare(asked["version"] or (cluster.what or {}).get("version", brokers.VERSION))
    cluster.settle(asked)
    nodes, version = cluster.nodes(), cluster.what["version"]
    idle = [node for node in nodes if not pid_of(node)]
    for node in idle:
        brokers.write_files(node, nodes)
    brokers.format_disks(version, cluster.what["cluster_id"], idle)
    began = time.monotonic()
    started = [(node, start_node(version, node)) for node in idle]
    while not ready(nodes):
        for node, process in started:
            if process.poll() is not None:
                stop_nodes([one for one, _ in started])
                raise Wrong(f"node {node.id} ended (exit {process.returncode}); {node.log_file} says:\n{node.log_tail()}")
        if time.monotonic() - began > START_SECONDS_MAX:
            raise Wrong(f"the brokers do not answer after {START_SECONDS_MAX} s; see {options.dir}/*/kafka.log, "
                        f"and end them with: {call(options, 'stop')}")
        time.sleep(0.1)
    print(f"bootstrap={cluster.bootstrap()}", flush=True)
    print(f"""
Kafka {version} runs: {cluster.what['brokers']} broker(s), data in {options.dir}. Paste:

  bootstrap={cluster.bootstrap()}
  topics() {{ java -cp '{brokers.jars(version)}/*' org.apache.kafka.tools.TopicCommand --bootstrap-server $bootstrap "$@"; }}
  topics --create --topic try --partitions 3 --replication-factor {min(3, cluster.what['brokers'])}
  topics --describe
  kcat -b $bootstrap -L                 # of Debian's package kcat
  {call(options, 'status')}
  {call(options, 'stop')}   # its data stay; start goes on with them
""", file=sys.stderr)


def call(options, command):
    place = "" if options.dir == default_dir() else f" --dir {options.dir}"
    return f"tools/dev kafka {command}{place}"


def stop_nodes(nodes):
    """SIGTERM to the brokers, then to a controller apart, without which they would wait; SIGKILL to one that does not
    end. How many ran."""
    return (end_together([node for node in nodes if node.listeners]) +
            end_together([node for node in nodes if not node.listeners]))


def end_together(nodes):
    running = [(node, pid) for node in nodes for pid in [pid_of(node)] if pid]
    for _, pid in running:
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
    end = time.monotonic() + STOP_SECONDS_MAX
    for node, pid in running:
        while pid_of(node) == pid and not is_zombie(pid):
            if time.monotonic() > end:
                print(f"node {node.id} does not end; it is killed", file=sys.stderr)
                os.kill(pid, signal.SIGKILL)
                end = time.monotonic() + STOP_SECONDS_MAX
            time.sleep(0.05)
        os.remove(pid_file(node))
    return len(running)


def is_zombie(pid):
    """Ended, and only waits for us, who started it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def stop(options):
    cluster = Cluster(options.dir)
    ended = stop_nodes(cluster.nodes()) if cluster.what else 0
    print(f"{ended} node(s) ended" if ended else f"nothing runs in {options.dir}", file=sys.stderr)


def status(options):
    cluster = Cluster(options.dir)
    if not cluster.what:
        print(f"there is no cluster in {options.dir}")
        return FAILED
    print(f"Kafka {cluster.what['version']} in {options.dir}, bootstrap={cluster.bootstrap()}")
    nodes = cluster.nodes()
    for node in nodes:
        pid = pid_of(node)
        where = node.address if node.listeners else f"127.0.0.1:{node.controller_port}"
        seen = wire.brokers_seen(node.address) if pid and node.listeners else []
        word = f"runs, pid {pid}" if pid else "does not run"
        if pid and node.listeners:
            word += f", sees brokers {','.join(map(str, seen))}" if seen else ", does not answer"
        print(f"  node {node.id} ({node.roles}) {where}: {word}")
    return 0 if all(pid_of(node) for node in nodes) and ready(nodes) else FAILED


def packages(options):
    """Debian's packages that are missing, a line each: for `setup` and `start` with these options."""
    version = options.version
    if not version:
        version = (Cluster(options.dir).what or {}).get("version", brokers.VERSION)
    missing = []
    for package, there in (("default-jre-headless", brokers.java), ("maven", lambda: brokers.fetcher(version)),
                           ("openssl", lambda: shutil.which("openssl")),
                           ("util-linux", lambda: shutil.which("setpriv"))):
        try:
            there() or missing.append(package)
        except brokers.Unavailable:
            missing.append(package)
    print("".join(f"{name}\n" for name in missing), end="")


def default_dir():
    return os.path.join(TREE, "build", "kafka")


def port(text):
    value = int(text)
    if not 1024 <= value <= 65500:
        raise argparse.ArgumentTypeError("1024 to 65500")
    return value


def main():
    parser = argparse.ArgumentParser(prog="tools/dev kafka", description="Apache Kafka on loopback, from Maven Central.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("setup", help="fetch Java, Maven and the jars, and nothing else")
    one.add_argument("--version", default=brokers.VERSION)
    one = commands.add_parser("start", help="start the brokers, wait until they answer, print bootstrap=ADDRESSES")
    one.add_argument("--brokers", type=int, choices=range(1, BROKERS_MAX + 1), metavar="N", help="default 1")
    one.add_argument("--version", metavar="VERSION", help=f"of Kafka, 4.1.1 or later; default {brokers.VERSION}")
    one.add_argument("--port", type=port, metavar="P",
                     help="the first broker's; the next ones' are P+2, P+4, ..., their controllers' P+1, P+3, ...; "
                          "default 19092")
    one.add_argument("--separate-controller", action="store_true", default=None,
                     help="one controller in a process of its own, instead of one in each broker")
    one.add_argument("--dir", metavar="DIR", default=default_dir(), help="where its data live; default build/kafka")
    for name, what in (("stop", "end them; the data stay"), ("status", "who runs; exit 0 when all answer")):
        commands.add_parser(name, help=what).add_argument("--dir", metavar="DIR", default=default_dir())
    one = commands.add_parser("packages", add_help=False)  # tools/dev asks
    one.add_argument("--version")
    one.add_argument("--dir", default=default_dir())
    options, others = parser.parse_known_args()
    if others and options.command != "packages":  # which is called with the options of another command
        parser.error(f"unknown: {' '.join(others)}")
    if "dir" in options:
        options.dir = os.path.abspath(options.dir)
    try:
        if options.command == "setup":
            brokers.need_programs()
            print(f"Kafka {options.version} in {prepare(options.version)}", file=sys.stderr)
            return 0
        return {"start": start, "stop": stop, "status": status, "packages": packages}[options.command](options) or 0
    except brokers.Unavailable as problem:
        print(f"tools/dev kafka: {problem}", file=sys.stderr)
        return UNAVAILABLE
    except (Wrong, RuntimeError) as problem:
        print(f"tools/dev kafka: {problem}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A whole cluster on this machine, for a developer: Kafka's brokers, `souk cluster init`, certificates, and nodes that know
each other by TLS. `tools/dev cluster` calls this. Standard library only.

It is a folder: cluster.json, what it is; kafka/, the brokers (tools/dev kafka); certificates/, secret; provider/ (the payment
provider) and node-X/, each with its data, its log and, while it runs, its process id. It survives stop and start, and a kill."""
import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_SECONDS_MAX, STOP_SECONDS_MAX = 120, 40
NODES_MAX = 9
FAILED, UNAVAILABLE = 1, 3
NAME = "souk"
PROVIDER = "provider"  # beside the nodes, whose names are letters


class Wrong(Exception):
    """The question cannot be met; said in one line."""


class Cluster:
    def __init__(self, home):
        self.home, self.file = home, os.path.join(home, "cluster.json")
        self.what = None
        if os.path.exists(self.file):
            with open(self.file, encoding="utf-8") as file:
                self.what = json.load(file)

    def settle(self, asked):
        """What it is from now on: as it was, or as `asked`."""
        for name in ("brokers", "nodes", "shards"):
            if self.what and asked[name] not in (None, self.what[name]):
                raise Wrong(f"{self.home} holds a cluster with {self.what[name]} {name}; take another --dir, or remove it")
        fresh = {"brokers": 1, "nodes": 3, "shards": 16, "port": 8080, "peer_port": 8180, "provider_port": 8170,
                 "kafka_port": 19092}
        self.what = {**fresh, **(self.what or {}), **{key: value for key, value in asked.items() if value is not None}}
        os.makedirs(self.home, exist_ok=True)
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(self.what, file, indent=2)
            file.write("\n")

    def names(self):
        return [chr(ord("a") + number) for number in range(self.what["nodes"])]

    def path(self, *words):
        return os.path.join(self.home, *words)

    def http(self, name):
        return f"127.0.0.1:{self.what['port'] + ord(name) - ord('a')}"

    def peer(self, name):
        return f"127.0.0.1:{self.what['peer_port'] + ord(name) - ord('a')}"

    def provider(self):
        return f"127.0.0.1:{self.what['provider_port']}"

    def place(self, name):
        return self.path(PROVIDER if name == PROVIDER else f"node-{name}")

    def data(self, name):
        return os.path.join(self.place(name), "ledger" if name == PROVIDER else "data")

    def single(self):
        return ["--kafka-single"] if self.what["brokers"] == 1 else []


def program(name):
    place = os.environ.get("SOUK_BIN_DIR") or os.path.join(TREE, "build", "release")
    return os.path.join(place, name)


def kafka(cluster, command, *options):
    script = os.path.join(TREE, "tools", "kafka", "kafka.py")
    return subprocess.run([sys.executable, script, command, "--dir", cluster.path("kafka"), *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def said(what, done):
    return f"{what} (exit {done.returncode}):\n{done.stdout}{done.stderr}".rstrip()


def pid_of(cluster, name):
    """Its process, or None. A number that is somebody else's by now is not taken for it."""
    try:
        with open(os.path.join(cluster.place(name), "pid"), encoding="utf-8") as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            ended = file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (OSError, ValueError, IndexError):
        return None
    return pid if cluster.data(name).encode() in words and not ended else None


def is_ready(cluster, name):
    try:
        if name == PROVIDER:
            socket.create_connection(("127.0.0.1", cluster.what["provider_port"]), timeout=2).close()
            return True
        with urllib.request.urlopen(f"http://{cluster.http(name)}/readyz", timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def command_of(cluster, name, bootstrap):
    if name == PROVIDER:
        return [program("souk"), "provider", "--data-dir", cluster.data(name), "--listen", cluster.provider()]
    certificates = cluster.path("certificates")
    return [program("soukd"), "--data-dir", cluster.data(name), "--http", cluster.http(name), "--kafka", bootstrap,
            "--cluster", NAME, "--node", name, "--peer", cluster.peer(name), "--secret-file", cluster.path("secret"),
            "--payment-provider", f"http://{cluster.provider()}",
            "--peer-ca", os.path.join(certificates, "authority.pem"),
            "--peer-certificate", os.path.join(certificates, f"{name}.pem"),
            "--peer-key", os.path.join(certificates, f"{name}.key"), "--integration-topics", *cluster.single()]


def start_one(cluster, name, bootstrap):
    os.makedirs(cluster.place(name), exist_ok=True)
    with open(os.path.join(cluster.place(name), "soukd.log"), "ab") as log:
        process = subprocess.Popen(command_of(cluster, name, bootstrap), stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True)
    with open(os.path.join(cluster.place(name), "pid"), "w", encoding="utf-8") as file:
        file.write(f"{process.pid}\n")
    return process


def log_tail(cluster, name, lines=12):
    with open(os.path.join(cluster.place(name), "soukd.log"), encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-lines:])


def souk(what, *words):
    done = subprocess.run([program("souk"), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(said(what, done))


def start(options):
    for name in ("soukd", "souk"):
        if not os.path.exists(program(name)):
            raise Wrong(f"there is no {program(name)}: tools/dev build makes it")
    cluster = Cluster(options.dir)
    cluster.settle({name: getattr(options, name) for name in ("brokers", "nodes", "shards", "port", "peer_port",
                                                              "provider_port", "kafka_port")})
    what = cluster.what
    brokers = kafka(cluster, "start", "--brokers", str(what["brokers"]), "--port", str(what["kafka_port"]))
    if brokers.returncode == UNAVAILABLE:
        print(brokers.stderr.rstrip(), file=sys.stderr)
        return UNAVAILABLE
    if brokers.returncode:
        raise Wrong(said("the brokers did not start", brokers))
    bootstrap = next(line for line in brokers.stdout.splitlines() if line.startswith("bootstrap=")).split("=", 1)[1]
    souk("souk cluster init failed", "cluster", "init", "--kafka", bootstrap, "--cluster", NAME, "--shards",
         str(what["shards"]), "--secret-file", cluster.path("secret"), "--integration", "--yes", *cluster.single())
    souk("souk cluster certificates failed", "cluster", "certificates", "--directory", cluster.path("certificates"),
         "--cluster", NAME, *cluster.names())
    began = time.monotonic()
    all_of_it = [PROVIDER, *cluster.names()]
    started = {name: start_one(cluster, name, bootstrap) for name in all_of_it if not pid_of(cluster, name)}
    while not all(is_ready(cluster, name) for name in all_of_it):
        for name, process in started.items():
            if process.poll() is not None:
                raise Wrong(f"{'the' if name == PROVIDER else 'node'} {name} ended (exit {process.returncode}); its log says:\n{log_tail(cluster, name)}\n"
                            f"End the others with: {call(options, 'stop')}")
        if time.monotonic() - began > START_SECONDS_MAX:
            raise Wrong(f"the nodes are not ready after {START_SECONDS_MAX} s; see {options.dir}/node-*/soukd.log, "
                        f"and end them with: {call(options, 'stop')}")
        time.sleep(0.1)
    show(cluster, options)
    return 0


def show(cluster, options):
    first = cluster.names()[0]
    second = cluster.names()[1] if len(cluster.names()) > 1 else first
    print("\n".join(f"node {name}: http://{cluster.http(name)}" for name in cluster.names()), flush=True)
    print(f"""
A cluster of {cluster.what['nodes']} node(s) runs, on {cluster.what['brokers']} broker(s); all of it is in {options.dir}. Paste:

  souk() {{ {program('souk')} --url http://{cluster.http(first)} "$@"; }}
  souk cluster status
  souk cluster watch --for 10
  souk cluster drain {second} --dry-run      # what would move
  souk cluster drain {second} --yes          # ends with: {second} is safe to stop
  souk cluster uncordon {second} --yes
  souk cluster history
  {call(options, 'status')}
  {call(options, 'stop')}   # the data stay; start goes on with them
""", file=sys.stderr)


def call(options, command):
    place = "" if options.dir == default_dir() else f" --dir {options.dir}"
    return f"tools/dev cluster {command}{place}"


def stop(options):
    cluster = Cluster(options.dir)
    if not cluster.what:
        print(f"nothing runs in {options.dir}", file=sys.stderr)
        return 0
    running = [(name, pid) for name in cluster.names() for pid in [pid_of(cluster, name)] if pid]
    for _, pid in running:
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS_MAX
    for name, pid in running:
        while pid_of(cluster, name) == pid:
            if time.monotonic() > end:
                print(f"node {name} does not end; it is killed", file=sys.stderr)
                os.kill(pid, signal.SIGKILL)
                end = time.monotonic() + STOP_SECONDS_MAX
            time.sleep(0.05)
    print(f"{len(running)} node(s) of Souk ended", file=sys.stderr)
    provider = pid_of(cluster, PROVIDER)
    if provider:
        os.kill(provider, signal.SIGTERM)
        while pid_of(cluster, PROVIDER) == provider:
            time.sleep(0.05)
    brokers = kafka(cluster, "stop")
    print(brokers.stderr.rstrip(), file=sys.stderr)
    return brokers.returncode


def status(options):
    cluster = Cluster(options.dir)
    if not cluster.what:
        print(f"there is no cluster in {options.dir}")
        return FAILED
    brokers = kafka(cluster, "status")
    print(brokers.stdout.rstrip())
    well = brokers.returncode == 0
    provider = pid_of(cluster, PROVIDER)
    print(f"  payment provider http://{cluster.provider()}: {f'runs, pid {provider}' if provider else 'does not run'}")
    well = well and bool(provider)
    for name in cluster.names():
        pid = pid_of(cluster, name)
        ready = bool(pid) and is_ready(cluster, name)
        word = f"runs, pid {pid}, {'ready' if ready else 'not ready'}" if pid else "does not run"
        print(f"  node {name} http://{cluster.http(name)}: {word}")
        well = well and ready
    return 0 if well else FAILED


def default_dir():
    return os.path.join(TREE, "build", "cluster")


def main():
    parser = argparse.ArgumentParser(prog="tools/dev cluster", description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("start", help="start all of it, and say what to paste")
    one.add_argument("--brokers", type=int, choices=(1, 3), help="default 1: what one broker loses is lost")
    one.add_argument("--nodes", type=int, choices=range(1, NODES_MAX + 1), metavar=f"1..{NODES_MAX}", help="default 3")
    one.add_argument("--shards", type=int, metavar="N", help="default 16")
    one.add_argument("--port", type=int, metavar="N", help="of the first node's HTTP, default 8080; the others follow")
    one.add_argument("--peer-port", type=int, metavar="N", help="of its links, default 8180; the others follow")
    one.add_argument("--provider-port", type=int, metavar="N", help="of the payment provider, default 8170")
    one.add_argument("--kafka-port", type=int, metavar="N", help="of the first broker, default 19092; the others follow")
    one.add_argument("--dir", metavar="DIR", default=default_dir(), help="where all of it lives; default build/cluster")
    for name, what in (("stop", "end all of it; the data stay"), ("status", "who runs; exit 0 when all are ready")):
        commands.add_parser(name, help=what).add_argument("--dir", metavar="DIR", default=default_dir())
    options = parser.parse_args()
    options.dir = os.path.abspath(options.dir)
    try:
        return {"start": start, "stop": stop, "status": status}[options.command](options)
    except Wrong as problem:
        print(f"tools/dev cluster: {problem}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())

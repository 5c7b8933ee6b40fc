"""Several soukd on one Kafka cluster, as customers see them: any of them will do."""
import concurrent.futures
import os
import random
import shutil
import socket
import subprocess
import time

from cut_proxy import CutProxy
from provider_test import Provider
from souk_client import PATIENCE, Client, Daemon, binary


def souk(*arguments, timeout=60):
    return subprocess.run([binary("souk"), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=timeout * PATIENCE, check=False)


class Nodes:
    """Nodes a, b, c, ... `way(name)`: the brokers' addresses for a node. With `cuts` the links of the nodes go through
    `links`, a proxy whose routes are by the node that is dialed: of two nodes the later one in the alphabet.
    `options_of`: by a node's name, beside those of all."""

    def __init__(self, kafka, count=3, *, cluster="shop", shards=16, single=False, way=None, options=(), init=(), seed=1,
                 cuts=False, program=None, options_of=None):
        self.kafka, self.cluster, self.shards = kafka, cluster, shards
        self.secret = os.path.join(kafka.home, f"{cluster}-secret")
        more = ["--kafka-single"] if single else []
        done = souk("cluster", "init", "--kafka", kafka.bootstrap, "--cluster", cluster, "--shards", str(shards),
                    "--secret-file", self.secret, "--yes", *more, *init)
        if done.returncode:
            raise RuntimeError(f"souk cluster init: {done.stdout}{done.stderr}")
        self.provider = Provider()
        self.chance = random.Random(seed)
        self.names = [chr(ord("a") + i) for i in range(count)]
        self._options = ["--cluster", cluster, "--secret-file", self.secret, "--insecure-peers", *more, *options]
        self._options_of = options_of or {}
        self._way = way or (lambda _: kafka.bootstrap)
        self.daemons, self.down, self._program = {}, set(self.names), program
        self._ports, self._reserved = {}, []
        if cuts:
            self._reserve_ports()
        self.links = CutProxy(self._ports) if cuts else None

    def __enter__(self):
        self.provider.__enter__()
        self.daemons = {name: Daemon("--kafka", self._way(name), "--node", name, "--payment-provider", self.provider.url,
                                     *self._peer(name), *self._options, *self._options_of.get(name, ()))
                        for name in self.names}
        for daemon in self.daemons.values():
            daemon.program = self._program or daemon.program
        try:
            with concurrent.futures.ThreadPoolExecutor(len(self.names)) as pool:
                list(pool.map(self._enter, self.names))
        except BaseException:
            self.__exit__()
            raise
        return self

    def _reserve_ports(self):
        """Bound, not listening, and shared with a socket that sets SO_REUSEADDR, as a node's does."""
        for name in self.names:
            reserved = socket.socket()
            reserved.bind(("127.0.0.1", 0))
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._reserved.append(reserved)
            self._ports[name] = reserved.getsockname()[1]

    def _peer(self, name):
        if not self.links:
            return []
        return ["--peer", f"127.0.0.1:{self._ports[name]}", "--peer-address", f"127.0.0.1:{self.links.ports[name]}"]

    def _enter(self, name):
        self.daemons[name].__enter__()
        self.down.discard(name)

    def __exit__(self, *_):
        for daemon in self.daemons.values():
            daemon.__exit__(None, None, None)
        self.provider.__exit__()
        if self.links:
            self.links.close()
        for reserved in self._reserved:
            reserved.close()

    def kill(self, name):
        self.down.add(name)
        self.daemons[name].kill()

    def lose_the_copy(self, name):
        """Of the log and of what stands on it. REQUIRES: it is down."""
        for folder in ("journal", "states"):
            shutil.rmtree(os.path.join(self.daemons[name].data_dir, folder))

    def start(self, name):
        self.daemons[name].start()
        self.down.discard(name)

    # ---- as one daemon, for the customers of crash_test.py ----

    @property
    def address(self):
        up = [name for name in self.names if name not in self.down]
        return self.daemons[self.chance.choice(up or self.names)].address

    def client(self, **options):
        return Client(self.address, **options)

    def client_of(self, name, **options):
        return self.daemons[name].client(**options)

    def wait_served(self, seconds=60):
        """Every shard takes commands, at every node."""
        end = time.monotonic() + seconds * PATIENCE
        for name in self.names:
            if name in self.down:
                continue
            client = self.client_of(name)
            number = 0
            served = 0
            while served < 50:
                number += 1
                answer = client.post("/v1/carts", {}, key=f"served-{name}-{time.monotonic_ns()}-{number}")
                served = served + 1 if answer.status == 201 else 0
                if time.monotonic() > end:
                    raise TimeoutError(f"node {name} does not serve: {answer!r}")
            client.close()

"""Several soukd on one Kafka cluster, as customers see them: any of them will do."""
import concurrent.futures
import os
import random
import subprocess
import time

from provider_test import Provider
from souk_client import PATIENCE, Client, Daemon, binary


def souk(*arguments, timeout=60):
    return subprocess.run([binary("souk"), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=timeout * PATIENCE, check=False)


class Nodes:
    """Nodes a, b, c, ... `way(name)`: the brokers' addresses for a node."""

    def __init__(self, kafka, count=3, *, cluster="shop", shards=16, single=False, way=None, options=(), seed=1):
        self.kafka, self.cluster = kafka, cluster
        self.secret = os.path.join(kafka.home, f"{cluster}-secret")
        more = ["--kafka-single"] if single else []
        done = souk("cluster", "init", "--kafka", kafka.bootstrap, "--cluster", cluster, "--shards", str(shards),
                    "--secret-file", self.secret, "--yes", *more)
        if done.returncode:
            raise RuntimeError(f"souk cluster init: {done.stdout}{done.stderr}")
        self.provider = Provider()
        self.chance = random.Random(seed)
        self.names = [chr(ord("a") + i) for i in range(count)]
        self._options = ["--cluster", cluster, "--secret-file", self.secret, "--insecure-peers", *more, *options]
        self._way = way or (lambda _: kafka.bootstrap)
        self.daemons, self.down = {}, set(self.names)

    def __enter__(self):
        self.provider.__enter__()
        self.daemons = {name: Daemon("--kafka", self._way(name), "--node", name, "--payment-provider",
                                     self.provider.url, *self._options) for name in self.names}
        try:
            with concurrent.futures.ThreadPoolExecutor(len(self.names)) as pool:
                list(pool.map(self._enter, self.names))
        except BaseException:
            self.__exit__()
            raise
        return self

    def _enter(self, name):
        self.daemons[name].__enter__()
        self.down.discard(name)

    def __exit__(self, *_):
        for daemon in self.daemons.values():
            daemon.__exit__(None, None, None)
        self.provider.__exit__()

    def kill(self, name):
        self.down.add(name)
        self.daemons[name].kill()

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

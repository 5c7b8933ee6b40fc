"""What the scenarios share: a client, the daemon as a child process, and a small shop. Standard library only.

Lifecycle: a Daemon owns one soukd and, unless it is given a directory, a scratch data directory; `with` ends both.
Where the programs are: SOUK_BIN_DIR, else build/release of this tree."""
import http.client
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from urllib.parse import quote

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN_DIR = os.environ.get("SOUK_BIN_DIR") or os.path.join(TREE, "build", "release")
# A sanitized build is several times slower; waits are multiplied, figures are not judged.
PATIENCE = float(os.environ.get("SOUK_PATIENCE", "1"))
# soukd listens to SOUK_ variables and to a souk.toml where it stands: it shall see none of ours.
CLEAN_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
LOST = (OSError, http.client.HTTPException)


def binary(name):
    return os.path.join(os.path.abspath(BIN_DIR), name)


def money(amount, currency="GBP"):
    return {"amount": str(amount), "currency": currency}


def sku_path(sku):
    return quote(sku, safe="")


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.raw = status, raw
        self.headers = {name.lower(): value for name, value in headers}

    @property
    def json(self):
        return json.loads(self.raw)

    def __repr__(self):
        return f"{self.status} {self.raw[:400]!r}"


class Client:
    """One keep-alive connection. Raises one of LOST when the server is gone; the next call connects again."""

    def __init__(self, address, timeout=20):
        self.address, self.timeout, self._connection = address, timeout * PATIENCE, None

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def call(self, method, path, body=None, key=None, raw=None, headers=None):
        sent = dict(headers or {})
        data = raw if body is None else json.dumps(body, ensure_ascii=False).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        if key:
            sent["Idempotency-Key"] = key
        try:
            if not self._connection:
                host, port = self.address.rsplit(":", 1)
                self._connection = http.client.HTTPConnection(host, int(port), timeout=self.timeout)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.request(method, path, body=data, headers=sent)
            response = self._connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
            if response.will_close:
                self.close()
            return answer
        except LOST:
            self.close()
            raise

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body, **options)

    def put(self, path, body=None, **options):
        return self.call("PUT", path, body, **options)


class NotReady(Exception):
    """soukd ended, or said nothing, instead of becoming ready."""


class Daemon:
    """soukd on a free port of 127.0.0.1."""

    def __init__(self, *options, data_dir=None, environment=None):
        self.environment = {**CLEAN_ENVIRONMENT, **(environment or {})}
        self.home = tempfile.mkdtemp(prefix="souk-test-")
        self.data_dir = data_dir or os.path.join(self.home, "data")
        self.options, self.program = list(options), binary("soukd")
        self.process, self.address, self.ready_line = None, None, ""
        self._clients = []
        self.log_path = os.path.join(self.home, "soukd.log")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        for client in self._clients:
            client.close()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def log(self):
        with open(self.log_path, "r", encoding="utf-8", errors="replace") as file:
            return file.read()

    def start(self, timeout=60):
        command = [self.program, "--data-dir", self.data_dir, "--http", "127.0.0.1:0", *self.options]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=self.home,
                                            env=self.environment)
        end, text = time.monotonic() + timeout * PATIENCE, b""
        while time.monotonic() < end:
            if not select.select([self.process.stdout], [], [], 0.2)[0]:
                continue
            more = os.read(self.process.stdout.fileno(), 4096)
            text += more
            ready = re.search(rb"souk ready http=(\S+) shards=\d+ recovered_events=\d+ in=\d+ms\n", text)
            if ready:
                self.address, self.ready_line = ready[1].decode(), ready[0].decode().strip()
                return self
            if not more:
                break
        if self.process.poll() is None and time.monotonic() >= end:
            self.kill()
        status = self.process.wait()
        self.process.stdout.close()
        raise NotReady(f"soukd: exit {status}, printed {text!r}, logged: {self.log()[-2000:]}")

    def client(self, **options):
        """A client of its own; closed at the end at the latest."""
        self._clients.append(Client(self.address, **options))
        return self._clients[-1]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self._ended(None)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, timeout=30):
        """Asks it to drain and end; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended(timeout * PATIENCE)

    def _ended(self, timeout):
        status = self.process.wait(timeout)
        self.process.stdout.close()
        return status


def eventually(read, holds, seconds=10):
    """Reads until `holds`, at most so long; the last that was read. For what is still on its way."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = read()
        if holds(value) or time.monotonic() > end:
            return value
        time.sleep(0.02)


class Shop:
    """Products, carts and orders with fresh names and keys, through one client."""

    def __init__(self, client):
        self.client = client
        self._run, self._numbers = uuid.uuid4().hex[:8], itertools.count(1)

    def fresh(self, word="key"):
        return f"{word}-{self._run}-{next(self._numbers)}"

    def product(self, stock=10, price="2.50", sku=None):
        sku = sku or self.fresh("sku")
        self.expect(self.client.put(f"/v1/products/{sku_path(sku)}", {
            "name": f"Thing {sku}", "brand": "Acme", "category": ["home", "tea"], "price": money(price)}), 200, 201)
        if stock:
            self.expect(self.client.post(f"/v1/inventory/{sku_path(sku)}/receive", {"quantity": stock},
                                         key=self.fresh()), 200)
        return sku

    def cart(self, **body):
        return self.expect(self.client.post("/v1/carts", body, key=self.fresh()), 201).json["cart_id"]

    def add(self, cart_id, sku, quantity=1, key=None, headers=None, **more):
        return self.client.post(f"/v1/carts/{cart_id}/items", {"sku": sku, "quantity": quantity, **more},
                                key=key or self.fresh(), headers=headers)

    def check_out(self, cart_id, token="ok", key=None, wait="?wait=final"):
        return self.client.post(f"/v1/carts/{cart_id}/checkout{wait}",
                                {"payment": {"method": "simulated", "token": token}}, key=key or self.fresh())

    def order(self, order_id, seconds=20):
        """The order, once it is final."""
        return eventually(lambda: self.client.get(f"/v1/orders/{order_id}").json,
                          lambda order: order["status"] != "pending", seconds)

    def stock(self, sku):
        """The figures, once nothing is reserved any more."""
        return eventually(lambda: self.client.get(f"/v1/inventory/{sku_path(sku)}").json,
                          lambda figures: figures["reserved"] == 0)

    def figures(self, sku):
        stock = self.stock(sku)
        return stock["on_hand"], stock["reserved"], stock["available"]

    @staticmethod
    def expect(answer, *statuses):
        if answer.status not in statuses:
            raise AssertionError(f"wanted {statuses}, got {answer!r}")
        return answer

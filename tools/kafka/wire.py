"""A little of Kafka's own protocol over a socket: whether a broker answers, what it knows, topics made and deleted, records.
Standard library only. Versions: the last without tagged fields of each request; 4.1 to 4.4 serve them all."""
import base64
import dataclasses
import hashlib
import hmac
import os
import socket
import struct

API_VERSIONS, METADATA, CREATE_TOPICS, DELETE_TOPICS, FETCH = 18, 3, 19, 20, 1
SASL_HANDSHAKE, SASL_AUTHENTICATE, DESCRIBE_QUORUM = 17, 36, 55
VERSION = {API_VERSIONS: 0, METADATA: 7, CREATE_TOPICS: 4, DELETE_TOPICS: 3, SASL_HANDSHAKE: 1, SASL_AUTHENTICATE: 0,
           DESCRIBE_QUORUM: 0, FETCH: 11}
ANSWER_BYTES_MAX = 64 * 1024 * 1024
NONE, UNKNOWN_TOPIC, TOPIC_EXISTS, BAD_REPLICATION_FACTOR, SASL_FAILED = 0, 3, 36, 38, 58  # error codes of Kafka
# Those that pass by themselves: timed out, leader or coordinator away, not the controller, rebalance, broker gone.
PASSING = {5, 6, 7, 8, 13, 15, 41}


class Refused(Exception):
    """A broker's error code, and what it says about it."""

    def __init__(self, code, message):
        super().__init__(f"error {code}: {message}")
        self.code = code


@dataclasses.dataclass(frozen=True)
class Partition:
    leader: int  # -1: none
    leader_epoch: int
    replicas: tuple
    isr: tuple
    offline: tuple


@dataclasses.dataclass(frozen=True)
class Metadata:
    brokers: dict  # id -> (host, port) as advertised on the listener that was asked
    cluster_id: str
    topics: dict  # name -> {partition: Partition}
    errors: dict  # name -> code, of topics that have one


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, shape):
        (value,) = struct.unpack_from(">" + shape, self.data, self.at)
        self.at += struct.calcsize(shape)
        return value

    def bytes(self, shape="i"):
        size = self.number(shape)
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size:self.at]

    def string(self):
        raw = self.bytes("h")
        return None if raw is None else raw.decode()

    def array(self, read):
        return [read() for _ in range(self.number("i"))]


def _string(text):
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text.encode())) + text.encode()


def _bytes(data):
    return struct.pack(">i", len(data)) + data


def _array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class Connection:
    """One connection to one broker: a request, then its answer. Raises OSError where the broker is not there, is silent
    for `timeout` seconds or closes. `tls`: an ssl.SSLContext. Thread: one."""

    def __init__(self, address, timeout=5, tls=None):
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=timeout)
        if tls:
            self._socket = tls.wrap_socket(self._socket, server_hostname=host)
        self._number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def timeout(self, seconds):
        self._socket.settimeout(seconds)

    def send(self, api, body):
        self._number += 1
        whole = struct.pack(">hhi", api, VERSION[api], self._number) + _string("souk-tools") + body
        self._socket.sendall(_bytes(whole))

    def receive(self):
        """The answer to the oldest request without one."""
        (size,) = struct.unpack(">i", self._exactly(4))
        if not 4 <= size <= ANSWER_BYTES_MAX:
            raise ConnectionError(f"an answer of {size} bytes: this is no Kafka broker")
        reader = _Reader(self._exactly(size))
        reader.number("i")
        return reader

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                raise ConnectionError("the broker has closed the connection")
            data += more
        return data

    def call(self, api, body=b""):
        self.send(api, body)
        return self.receive()

    def api_versions(self):
        """Request -> (oldest, newest version)."""
        reader = self.call(API_VERSIONS)
        _check(reader.number("h"), "ApiVersions")
        return {api: (low, high) for api, low, high in
                reader.array(lambda: (reader.number("h"), reader.number("h"), reader.number("h")))}

    def metadata(self, topics=None, *, may_create=False):
        """Of all topics, or of these. Creates none, unless the caller and the broker let it."""
        body = struct.pack(">i", -1) if topics is None else _array([_string(name) for name in topics])
        reader = self.call(METADATA, body + bytes([may_create]))
        reader.number("i")
        brokers = {}
        for _ in range(reader.number("i")):
            broker, host, port, _rack = reader.number("i"), reader.string(), reader.number("i"), reader.string()
            brokers[broker] = (host, port)
        cluster_id, _any_broker, found, errors = reader.string(), reader.number("i"), {}, {}
        for _ in range(reader.number("i")):
            code, name, _internal = reader.number("h"), reader.string(), reader.number("b")
            if code != NONE:
                errors[name] = code
            found[name] = dict(reader.array(lambda: _partition(reader)))
        return Metadata(brokers, cluster_id, {name: found[name] for name in found if name not in errors}, errors)

    def active_controller(self):
        """The node that leads the controllers' quorum; -1: none."""
        name = b"__cluster_metadata"
        body = b"\2" + bytes([len(name) + 1]) + name + b"\2" + struct.pack(">i", 0) + bytes(3)
        reader = self.call(DESCRIBE_QUORUM, b"\0" + body)  # the only request here with tagged fields, all empty
        reader.number("b")
        _check(reader.number("h"), "DescribeQuorum")
        reader.at += 1 + 1 + len(name) + 1 + 4  # one topic, its name, one partition, its number
        _check(reader.number("h"), "DescribeQuorum")
        return reader.number("i")

    def create_topic(self, name, partitions, replication_factor, settings=None, wait_ms=10_000):
        reader = self.call(CREATE_TOPICS, create_topics_body(name, partitions, replication_factor, settings, wait_ms))
        reader.number("i")
        for _ in range(reader.number("i")):
            name, code, message = reader.string(), reader.number("h"), reader.string()
            _check(code, f"{name}: {message}")

    def delete_topic(self, name, wait_ms=10_000):
        reader = self.call(DELETE_TOPICS, _array([_string(name)]) + struct.pack(">i", wait_ms))
        reader.number("i")
        for name, code in reader.array(lambda: (reader.string(), reader.number("h"))):
            _check(code, name)

    def fetch(self, topic, partition, offset, bytes_max, wait_ms=100):
        """(end, batches): where the partition ends, and record batches from the one that holds `offset` on."""
        asked = struct.pack(">iiqqi", partition, -1, offset, -1, bytes_max)
        body = struct.pack(">iiiibii", -1, wait_ms, 1, bytes_max, 0, 0, -1)
        reader = self.call(FETCH, body + _array([_string(topic) + _array([asked])]) + _array([]) + _string(""))
        reader.number("i")
        _check(reader.number("h"), "Fetch")
        reader.at += 4 + 4  # session, one topic
        reader.string()
        reader.at += 4 + 4  # one partition, its number
        _check(reader.number("h"), f"{topic}/{partition}")
        end = reader.number("q")
        reader.at += 8 + 8  # last stable offset, first offset
        aborted = max(0, reader.number("i"))
        reader.at += 16 * aborted + 4  # these transactions, the replica to prefer
        return end, reader.bytes() or b""

    def authenticate(self, user, password):
        """SASL with SCRAM-SHA-256; before any other request."""
        reader = self.call(SASL_HANDSHAKE, _string("SCRAM-SHA-256"))
        _check(reader.number("h"), "SCRAM-SHA-256")
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n={user},r={nonce}"
        challenge = self._authenticate(f"n,,{first}")
        given = dict(part.split("=", 1) for part in challenge.split(","))
        if not given["r"].startswith(nonce):
            raise ConnectionError("SCRAM: the broker answered somebody else")
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(given["s"]), int(given["i"]))
        final = f"c=biws,r={given['r']}"
        said = f"{first},{challenge},{final}".encode()
        client_key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), said)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature))).decode()
        answer = dict(part.split("=", 1) for part in self._authenticate(f"{final},p={proof}").split(","))
        if base64.b64decode(answer["v"]) != _hmac(_hmac(salted, b"Server Key"), said):
            raise ConnectionError("SCRAM: the broker does not know the password")

    def _authenticate(self, text):
        reader = self.call(SASL_AUTHENTICATE, _bytes(text.encode()))
        code, message = reader.number("h"), reader.string()
        _check(code, message)
        return reader.bytes().decode()


def create_topics_body(name, partitions, replication_factor, settings=None, wait_ms=10_000):
    topic = _string(name) + struct.pack(">ihi", partitions, replication_factor, 0) + _array(
        [_string(key) + _string(str(value)) for key, value in (settings or {}).items()])
    return _array([topic]) + struct.pack(">ib", wait_ms, 0)


def _hmac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def _check(code, message):
    if code != NONE:
        raise Refused(code, message)


def _partition(reader):
    _error, number, leader, epoch = reader.number("h"), reader.number("i"), reader.number("i"), reader.number("i")
    replicas, isr, offline = (tuple(reader.array(lambda: reader.number("i"))) for _ in range(3))
    return number, Partition(leader, epoch, replicas, isr, offline)


def brokers_seen(address, timeout=2):
    """The ids of the brokers that the one at `address` sees; none where it does not answer."""
    try:
        with Connection(address, timeout) as connection:
            connection.api_versions()
            return sorted(connection.metadata([]).brokers)
    except (OSError, Refused, struct.error):
        return []
